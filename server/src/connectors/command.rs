//! The operator's own program: it gets passwords on its standard input, one a line, and says by its
//! exit status what came of it.

use std::process::{ExitStatus, Stdio};

use async_trait::async_trait;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command as Program};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::connectors::{Connector, ConnectorError, Order, Proof, Site, Trouble};
use crate::domain::{Connector as Settings, Password, Pin};

/// Runs the program without a shell, with nothing in its environment but what it is to do.
///
/// To change: the old password, the new one and, where there is an administrative account, its
/// password, a line each; 0 is done, 1 is refused. To verify: the password; 0 is yes, 1 is no.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command;

#[async_trait]
impl Connector for Command {
    fn suits(&self, password: &Password) -> Result<(), Trouble> {
        match password.expose().chars().any(char::is_control) {
            true => Err(Trouble::Unfit(ONE_LINE)),
            false => Ok(()),
        }
    }

    async fn change(&self, site: &Site<'_>, order: &Order<'_>) -> Result<(), ConnectorError> {
        let mut lines = vec![order.old.expose(), order.new.expose()];
        let admin = order.admin;
        match admin.map(|admin| admin.proof) {
            Some(Proof::Password(password)) => lines.push(password.expose()),
            Some(Proof::SshKey(_)) => return Err(Trouble::Setting(NO_KEY).before()),
            None => {}
        }
        let facts = [
            ("CLAVIGER_ACTION", "change"),
            ("CLAVIGER_ACCOUNT", order.account),
            ("CLAVIGER_ADMIN", admin.map_or("", |admin| admin.name)),
        ];
        let child = start(site, &facts).map_err(Trouble::before)?;
        match child.finish(&lines).await.map_err(Trouble::after)?.code() {
            Some(0) => Ok(()),
            Some(1) => Err(Trouble::Refused("the command ended with status 1".to_owned()).after()),
            _ => Err(Trouble::Cut.after()),
        }
    }

    async fn verify(
        &self,
        site: &Site<'_>,
        account: &str,
        password: &Password,
    ) -> Result<bool, ConnectorError> {
        let facts = [("CLAVIGER_ACTION", "verify"), ("CLAVIGER_ACCOUNT", account)];
        let child = start(site, &facts).map_err(Trouble::before)?;
        let ended = child.finish(&[password.expose()]).await;
        match ended.map_err(Trouble::before)?.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(Trouble::Cut.before()),
        }
    }

    async fn shown(&self, _site: &Site<'_>) -> Result<Option<Pin>, ConnectorError> {
        Ok(None)
    }
}

/// The program under way. Its process group is killed when it has ended, or when nobody waits for
/// it any more. Whatever left that group on purpose (`setsid`) is not found.
struct Running {
    child: Child,
    group: Option<Pid>,
}

impl Running {
    async fn finish(mut self, lines: &[&str]) -> Result<ExitStatus, Trouble> {
        let input = self.child.stdin.take();
        let mut text = Zeroizing::new(String::with_capacity(LONGEST));
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        if let Some(mut input) = input {
            // A program that does not read it says so by its status.
            let _unread = input.write_all(text.as_bytes()).await;
        }
        self.ended().await;
        self.kill();
        self.child.wait().await.map_err(|_| Trouble::Cut)
    }
}

impl Running {
    fn new(child: Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = id.and_then(Pid::from_raw);
        Self { child, group }
    }

    /// Waits for its end; where that can be, without taking note of it, for until then its number
    /// is nobody else's.
    async fn ended(&mut self) {
        let watch = |group| spawn_blocking(move || waitid(WaitId::Pid(group), UNNOTED));
        if let Some(watch) = self.group.map(watch)
            && matches!(watch.await, Ok(Ok(_)))
        {
            return;
        }
        let _noted = self.child.wait().await;
    }

    /// Ends the whole group; once only, for its number may then belong to others.
    fn kill(&mut self) {
        if let Some(group) = self.group.take() {
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn start(site: &Site<'_>, facts: &[(&str, &str)]) -> Result<Running, Trouble> {
    let Settings::Command { argv } = &site.target.connector else {
        return Err(Trouble::Setting("it is no command"));
    };
    let (program, arguments) = argv.split_first().ok_or(Trouble::Setting(NO_PROGRAM))?;
    let address = site
        .addresses
        .first()
        .map(|address| address.ip().to_string());
    Program::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("CLAVIGER_HOST", site.target.host.as_str())
        .env("CLAVIGER_ADDRESS", address.unwrap_or_default())
        .env("CLAVIGER_PORT", site.target.port.to_string())
        .envs(facts.iter().copied())
        .current_dir("/")
        .stdin(Stdio::piped())
        // What it prints may hold what it read.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map(Running::new)
        .map_err(|_| Trouble::Setting(NO_PROGRAM))
}

/// Three passwords of the longest kind, so that the text never moves in memory.
const LONGEST: usize = 3 * (Password::LIMIT + 1);
/// For its end, of which the system is to keep the note.
const UNNOTED: WaitIdOptions = WaitIdOptions::EXITED.union(WaitIdOptions::NOWAIT);
const ONE_LINE: &str = "the command reads one password a line: it can hold no control character";
const NO_KEY: &str = "a command takes the password of an administrative account, not a key";
const NO_PROGRAM: &str = "the command cannot be started";
