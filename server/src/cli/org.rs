//! `claviger org`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, NewOrganisation};
use crate::cli::fields::AsJson;
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
        let mut organisations: Vec<wire::Organisation> = Vec::new();
        let mut client = context.client().await?;
        let path = ApiPath::new("/v1/organisations");
        client
            .pages(&path, |page| {
                organisations.extend(page);
                Ok(())
            })
            .await?;
        if self.json.json {
            return context.out.json(&organisations);
        }
        let rows = organisations.into_iter().map(|org| vec![org.id, org.name]);
        context.out.table(&["ID", "ORGANISATION"], rows.collect())
    }
}
