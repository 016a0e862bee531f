//! `claviger resource`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, Field, NewResource, ResourceEdit, SecretText};
use crate::cli::fields::{AsJson, Demand, InOrganisation, demanded, field, policy_or_default};
use crate::cli::list::list_to;
use crate::cli::part::{Column, Part};
use crate::cli::secret_input::{ask, from_stdin, somebody_there};
use crate::cli::target::Target;
use crate::cli::{ApiPath, CliError, Context};

/// Resources: the machines, databases and programs whose accounts are kept
#[derive(Debug, Subcommand)]
pub(crate) enum Resource {
    Add(Box<Add>),
    List(List),
    Show(Show),
    Edit(Box<Edit>),
    Remove(Remove),
    #[command(subcommand)]
    Target(Target),
}

/// Make a resource with its first account
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger resource add db1 --type PostgreSQL --account app --owner billing@app1.example
  claviger resource add db2 --type MySQL --account root --password-stdin < password.txt

Without --password-stdin a password is generated. It is not shown: who may have it retrieves it.")]
pub(crate) struct Add {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// What kind of thing it is: Linux, Windows, PostgreSQL, …
    #[arg(long = "type", value_name = "TYPE")]
    kind: String,
    /// Its first account
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// Who may do everything with it [default: nobody, so that only those reach it whose scope is all]
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// Read the account's password from standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    facts: Facts,
    #[command(flatten)]
    organisation: InOrganisation,
}

/// What is known of a resource.
#[derive(Debug, Args)]
pub(crate) struct Facts {
    /// Its DNS name or address
    #[arg(long, value_name = "TEXT")]
    address: Option<String>,
    /// Its web page
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// What else there is to know
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// The department it belongs to
    #[arg(long, value_name = "TEXT")]
    department: Option<String>,
    /// Where it stands
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
    /// A field of your own; may be given up to twenty times
    #[arg(long, value_name = "LABEL=VALUE", value_parser = field)]
    field: Vec<Field>,
    /// The password policy of its accounts; `default` is the organisation's
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Whether a retrieval or change must give a reason
    #[arg(long, value_enum, value_name = "WHEN")]
    require_reason: Option<Demand>,
    /// Whether a retrieval or change must give a ticket
    #[arg(long, value_enum, value_name = "WHEN")]
    require_ticket: Option<Demand>,
}

/// List resources
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger resource list --json
  claviger resource list --search berlin --column location
  claviger resource list --start 900000 --limit 50")]
pub(crate) struct List {
    /// Only those that hold this text, in whatever case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Where it is looked for
    #[arg(
        long,
        value_enum,
        value_name = "COLUMN",
        requires = "search",
        default_value = "all"
    )]
    column: Column,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Show a resource
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource show db1")]
pub(crate) struct Show {
    #[command(flatten)]
    resource: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Change what is known of a resource
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger resource edit db1 --owner ops@admin.example --require-reason yes")]
pub(crate) struct Edit {
    #[command(flatten)]
    resource: Which,
    /// Its new name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What kind of thing it is
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Its new owner
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    #[command(flatten)]
    facts: Facts,
    /// Drop all fields of your own
    #[arg(long, conflicts_with = "field")]
    no_fields: bool,
}

/// Remove a resource with its accounts and their passwords
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource remove db1")]
pub(crate) struct Remove {
    #[command(flatten)]
    resource: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Which resource.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The resource
    #[arg(value_name = "RESOURCE")]
    resource: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl Which {
    fn path(&self) -> ApiPath {
        ApiPath::new("/v1/resources")
            .then(&self.resource)
            .maybe("organisation", self.organisation.org.as_deref())
    }
}

impl Resource {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::Target(target) => target.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let password = match self.password_stdin {
            true => Some(SecretText::new(from_stdin("password")?)),
            false => None,
        };
        let facts = self.facts;
        let new = NewResource {
            name: self.name,
            kind: self.kind,
            owner: self.owner,
            address: facts.address,
            url: facts.url,
            description: facts.description,
            notes: facts.notes,
            department: facts.department,
            location: facts.location,
            fields: facts.field,
            policy: facts.policy.and_then(policy_or_default),
            reason_demanded: facts.require_reason.and_then(Demand::wanted),
            ticket_demanded: facts.require_ticket.and_then(Demand::wanted),
            account: self.account,
            password,
        };
        let path =
            ApiPath::new("/v1/resources").maybe("organisation", self.organisation.org.as_deref());
        let made: wire::Created = context
            .client()
            .await?
            .send(Method::POST, &path, &new)
            .await?;
        let how = if made.generated {
            " with a generated password"
        } else {
            ""
        };
        let account = &new.account;
        context.out.line(format_args!(
            "resource {} made, its account {account}{how}",
            made.name
        ))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/resources")
            .maybe("organisation", self.organisation.org.as_deref())
            .maybe("search", self.search.as_deref())
            .maybe("column", self.search.as_ref().map(|_| self.column.word()));
        let path = self.part.of(path);
        let row = |resource: wire::Resource| {
            let owner = resource.owner.unwrap_or_else(|| "(operator)".to_owned());
            vec![
                resource.name,
                resource.kind,
                owner,
                resource.address,
                resource.description,
            ]
        };
        let heads = ["RESOURCE", "TYPE", "OWNER", "ADDRESS", "DESCRIPTION"];
        let whole = (&path, self.part.most());
        list_to(context, whole, &self.json, &heads, row).await
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let shown: wire::Resource = context.client().await?.get(&self.resource.path()).await?;
        if self.json.json {
            return context.out.json(&shown);
        }
        let fields = shown
            .fields
            .iter()
            .map(|field| (field.label.as_str(), field.value.clone()));
        let mut facts = vec![
            ("resource", shown.name.clone()),
            ("id", shown.id.clone()),
            ("type", shown.kind.clone()),
            (
                "owner",
                shown
                    .owner
                    .clone()
                    .unwrap_or_else(|| "(operator)".to_owned()),
            ),
            ("address", shown.address.clone()),
            ("url", shown.url.clone()),
            ("description", shown.description.clone()),
            ("notes", shown.notes.clone()),
            ("department", shown.department.clone()),
            ("location", shown.location.clone()),
            (
                "policy",
                shown.policy.clone().unwrap_or_else(|| "default".to_owned()),
            ),
            ("reason demanded", demanded(shown.reason_demanded)),
            ("ticket demanded", demanded(shown.ticket_demanded)),
            ("made", shown.created.clone()),
        ];
        facts.extend(fields);
        context.out.facts(&facts)
    }
}

impl Edit {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let facts = self.facts;
        let edit = ResourceEdit {
            name: self.name,
            kind: self.kind,
            owner: self.owner,
            address: facts.address,
            url: facts.url,
            description: facts.description,
            notes: facts.notes,
            department: facts.department,
            location: facts.location,
            fields: (self.no_fields || !facts.field.is_empty()).then_some(facts.field),
            policy: facts.policy.map(policy_or_default),
            reason_demanded: facts.require_reason.map(Demand::wanted),
            ticket_demanded: facts.require_ticket.map(Demand::wanted),
        };
        if edit == ResourceEdit::default() {
            return Err(CliError::Usage(
                "nothing to change: give at least one option".to_owned(),
            ));
        }
        let path = self.resource.path();
        context
            .client()
            .await?
            .tell(Method::PATCH, &path, Some(&edit))
            .await?;
        context
            .out
            .line(format_args!("resource {} changed", self.resource.resource))
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = &self.resource.resource;
        let question = format!("Remove resource {name} with all its accounts and passwords?");
        if !self.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        let path = self.resource.path();
        context
            .client()
            .await?
            .tell(Method::DELETE, &path, None::<&()>)
            .await?;
        context.out.line(format_args!("resource {name} removed"))
    }
}
