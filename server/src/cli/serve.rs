//! `claviger serve`.

use std::io::IsTerminal;
use std::thread::available_parallelism;

use clap::Args;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::app::{self, Announcement, Orders};
use crate::cli::{CliError, Context, notify};
use crate::config::{Config, Count, Listen, LogFormat, LogLevel};

/// Serve the data directory until SIGTERM or Ctrl-C, which let requests under way end first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger serve --data /var/lib/claviger --xmlrpc 0.0.0.0:7070 --rest 0.0.0.0:7272 --ssh 0.0.0.0:5522 --a2a 0.0.0.0:8443
  claviger serve --xmlrpc 127.0.0.1:0 --rest off --ssh off --a2a off --health 127.0.0.1:9090

Prints one line a door with its true address, such as `xmlrpc listening on 127.0.0.1:7070`, then
`ready`. The log goes to standard error. Options here win over claviger.toml.")]
pub(crate) struct Serve {
    /// Where applications come in by XML-RPC: an address with a port (0 picks one), or off
    #[arg(long, value_name = "ADDR|off")]
    xmlrpc: Option<Listen>,
    /// Where scripts come in by the REST API: an address with a port (0 picks one), or off
    #[arg(long, value_name = "ADDR|off")]
    rest: Option<Listen>,
    /// Where scripts come in by SSH: an address with a port (0 picks one), or off
    #[arg(long, value_name = "ADDR|off")]
    ssh: Option<Listen>,
    /// Where programs come in by A2A: an address with a port (0 picks one), or off
    #[arg(long, value_name = "ADDR|off")]
    a2a: Option<Listen>,
    /// Where machines that watch this one ask for /health and /metrics, or off
    #[arg(long, value_name = "ADDR|off")]
    health: Option<Listen>,
}

impl Serve {
    /// Does it.
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let folder = context.folder();
        let mut config = Config::load(folder.path())?;
        if let Some(listen) = self.xmlrpc {
            config.doors.xmlrpc.listen = listen;
        }
        if let Some(listen) = self.rest {
            config.doors.rest.listen = listen;
        }
        if let Some(listen) = self.ssh {
            config.doors.ssh.listen = listen;
        }
        if let Some(listen) = self.a2a {
            config.doors.a2a.listen = listen;
        }
        if let Some(listen) = self.health {
            config.health.listen = listen;
        }
        log(config.log.format, config.log.level);
        let runtime = runtime(config.limits.workers)?;
        let mut announce = |told: Announcement<'_>| announce(told, context);
        let stop = Box::pin(std::future::pending());
        let orders = Orders {
            announce: &mut announce,
            stop,
        };
        let served = runtime.block_on(app::serve(&folder, config, orders));
        Ok(served?)
    }
}

/// The threads that do TLS and requests.
pub(crate) fn runtime(workers: Option<Count>) -> Result<Runtime, CliError> {
    let cores = available_parallelism().map_or(1, usize::from);
    let workers = workers.map_or(cores.saturating_sub(1), Count::as_usize);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.max(1))
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("no runtime: {error}")))
}

/// A server whose starter has gone on without reading serves all the same.
fn announce(told: Announcement<'_>, context: &Context) {
    match told {
        Announcement::Listening { door, address } => {
            let _unread = context
                .out
                .line(format_args!("{door} listening on {address}"));
        }
        Announcement::Ready => {
            let _unread = context.out.line("ready");
            notify::tell("READY=1");
        }
        Announcement::Closing => notify::tell("STOPPING=1"),
    }
}

/// Sends the log to standard error. RUST_LOG, where it is set, says more finely what is logged.
pub(crate) fn log(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter);
    // There is one already where a test has set it up.
    let _already = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
