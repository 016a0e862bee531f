//! `claviger import`.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc::{Receiver, channel};
use zeroize::Zeroizing;

use crate::admin::wire::{ImportReport, TransferRow};
use crate::cli::fields::InOrganisation;
use crate::cli::import_file::{self, Line, Opened};
use crate::cli::output::visible;
use crate::cli::progress::Progress;
use crate::cli::secret_input::{ask, eprint, somebody_there};
use crate::cli::{ApiPath, CliError, Client, Context};

/// Make resources and accounts from a file: first shown, then done
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger import accounts.csv
  claviger import accounts.json --yes
  claviger import export.claviger --passphrase-file passphrase.txt --yes

A CSV file begins with a line of heads: resource, account, and any of type, address,
description, owner, password, notes. A JSON file holds an array of objects with these members, or
one object a line. An account without a password gets a generated one. The file is checked first
and nothing is done; then you are asked, or --yes says so beforehand. An import that was
interrupted leaves whole accounts: with --skip-bad the rest is imported.")]
pub(crate) struct Import {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Its form; by its name if absent
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Import without asking, when the check has found nothing wrong
    #[arg(long)]
    yes: bool,
    /// Import the good lines even if there are bad ones
    #[arg(long)]
    skip_bad: bool,
    /// The file with the passphrase of a sealed export
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    organisation: InOrganisation,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated values with a line of heads
    Csv,
    /// An array of objects, or one object a line
    Json,
}

/// What one pass over the file came to.
#[derive(Debug, Default)]
struct Tally {
    lines: u64,
    report: ImportReport,
    bad: u64,
}

impl Import {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let opened = Opened::find(&self.file, self.format, self.passphrase_file.as_deref())?;
        let mut client = context.client().await?;
        eprint("checking; nothing is changed yet\n");
        let found = self.pass(&opened, true, None, &mut client).await?;
        context.out.line(format_args!(
            "{} lines: {} accounts would be made, {} of them with a generated password; {} lines are bad",
            found.lines, found.report.accounts, found.report.generated, found.bad
        ))?;
        if found.bad > 0 && !self.skip_bad {
            return Err(CliError::Failed(
                "nothing was imported: mend the bad lines, or give --skip-bad".to_owned(),
            ));
        }
        if found.report.accounts == 0 {
            return Err(CliError::Failed("there is nothing to import".to_owned()));
        }
        let agreed = self.yes || (somebody_there() && ask("Import?")?);
        if !agreed {
            return Err(CliError::Failed(
                "nothing was imported: give --yes to do it".to_owned(),
            ));
        }
        let done = self
            .pass(&opened, false, Some(found.lines), &mut client)
            .await?;
        context.out.line(format_args!(
            "{} accounts made, {} of them with a generated password",
            done.report.accounts, done.report.generated
        ))?;
        if done.bad > found.bad {
            return Err(CliError::Failed(format!(
                "{} lines were not imported: they had changed meanwhile",
                done.bad - found.bad
            )));
        }
        Ok(())
    }

    /// Reads the file once and sends it in batches.
    async fn pass(
        &self,
        opened: &Opened,
        dry: bool,
        total: Option<u64>,
        client: &mut Client,
    ) -> Result<Tally, CliError> {
        let path = ApiPath::new("/v1/imports")
            .with("dry_run", if dry { "true" } else { "false" })
            .maybe("organisation", self.organisation.org.as_deref());
        let mut lines = read_in_thread(opened.clone());
        let mut tally = Tally::default();
        let mut progress = Progress::begin("lines", total);
        let mut seen = Seen::default();
        let sent = loop {
            let batch = next_batch(&mut lines, &mut seen, dry, &mut tally).await;
            match batch {
                Ok(Some(batch)) => match batch.send(client, &path, dry, &mut tally).await {
                    Ok(()) => progress.at(tally.lines),
                    Err(error) => break Err(error),
                },
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        progress.end();
        sent.map(|()| tally).map_err(|error| at_line(error, dry))
    }
}

fn at_line(error: CliError, dry: bool) -> CliError {
    match (error, dry) {
        (CliError::Connection(why), false) => CliError::Failed(format!(
            "the import stopped half-way ({why}): run it again with --skip-bad, what is there \
             already is a bad line then"
        )),
        (other, _) => other,
    }
}

/// Lines that go to the server together, and where they stand in the file.
#[derive(Debug, Default)]
struct Batch {
    body: Zeroizing<Vec<u8>>,
    places: Vec<u64>,
}

impl Batch {
    fn push(&mut self, place: u64, row: &TransferRow) -> Result<(), CliError> {
        if self.body.capacity() == 0 {
            // Room for all at once: a vector that grew would leave copies behind.
            self.body.reserve_exact(BATCH_BYTES + ROW_BYTES);
        }
        serde_json::to_writer(&mut *self.body, row)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        self.body.push(b'\n');
        self.places.push(place);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.places.len() >= BATCH_ROWS || self.body.len() >= BATCH_BYTES
    }

    async fn send(
        self,
        client: &mut Client,
        path: &ApiPath,
        dry: bool,
        tally: &mut Tally,
    ) -> Result<(), CliError> {
        let Self { body, places } = self;
        let report: ImportReport = client.send_lines(path, body).await?;
        tally.report.accounts += report.accounts;
        tally.report.generated += report.generated;
        for bad in report.bad {
            let at = usize::try_from(bad.line)
                .unwrap_or(usize::MAX)
                .wrapping_sub(1);
            let place = places.get(at).copied().unwrap_or_default();
            complain(place, &bad.reason, dry, tally);
        }
        Ok(())
    }
}

fn complain(place: u64, reason: &str, dry: bool, tally: &mut Tally) {
    tally.bad += 1;
    // In the second pass they have been named already.
    if dry && tally.bad <= NAMED {
        eprint(&format!("line {place}: {}\n", visible(reason)));
    } else if dry && tally.bad == NAMED + 1 {
        eprint("more bad lines follow; they are counted and not named\n");
    }
}

/// The accounts that the file has named so far, as hashes: a name costs eight bytes.
#[derive(Debug, Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    fn again(&mut self, row: &TransferRow) -> bool {
        let hash = self.hasher.hash_one((&row.resource, &row.account));
        !self.hashes.insert(hash)
    }
}

async fn next_batch(
    lines: &mut Receiver<Result<Line, CliError>>,
    seen: &mut Seen,
    dry: bool,
    tally: &mut Tally,
) -> Result<Option<Batch>, CliError> {
    let mut batch = Batch::default();
    while let Some(line) = lines.recv().await {
        let Line { place, row } = line?;
        tally.lines += 1;
        match row {
            Ok(row) if seen.again(&row) => {
                complain(place, "the file names this account twice", dry, tally);
            }
            Ok(row) => batch.push(place, &row)?,
            Err(reason) => complain(place, &reason, dry, tally),
        }
        if batch.is_full() {
            return Ok(Some(batch));
        }
    }
    Ok(if batch.places.is_empty() {
        None
    } else {
        Some(batch)
    })
}

fn read_in_thread(opened: Opened) -> Receiver<Result<Line, CliError>> {
    let (sender, lines) = channel(BATCH_ROWS);
    thread::spawn(move || {
        let read = import_file::read(&opened, &mut |line| {
            sender.blocking_send(Ok(line)).map_err(|_| CliError::Unread)
        });
        if let Err(error) = read {
            // When nobody listens any more, nobody wants to know.
            let _unheard = sender.blocking_send(Err(error));
        }
    });
    lines
}

/// Rows that go to the server together.
const BATCH_ROWS: usize = 1000;
/// A batch ends behind the row that makes it longer than this.
const BATCH_BYTES: usize = 2 << 20;
/// The longest row there is room for without growing.
const ROW_BYTES: usize = 256 << 10;
/// How many bad lines are named.
const NAMED: u64 = 50;
