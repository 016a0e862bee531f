//! `claviger user token`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, NewToken};
use crate::cli::fields::AsJson;
use crate::cli::list::list;
use crate::cli::user::Which;
use crate::cli::{CliError, Context};

/// The REST tokens of a user
#[derive(Debug, Subcommand)]
pub(crate) enum UserToken {
    Issue(Issue),
    Regenerate(Regenerate),
    List(List),
    Revoke(Revoke),
}

/// Issue one more token of a user, and print it alone: it is shown this once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger user token issue billing@app1.example --expires 2027-12-31
  claviger user token issue billing@app1.example --expires never > token")]
pub(crate) struct Issue {
    #[command(flatten)]
    new: New,
}

/// Issue a token of a user, take all its others back, and print the new one alone
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user token regenerate billing@app1.example")]
pub(crate) struct Regenerate {
    #[command(flatten)]
    new: New,
}

/// A token to be issued.
#[derive(Debug, Args)]
struct New {
    #[command(flatten)]
    user: Which,
    /// Its last day, in UTC, or `never` [default: as the setting token-days says]
    #[arg(long, value_name = "YYYY-MM-DD|never")]
    expires: Option<String>,
    #[command(flatten)]
    json: AsJson,
}

/// List the tokens of a user: what is known of them, not the tokens
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user token list billing@app1.example --json")]
pub(crate) struct List {
    #[command(flatten)]
    user: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Take a token back: it opens nothing from the next request on
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user token revoke billing@app1.example 17")]
pub(crate) struct Revoke {
    #[command(flatten)]
    user: Which,
    /// The token's id, as `user token list` prints it
    #[arg(value_name = "ID")]
    token: String,
}

impl UserToken {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Issue(Issue { new }) => new.run(&["tokens"], context).await,
            Self::Regenerate(Regenerate { new }) => {
                new.run(&["tokens", "regenerate"], context).await
            }
            Self::List(list) => list.run(context).await,
            Self::Revoke(revoke) => revoke.run(context).await,
        }
    }
}

impl New {
    async fn run(self, below: &[&str], context: &Context) -> Result<(), CliError> {
        let new = NewToken {
            expires: self.expires,
        };
        let path = self.user.path(below);
        let mut client = context.client().await?;
        let issued: wire::IssuedToken = client.send(Method::POST, &path, &new).await?;
        if self.json.json {
            return context.out.json(&issued);
        }
        let secret = issued.secret.expose();
        context.out.line(secret.as_str())
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let row = |token: wire::Token| {
            let expires = token.expires.unwrap_or_else(|| "never".to_owned());
            vec![token.id, token.state, token.issued, expires]
        };
        let heads = ["TOKEN", "STATE", "ISSUED", "EXPIRES"];
        list(
            context,
            &self.user.path(&["tokens"]),
            &self.json,
            &heads,
            row,
        )
        .await
    }
}

impl Revoke {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.user.path(&["tokens", &self.token]);
        let mut client = context.client().await?;
        client.tell(Method::DELETE, &path, None::<&()>).await?;
        context.out.line(format_args!(
            "token {} of {} revoked",
            self.token,
            self.user.login()
        ))
    }
}
