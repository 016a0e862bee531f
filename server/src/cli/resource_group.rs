//! `claviger resource-group`.

use clap::{Args, Subcommand};
use http::Method;
use serde::Serialize;

use crate::admin::wire::{
    GroupEdit, GroupShare, GroupedResource, NewGroup, NewGroupShare, ResourceGroup as Shown,
};
use crate::cli::fields::{AsJson, InOrganisation};
use crate::cli::group::Change;
use crate::cli::list::{PAGE, list};
use crate::cli::secret_input::{ask, somebody_there};
use crate::cli::share::{Level, With};
use crate::cli::{ApiPath, CliError, Context};

/// Groups of resources: what is shared of one is shared of everything in it
#[derive(Debug, Subcommand)]
pub(crate) enum ResourceGroup {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Remove(Remove),
    Associate(Associate),
    Dissociate(Dissociate),
    Share(Share),
    Unshare(Unshare),
}

/// Make a group with nothing in it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group add databases")]
pub(crate) struct Add {
    #[command(flatten)]
    group: Which,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

/// List groups of resources
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group list --json")]
pub(crate) struct List {
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Show a group, what is in it and with whom it is shared
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group show databases")]
pub(crate) struct Show {
    #[command(flatten)]
    group: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Give a group another name, or say anew what it is for; what is in it stays
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group edit databases --name warehouses")]
pub(crate) struct Edit {
    #[command(flatten)]
    group: Which,
    #[command(flatten)]
    change: Change,
}

/// Remove a group with all that was shared of it, at once; the resources stay
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group remove databases")]
pub(crate) struct Remove {
    #[command(flatten)]
    group: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Put resources into a group
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group associate databases db1 db2")]
pub(crate) struct Associate {
    #[command(flatten)]
    resources: Resources,
}

/// Take resources out of a group
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group dissociate databases db2")]
pub(crate) struct Dissociate {
    #[command(flatten)]
    resources: Resources,
}

/// Share everything that is in a group, now and later, with a user or a group of users
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger resource-group share databases billing@app1.example --level view
  claviger resource-group share databases --group dba --level manage")]
pub(crate) struct Share {
    #[command(flatten)]
    group: Which,
    #[command(flatten)]
    with: With,
    /// What it may do
    #[arg(long, value_enum)]
    level: Level,
}

/// Take a share of a group of resources back, at once
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource-group unshare databases --group dba")]
pub(crate) struct Unshare {
    #[command(flatten)]
    group: Which,
    #[command(flatten)]
    with: With,
}

/// A group and some resources.
#[derive(Debug, Args)]
struct Resources {
    #[command(flatten)]
    group: Which,
    /// The resources
    #[arg(value_name = "RESOURCE", required = true)]
    resources: Vec<String>,
}

/// Which group.
#[derive(Debug, Args)]
struct Which {
    /// The group of resources
    #[arg(value_name = "RESOURCE-GROUP")]
    name: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

/// A group with what is in it and with whom it is shared.
#[derive(Debug, Serialize)]
struct InFull {
    #[serde(flatten)]
    group: Shown,
    resources: Vec<GroupedResource>,
    shares: Vec<GroupShare>,
}

impl Which {
    fn path(&self, below: &[&str]) -> ApiPath {
        let path = ApiPath::new("/v1/resource-groups").then(&self.name);
        below
            .iter()
            .fold(path, |path, segment| path.then(segment))
            .maybe("organisation", self.organisation.org.as_deref())
    }
}

impl ResourceGroup {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::Associate(Associate { resources }) => {
                resources.each(Method::PUT, "is in", context).await
            }
            Self::Dissociate(Dissociate { resources }) => {
                let done = "is no more in";
                resources.each(Method::DELETE, done, context).await
            }
            Self::Share(share) => share.run(context).await,
            Self::Unshare(unshare) => unshare.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/resource-groups")
            .maybe("organisation", self.group.organisation.org.as_deref());
        let new = NewGroup {
            name: self.group.name,
            description: self.description,
        };
        let mut client = context.client().await?;
        let made: Shown = client.send(Method::POST, &path, &new).await?;
        context
            .out
            .line(format_args!("resource group {} made", made.name))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/resource-groups")
            .maybe("organisation", self.organisation.org.as_deref());
        let row = |group: Shown| vec![group.id, group.name, group.description];
        let heads = ["ID", "RESOURCE GROUP", "DESCRIPTION"];
        list(context, &path, &self.json, &heads, row).await
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let group: Shown = client.get(&self.group.path(&[])).await?;
        let (mut resources, mut shares) = (Vec::new(), Vec::new());
        let path = self.group.path(&["resources"]).with("limit", PAGE);
        client
            .pages(&path, |page: Vec<GroupedResource>| {
                resources.extend(page);
                Ok(())
            })
            .await?;
        client
            .pages(&self.group.path(&["shares"]), |page: Vec<GroupShare>| {
                shares.extend(page);
                Ok(())
            })
            .await?;
        let full = InFull {
            group,
            resources,
            shares,
        };
        if self.json.json {
            return context.out.json(&full);
        }
        full.print(context)
    }
}

impl InFull {
    fn print(self, context: &Context) -> Result<(), CliError> {
        context.out.facts(&[
            ("resource group", self.group.name),
            ("id", self.group.id),
            ("description", self.group.description),
            ("made", self.group.created),
        ])?;
        let rows = self
            .resources
            .into_iter()
            .map(|resource| vec![resource.name]);
        context.out.table(&["RESOURCE"], rows.collect())?;
        let row = |share: GroupShare| {
            let group = share.group.map(|name| format!("group {name}"));
            vec![share.user.or(group).unwrap_or_default(), share.level]
        };
        let rows = self.shares.into_iter().map(row).collect();
        context.out.table(&["SHARED WITH", "LEVEL"], rows)
    }
}

impl Edit {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.group.path(&[]);
        let edit = GroupEdit::from(self.change);
        let mut client = context.client().await?;
        let edited: Shown = client.send(Method::PATCH, &path, &edit).await?;
        context
            .out
            .line(format_args!("resource group {} edited", edited.name))
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = &self.group.name;
        let question = format!("Remove resource group {name} with all that is shared of it?");
        if !self.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        let mut client = context.client().await?;
        client
            .tell(Method::DELETE, &self.group.path(&[]), None::<&()>)
            .await?;
        context
            .out
            .line(format_args!("resource group {name} removed"))
    }
}

impl Resources {
    /// Asks the same for each resource; the first refusal ends it.
    async fn each(self, method: Method, done: &str, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        for resource in &self.resources {
            let path = self.group.path(&["resources", resource]);
            client.tell(method.clone(), &path, None::<&()>).await?;
            let group = &self.group.name;
            context
                .out
                .line(format_args!("{resource} {done} resource group {group}"))?;
        }
        Ok(())
    }
}

impl Share {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let new = NewGroupShare {
            user: self.with.user.clone(),
            group: self.with.group.clone(),
            level: self.level.word(),
        };
        let path = self.group.path(&["shares"]);
        let mut client = context.client().await?;
        client.tell(Method::PUT, &path, Some(&new)).await?;
        let (name, with) = (&self.group.name, self.with.in_words());
        context.out.line(format_args!(
            "resource group {name} shared with {with}: {}",
            new.level
        ))
    }
}

impl Unshare {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self
            .group
            .path(&["shares"])
            .maybe("user", self.with.user.as_deref())
            .maybe("group", self.with.group.as_deref());
        let mut client = context.client().await?;
        client.tell(Method::DELETE, &path, None::<&()>).await?;
        let (name, with) = (&self.group.name, self.with.in_words());
        context.out.line(format_args!(
            "resource group {name} shared with {with} no more"
        ))
    }
}
