//! What a connector needs to change the password of one account.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{timeout, timeout_at};

use crate::connectors::{Admin, Connector, ConnectorError, Order, Proof, Site, Trouble};
use crate::domain::{
    Account, ConnectorKind, Folded, HeldAccount, Operation, Password, ResetTarget, Resource,
    SecretKind,
};
use crate::store::rows::{MaterialRow, PendingRow, SecretRow, TendedRow};
use crate::vault::book::Deed;
use crate::vault::reset::ResetLimits;
use crate::vault::reset::attempts::{Trying, Turn};
use crate::vault::{Vault, VaultError};

/// One account's way to its target.
pub(super) struct Job<'a> {
    pub(super) target: ResetTarget,
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) limits: &'a ResetLimits,
    pub(super) account: Account,
    /// What its audit records are about.
    pub(super) deed: Deed,
    connector: Arc<dyn Connector>,
    vault: &'a Vault,
    admin: Option<Login>,
    is_healed: bool,
    trying: Option<Trying<'a>>,
}

/// Somebody whose password or key is kept here.
pub(super) struct Login {
    pub(super) name: String,
    held: HeldAccount,
    secret: Password,
    key: bool,
}

impl Login {
    fn admin(&self) -> Admin<'_> {
        Admin {
            name: &self.name,
            proof: match self.key {
                true => Proof::SshKey(self.secret.expose()),
                false => Proof::Password(&self.secret),
            },
        }
    }
}

impl Vault {
    /// The way to the target of an account; why there is none, in words.
    pub(super) async fn job(
        &self,
        resource: &Resource,
        account: Account,
    ) -> Result<Result<Job<'_>, String>, VaultError> {
        let own = HeldAccount {
            resource: resource.id,
            account: account.id,
        };
        let job = match self.look_job(resource, account).await? {
            Ok(job) => job,
            Err(why) => return Ok(Err(why)),
        };
        let admin = self.login(job.target.admin, own).await?;
        Ok(admin.map(|admin| Job { admin, ..job }))
    }

    /// The same to ask it alone, which nobody but the account itself is needed for: nobody changes
    /// anything by it.
    pub(super) async fn look_job(
        &self,
        resource: &Resource,
        account: Account,
    ) -> Result<Result<Job<'_>, String>, VaultError> {
        let key = self.rows.places().reset_target(resource.id);
        let target = self.rows.get::<ResetTarget>(key).await?;
        let (Some(tools), Some(target)) = (self.tools(), target) else {
            return Ok(Err(NO_WAY.to_owned()));
        };
        let target = target.record;
        let addresses = match self.way_to(&target, &tools.limits.allow).await {
            Ok(addresses) => addresses,
            Err(why) => return Ok(Err(why)),
        };
        let own = HeldAccount {
            resource: resource.id,
            account: account.id,
        };
        let is_healed = target.reconcile.is_some_and(|held| held != own);
        Ok(Ok(Job {
            connector: tools.connectors.of(target.connector.kind()),
            vault: self,
            limits: &tools.limits,
            deed: Deed::new(Operation::Reset).on(resource.name.as_str(), account.name.as_str()),
            target,
            addresses,
            account,
            admin: None,
            is_healed,
            trying: None,
        }))
    }

    /// Who puts the account right, with the password or key that it has now: the one that the job
    /// began with may have been changed meanwhile.
    pub(super) async fn healer(&self, job: &Job<'_>) -> Result<Option<Login>, VaultError> {
        let own = HeldAccount {
            resource: job.account.resource,
            account: job.account.id,
        };
        let key = self.rows.places().reset_target(own.resource);
        let Some(target) = self.rows.get::<ResetTarget>(key).await? else {
            return Ok(None);
        };
        let target = target.record;
        for held in [target.reconcile, target.admin] {
            // A healer that is gone is as good as none.
            if let Some(login) = self.login(held, own).await?.unwrap_or(None) {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }

    /// Who `held` is and what it logs in with; nobody where it is the account itself.
    async fn login(
        &self,
        held: Option<HeldAccount>,
        own: HeldAccount,
    ) -> Result<Result<Option<Login>, String>, VaultError> {
        let Some(held) = held.filter(|held| *held != own) else {
            return Ok(Ok(None));
        };
        let places = self.rows.places();
        let key = places.account(held.resource, held.account);
        let Some(account) = self.rows.get::<Account>(key).await? else {
            return Ok(Err("the administrative account is gone".to_owned()));
        };
        let account = account.record;
        let key = places.secret(account.id, account.secret);
        let secret = match account.kind {
            SecretKind::Password => {
                let kept = self.rows.get::<SecretRow>(key).await?;
                kept.map(|kept| kept.record.password)
            }
            SecretKind::SshKey => {
                let kept = self.rows.get::<MaterialRow>(key).await?;
                match kept {
                    Some(kept) => Some(text_of(kept.record.material.expose())?),
                    None => None,
                }
            }
            SecretKind::File | SecretKind::ApiKey => None,
        };
        let login = secret.map(|secret| Login {
            name: account.name.as_str().to_owned(),
            held,
            secret,
            key: account.kind == SecretKind::SshKey,
        });
        Ok(login
            .map(Some)
            .ok_or_else(|| "the administrative account keeps no password or SSH key".to_owned()))
    }
}

impl<'a> Job<'a> {
    pub(super) fn suits(&self, password: &Password) -> Result<(), Trouble> {
        self.connector.suits(password)
    }

    /// Tells the target the new password.
    pub(super) async fn tell(&self, pending: &PendingRow) -> Result<(), ConnectorError> {
        self.tell_as(self.admin.as_ref(), pending).await
    }

    /// Tells it by the account that puts things right.
    pub(super) async fn tell_by(
        &self,
        healer: &Login,
        pending: &PendingRow,
    ) -> Result<(), ConnectorError> {
        self.tell_as(Some(healer), pending).await
    }

    /// Whether the account changes its own password, and another one can put it right.
    pub(super) fn is_healed(&self) -> bool {
        self.admin.is_none() && self.is_healed
    }

    /// Whether more than the account's own login changes it, or no login need come before.
    pub(super) fn needs_vouching(&self) -> bool {
        let command = self.target.connector.kind() == ConnectorKind::Command;
        command || self.admin.is_some() || self.is_healed
    }

    /// Which login on which target this is.
    pub(super) fn tended(&self) -> TendedRow {
        TendedRow::of(&self.target, &self.account.name)
    }

    /// The account's own login at the target, whatever it is that is changed by it.
    fn own_login(&self) -> String {
        self.login("own", self.account.name.as_str())
    }

    /// An administrator's login there: by what is kept of it and not by its name, which others may
    /// give to accounts of theirs.
    fn login_by(&self, admin: &Login) -> String {
        let held = admin.held;
        self.login("by", &format!("{}/{}", held.resource.0, held.account.0))
    }

    /// A login by its name, however that is spelled: many targets make no difference.
    fn login(&self, whose: &str, name: &str) -> String {
        let target = &self.target;
        let (kind, host, port) = (target.connector.kind(), target.host.as_str(), target.port);
        let login = Folded::new(&format!("{whose} {kind} {host} {port} {name}"));
        let words: Vec<_> = login.as_str().split_whitespace().collect();
        words.join(" ")
    }

    /// Counts the logins that the change needs before they are tried; why they are not, in words,
    /// where one was refused too often.
    pub(super) async fn begin(&mut self) -> Result<(), String> {
        let admin = self.admin.as_ref().map(|admin| self.login_by(admin));
        let logins = [Some(self.own_login()), admin].into_iter().flatten();
        self.trying = Some(self.turn_of(logins.collect()).await?);
        Ok(())
    }

    /// Counts the login of the account that puts things right before it is tried, unless it is
    /// counted already.
    pub(super) async fn begin_by(&self, healer: &Login) -> Result<Option<Trying<'_>>, String> {
        let login = self.login_by(healer);
        if !self.trying.as_ref().is_some_and(|own| own.holds(&login)) {
            return self.turn_of(vec![login]).await.map(Some);
        }
        let when = (self.limits, self.vault.clock.now());
        let spent = self.vault.resets.attempts.spent(&login, when);
        spent.map_or(Ok(None), |rest| Err(too_often(rest)))
    }

    async fn turn_of(&self, logins: Vec<String>) -> Result<Trying<'a>, String> {
        let (vault, limits) = (self.vault, self.limits);
        let attempts = &vault.resets.attempts;
        let until = tokio::time::Instant::now() + limits.wait;
        loop {
            let ended = attempts.ended();
            match attempts.begin(logins.clone(), (limits, vault.clock.now())) {
                Turn::Now(trying) => return Ok(trying),
                Turn::Spent(rest) => return Err(too_often(rest)),
                Turn::Later => timeout_at(until, ended)
                    .await
                    .map_err(|_| MANY.to_owned())?,
            }
        }
    }

    fn note_login(&self, login: String, is_in: bool) {
        let when = (self.limits, self.vault.clock.now());
        self.vault.resets.attempts.note(login, is_in, when);
    }

    async fn tell_as(
        &self,
        admin: Option<&Login>,
        pending: &PendingRow,
    ) -> Result<(), ConnectorError> {
        let order = Order {
            account: self.account.name.as_str(),
            old: &pending.old,
            new: &pending.new,
            admin: admin.map(Login::admin),
        };
        let site = self.site();
        let telling = self.connector.change(&site, &order);
        let told = match timeout(self.limits.timeout, telling).await {
            Ok(told) => told,
            Err(_) => Err(Trouble::Slow.after()),
        };
        self.heard(told.as_ref().err().map(ConnectorError::trouble));
        match (&told, admin) {
            (Err(ConnectorError::Untouched(Trouble::LoginRefused(_))), _) => {
                let login = admin.map_or_else(|| self.own_login(), |admin| self.login_by(admin));
                self.note_login(login, false);
            }
            // Whoever may have told it has got in before.
            (Ok(()) | Err(ConnectorError::Unclear(_)), Some(admin)) => {
                self.note_login(self.login_by(admin), true);
            }
            (Err(ConnectorError::Untouched(_)), _)
            | (Ok(()) | Err(ConnectorError::Unclear(_)), None) => {}
        }
        told
    }

    /// Whether the account can log in with `password`.
    pub(super) async fn opens(&self, password: &Password) -> Result<bool, Trouble> {
        let (site, name) = (self.site(), self.account.name.as_str());
        let trying = self.connector.verify(&site, name, password);
        let answer = match timeout(self.limits.timeout, trying).await {
            Ok(answer) => answer.map_err(|error| error.trouble().clone()),
            Err(_) => Err(Trouble::Slow),
        };
        self.heard(answer.as_ref().err());
        if let Ok(is_in) = answer {
            self.note_login(self.own_login(), is_in);
        }
        answer
    }

    fn heard(&self, trouble: Option<&Trouble>) {
        let silence = &self.vault.resets.silence;
        let when = (self.vault.clock.now(), self.limits.soonest);
        silence.note(&self.target, trouble, when);
    }

    fn site(&self) -> Site<'_> {
        Site {
            target: &self.target,
            addresses: &self.addresses,
            patience: self.limits.timeout,
        }
    }
}

/// Another copy of a password, wiped as every one.
pub(super) fn copied(password: &Password) -> Result<Password, VaultError> {
    text_of(password.expose().as_bytes())
}

fn text_of(bytes: &[u8]) -> Result<Password, VaultError> {
    let form = |_| VaultError::from(crate::store::StoreError::Form);
    let text = std::str::from_utf8(bytes).map_err(|_| crate::store::StoreError::Form)?;
    Password::parse(zeroize::Zeroizing::new(text.to_owned())).map_err(form)
}

fn too_often(rest: Duration) -> String {
    format!("{SPENT}: ask again in {} s", rest.as_secs() + 1)
}

const SPENT: &str = "the target has refused this login too often of late, so it is not tried now";
const MANY: &str = "this login is being tried too often at once: ask again";
const NO_WAY: &str = "no connector is set up for this resource";
