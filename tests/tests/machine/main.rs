//! Passwords changed on a machine that is logged in to by its users: the true server on one side,
//! OpenSSH's sshd on the other.

#[expect(dead_code, reason = "shared with the tests of the connectors")]
#[path = "../../../server/tests/targets/daemon.rs"]
mod daemon;
mod doors;
#[path = "../../../server/tests/targets/machine.rs"]
mod machine;
mod rotation;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use harness::{Ran, Server, SetUp, run};

use crate::daemon::Daemon;

/// A server that may go to this machine, and the sshd that it goes to.
struct Stand {
    server: Server,
    sshd: Daemon,
}

impl Stand {
    fn new(name: &str) -> Option<Self> {
        let sshd = machine::sshd(name)?;
        let set_up = SetUp::default()
            .set("reset", "allow", "[\"127.0.0.0/8\"]")
            .set("reset", "timeout", "\"30s\"")
            .set("reset", "wait", "\"1m\"");
        let server = Server::start(set_up);
        Some(Self { server, sshd })
    }

    /// Says that the passwords of a resource are this machine's, and trusts its host key.
    fn target(&self, resource: &str, more: &[&str]) {
        let port = self.sshd.port.to_string();
        let place = ["--connector", "ssh", "--host", "127.0.0.1", "--port", &port];
        let set = ["resource", "target", "set", resource];
        let set = [&set[..], &place, more].concat();
        self.server.claviger(&set).ok();
        let trust = ["resource", "target", "test", resource, "--trust"];
        self.server.claviger(&trust).ok();
    }

    /// Whether OpenSSH's client gets in with this password.
    fn lets_in(&self, user: &str, password: &str) -> bool {
        let ran = self.log_in(user, password);
        assert!(
            ran.status.success() || ran.stderr.contains("Permission denied"),
            "{ran}"
        );
        ran.status.success()
    }

    fn log_in(&self, user: &str, password: &str) -> Ran {
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-p", &self.sshd.port.to_string()])
            .args(["-o", "PubkeyAuthentication=no"])
            .args(["-o", "NumberOfPasswordPrompts=1"])
            .args(["-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null"])
            .args(["-l", user, "127.0.0.1", "true"])
            .env("SSH_ASKPASS", self.asker())
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("ASKED", password)
            .env_remove("SSH_AUTH_SOCK");
        run(&mut command)
    }

    /// What tells ssh the password.
    fn asker(&self) -> PathBuf {
        let path = self.server.outside().join("asker");
        if !path.exists() {
            fs::write(&path, "#!/bin/sh\nprintf '%s\\n' \"$ASKED\"\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        path
    }
}
