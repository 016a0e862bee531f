//! `claviger user ssh-key`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use http::Method;
use zeroize::Zeroizing;

use crate::admin::wire::{self, NewSshKey};
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

/// Register public keys of a user: whoever holds the private half comes in with its name
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
        for key in keys(&text)? {
            let new = NewSshKey {
                key: key.to_owned(),
            };
            let added: wire::SshKey = client.send(Method::POST, &path, &new).await?;
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

/// What stands in the file, or on standard input; wiped afterwards, for it may be the private key.
fn read_keys(file: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::new());
    let read = if file == Path::new("-") {
        io::stdin().take(LONGEST).read_to_string(&mut text)
    } else {
        let opened = File::open(file).map_err(CliError::file(file))?;
        opened.take(LONGEST).read_to_string(&mut text)
    };
    read.map_err(CliError::file(file))?;
    Ok(text)
}

/// Far more than all the keys that a user may have.
const LONGEST: u64 = 1024 * 1024;

/// The lines of a file that are neither empty nor comments.
fn keys(text: &str) -> Result<Vec<&str>, CliError> {
    let lines = text.lines().map(str::trim);
    let keys: Vec<_> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    if keys.is_empty() {
        return Err(CliError::Failed("there is no key in it".to_owned()));
    }
    if keys.iter().any(|line| line.contains("PRIVATE KEY")) {
        let words = "this is a private key: give the public one, from the file *.pub";
        return Err(CliError::Failed(words.to_owned()));
    }
    Ok(keys)
}
