//! `claviger request`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{AccessRequest, NewAccessRequest};
use crate::cli::fields::{AsJson, InOrganisation, split_target};
use crate::cli::list::list;
use crate::cli::{ApiPath, CliError, Context};

/// Decide about requests for passwords under access control
#[derive(Debug, Subcommand)]
pub(crate) enum Request {
    List(List),
    /// Request a password for a user
    #[command(after_help = "Example:\n  claviger request raise db1/root --for ops@10.0.0.1")]
    Raise(Raise),
    /// Approve a request
    #[command(after_help = "Example:\n  claviger request approve db1/root ops@10.0.0.1")]
    Approve(Which),
    /// Reject a request
    #[command(after_help = "Example:\n  claviger request reject db1/root ops@10.0.0.1")]
    Reject(Which),
    /// Check out, for a user, what was approved
    #[command(after_help = "Example:\n  claviger request checkout db1/root --for ops@10.0.0.1")]
    Checkout(Raise),
    /// Take back what a user holds
    #[command(after_help = "Example:\n  claviger request checkin db1/root ops@10.0.0.1")]
    Checkin(Which),
}

/// List requests and check-outs
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger request list")]
pub(crate) struct List {
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// What for whom.
#[derive(Debug, Args)]
pub(crate) struct Raise {
    /// RESOURCE/ACCOUNT; split at the last slash
    #[arg(value_name = "RESOURCE/ACCOUNT", value_parser = account)]
    target: (String, String),
    /// The user who is to have the password
    #[arg(long = "for", value_name = "USER")]
    user: String,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    /// The ticket
    #[arg(long)]
    ticket: Option<String>,
    #[command(flatten)]
    organisation: InOrganisation,
}

/// Whose request.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// RESOURCE/ACCOUNT; split at the last slash
    #[arg(value_name = "RESOURCE/ACCOUNT", value_parser = account)]
    target: (String, String),
    /// The user who wants the password, or holds it
    #[arg(value_name = "USER")]
    user: String,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    /// The ticket
    #[arg(long)]
    ticket: Option<String>,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl Request {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (path, done, which) = match self {
            Self::List(list) => return list.run(context).await,
            Self::Raise(raise) => ("/v1/requests", "requested", raise.into()),
            Self::Approve(which) => ("/v1/requests/approve", "approved", which),
            Self::Reject(which) => ("/v1/requests/reject", "rejected", which),
            Self::Checkout(raise) => ("/v1/requests/checkout", "checked out", raise.into()),
            Self::Checkin(which) => ("/v1/requests/checkin", "checked in", which),
        };
        which.run(path, done, context).await
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path =
            ApiPath::new("/v1/requests").maybe("organisation", self.organisation.org.as_deref());
        let row = |request: AccessRequest| {
            vec![
                request.resource,
                request.account,
                request.user,
                request.state,
                request.approvals.to_string(),
                request.until,
                request.reason,
                request.ticket,
            ]
        };
        list(context, &path, &self.json, &HEADS, row).await
    }
}

impl From<Raise> for Which {
    fn from(raise: Raise) -> Self {
        Self {
            target: raise.target,
            user: raise.user,
            reason: raise.reason,
            ticket: raise.ticket,
            organisation: raise.organisation,
        }
    }
}

impl Which {
    async fn run(self, path: &'static str, done: &str, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new(path).maybe("organisation", self.organisation.org.as_deref());
        let (resource, account) = self.target;
        let which = NewAccessRequest {
            resource,
            account,
            user: self.user,
            reason: self.reason,
            ticket: self.ticket,
        };
        let mut client = context.client().await?;
        client.tell(Method::POST, &path, Some(&which)).await?;
        context.out.line(format_args!(
            "{}/{} {done} for {}",
            which.resource, which.account, which.user
        ))
    }
}

fn account(text: &str) -> Result<(String, String), String> {
    match split_target(text) {
        (resource, Some(account)) => Ok((resource.to_owned(), account.to_owned())),
        (_, None) => Err("an account is written RESOURCE/ACCOUNT".to_owned()),
    }
}

const HEADS: [&str; 8] = [
    "RESOURCE",
    "ACCOUNT",
    "USER",
    "STATE",
    "APPROVALS",
    "UNTIL",
    "REASON",
    "TICKET",
];
