//! A machine that is logged in to: OpenSSH's sshd, with users that go away with the test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::daemon::{Daemon, feed, is_root, place, program, run, start};

/// A user of this machine, for a while.
pub struct User(pub String);

impl User {
    pub fn with(password: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("clv{}x{number}", std::process::id());
        run(Command::new("useradd").args(["--no-create-home", "--shell", "/bin/sh", &name]));
        let user = Self(name);
        user.set(password);
        user
    }

    /// Somebody gives it this password, beside the vault.
    pub fn set(&self, password: &str) {
        let line = format!("{}:{password}\n", self.0);
        feed(&mut Command::new("chpasswd"), &line);
    }

    /// Where it is said what it may do through sudo.
    pub fn rule(&self) -> String {
        format!("/etc/sudoers.d/{}", self.0)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _gone = Command::new("userdel").args(["-f", &self.0]).output();
        let _gone = std::fs::remove_file(self.rule());
    }
}

pub fn sshd(name: &str) -> Option<Daemon> {
    sshd_with(name, "")
}

/// One with these settings, which count before all others.
pub fn sshd_with(name: &str, settings: &str) -> Option<Daemon> {
    let program = program(name, &["/usr/sbin/sshd"])?;
    if !is_root(name) {
        return None;
    }
    let (home, port) = place();
    std::fs::create_dir_all("/run/sshd").unwrap();
    let key = home.path().join("key");
    new_key(&key);
    let text = format!(
        "{settings}Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM yes\n\
         PasswordAuthentication yes\nPermitRootLogin yes\nMaxStartups 200\nStrictModes no\n\
         AuthorizedKeysFile {}\n",
        key.display(),
        home.path().join("authorized").display(),
    );
    let config = home.path().join("config");
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(program);
    command.args(["-D", "-e", "-f"]).arg(config);
    Some(start(&mut command, home, port))
}

/// A key that everybody of this machine may log in with, root too.
pub fn key_of_root(sshd: &Daemon) -> PathBuf {
    let key = sshd.home.path().join("boss");
    new_key(&key);
    let authorized = sshd.home.path().join("authorized");
    std::fs::copy(key.with_extension("pub"), authorized).unwrap();
    key
}

fn new_key(path: &Path) {
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path));
}
