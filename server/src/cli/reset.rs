//! `claviger reset`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, ResetOrder, SecretText, SettleOrder};
use crate::cli::fields::{AsJson, InOrganisation, split_target};
use crate::cli::list::list;
use crate::cli::secret_input::from_stdin;
use crate::cli::{ApiPath, CliError, Context};

/// Change the password of an account on its target, and then here
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  claviger reset web1/deploy
  claviger reset db1/app --new-password-stdin < password.txt
  claviger reset status
  claviger reset settle web1/root --new

Without --new-password-stdin a password is generated. It is not shown: who may have it retrieves it."
)]
pub(crate) struct Reset {
    #[command(subcommand)]
    more: Option<More>,
    /// The account
    #[arg(value_name = "RESOURCE/ACCOUNT", required = true)]
    account: Option<String>,
    /// Read the new password from standard input
    #[arg(long)]
    new_password_stdin: bool,
    /// Why it is changed
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The ticket that it is changed for
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
    #[command(flatten)]
    organisation: InOrganisation,
}

#[derive(Debug, Subcommand)]
enum More {
    Status(Status),
    Settle(Settle),
    Resume(Resume),
}

/// Say which password a target has, where no login tells
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger reset settle web1/root --new
  claviger reset settle web1/root --old

The password that the target does not have is given up: look there first. It is recorded.")]
struct Settle {
    /// The account
    #[arg(value_name = "RESOURCE/ACCOUNT")]
    account: String,
    #[command(flatten)]
    held: HeldNow,
    #[command(flatten)]
    organisation: InOrganisation,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct HeldNow {
    /// It has the new one, which is in force from now on
    #[arg(long)]
    new: bool,
    /// It has the old one: the one that is stored stays in force
    #[arg(long)]
    old: bool,
}

/// Let passwords be changed on their targets again, which a restored copy does not do by itself
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger reset resume

Say so only once no other server looks after the same targets. It is recorded.")]
struct Resume {}

/// Show the accounts of which it is not clear which password their target has
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger reset status

The server asks those targets again and again; the stored password stays in force until it is clear.")]
struct Status {
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

impl Reset {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self.more {
            Some(More::Status(status)) => status.run(context).await,
            Some(More::Settle(settle)) => settle.run(context).await,
            Some(More::Resume(Resume {})) => resume(context).await,
            None => self.change(context).await,
        }
    }

    async fn change(self, context: &Context) -> Result<(), CliError> {
        let written = self.account.unwrap_or_default();
        let path = path_of(&written)?;
        let password = match self.new_password_stdin {
            true => Some(SecretText::new(from_stdin("new password")?)),
            false => None,
        };
        let order = ResetOrder {
            password,
            reason: self.reason,
            ticket: self.ticket,
        };
        let path = path.maybe("organisation", self.organisation.org.as_deref());
        let mut client = context.client().await?;
        client.tell(Method::POST, &path, Some(&order)).await?;
        context
            .out
            .line(format_args!("{written}: changed on its target and here"))
    }
}

impl Settle {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = path_of(&self.account)?
            .then("settle")
            .maybe("organisation", self.organisation.org.as_deref());
        let HeldNow { new, old } = self.held;
        let (held, words) = match new && !old {
            true => ("new", "the new password is in force"),
            false => ("stored", "the stored password stays in force"),
        };
        let order = SettleOrder {
            held: held.to_owned(),
        };
        let mut client = context.client().await?;
        client.tell(Method::POST, &path, Some(&order)).await?;
        context.out.line(format_args!("{}: {words}", self.account))
    }
}

async fn resume(context: &Context) -> Result<(), CliError> {
    let path = ApiPath::new("/v1/resets/resume");
    let mut client = context.client().await?;
    client.tell(Method::POST, &path, None::<&()>).await?;
    context
        .out
        .line("passwords are changed on their targets again")
}

fn path_of(written: &str) -> Result<ApiPath, CliError> {
    let (resource, Some(account)) = split_target(written) else {
        let words = "an account is written RESOURCE/ACCOUNT";
        return Err(CliError::Usage(words.to_owned()));
    };
    let path = ApiPath::new("/v1/resources").then(resource);
    Ok(path.then("accounts").then(account).then("reset"))
}

impl Status {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let row = |reset: wire::PendingReset| {
            vec![
                reset.resource,
                reset.account,
                reset.since,
                reset.tries.to_string(),
                reset.next,
                reset.why,
            ]
        };
        let path =
            ApiPath::new("/v1/resets").maybe("organisation", self.organisation.org.as_deref());
        let heads = ["RESOURCE", "ACCOUNT", "SINCE", "TRIES", "NEXT", "WHY"];
        list(context, &path, &self.json, &heads, row).await
    }
}
