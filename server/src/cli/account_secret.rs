//! `claviger account secret`, and how an account is given something else than a password.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use http::Method;
use zeroize::Zeroizing;

use crate::admin::wire::{Material, MaterialChange, Purpose, SecretText};
use crate::cli::account::Which;
use crate::cli::private_write::{Existing, write};
use crate::cli::secret_input::{from_file, from_stdin};
use crate::cli::{CliError, Context};

/// Files, SSH private keys and API keys that accounts keep
#[derive(Debug, Subcommand)]
pub(crate) enum AccountSecret {
    Set(Set),
    Get(Get),
}

/// Give an account another file, key or pair, of the kind that it keeps
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger account secret set web1 tls --file web1.p12
  claviger account secret set web1 deploy --ssh-key id_ed25519
  claviger account secret set cloud api --api-key AKIA2 < secret")]
pub(crate) struct Set {
    #[command(flatten)]
    account: Which,
    #[command(flatten)]
    keeps: Keeps,
    #[command(flatten)]
    why: Why,
}

/// Retrieve the file, key or pair that an account keeps, or a password of its history; recorded
/// like every retrieval
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger account secret get web1 tls --out web1.p12
  claviger account secret get web1 deploy --reason 'key rotation' > id_ed25519
  claviger account secret get db1 root --earlier 3

Passwords of the history are for whoever governs the house: a target that was restored from a backup
may have one, or one where the wrong password was given up. `claviger account history` lists them.")]
pub(crate) struct Get {
    #[command(flatten)]
    account: Which,
    /// Write it into this new file, for its owner alone [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Of an account that keeps a password, the one of this version of its history
    #[arg(long, value_name = "NUMBER")]
    earlier: Option<u64>,
    #[command(flatten)]
    why: Why,
}

/// Why a secret is wanted or changed.
#[derive(Debug, Args)]
struct Why {
    /// Why, where that is demanded
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The ticket, where one is demanded
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
}

/// What an account keeps that is no password.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Keeps {
    /// It keeps this file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// It keeps this SSH private key
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    /// It keeps an API key of this name; its secret is read from standard input
    #[arg(long, value_name = "NAME")]
    api_key: Option<String>,
}

impl Keeps {
    /// Reads it, if anything is meant.
    ///
    /// # Errors
    /// [`CliError::File`] for what cannot be read, [`CliError::Failed`] for what is no text.
    pub(crate) fn read(&self) -> Result<Option<Material>, CliError> {
        let material = |kind: &str, name: Option<String>, content| Material {
            kind: kind.to_owned(),
            name,
            content: SecretText::new(content),
        };
        if let Some(path) = &self.file {
            let name = path.file_name().and_then(|name| name.to_str());
            return Ok(Some(material(
                "file",
                name.map(ToOwned::to_owned),
                encoded(path)?,
            )));
        }
        if let Some(path) = &self.ssh_key {
            return Ok(Some(material("ssh-key", None, from_file(path, "key")?)));
        }
        match &self.api_key {
            Some(name) => {
                let secret = from_stdin("secret of the API key")?;
                Ok(Some(material("api-key", Some(name.clone()), secret)))
            }
            None => Ok(None),
        }
    }
}

/// A file's bytes as base64.
fn encoded(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut file = File::open(path).map_err(CliError::file(path))?;
    let length = file.metadata().map_err(CliError::file(path))?.len();
    if length > LIMIT {
        return Err(CliError::Failed(format!(
            "{}: a file that an account keeps has {} KiB at most",
            path.display(),
            LIMIT / 1024
        )));
    }
    // Room for all at once: a vector that grew would leave copies behind.
    let room = usize::try_from(length).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.by_ref()
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .map_err(CliError::file(path))?;
    Ok(Zeroizing::new(STANDARD.encode(bytes.as_slice())))
}

impl AccountSecret {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Set(set) => set.run(context).await,
            Self::Get(get) => get.run(context).await,
        }
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let Some(secret) = self.keeps.read()? else {
            return Err(CliError::Usage(
                "give --file, --ssh-key or --api-key".to_owned(),
            ));
        };
        let new = MaterialChange {
            secret,
            reason: self.why.reason,
            ticket: self.why.ticket,
        };
        let path = self.account.path(&["secret"]);
        let mut client = context.client().await?;
        client.tell(Method::PUT, &path, Some(&new)).await?;
        context
            .out
            .line(format_args!("{} keeps another secret now", self.account))
    }
}

impl Get {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let why = Purpose {
            reason: self.why.reason,
            ticket: self.why.ticket,
        };
        let path = match self.earlier.map(|version| version.to_string()) {
            Some(version) => self.account.path(&["history", &version, "retrieve"]),
            None => self.account.path(&["secret", "retrieve"]),
        };
        let mut client = context.client().await?;
        let got: Material = client.send(Method::POST, &path, &why).await?;
        let is_file = got.kind == "file";
        let content = got.content.expose();
        let bytes = if is_file {
            let decoded = STANDARD.decode(content.as_bytes());
            let broken = |_| CliError::Failed("the server sent no base64".to_owned());
            Zeroizing::new(decoded.map_err(broken)?)
        } else {
            Zeroizing::new(content.as_bytes().to_vec())
        };
        match &self.out {
            Some(file) => {
                write(file, &bytes, 0o600, Existing::Keep)?;
                context.out.line(format_args!("{} written", file.display()))
            }
            None if is_file && std::io::stdout().is_terminal() => Err(CliError::Failed(
                "it is a file: say where to with --out".to_owned(),
            )),
            None if is_file => context.out.raw(&bytes),
            None => context.out.line(content.trim_end_matches(['\r', '\n'])),
        }
    }
}

/// As much as the setting `file-kib` may say.
const LIMIT: u64 = 4096 * 1024;
