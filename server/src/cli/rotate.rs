//! `claviger rotate`.

use std::time::Duration;

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, NewPasswordRotation};
use crate::cli::fields::{AsJson, InOrganisation};
use crate::cli::list::list;
use crate::cli::progress::Progress;
use crate::cli::share::What;
use crate::cli::{ApiPath, CliError, Context};
use crate::config::Span;

/// Passwords that change by themselves on their targets
#[derive(Debug, Subcommand)]
pub(crate) enum Rotate {
    Set(Set),
    Off(Off),
    Run(Run),
    Status(Status),
}

/// Let the passwords of a resource, or of one account, change every so often
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger rotate set web1 --every 30d --window 02:00-04:00
  claviger rotate set web1/root --every 1d

An account's own rotation wins over its resource's. What somebody has checked out waits.")]
pub(crate) struct Set {
    #[command(flatten)]
    what: What,
    /// How old a password becomes, in whole hours or days
    #[arg(long, value_name = "SPAN", value_parser = hours)]
    every: u64,
    /// The time of the day at which they change, in UTC
    #[arg(long, value_name = "FROM-TO")]
    window: Option<String>,
}

/// Let them change no more; an account's own rotation leaves its resource's in force
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger rotate off web1")]
pub(crate) struct Off {
    #[command(flatten)]
    what: What,
}

/// Change the passwords of a resource, or of one account, now
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger rotate run web1

It goes on to its end even if this command is interrupted. [reset] at_once in claviger.toml says
how many are changed at once. Which ones failed, and why, is told at the end.")]
pub(crate) struct Run {
    #[command(flatten)]
    what: What,
}

/// Show the rotations; then what is due next, or lately failed and why
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger rotate status
  claviger rotate status --due --json")]
pub(crate) struct Status {
    /// Only what is due next, or lately failed
    #[arg(long)]
    due: bool,
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

impl Rotate {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Set(set) => set.run(context).await,
            Self::Off(off) => off.run(context).await,
            Self::Run(run) => run.run(context).await,
            Self::Status(status) => status.run(context).await,
        }
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let (resource, account) = self.what.split();
        let new = NewPasswordRotation {
            resource: resource.to_owned(),
            account: account.map(ToOwned::to_owned),
            hours: self.every,
            window: self.window,
        };
        let path = ApiPath::new(PATH).maybe("organisation", self.what.organisation());
        let mut client = context.client().await?;
        client.tell(Method::PUT, &path, Some(&new)).await?;
        let (target, hours) = (self.what.target(), self.every);
        context
            .out
            .line(format_args!("{target}: changes every {hours} hours"))
    }
}

impl Off {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = of(ApiPath::new(PATH), &self.what);
        let mut client = context.client().await?;
        client.tell(Method::DELETE, &path, None::<&()>).await?;
        let target = self.what.target();
        context
            .out
            .line(format_args!("{target}: changes by itself no more"))
    }
}

impl Run {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = of(ApiPath::new("/v1/rotations/run"), &self.what);
        let mut client = context.client().await?;
        let mut answer = client.stream(Method::POST, &path).await?;
        let mut shown = Progress::begin("passwords", None);
        let ended = loop {
            match answer.line::<wire::RunProgress>(QUIET).await {
                Ok(Some(wire::RunProgress {
                    error: Some(error), ..
                })) => break Err(CliError::Failed(error)),
                Ok(Some(done)) if done.finished => break Ok(done),
                Ok(Some(so_far)) => {
                    shown.of(so_far.total);
                    shown.at(so_far.changed + so_far.failed);
                }
                Ok(None) => break Err(CliError::Connection(HALF_WAY.to_owned())),
                Err(error) => break Err(error),
            }
        };
        shown.end();
        let done = ended?;
        for it in &done.failures {
            let (resource, account, why) = (&it.resource, &it.account, &it.why);
            context
                .out
                .line(format_args!("{resource}/{account}: {why}"))?;
        }
        let words = format!("{} of {} passwords changed", done.changed, done.total);
        context.out.line(&words)?;
        match done.failed {
            0 => Ok(()),
            failed => Err(CliError::Failed(format!("{failed} could not be changed"))),
        }
    }
}

impl Status {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let org = self.organisation.org.as_deref();
        if !self.due {
            let row = |rotation: wire::PasswordRotation| {
                vec![
                    rotation.resource,
                    rotation.account.unwrap_or_else(|| "(all)".to_owned()),
                    format!("{}h", rotation.hours),
                    rotation.window.unwrap_or_else(|| "(any time)".to_owned()),
                ]
            };
            let path = ApiPath::new(PATH).maybe("organisation", org);
            let heads = ["RESOURCE", "ACCOUNT", "EVERY", "WINDOW"];
            list(context, &path, &self.json, &heads, row).await?;
            if self.json.json {
                return Ok(());
            }
            context.out.line("")?;
        }
        let row = |due: wire::DueChange| {
            vec![
                due.resource,
                due.account,
                due.next.unwrap_or_default(),
                due.failures.to_string(),
                due.tried.unwrap_or_default(),
                due.why,
            ]
        };
        let path = ApiPath::new("/v1/rotations/due").maybe("organisation", org);
        let heads = ["RESOURCE", "ACCOUNT", "NEXT", "FAILURES", "TRIED", "WHY"];
        list(context, &path, &self.json, &heads, row).await
    }
}

fn of(path: ApiPath, what: &What) -> ApiPath {
    let (resource, account) = what.split();
    path.with("resource", resource)
        .maybe("account", account)
        .maybe("organisation", what.organisation())
}

fn hours(text: &str) -> Result<u64, String> {
    let span: Span = text.parse()?;
    match (span.get().as_secs(), span.get().subsec_nanos()) {
        (seconds, 0) if seconds > 0 && seconds % 3600 == 0 => Ok(seconds / 3600),
        _ => Err("whole hours or days, such as 12h or 30d".to_owned()),
    }
}

const PATH: &str = "/v1/rotations";
const HALF_WAY: &str = "the connection ended before the run did: see `claviger rotate status`";
/// How long the server may say nothing while it changes passwords.
const QUIET: Duration = Duration::from_secs(600);
