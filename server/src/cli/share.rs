//! `claviger share`, `unshare`, `shares`.

use clap::{Args, ValueEnum};
use http::Method;

use crate::admin::wire::{self, NewShare};
use crate::cli::fields::{AsJson, InOrganisation, split_target};
use crate::cli::list::list;
use crate::cli::{ApiPath, CliError, Context};

/// Share a resource, or one account of it, with a user or a group
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger share db1 billing@app1.example --level view
  claviger share db1/root ops@admin.example --level manage
  claviger share db1 --group dba --level modify")]
pub(crate) struct Share {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    with: With,
    /// What it may do
    #[arg(long, value_enum)]
    level: Level,
}

/// What a share allows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    /// See it and retrieve its passwords
    View,
    /// Change its passwords, too
    Modify,
    /// Edit, delete and share it, too
    Manage,
}

impl Level {
    /// The word for it in the API.
    pub(crate) fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Take a share back, at once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger unshare db1/root ops@admin.example
  claviger unshare db1 --group dba")]
pub(crate) struct Unshare {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    with: With,
}

/// With whom something is shared.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct With {
    /// The user
    #[arg(value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Everybody in this group, as long as they are
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
}

impl With {
    /// For whoever reads what was done.
    pub(crate) fn in_words(&self) -> String {
        match (&self.user, &self.group) {
            (_, Some(group)) => format!("group {group}"),
            (Some(user), None) => user.clone(),
            (None, None) => String::new(),
        }
    }
}

/// List with whom a resource and its accounts are shared
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger shares db1")]
pub(crate) struct Shares {
    /// The resource
    #[arg(value_name = "RESOURCE")]
    resource: String,
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// What is shared.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// A resource, or RESOURCE/ACCOUNT; split at the last slash
    #[arg(value_name = "RESOURCE[/ACCOUNT]")]
    target: String,
    /// RESOURCE has a slash in its name and is meant as a whole
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl What {
    /// As it was written.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The organisation it is in.
    pub(crate) fn organisation(&self) -> Option<&str> {
        self.organisation.org.as_deref()
    }

    /// The resource, and the account where one is meant.
    pub(crate) fn split(&self) -> (&str, Option<&str>) {
        if self.whole {
            (&self.target, None)
        } else {
            split_target(&self.target)
        }
    }
}

impl Share {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (resource, account) = self.what.split();
        let new = NewShare {
            resource: resource.to_owned(),
            account: account.map(ToOwned::to_owned),
            user: self.with.user.clone(),
            group: self.with.group.clone(),
            level: self.level.word(),
        };
        let path =
            ApiPath::new("/v1/shares").maybe("organisation", self.what.organisation.org.as_deref());
        context
            .client()
            .await?
            .tell(Method::PUT, &path, Some(&new))
            .await?;
        let (target, with) = (&self.what.target, self.with.in_words());
        context
            .out
            .line(format_args!("{target} shared with {with}: {}", new.level))
    }
}

impl Unshare {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (resource, account) = self.what.split();
        let path = ApiPath::new("/v1/shares")
            .with("resource", resource)
            .maybe("account", account)
            .maybe("user", self.with.user.as_deref())
            .maybe("group", self.with.group.as_deref())
            .maybe("organisation", self.what.organisation.org.as_deref());
        context
            .client()
            .await?
            .tell(Method::DELETE, &path, None::<&()>)
            .await?;
        context.out.line(format_args!(
            "{} shared with {} no more",
            self.what.target,
            self.with.in_words()
        ))
    }
}

impl Shares {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/shares")
            .with("resource", &self.resource)
            .maybe("organisation", self.organisation.org.as_deref());
        let row = |share: wire::Share| {
            let account = share.account.unwrap_or_else(|| "(all)".to_owned());
            let group = share.group.map(|name| format!("group {name}"));
            let with = share.user.or(group).unwrap_or_default();
            vec![share.resource, account, with, share.level]
        };
        list(
            context,
            &path,
            &self.json,
            &["RESOURCE", "ACCOUNT", "WITH", "LEVEL"],
            row,
        )
        .await
    }
}
