//! `claviger org`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, NewOrganisation};
use crate::cli::fields::AsJson;
use crate::cli::list::list;
use crate::cli::{ApiPath, CliError, Context};

/// Organisations: each sees its own users and resources only
#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    Add(Add),
    List(List),
}

/// Make an organisation
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger org add 'Acme GmbH'")]
pub(crate) struct Add {
    /// Its display name: the O of its users' certificates
    #[arg(value_name = "ORG")]
    name: String,
}

/// List organisations
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger org list --json")]
pub(crate) struct List {
    #[command(flatten)]
    json: AsJson,
}

impl Org {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/organisations");
        let new = NewOrganisation { name: self.name };
        context
            .client()
            .await?
            .tell(Method::POST, &path, Some(&new))
            .await?;
        context
            .out
            .line(format_args!("organisation {} made", new.name))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/organisations");
        let row = |org: wire::Organisation| vec![org.id, org.name];
        list(context, &path, &self.json, &["ID", "ORGANISATION"], row).await
    }
}
