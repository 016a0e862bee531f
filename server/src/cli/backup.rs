//! `claviger backup` and `claviger restore`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Method;
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::{head_in_words, wire};
use crate::app::{self, BackupTarget, Unlock};
use crate::cli::client::{Answer, Part};
use crate::cli::output::visible;
use crate::cli::progress::Progress;
use crate::cli::secret_input::{eprint, from_stdin};
use crate::cli::{ApiPath, CliError, Context};

/// Write everything into one sealed file, while the server goes on working or stopped
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger backup /backups/claviger-2027-01-31

The file opens by the master key or the recovery code, and holds neither: keep both elsewhere.")]
pub(crate) struct Backup {
    /// The file, which must not be there yet; it is made with mode 0600
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Make a data directory from a backup, whole or not at all (server stopped)
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger restore /backups/claviger-2027-01-31 --data /var/lib/claviger
  claviger restore /backups/claviger-2027-01-31 --master-key /safe/master.key
  claviger restore /backups/claviger-2027-01-31 --check --recovery-code < recovery-code.txt

The master key is taken from where claviger.toml of the data directory says, or from master.key in
it. Nothing is deleted: what --replace finds is moved to before-restore-<time> in the data
directory. docs/backup.md tells more.")]
pub(crate) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file with the master key
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
    /// Open it by the recovery code that `init` printed, read from standard input
    #[arg(long, conflicts_with = "master_key")]
    recovery_code: bool,
    /// Move a vault that is there already aside
    #[arg(long, conflicts_with = "check")]
    replace: bool,
    /// Only read the backup to its end and check every byte
    #[arg(long)]
    check: bool,
}

impl Backup {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        // Caught before a file is begun, so that Ctrl-C leaves none behind.
        let mut interrupt = signal(SignalKind::interrupt())
            .map_err(|error| CliError::Failed(format!("signals cannot be received: {error}")))?;
        let report = tokio::select! {
            report = self.make(context) => report?,
            _ = interrupt.recv() => return Err(CliError::Failed(STOPPED.to_owned())),
        };
        for left_out in &report.left_out {
            eprint(&format!("warning: {}\n", visible(left_out)));
        }
        let wire::BackupReport {
            rows, files, head, ..
        } = report;
        let file = self.file.display();
        context
            .out
            .line(format_args!("{rows} rows and {files} files in {file}"))?;
        context.out.line(format_args!("head {head}"))
    }

    /// By the server, or without one where none runs.
    async fn make(&self, context: &Context) -> Result<wire::BackupReport, CliError> {
        let mut client = match context.client().await {
            Err(CliError::NoServer(_)) => return self.alone(context).await,
            connected => connected?,
        };
        // Before the backup is begun, since it could not be written afterwards.
        let target = BackupTarget::create(&self.file)?;
        let answer = client
            .stream(Method::POST, &ApiPath::new("/v1/backups"))
            .await?;
        let report = receive(answer, &target).await?;
        target.keep()?;
        Ok(report)
    }

    /// The same on a stopped server.
    async fn alone(&self, context: &Context) -> Result<wire::BackupReport, CliError> {
        let mut shown = Progress::begin("rows", None);
        let progress = move |at: crate::vault::BackupProgress| shown.at(at.rows);
        let made = app::backup(&context.folder(), &self.file, progress).await?;
        Ok(wire::BackupReport {
            rows: made.rows,
            files: made.files,
            bytes: made.bytes,
            head: head_in_words(&made.head),
            left_out: made.left_out,
        })
    }
}

/// Writes what the server sends; a backup without its report behind it is none.
async fn receive(
    mut answer: Answer,
    target: &BackupTarget,
) -> Result<wire::BackupReport, CliError> {
    let mut sink = target.sink()?;
    let mut shown = Progress::begin("bytes", None);
    let mut bytes = 0;
    let received = loop {
        match answer.part(QUIET).await {
            Ok(Some(Part::Data(data))) => {
                bytes += data.len() as u64;
                shown.at(bytes);
                if let Err(error) = sink.write_all(&data) {
                    break Err(CliError::Failed(format!(
                        "the backup cannot be written: {error}"
                    )));
                }
            }
            Ok(Some(Part::Trailers(trailers))) => {
                let report = trailers.get(wire::BackupReport::TRAILER);
                let report = report.map(|value| serde_json::from_slice(value.as_bytes()));
                break match report {
                    Some(Ok(report)) => Ok(report),
                    Some(Err(_)) | None => Err(CliError::Connection(CUT.to_owned())),
                };
            }
            Ok(None) => break Err(CliError::Connection(CUT.to_owned())),
            Err(error) => break Err(error),
        }
    };
    shown.end();
    let report = received?;
    sink.flush()
        .map_err(|error| CliError::Failed(format!("the backup cannot be written: {error}")))?;
    Ok(report)
}

impl Restore {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let unlock = match (self.master_key, self.recovery_code) {
            (Some(path), _) => Unlock::KeyFile(path),
            (None, true) => Unlock::Code(from_stdin("recovery code")?),
            (None, false) => Unlock::Configured,
        };
        let mut shown = Progress::begin("rows", None);
        let progress = move |at: crate::vault::BackupProgress| shown.at(at.rows);
        let folder = context.folder();
        if self.check {
            let content = app::verify_backup(&folder, &self.file, unlock, progress).await?;
            return context.out.line(format_args!(
                "{} is whole: {} rows and {} files",
                self.file.display(),
                content.rows,
                content.files
            ));
        }
        let what = app::Restore {
            file: self.file,
            unlock,
            replace: self.replace,
        };
        let done = app::restore(&folder, what, progress).await?;
        let (rows, files) = (done.content.rows, done.content.files);
        let data = folder.path().display();
        context.out.line(format_args!(
            "{rows} rows and {files} files restored to {data}"
        ))?;
        if let Some(aside) = done.aside {
            context
                .out
                .line(format_args!("what was there is in {}", aside.display()))?;
        }
        if let Some(damage) = done.damage {
            eprint(&format!(
                "warning: the audit trail was damaged already: {damage}\n"
            ));
        }
        for next in done.next {
            eprint(&format!("{}\n", visible(&next)));
        }
        Ok(())
    }
}

const STOPPED: &str = "interrupted: no backup was made";
const CUT: &str = "the backup broke off; its log says why";
/// How long the server may say nothing while it makes a backup.
const QUIET: Duration = Duration::from_secs(120);
