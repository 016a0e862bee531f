//! `claviger export`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::admin::wire::TransferRow;
use crate::cli::fields::InOrganisation;
use crate::cli::list::PAGE;
use crate::cli::private_write::{Existing, create};
use crate::cli::progress::Progress;
use crate::cli::secret_input::{from_file, from_stdin};
use crate::cli::{ApiPath, CliError, Context};
use crate::crypto::{Parcel, Passphrase, PassphraseCost};

/// Write all resources and accounts with their passwords to a file, sealed by a passphrase
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger export --out everything.claviger --passphrase-file passphrase.txt
  claviger export --out everything.csv --in-clear --yes-in-clear

The passphrase is read from standard input if no file is given. `claviger import` reads the sealed
file again. Passwords are written in clear only when it is said twice; nothing in them is changed
then, so do not open the CSV in a spreadsheet, which runs what begins with =, +, - or @.")]
pub(crate) struct Export {
    /// The file; it is made with mode 0600
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file with the passphrase, at least 12 bytes
    #[arg(long, value_name = "FILE", conflicts_with = "in_clear")]
    passphrase_file: Option<PathBuf>,
    /// Write passwords in clear: CSV, or lines of JSON if FILE ends in .json
    #[arg(long, requires = "yes_in_clear")]
    in_clear: bool,
    /// Really in clear
    #[arg(long, requires = "in_clear")]
    yes_in_clear: bool,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl Export {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let mut to = self.sink()?;
        let path = ApiPath::new("/v1/exports")
            .with("limit", PAGE)
            .maybe("organisation", self.organisation.org.as_deref());
        let mut progress = Progress::begin("accounts", None);
        let mut accounts = 0;
        let written = client
            .pages(&path, |page: Vec<TransferRow>| {
                accounts += page.len() as u64;
                progress.at(accounts);
                page.iter().try_for_each(|row| to.put(row))
            })
            .await;
        progress.end();
        let finished = match written {
            Ok(()) => to.finish(),
            Err(error) => Err(error),
        };
        if let Err(error) = finished {
            // Half an export must not look like a whole one.
            let _already_gone = std::fs::remove_file(&self.out);
            return Err(error);
        }
        let how = if self.in_clear { "in clear" } else { "sealed" };
        let out = self.out.display();
        context
            .out
            .line(format_args!("{accounts} accounts written to {out}, {how}"))
    }

    fn sink(&self) -> Result<Sink, CliError> {
        let json = self
            .out
            .extension()
            .is_some_and(|end| end == "json" || end == "jsonl");
        if self.in_clear {
            let file = BufWriter::new(create(&self.out, 0o600, Existing::Keep)?);
            if json {
                return Ok(Sink {
                    kind: Kind::Json(Box::new(file)),
                    path: self.out.clone(),
                });
            }
            return Ok(Sink {
                kind: Kind::Csv(Box::new(csv::Writer::from_writer(file))),
                path: self.out.clone(),
            });
        }
        let text = match &self.passphrase_file {
            Some(file) => from_file(file, "passphrase")?,
            None => from_stdin("passphrase")?,
        };
        let failed = |error: crate::crypto::CryptoError| CliError::Failed(error.to_string());
        let passphrase = Passphrase::new(&text).map_err(failed)?;
        let file = BufWriter::new(create(&self.out, 0o600, Existing::Keep)?);
        let sealed = Parcel::seal(file, &passphrase, PassphraseCost::default());
        let sealed = sealed.map_err(|error| {
            let _already_gone = std::fs::remove_file(&self.out);
            failed(error)
        })?;
        Ok(Sink {
            kind: Kind::Sealed(Box::new(sealed)),
            path: self.out.clone(),
        })
    }
}

/// Where an export goes.
struct Sink {
    kind: Kind,
    path: PathBuf,
}

enum Kind {
    Sealed(Box<crate::crypto::ParcelWriter<BufWriter<File>>>),
    Json(Box<BufWriter<File>>),
    Csv(Box<csv::Writer<BufWriter<File>>>),
}

impl Sink {
    fn put(&mut self, row: &TransferRow) -> Result<(), CliError> {
        let path = &self.path;
        match &mut self.kind {
            Kind::Sealed(sealed) => line(sealed, row, path),
            Kind::Json(file) => line(file, row, path),
            Kind::Csv(writer) => writer
                .serialize(Cells::of(row))
                .map_err(|error| CliError::Failed(format!("{}: {error}", path.display()))),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        let path = &self.path;
        let file = match self.kind {
            Kind::Sealed(sealed) => sealed
                .finish()
                .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?,
            Kind::Json(file) => *file,
            Kind::Csv(writer) => writer
                .into_inner()
                .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))?,
        };
        let file = file
            .into_inner()
            .map_err(|error| CliError::file(path)(error.into_error()))?;
        file.sync_all().map_err(CliError::file(path))
    }
}

fn line(to: &mut impl Write, row: &TransferRow, path: &Path) -> Result<(), CliError> {
    // Room for all at once: a vector that grew would leave copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(128 << 10));
    serde_json::to_writer(&mut *text, row).map_err(|error| CliError::Failed(error.to_string()))?;
    text.push(b'\n');
    to.write_all(&text).map_err(CliError::file(path))
}

/// A row of the CSV form, in the order of its heads.
#[derive(Serialize)]
struct Cells<'a> {
    resource: &'a str,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    address: Option<&'a str>,
    description: Option<&'a str>,
    owner: Option<&'a str>,
    account: &'a str,
    password: Option<&'a crate::admin::wire::SecretText>,
    notes: Option<&'a str>,
}

impl<'a> Cells<'a> {
    fn of(row: &'a TransferRow) -> Self {
        Self {
            resource: &row.resource,
            kind: row.kind.as_deref(),
            address: row.address.as_deref(),
            description: row.description.as_deref(),
            owner: row.owner.as_deref(),
            account: &row.account,
            password: row.password.as_ref(),
            notes: row.notes.as_deref(),
        }
    }
}
