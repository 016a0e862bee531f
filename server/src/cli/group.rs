//! `claviger group`.

use clap::{Args, Subcommand};
use http::Method;
use serde::Serialize;

use crate::admin::wire::{self, GroupEdit, NewGroup};
use crate::cli::fields::{AsJson, InOrganisation};
use crate::cli::list::{PAGE, list};
use crate::cli::secret_input::{ask, somebody_there};
use crate::cli::{ApiPath, CliError, Context};

/// Groups of users: what is shared with one is shared with everybody in it
#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Remove(Remove),
    #[command(subcommand)]
    Member(Member),
}

/// Make a group with nobody in it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger group add dba --description 'Database operators'")]
pub(crate) struct Add {
    #[command(flatten)]
    group: Which,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

/// List groups, or those that a user is in
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger group list --json
  claviger group list --user billing@app1.example")]
pub(crate) struct List {
    /// Only the groups that this user is in
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Show a group and who is in it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger group show dba")]
pub(crate) struct Show {
    #[command(flatten)]
    group: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Give a group another name, or say anew what it is for; who is in it stays
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger group edit dba --name databases")]
pub(crate) struct Edit {
    #[command(flatten)]
    group: Which,
    #[command(flatten)]
    change: Change,
}

/// What is to be known of a group.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Change {
    /// Its new name
    #[arg(long = "name", value_name = "NAME")]
    new_name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl From<Change> for GroupEdit {
    fn from(change: Change) -> Self {
        Self {
            name: change.new_name,
            description: change.description,
        }
    }
}

/// Remove a group with all that was shared with it, at once; the users stay
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger group remove dba")]
pub(crate) struct Remove {
    #[command(flatten)]
    group: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Who is in a group
#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    Add(AddMember),
    Remove(RemoveMember),
}

/// Put users into a group
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger group member add dba alice billing@app1.example")]
pub(crate) struct AddMember {
    #[command(flatten)]
    members: Members,
}

/// Take users out of a group: what is shared with the group is shared with them no more
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger group member remove dba alice")]
pub(crate) struct RemoveMember {
    #[command(flatten)]
    members: Members,
}

/// A group and some users.
#[derive(Debug, Args)]
struct Members {
    #[command(flatten)]
    group: Which,
    /// The users
    #[arg(value_name = "USER", required = true)]
    users: Vec<String>,
}

/// Which group.
#[derive(Debug, Args)]
struct Which {
    /// The group
    #[arg(value_name = "GROUP")]
    name: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl Which {
    fn path(&self, below: &[&str]) -> ApiPath {
        let path = ApiPath::new("/v1/groups").then(&self.name);
        below
            .iter()
            .fold(path, |path, segment| path.then(segment))
            .maybe("organisation", self.organisation.org.as_deref())
    }
}

/// A group with who is in it.
#[derive(Debug, Serialize)]
struct WithMembers {
    #[serde(flatten)]
    group: wire::Group,
    members: Vec<wire::User>,
}

impl Group {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::Member(Member::Add(AddMember { members })) => {
                members.each(Method::PUT, "is in", context).await
            }
            Self::Member(Member::Remove(RemoveMember { members })) => {
                members.each(Method::DELETE, "is no more in", context).await
            }
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/groups")
            .maybe("organisation", self.group.organisation.org.as_deref());
        let new = NewGroup {
            name: self.group.name,
            description: self.description,
        };
        let mut client = context.client().await?;
        let made: wire::Group = client.send(Method::POST, &path, &new).await?;
        context.out.line(format_args!("group {} made", made.name))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = match &self.user {
            Some(login) => ApiPath::new("/v1/users").then(login).then("groups"),
            None => ApiPath::new("/v1/groups"),
        };
        let path = path.maybe("organisation", self.organisation.org.as_deref());
        let row = |group: wire::Group| vec![group.id, group.name, group.description];
        list(
            context,
            &path,
            &self.json,
            &["ID", "GROUP", "DESCRIPTION"],
            row,
        )
        .await
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let group: wire::Group = client.get(&self.group.path(&[])).await?;
        let path = self.group.path(&["members"]).with("limit", PAGE);
        let mut members = Vec::new();
        client
            .pages(&path, |page: Vec<wire::User>| {
                members.extend(page);
                Ok(())
            })
            .await?;
        if self.json.json {
            return context.out.json(&WithMembers { group, members });
        }
        context.out.facts(&[
            ("group", group.name),
            ("id", group.id),
            ("description", group.description),
            ("made", group.created),
        ])?;
        let row = |user: wire::User| vec![user.login, user.full_name];
        let rows = members.into_iter().map(row).collect();
        context.out.table(&["MEMBER", "NAME"], rows)
    }
}

impl Edit {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.group.path(&[]);
        let edit = GroupEdit::from(self.change);
        let mut client = context.client().await?;
        let edited: wire::Group = client.send(Method::PATCH, &path, &edit).await?;
        context
            .out
            .line(format_args!("group {} edited", edited.name))
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = &self.group.name;
        let question = format!("Remove group {name} with all that is shared with it?");
        if !self.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        let mut client = context.client().await?;
        client
            .tell(Method::DELETE, &self.group.path(&[]), None::<&()>)
            .await?;
        context.out.line(format_args!("group {name} removed"))
    }
}

impl Members {
    /// Asks the same for each user; the first refusal ends it.
    async fn each(self, method: Method, done: &str, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        for login in &self.users {
            let path = self.group.path(&["members", login]);
            client.tell(method.clone(), &path, None::<&()>).await?;
            context
                .out
                .line(format_args!("{login} {done} group {}", self.group.name))?;
        }
        Ok(())
    }
}
