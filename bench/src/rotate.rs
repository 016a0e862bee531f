//! A thousand accounts of one machine: each gets another password on OpenSSH's sshd, and none is
//! lost. Needs root, for it makes the users and removes them again.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::options::{Options, root};
use crate::peers::Process;
use crate::peers::claviger::{Claviger, Running};
use crate::proc::{cpu_time, cpu_time_of_children};
use crate::report::{Measure, Report};
use crate::trouble::Trouble;

const RESOURCE: &str = "machine";
const FIRST: &str = "F1rst-s3cret-of-it";
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures `claviger rotate run` on so many accounts, and looks whether the machine has what is
/// kept afterwards.
///
/// # Errors
/// When this is not root, something cannot be set up, or a password is lost.
pub fn measure(options: &Options, report: &mut Report) -> Result<(), Trouble> {
    if !rustix::process::geteuid().is_root() {
        return Err(Trouble::new("it needs root"));
    }
    let dir = options.dir.join("rotate");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let sshd = Sshd::start(&dir)?;
    eprintln!("rotate: making {} users …", options.rotated);
    let users = Users::make(options.rotated)?;
    let program = Claviger::program(root(), options.claviger.as_deref())?;
    let claviger = Claviger::init(&program, &dir.join("claviger"))?;
    claviger.set("reset", "at_once", &options.at_once.to_string())?;
    claviger.set("reset", "allow", "[\"127.0.0.0/8\"]")?;
    let running = claviger.serve()?;
    let vault = Vault(&claviger);
    vault.fill(&running, &users, &sshd)?;
    let before = vault.kept()?;
    whole(&before, &users)?;

    let mine = cpu_time(running.process.pid())?;
    let start = Instant::now();
    vault.rotate(users.0.len())?;
    let seconds = start.elapsed().as_secs_f64();
    let mine = cpu_time(running.process.pid())?.saturating_sub(mine);

    let after = vault.kept()?;
    whole(&after, &users)?;
    if let Some((name, _)) = after.iter().find(|(_, password)| *password == FIRST) {
        return Err(Trouble::new(format!("{name} has not changed")));
    }
    let count = f64::from(u32::try_from(users.0.len())?);
    let each = |spent: Duration| spent.as_secs_f64() * 1000.0 / count;
    let theirs = cpu_time_of_children(sshd.process.pid())?;
    for (name, value, unit) in [
        ("rotate: all changed, none lost", count, ""),
        (
            "rotate: at once",
            f64::from(u32::try_from(options.at_once)?),
            "",
        ),
        ("rotate: the whole run", seconds, "s"),
        ("rotate: passwords changed", count / seconds, "/s"),
        ("rotate: server's CPU each", each(mine), "ms"),
        ("rotate: sshd's CPU each, in all", each(theirs), "ms"),
    ] {
        report.measure(Measure::told(name, value, unit));
    }
    Ok(())
}

/// sshd on a port of its own, and the key with which root may log in there.
struct Sshd {
    process: Process,
    port: u16,
    key: PathBuf,
}

impl Sshd {
    fn start(dir: &Path) -> Result<Self, Trouble> {
        fs::create_dir_all("/run/sshd")?;
        let (host, key) = (dir.join("host"), dir.join("boss"));
        for key in [&host, &key] {
            let words = ["-q", "-t", "ed25519", "-N", "", "-f"];
            done(Command::new("ssh-keygen").args(words).arg(key))?;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let config = dir.join("config");
        let text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM yes\n\
             PasswordAuthentication yes\nPermitRootLogin prohibit-password\nStrictModes no\n\
             MaxStartups 200\nAuthorizedKeysFile {}\n",
            host.display(),
            key.with_extension("pub").display(),
        );
        fs::write(&config, text)?;
        let log = fs::File::create(dir.join("sshd.log"))?;
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(&config);
        command.stdin(Stdio::null()).stderr(log);
        let process = Process(command.spawn()?);
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if Instant::now() > end {
                return Err(Trouble::new("sshd never listens"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, port, key })
    }
}

/// Users of this machine, for a while.
struct Users(Vec<String>);

impl Users {
    fn make(count: u64) -> Result<Self, Trouble> {
        let name = |number| format!("clvb{}x{number}", std::process::id());
        let users = Self((0..count).map(name).collect());
        let line = |name: &String| format!("{name}:{FIRST}:::bench:/:/bin/sh\n");
        let lines: String = users.0.iter().map(line).collect();
        fed(&mut Command::new("newusers"), &lines)?;
        Ok(users)
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        eprintln!("rotate: removing {} users …", self.0.len());
        for name in &self.0 {
            let _gone = Command::new("userdel").args(["-f", name]).output();
        }
    }
}

/// What is asked of ours.
struct Vault<'a>(&'a Claviger);

impl Vault<'_> {
    /// The users as accounts of one resource, whose passwords root changes with its key.
    fn fill(&self, running: &Running, users: &Users, sshd: &Sshd) -> Result<(), Trouble> {
        let file = sshd.key.with_file_name("accounts.csv");
        let mut text = "resource,type,account,password\n".to_owned();
        for name in &users.0 {
            text.push_str(&format!("{RESOURCE},Linux,{name},{FIRST}\n"));
        }
        text.push_str(&format!("boss,Linux,nobody,{FIRST}\n"));
        fs::write(&file, text)?;
        self.0.import(&running.process, &file)?;
        let (key, port) = (sshd.key.to_string_lossy(), sshd.port.to_string());
        let boss = ["account", "add", "boss", "root", "--ssh-key", &key];
        self.0.command(&boss)?;
        let set = ["resource", "target", "set", RESOURCE, "--connector", "ssh"];
        let place = ["--host", "127.0.0.1", "--port", &port];
        let admin = ["--admin", "boss/root"];
        self.0.command(&[&set[..], &place, &admin].concat())?;
        self.0
            .command(&["resource", "target", "test", RESOURCE, "--trust"])?;
        Ok(())
    }

    /// Changes all, and shows how far it is.
    fn rotate(&self, count: usize) -> Result<(), Trouble> {
        let said = self.0.shown(&["rotate", "run", RESOURCE])?;
        let words = format!("{count} of {count} passwords changed");
        match said.trim() == words {
            true => Ok(()),
            false => Err(Trouble::new(said)),
        }
    }

    /// What is kept: accounts and their passwords.
    fn kept(&self) -> Result<BTreeMap<String, String>, Trouble> {
        let file = self.0.beside("json");
        let out = file.to_string_lossy();
        self.0
            .command(&["export", "--out", &out, "--in-clear", "--yes-in-clear"])?;
        let text = fs::read_to_string(&file)?;
        fs::remove_file(&file)?;
        let mut kept = BTreeMap::new();
        for line in text.lines() {
            let row: Value = serde_json::from_str(line)?;
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            if text("resource") == RESOURCE {
                kept.insert(text("account"), text("password"));
            }
        }
        Ok(kept)
    }
}

/// That every user is kept with the password that this machine has: what `crypt` makes of it is
/// what stands in its shadow.
fn whole(kept: &BTreeMap<String, String>, users: &Users) -> Result<(), Trouble> {
    if !users.0.iter().all(|name| kept.contains_key(name)) || kept.len() != users.0.len() {
        return Err(Trouble::new("not every account is kept"));
    }
    let line = |(name, password): (&String, &String)| format!("{name}:{password}\n");
    let lines: String = kept.iter().map(line).collect();
    let others = fed(Command::new("perl").args(["-e", SHADOW]), &lines)?;
    match others.lines().count() {
        0 => Ok(()),
        lost => Err(Trouble::new(format!("{lost} passwords are lost: {others}"))),
    }
}

/// Prints the names whose hash is not of the password.
const SHADOW: &str = r#"
    while (<STDIN>) {
        chomp;
        my ($name, $password) = split /:/, $_, 2;
        my $hash = (getpwnam $name)[1];
        print "$name\n" if crypt($password, $hash) ne $hash;
    }"#;

fn done(command: &mut Command) -> Result<(), Trouble> {
    match command.status()?.success() {
        true => Ok(()),
        false => Err(Trouble::new(format!("{command:?} failed"))),
    }
}

/// Runs a command that reads `input`; what it prints.
fn fed(command: &mut Command, input: &str) -> Result<String, Trouble> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes())?;
    }
    let ended = child.wait_with_output()?;
    match ended.status.success() {
        true => Ok(String::from_utf8_lossy(&ended.stdout).into_owned()),
        false => Err(Trouble::new(format!("{command:?} failed"))),
    }
}
