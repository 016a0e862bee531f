//! `claviger init`.

use clap::Args;

use crate::app;
use crate::cli::secret_input::eprint;
use crate::cli::{CliError, Context};
use crate::config::Config;

/// Make a data directory: keys, a CA, a server certificate, and claviger.toml
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger init --data /var/lib/claviger --host vault.example --host 192.0.2.7

The server certificate names the hosts given, localhost, 127.0.0.1 and ::1. The recovery code is
printed once: it opens the data when the master key is lost.")]
pub(crate) struct Init {
    /// A name or address by which clients reach the server; may be given several times
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
}

impl Init {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let folder = context.folder();
        let made = app::init(&folder, &self.host).await?;
        let data = folder.path().display();
        let out = &context.out;
        out.line(format_args!("data directory  {data}"))?;
        out.line(format_args!("settings        {data}/{}", Config::FILE))?;
        out.line(format_args!(
            "CA certificate  {}",
            folder.authority().display()
        ))?;
        out.line(format_args!("CA SHA-256      {}", made.authority))?;
        out.line(format_args!("server names    {}", made.hosts.join(", ")))?;
        out.line(format_args!(
            "recovery code   {}",
            made.recovery_code.expose().as_str()
        ))?;
        eprint(
            "Write the recovery code on paper and keep it away from this machine: it is not shown \
             again, and whoever has it and the data has everything.\n",
        );
        eprint(&format!("Next: claviger serve --data {data}\n"));
        Ok(())
    }
}
