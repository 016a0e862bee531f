//! Machines with OpenSSH and the like. An administrative account says `chpasswd`, through `sudo`
//! unless it is root; without one, the account itself answers what `passwd` asks on a terminal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use russh::client::{self, Handle};
use russh::keys::{Algorithm, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, Preferred};
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::connectors::dial::{dial, pinned, untold};
use crate::connectors::login::log_in;
use crate::connectors::passwd::{Answer, Dialog};
use crate::connectors::sudo::Talk;
use crate::connectors::{Admin, Connector, ConnectorError, Order, Site, Trouble, one_line};
use crate::domain::{Password, Pin};

/// Speaks to SSH servers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ssh;

#[async_trait]
impl Connector for Ssh {
    fn suits(&self, password: &Password) -> Result<(), Trouble> {
        one_line(password, (CONTROL, TOO_LONG), LONGEST)
    }

    async fn change(&self, site: &Site<'_>, order: &Order<'_>) -> Result<(), ConnectorError> {
        let login = order.login();
        let begun = Instant::now();
        let entering = async {
            match log_in(enter(site).await?, &login).await? {
                None => Err(Trouble::LoginRefused(login.name.to_owned())),
                Some(session) => match order.admin {
                    Some(admin) => Ok(Way::By(Talk::begin(&session, &admin, order).await?)),
                    None => Ok(Way::Itself(session)),
                },
            }
        };
        match untold(site, entering).await? {
            Way::By(talk) => talk.tell(order).await,
            Way::Itself(session) => {
                let left = site.patience.saturating_sub(begun.elapsed());
                passwd(&session, order, left - left / 8).await
            }
        }
    }

    async fn verify(
        &self,
        site: &Site<'_>,
        account: &str,
        password: &Password,
    ) -> Result<bool, ConnectorError> {
        let login = Admin::by(account, password);
        let session = enter(site).await.map_err(Trouble::before)?;
        let entered = log_in(session, &login).await.map_err(Trouble::before)?;
        Ok(entered.is_some())
    }

    async fn shown(&self, site: &Site<'_>) -> Result<Option<Pin>, ConnectorError> {
        let (shown, _session) = greet(site, None).await.map_err(Trouble::before)?;
        Ok(shown)
    }
}

pub(super) type Session = Handle<HostKey>;

/// Who is in, and how it goes on.
enum Way {
    /// An administrative account, which has begun to change the other's.
    By(Talk),
    /// The account itself.
    Itself(Session),
}

/// Remembers the host key that was shown, and goes on only with the one that is expected.
pub(super) struct HostKey {
    expected: Option<Pin>,
    shown: Arc<Mutex<Option<Pin>>>,
}

impl client::Handler for HostKey {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(false);
        };
        let pin = Pin(Sha256::digest(key.to_bytes()?).into());
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(pin);
        Ok(self.expected.is_none_or(|expected| expected == pin))
    }
}

/// A session with the target whose host key is pinned.
async fn enter(site: &Site<'_>) -> Result<Session, Trouble> {
    let (shown, session) = greet(site, site.target.pin).await?;
    pinned(site, shown.ok_or(Trouble::Cut)?)?;
    session.ok_or(Trouble::Cut)
}

async fn greet(
    site: &Site<'_>,
    expected: Option<Pin>,
) -> Result<(Option<Pin>, Option<Session>), Trouble> {
    let line = dial(site).await?;
    let shown = Arc::new(Mutex::new(None));
    let handler = HostKey {
        expected,
        shown: shown.clone(),
    };
    let config = client::Config {
        preferred: preferred(),
        // The session lives on in a task of its own, whoever drops what it does here.
        inactivity_timeout: Some(site.patience),
        ..client::Config::default()
    };
    let session = client::connect_stream(Arc::new(config), line, handler).await;
    let session = session.ok();
    let shown = *shown.lock().unwrap_or_else(PoisonError::into_inner);
    match shown {
        None => Err(Trouble::Cut),
        shown => Ok((shown, session)),
    }
}

/// The library's choice without host keys that sign by SHA-1.
fn preferred() -> Preferred {
    let keys = Preferred::DEFAULT.key;
    let strong = keys
        .iter()
        .filter(|it| **it != Algorithm::Rsa { hash: None });
    Preferred {
        key: strong.cloned().collect(),
        ..Preferred::DEFAULT
    }
}

async fn passwd(
    session: &Session,
    order: &Order<'_>,
    patience: Duration,
) -> Result<(), ConnectorError> {
    let cut = |_| Trouble::Cut.before();
    let mut channel = session.channel_open_session().await.map_err(cut)?;
    channel
        .request_pty(false, "dumb", 4096, 24, 0, 0, &[])
        .await
        .map_err(cut)?;
    channel
        .exec(true, "env LC_ALL=C passwd")
        .await
        .map_err(cut)?;
    let mut dialog = Dialog::default();
    let conversing = converse(&mut channel, &mut dialog, order);
    let status = timeout(patience, conversing).await;
    let status = status.unwrap_or(Err(Trouble::Slow));
    let secrets = [order.old.expose(), order.new.expose()];
    let trouble = match status {
        Ok(Some(0)) if dialog.told() => return Ok(()),
        Ok(Some(_)) => Trouble::refused(dialog.words(), &secrets),
        Ok(None) => Trouble::Cut,
        Err(trouble) => trouble,
    };
    Err(match dialog.told() {
        true => trouble.after(),
        false => trouble.before(),
    })
}

/// Answers what is asked until the program ends; its exit status.
async fn converse(
    channel: &mut Channel<client::Msg>,
    dialog: &mut Dialog,
    order: &Order<'_>,
) -> Result<Option<u32>, Trouble> {
    let mut status = None;
    while let Some(message) = channel.wait().await {
        let answer = match message {
            ChannelMsg::Data { data } => dialog.hear(&data),
            ChannelMsg::ExitStatus { exit_status } => {
                status = Some(exit_status);
                Answer::Nothing
            }
            ChannelMsg::Failure => return Err(Trouble::Setting(NO_PASSWD)),
            _ => Answer::Nothing,
        };
        let text = match answer {
            Answer::Nothing => continue,
            Answer::Old => order.old.expose(),
            Answer::New => order.new.expose(),
            // It was not good enough, and is asked for again.
            Answer::Leave => return Ok(Some(1)),
        };
        let line = Zeroizing::new(format!("{text}\n"));
        let sent = channel.data(line.as_bytes()).await;
        sent.map_err(|_| Trouble::Cut)?;
    }
    Ok(status)
}

/// What PAM takes.
pub(super) const LONGEST: usize = 500;
const CONTROL: &str = "a password on such a machine can hold no control character";
const TOO_LONG: &str = "a password on such a machine can have 500 bytes at most";
const NO_PASSWD: &str = "the target does not let the account run passwd";
