//! `chpasswd`, by `root` or through `sudo`, which may ask the administrator for its password.
//!
//! Both read what is sent, so it must be clear who reads it: sudo gets a password only after it has
//! asked for it, and whether it asks is found out with nothing to read, which changes nothing.

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use zeroize::Zeroizing;

use crate::connectors::ssh::{LONGEST, Session};
use crate::connectors::{Admin, ConnectorError, Order, Proof, Trouble};
use crate::domain::Password;

/// How an administrator comes to `chpasswd`.
#[derive(Clone, Copy, Debug)]
enum Way<'a> {
    /// As `root`.
    Straight,
    /// By a sudo that asks nothing.
    Unasked,
    /// By a sudo that asks for this.
    Asked(&'a Password),
}

impl Way<'_> {
    fn command(self) -> &'static str {
        match self {
            Self::Straight => "chpasswd",
            // What sudo remembers of an earlier session does not count.
            Self::Unasked => "sudo -k -n chpasswd",
            Self::Asked(_) => "sudo -k -S -p claviger-is-asked: chpasswd",
        }
    }
}

/// `chpasswd` under way: it waits for what it is to change.
pub(super) struct Talk {
    channel: Channel<Msg>,
    begun: bool,
    status: Option<u32>,
    words: String,
}

impl Talk {
    /// Comes as far as to `chpasswd`, which is told nothing yet.
    pub(super) async fn begin(
        session: &Session,
        admin: &Admin<'_>,
        order: &Order<'_>,
    ) -> Result<Self, Trouble> {
        if order.account.contains(':') {
            return Err(Trouble::Setting(COLON));
        }
        Self::start(session, way(session, admin).await?).await
    }

    /// `chpasswd` reads `name:password`; what stands behind the first colon is the password.
    pub(super) async fn tell(self, order: &Order<'_>) -> Result<(), ConnectorError> {
        let mut input = Zeroizing::new(String::with_capacity(4 * LONGEST));
        for part in [order.account, ":", order.new.expose(), "\n"] {
            input.push_str(part);
        }
        let mut secrets = vec![order.new.expose()];
        if let Some(Proof::Password(password)) = order.admin.map(|admin| admin.proof) {
            secrets.push(password.expose());
        }
        match self.finish(&input).await.map_err(Trouble::after)? {
            (0, _) => Ok(()),
            (_, words) => Err(Trouble::refused(&words, &secrets).after()),
        }
    }

    /// Starts it; where sudo asks for a password, that has been said.
    async fn start(session: &Session, way: Way<'_>) -> Result<Self, Trouble> {
        let channel = session.channel_open_session().await;
        let mut talk = Self {
            channel: channel.map_err(cut)?,
            begun: false,
            status: None,
            words: String::new(),
        };
        let begun = talk.channel.exec(true, way.command()).await;
        begun.map_err(cut)?;
        if !talk.hear(|talk| talk.begun).await? {
            return Err(Trouble::Cut);
        }
        if let Way::Asked(password) = way {
            if !talk.hear(|talk| talk.words.contains(QUESTION)).await? {
                return Err(Trouble::refused(&talk.words, &[]));
            }
            talk.words.clear();
            let line = Zeroizing::new(format!("{}\n", password.expose()));
            let said = talk.channel.data(line.as_bytes()).await;
            said.map_err(cut)?;
        }
        Ok(talk)
    }

    /// Its exit status and what it says when it has read `input`.
    async fn finish(mut self, input: &str) -> Result<(u32, String), Trouble> {
        let said = self.channel.data(input.as_bytes()).await;
        said.map_err(cut)?;
        self.channel.eof().await.map_err(cut)?;
        self.hear(|_| false).await?;
        let status = self.status.ok_or(Trouble::Cut)?;
        Ok((status, self.words.replace(QUESTION, " ")))
    }

    /// Hears what it says until that is `enough`; false where it ends before.
    async fn hear(&mut self, enough: fn(&Self) -> bool) -> Result<bool, Trouble> {
        while !enough(self) {
            match self.channel.wait().await {
                None => return Ok(false),
                Some(ChannelMsg::Success) => self.begun = true,
                Some(ChannelMsg::Failure) => return Err(Trouble::Setting(NO_COMMANDS)),
                Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. })
                    if self.words.len() < MOST_WORDS =>
                {
                    self.words.push_str(&String::from_utf8_lossy(&data));
                }
                Some(_) => {}
            }
        }
        Ok(true)
    }
}

/// Whether sudo lets the administrator do it, and whether it asks.
async fn way<'a>(session: &Session, admin: &Admin<'a>) -> Result<Way<'a>, Trouble> {
    if admin.name == "root" {
        return Ok(Way::Straight);
    }
    let unasked = Talk::start(session, Way::Unasked).await?.finish("").await?;
    match (unasked, admin.proof) {
        ((0, _), _) => Ok(Way::Unasked),
        ((_, words), Proof::SshKey(_)) => Err(Trouble::refused(&words, &[])),
        (_, Proof::Password(password)) => {
            let way = Way::Asked(password);
            match Talk::start(session, way).await?.finish("").await? {
                (0, _) => Ok(way),
                (_, words) => Err(Trouble::refused(&words, &[password.expose()])),
            }
        }
    }
}

fn cut(_: russh::Error) -> Trouble {
    Trouble::Cut
}

const MOST_WORDS: usize = 4096;
const QUESTION: &str = "claviger-is-asked:";
const COLON: &str = "no account of such a machine has a colon in its name";
const NO_COMMANDS: &str = "the target runs no command for the administrative account";
