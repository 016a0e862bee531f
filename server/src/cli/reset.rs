//! `claviger reset`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, ResetOrder, SecretText, SettleOrder, SettledReset};
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
  claviger reset settle web1/root

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

/// Settle which password a target has: ask it now, or say so where no login tells
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger reset settle web1/root
  claviger reset settle web1/root --new
  claviger reset settle web1/root --old --anyway

Without a word the target is asked now, as the server asks it again and again. With one it is asked
first, too: where it answers otherwise, or has said that it took the new password, the word is refused
unless it is to count anyway. The others are kept in the account's history: `claviger account secret get
--earlier` reads them. It is recorded.")]
struct Settle {
    /// The account
    #[arg(value_name = "RESOURCE/ACCOUNT")]
    account: String,
    #[command(flatten)]
    held: HeldNow,
    /// Whatever the target itself says
    #[arg(long, requires = "held")]
    anyway: bool,
    #[command(flatten)]
    organisation: InOrganisation,
}

#[derive(Debug, Args)]
#[group(id = "held", multiple = false)]
struct HeldNow {
    /// It has the new one, which is in force from now on
    #[arg(long)]
    new: bool,
    /// It has the one that was in force here before the reset, which is in force (again)
    #[arg(long)]
    old: bool,
    /// It has the one that is stored now, although that was changed here after the reset
    #[arg(long)]
    stored: bool,
}

impl HeldNow {
    fn word(&self) -> Option<&'static str> {
        let words = [
            (self.new, "new"),
            (self.old, "old"),
            (self.stored, "stored"),
        ];
        words
            .into_iter()
            .find_map(|(said, word)| said.then_some(word))
    }
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
        let order = SettleOrder {
            held: self.held.word().map(ToOwned::to_owned),
            anyway: self.anyway,
        };
        let mut client = context.client().await?;
        let settled: SettledReset = client.send(Method::POST, &path, &order).await?;
        let force = match settled.held.as_str() {
            "new" => "the new password is in force",
            "old" => "the password from before the reset is in force",
            _ => "the stored password stays in force",
        };
        let why = settled.why.unwrap_or_default();
        let login = match settled.login {
            Some(true) => "the target lets in with it".to_owned(),
            Some(false) => format!("against the target: {why}"),
            None => format!("no login told: {why}"),
        };
        let out = &context.out;
        out.line(format_args!("{}: {force}; {login}", self.account))?;
        for version in settled.kept {
            out.line(format_args!(
                "{}: what was given up is version {version} of its history",
                self.account
            ))?;
        }
        Ok(())
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
