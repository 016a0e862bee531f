//! A target in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use claviger::connectors::{Connector, ConnectorError, Connectors, Order, Proof, Site, Trouble};
use claviger::domain::{ConnectorKind, Password, Pin};

/// What happens to one conversation about a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is made, and said to be.
    Made,
    /// Nobody is reached.
    NotReached,
    /// It is refused.
    Refused,
    /// The line is cut before it is made.
    CutBefore,
    /// The line is cut after it was made.
    CutAfter,
    /// It is said to be made, and is not.
    Lied,
    /// It is made, and nobody ever says so.
    Hangs,
    /// The target takes the first four characters only, and tells nobody.
    Truncated,
}

/// What happens to one try to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// It is answered.
    Answered,
    /// The line is cut.
    Cut,
    /// Nobody is reached.
    Unreachable,
}

#[derive(Debug, Default)]
pub struct Fake {
    inner: Mutex<Inner>,
    /// Held while a change waits to be let go.
    pub gate: tokio::sync::Mutex<()>,
    /// Held while a try to log in waits to be let go.
    pub login_gate: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    password: String,
    /// The administrative account's.
    admin: String,
    changes: VecDeque<Change>,
    logins: VecDeque<Login>,
    open: bool,
    shown: Option<Pin>,
    told: Vec<String>,
    asked: usize,
    by: Vec<Option<String>>,
}

impl Fake {
    pub fn with(password: &str) -> Arc<Self> {
        let fake = Self::default();
        fake.set(password);
        fake.admin("adm1n");
        Arc::new(fake)
    }

    /// What happens to the next changes; those after them are made.
    pub fn changes(&self, next: &[Change]) {
        self.inner.lock().unwrap().changes.extend(next);
    }

    /// What happens to the next tries to log in; those after them are answered.
    pub fn logins(&self, next: &[Login]) {
        self.inner.lock().unwrap().logins.extend(next);
    }

    /// Everything goes well from now on.
    pub fn calm(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.changes.clear();
        inner.logins.clear();
    }

    /// Lets everybody in from now on.
    pub fn open(&self) {
        self.inner.lock().unwrap().open = true;
    }

    pub fn show(&self, pin: Pin) {
        self.inner.lock().unwrap().shown = Some(pin);
    }

    pub fn password(&self) -> String {
        self.inner.lock().unwrap().password.clone()
    }

    /// Somebody else changes it.
    pub fn set(&self, password: &str) {
        self.inner.lock().unwrap().password = password.to_owned();
    }

    /// The administrative account has another one.
    pub fn admin(&self, password: &str) {
        self.inner.lock().unwrap().admin = password.to_owned();
    }

    /// Every password that it was told.
    pub fn told(&self) -> Vec<String> {
        self.inner.lock().unwrap().told.clone()
    }

    /// How often somebody tried to log in.
    pub fn asked(&self) -> usize {
        self.inner.lock().unwrap().asked
    }

    /// By whom it was told.
    pub fn by(&self) -> Vec<Option<String>> {
        self.inner.lock().unwrap().by.clone()
    }
}

/// The same target, whatever the kind.
#[derive(Debug)]
pub struct Only(pub Arc<Fake>);

impl Connectors for Only {
    fn of(&self, _kind: ConnectorKind) -> Arc<dyn Connector> {
        Arc::new(Handle(self.0.clone()))
    }
}

#[derive(Debug)]
struct Handle(Arc<Fake>);

#[async_trait]
impl Connector for Handle {
    fn suits(&self, password: &Password) -> Result<(), Trouble> {
        match password.expose().contains('\n') {
            true => Err(Trouble::Unfit("the password holds a line end")),
            false => Ok(()),
        }
    }

    async fn change(&self, _site: &Site<'_>, order: &Order<'_>) -> Result<(), ConnectorError> {
        // A moment in which others could get in between.
        tokio::task::yield_now().await;
        let _open = self.0.gate.lock().await;
        let next = {
            let mut inner = self.0.inner.lock().unwrap();
            let next = inner.changes.pop_front().unwrap_or(Change::Made);
            if next == Change::NotReached {
                return Err(Trouble::Unreachable.before());
            }
            inner
                .by
                .push(order.admin.map(|admin| admin.name.to_owned()));
            if let Some(admin) = order.admin {
                let Proof::Password(password) = admin.proof else {
                    panic!("a key")
                };
                if password.expose() != inner.admin {
                    return Err(Trouble::LoginRefused("admin".to_owned()).before());
                }
            } else if inner.password != order.old.expose() {
                return Err(Trouble::LoginRefused("it".to_owned()).before());
            }
            let new = order.new.expose();
            inner.told.push(new.to_owned());
            match next {
                Change::Made | Change::CutAfter | Change::Hangs => inner.password = new.to_owned(),
                Change::Truncated => inner.password = new.chars().take(4).collect(),
                Change::NotReached | Change::Refused | Change::CutBefore | Change::Lied => {}
            }
            next
        };
        tokio::task::yield_now().await;
        match next {
            Change::Made | Change::Lied | Change::Truncated => Ok(()),
            Change::NotReached => Err(Trouble::Unreachable.before()),
            Change::Refused => Err(Trouble::refused("too short", &[]).after()),
            Change::CutBefore | Change::CutAfter => Err(Trouble::Cut.after()),
            Change::Hangs => std::future::pending().await,
        }
    }

    async fn verify(
        &self,
        _site: &Site<'_>,
        _account: &str,
        password: &Password,
    ) -> Result<bool, ConnectorError> {
        tokio::task::yield_now().await;
        self.0.inner.lock().unwrap().asked += 1;
        let _open = self.0.login_gate.lock().await;
        let mut inner = self.0.inner.lock().unwrap();
        match inner.logins.pop_front().unwrap_or(Login::Answered) {
            Login::Answered => Ok(inner.open || inner.password == password.expose()),
            Login::Cut => Err(Trouble::Cut.before()),
            Login::Unreachable => Err(Trouble::Unreachable.before()),
        }
    }

    async fn shown(&self, _site: &Site<'_>) -> Result<Option<Pin>, ConnectorError> {
        Ok(self.0.inner.lock().unwrap().shown)
    }
}
