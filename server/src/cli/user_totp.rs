//! `claviger user totp`.

use clap::{Args, Subcommand, ValueEnum};
use http::Method;

use crate::admin::wire::{FactorCode, FactorDemand, FactorOffer, SecondFactor, SecretText};
use crate::cli::fields::{AsJson, yes};
use crate::cli::secret_input::from_stdin;
use crate::cli::user::Which;
use crate::cli::{CliError, Context};

/// The second factor of a person: codes of an authenticator
#[derive(Debug, Subcommand)]
pub(crate) enum UserTotp {
    Enrol(Enrol),
    Confirm(Confirm),
    Demand(Demand),
    Off(Off),
    Status(Status),
}

/// Draw a secret for a person's authenticator and print it, this once: as a URI and in base32. It
/// counts once a code of it was confirmed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user totp enrol alice")]
pub(crate) struct Enrol {
    #[command(flatten)]
    user: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Read a code of the authenticator from standard input: from now on each sign-in demands one
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user totp confirm alice")]
pub(crate) struct Confirm {
    #[command(flatten)]
    user: Which,
}

/// Say whether a person comes in with a second factor only
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user totp demand alice yes")]
pub(crate) struct Demand {
    #[command(flatten)]
    user: Which,
    /// Whether it must have one
    #[arg(value_enum)]
    demanded: YesNo,
}

/// A word for a truth value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum YesNo {
    /// It must
    Yes,
    /// It need not
    No,
}

/// Take a person's second factor away, for whoever has lost it; where one is demanded, enrol again
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user totp off alice")]
pub(crate) struct Off {
    #[command(flatten)]
    user: Which,
}

/// Show whether a person has a second factor, and whether it must have one
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user totp status alice --json")]
pub(crate) struct Status {
    #[command(flatten)]
    user: Which,
    #[command(flatten)]
    json: AsJson,
}

impl UserTotp {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Enrol(enrol) => enrol.run(context).await,
            Self::Confirm(confirm) => confirm.run(context).await,
            Self::Demand(demand) => demand.run(context).await,
            Self::Off(off) => off.run(context).await,
            Self::Status(status) => status.run(context).await,
        }
    }
}

impl Enrol {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let path = self.user.path(&["totp"]);
        let offer: FactorOffer = client.send(Method::POST, &path, &()).await?;
        if self.json.json {
            return context.out.json(&offer);
        }
        let (uri, secret) = (offer.uri.expose(), offer.secret.expose());
        context.out.line(uri.as_str())?;
        context.out.line(secret.as_str())
    }
}

impl Confirm {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let sent = FactorCode {
            code: SecretText::new(from_stdin("code")?),
        };
        let path = self.user.path(&["totp", "confirm"]);
        let mut client = context.client().await?;
        client.tell(Method::POST, &path, Some(&sent)).await?;
        let login = self.user.login();
        context.out.line(format_args!(
            "user {login} signs in with a code from now on"
        ))
    }
}

impl Demand {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let sent = FactorDemand {
            demanded: self.demanded == YesNo::Yes,
        };
        let path = self.user.path(&["totp"]);
        let mut client = context.client().await?;
        client.tell(Method::PUT, &path, Some(&sent)).await?;
        let (login, must) = (
            self.user.login(),
            if sent.demanded { "must" } else { "need not" },
        );
        context
            .out
            .line(format_args!("user {login} {must} have a second factor"))
    }
}

impl Off {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.user.path(&["totp"]);
        let mut client = context.client().await?;
        client.tell(Method::DELETE, &path, None::<&()>).await?;
        let login = self.user.login();
        context
            .out
            .line(format_args!("user {login} has no second factor any more"))
    }
}

impl Status {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let factor: SecondFactor = client.get(&self.user.path(&["totp"])).await?;
        if self.json.json {
            return context.out.json(&factor);
        }
        context.out.facts(&[
            ("second factor", factor.state),
            ("demanded", yes(factor.demanded)),
            ("since", factor.since.unwrap_or_default()),
        ])
    }
}
