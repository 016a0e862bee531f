//! `claviger key`.

use std::time::Duration;

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire;
use crate::cli::progress::Progress;
use crate::cli::secret_input::from_stdin;
use crate::cli::{ApiPath, CliError, Context};

/// Keys: what seals the data
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    Rotate(Rotate),
    Recover(Recover),
}

/// Seal all rows under a new data key, while the server goes on working
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger key rotate

If it is interrupted, both keys stay good; run it again to finish.")]
pub(crate) struct Rotate {}

/// Make the data usable again by the recovery code, when the master key is lost (server stopped)
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger key recover < recovery-code.txt

The code that `init` printed is read from standard input. The master key that claviger.toml names
wraps the keys from then on: put a new one there first, or let a new key file be made.")]
pub(crate) struct Recover {}

impl Key {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Rotate(Rotate {}) => rotate(context).await,
            Self::Recover(Recover {}) => recover(context).await,
        }
    }
}

async fn rotate(context: &Context) -> Result<(), CliError> {
    let mut client = context.client().await?;
    let mut answer = client
        .stream(Method::POST, &ApiPath::new("/v1/keys/rotate"))
        .await?;
    let mut shown = Progress::begin("rows", None);
    let ended = loop {
        match answer.line::<wire::Rotation>(QUIET).await {
            Ok(Some(wire::Rotation {
                error: Some(error), ..
            })) => {
                break Err(CliError::Failed(error));
            }
            Ok(Some(wire::Rotation {
                finished: true,
                resealed,
                ..
            })) => break Ok(resealed),
            Ok(Some(wire::Rotation { seen, .. })) => shown.at(seen),
            Ok(None) => break Err(CliError::Connection(HALF_WAY.to_owned())),
            Err(error) => break Err(error),
        }
    };
    shown.end();
    let rows = ended?;
    context
        .out
        .line(format_args!("{rows} rows are sealed under the new key"))
}

async fn recover(context: &Context) -> Result<(), CliError> {
    let code = from_stdin("recovery code")?;
    crate::app::recover(&context.folder(), &code).await?;
    context
        .out
        .line("the keys are wrapped by the master key that claviger.toml names")
}

const HALF_WAY: &str = "it stopped half-way: run this again to finish";
/// How long the server may say nothing while it rotates.
const QUIET: Duration = Duration::from_secs(120);
