//! The SSH door through the true program, by stock OpenSSH as people have it.

mod commands;
mod keys;
mod refused;
mod running;
mod slow;
mod stop;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Ran, Server, SetUp, run};

const PASSWORD: &str = "First-Pass1!word";

/// A server with a user `test` and its key.
struct Stand {
    server: Server,
    key: PathBuf,
}

impl Stand {
    fn with(set_up: SetUp, role: &str) -> Self {
        let server = Server::start(set_up);
        let key = new_key(&server, "id", &["-t", "ed25519"]);
        let user = ["user", "add", "test@127.0.0.1", "--api", "--role", role];
        server.claviger(&user).ok();
        let stand = Self { server, key };
        let key = stand.key.clone();
        stand.register(&key).ok();
        stand
    }

    /// The seed's own resource, shared with `test`.
    fn seeded() -> Self {
        Self::seeded_as(SetUp::default())
    }

    fn seeded_as(set_up: SetUp) -> Self {
        let stand = Self::with(set_up, "password-user");
        stand.server.resource("test-server", "root", PASSWORD);
        stand.share("test-server", "modify");
        stand
    }

    fn share(&self, what: &str, level: &str) {
        let words = ["share", what, "test@127.0.0.1", "--level", level];
        self.server.claviger(&words).ok();
    }

    fn register(&self, key: &Path) -> Ran {
        let public = format!("{}.pub", key.display());
        let words = ["user", "ssh-key", "add", "test@127.0.0.1", &public];
        self.server.claviger(&words)
    }

    /// ssh with no settings but these words, to the end.
    fn ssh(&self, words: &[&str]) -> Ran {
        run(&mut self.command(&self.key, "test", words))
    }

    fn as_user(&self, key: &Path, user: &str, words: &[&str]) -> Ran {
        run(&mut self.command(key, user, words))
    }

    /// `ssh -q -p PORT USER@127.0.0.1 -i KEY …`, as in the seed.
    fn command(&self, key: &Path, user: &str, words: &[&str]) -> Command {
        let door = self.server.door("ssh");
        let known = self.server.outside().join("known_hosts");
        let mut command = Command::new("ssh");
        command.args(["-F", "none", "-p", &door.port().to_string()]);
        command.args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"]);
        command.args([
            "-o",
            "StrictHostKeyChecking=accept-new",
            "-o",
            "ConnectTimeout=20",
        ]);
        command
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()));
        command.args(["-l", user, "127.0.0.1", "-i"]).arg(key);
        command.args(words);
        command.env_remove("SSH_AUTH_SOCK");
        command
    }
}

fn new_key(server: &Server, name: &str, kind: &[&str]) -> PathBuf {
    let path = server.outside().join(name);
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-N", "", "-C", "test@one"])
        .args(kind)
        .arg("-f")
        .arg(&path);
    run(&mut command).ok();
    path
}
