//! `claviger access-control`.

use clap::{Args, Subcommand, ValueEnum};
use http::Method;

use crate::admin::wire::{self, NewAccessControl};
use crate::cli::fields::{AsJson, yes};
use crate::cli::list::list;
use crate::cli::share::What;
use crate::cli::{ApiPath, CliError, Context};
use crate::config::Span;

/// Give out passwords on request only
#[derive(Debug, Subcommand)]
pub(crate) enum AccessControl {
    Set(Set),
    Show(Show),
    Off(Off),
}

/// Switch it on for a resource or one account, or change it, at once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger access-control set db1 --approver boss@10.0.0.7 --exclusive
  claviger access-control set db1/root --approvals 2 --max 30m --reason
  claviger access-control set db2 --approver-group dba")]
pub(crate) struct Set {
    #[command(flatten)]
    what: What,
    /// Who may approve; without any: whoever may manage it
    #[arg(long = "approver", value_name = "USER")]
    approvers: Vec<String>,
    /// A group of which everybody may approve
    #[arg(long = "approver-group", value_name = "GROUP")]
    approver_groups: Vec<String>,
    /// How many must approve: 0, 1 or 2
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    approvals: u8,
    /// One at a time may hold it
    #[arg(long)]
    exclusive: bool,
    /// The longest that it may be held, in whole minutes
    #[arg(long, value_name = "SPAN", default_value = "60m", value_parser = minutes)]
    max: u64,
    /// A request must give a reason
    #[arg(long)]
    reason: bool,
    /// A request must give a ticket
    #[arg(long)]
    ticket: bool,
    /// Change the password when it has been checked in
    #[arg(long, value_enum, value_name = "WHERE")]
    change_after_checkin: Option<Place>,
}

/// Where a password changes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Place {
    /// Here only
    Local,
    /// On the target first; needs a connector
    Remote,
}

/// Show what is switched on; for an account, what is in force
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger access-control show db1")]
pub(crate) struct Show {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    json: AsJson,
}

/// Switch it off where it was switched on
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger access-control off db1/root")]
pub(crate) struct Off {
    #[command(flatten)]
    what: What,
}

impl AccessControl {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Set(set) => set.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Off(off) => off.run(context).await,
        }
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let (resource, account) = self.what.split();
        let place = self.change_after_checkin.map(|place| match place {
            Place::Local => "local".to_owned(),
            Place::Remote => "remote".to_owned(),
        });
        let new = NewAccessControl {
            resource: resource.to_owned(),
            account: account.map(ToOwned::to_owned),
            approvers: self.approvers.clone(),
            approver_groups: self.approver_groups.clone(),
            approvals: Some(self.approvals),
            exclusive: self.exclusive,
            max_minutes: Some(self.max),
            reason: self.reason,
            ticket: self.ticket,
            change_after_checkin: place,
        };
        let path = ApiPath::new(PATH).maybe("organisation", self.what.organisation());
        let mut client = context.client().await?;
        client.tell(Method::PUT, &path, Some(&new)).await?;
        let target = self.what.target();
        context
            .out
            .line(format_args!("{target}: given out on request only"))
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let row = |control: wire::AccessControl| {
            vec![
                control.resource,
                control.account.unwrap_or_else(|| "(all)".to_owned()),
                approvers(control.approvers, control.approver_groups),
                control.approvals.to_string(),
                yes(control.exclusive),
                format!("{}m", control.max_minutes),
                yes(control.reason),
                yes(control.ticket),
                control.change_after_checkin.unwrap_or_default(),
            ]
        };
        list(context, &before(&self.what), &self.json, &HEADS, row).await
    }
}

fn approvers(mut named: Vec<String>, groups: Vec<String>) -> String {
    named.extend(groups.into_iter().map(|group| format!("group {group}")));
    match named.is_empty() {
        true => "(managers)".to_owned(),
        false => named.join(" "),
    }
}

impl Off {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        client
            .tell(Method::DELETE, &before(&self.what), None::<&()>)
            .await?;
        let target = self.what.target();
        context
            .out
            .line(format_args!("{target}: access control switched off"))
    }
}

fn before(what: &What) -> ApiPath {
    let (resource, account) = what.split();
    ApiPath::new(PATH)
        .with("resource", resource)
        .maybe("account", account)
        .maybe("organisation", what.organisation())
}

fn minutes(text: &str) -> Result<u64, String> {
    let span: Span = text.parse()?;
    match (span.get().as_secs(), span.get().subsec_nanos()) {
        (seconds, 0) if seconds % 60 == 0 => Ok(seconds / 60),
        _ => Err("whole minutes, such as 60m or 2h".to_owned()),
    }
}

const PATH: &str = "/v1/access-controls";
const HEADS: [&str; 9] = [
    "RESOURCE",
    "ACCOUNT",
    "APPROVERS",
    "OF THEM",
    "EXCLUSIVE",
    "MAX",
    "REASON",
    "TICKET",
    "CHANGE",
];
