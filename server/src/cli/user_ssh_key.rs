//! `claviger user ssh-key`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use http::Method;
use zeroize::Zeroizing;

use crate::admin::wire::{self, NewSshKeys};
use crate::cli::fields::AsJson;
use crate::cli::list::list;
use crate::cli::user::Which;
use crate::cli::{CliError, Context};

/// The SSH keys of a user, by which it comes in at the SSH door
#[derive(Debug, Subcommand)]
pub(crate) enum UserSshKey {
    Add(Add),
    List(List),
    Remove(Remove),
}

/// Register public keys of a user, all of them or none: whoever holds the private half comes in with its name
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger user ssh-key add billing@app1.example ~/.ssh/id_ed25519.pub
  ssh-keygen -y -f key | claviger user ssh-key add billing@app1.example -")]
pub(crate) struct Add {
    #[command(flatten)]
    user: Which,
    /// The file with the public key as OpenSSH writes it, one a line, or - for standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
}

/// List the SSH keys of a user
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user ssh-key list billing@app1.example --json")]
pub(crate) struct List {
    #[command(flatten)]
    user: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Take an SSH key from a user, at once and on open sessions, too
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger user ssh-key remove billing@app1.example SHA256:Nh0Me49Zh9fDw/VYUfq43IJmI1T+XrjiYONPND8GzaM")]
pub(crate) struct Remove {
    #[command(flatten)]
    user: Which,
    /// The key's SHA-256, as `ssh-keygen -l` and `user ssh-key list` print it
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
}

impl UserSshKey {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let text = read_keys(&self.file)?;
        let mut client = context.client().await?;
        let path = self.user.path(&["ssh-keys"]);
        let keys = keys(&text)?.into_iter().map(str::to_owned).collect();
        let new = NewSshKeys { keys };
        let added: wire::Page<wire::SshKey> = client.send(Method::POST, &path, &new).await?;
        for added in added.items {
            let (kind, print, login) = (added.kind, added.fingerprint, self.user.login());
            let line = format_args!("{kind} key {print} proves {login} now");
            context.out.line(line)?;
        }
        Ok(())
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let row = |key: wire::SshKey| vec![key.fingerprint, key.kind, key.added, key.comment];
        let heads = ["FINGERPRINT", "TYPE", "ADDED", "COMMENT"];
        let path = self.user.path(&["ssh-keys"]);
        list(context, &path, &self.json, &heads, row).await
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.user.path(&["ssh-keys", &self.fingerprint]);
        let mut client = context.client().await?;
        client.tell(Method::DELETE, &path, None::<&()>).await?;
        context.out.line(format_args!(
            "SSH key {} of {} removed",
            self.fingerprint,
            self.user.login()
        ))
    }
}

/// What stands in the file, or on standard input; wiped afterwards, for it may be a private key.
fn read_keys(file: &Path) -> Result<Zeroizing<String>, CliError> {
    // Room for all of it: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + SPARE));
    let most = LONGEST as u64 + 1;
    let read = if file == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        let opened = File::open(file).map_err(CliError::file(file))?;
        opened.take(most).read_to_end(&mut bytes)
    };
    read.map_err(CliError::file(file))?;
    let text = str::from_utf8(&bytes)
        .ok()
        .filter(|_| bytes.len() <= LONGEST);
    let text = text.ok_or_else(|| CliError::Failed(NO_KEYS.to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

const NO_KEYS: &str = "this is no list of public keys: it is no text, or longer than 1 MiB";
/// Far more than all the keys that a user may have.
const LONGEST: usize = 1024 * 1024;
/// Reading to the end asks for some room behind what there is.
const SPARE: usize = 1024;

/// The lines of a file that are neither empty nor comments.
fn keys(text: &str) -> Result<Vec<&str>, CliError> {
    let lines = text.lines().map(str::trim);
    let keys: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    if keys.is_empty() {
        return Err(CliError::Failed("there is no key in it".to_owned()));
    }
    // OpenSSH's, and PuTTY's. It is refused before a copy is made of it.
    let is_private = |line: &&str| line.contains("PRIVATE KEY") || line.starts_with("Private-");
    if keys.iter().any(is_private) {
        let words = "this is a private key: give the public one, from the file *.pub";
        return Err(CliError::Failed(words.to_owned()));
    }
    Ok(keys)
}
