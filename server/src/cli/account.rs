//! `claviger account`.

use std::fmt;

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, AccountEdit, Field, NewAccount, PasswordChange, SecretText};
use crate::cli::account_secret::{AccountSecret, Keeps};
use crate::cli::fields::{AsJson, Demand, InOrganisation, demanded, field, policy_or_default, yes};
use crate::cli::list::{list, list_to};
use crate::cli::part::Part;
use crate::cli::secret_input::{ask, from_stdin, somebody_there};
use crate::cli::{ApiPath, CliError, Context};

/// Accounts of a resource: what a password opens
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Remove(Remove),
    History(History),
    Policy(Policy),
    #[command(subcommand)]
    Secret(AccountSecret),
}

/// Add an account to a resource
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger account add db1 backup
  claviger account add db1 root --password-stdin < password.txt
  claviger account add web1 deploy --ssh-key id_ed25519

Without --password-stdin a password is generated. It is not shown: who may have it retrieves it.")]
pub(crate) struct Add {
    #[command(flatten)]
    account: Which,
    /// Read its password from standard input
    #[arg(long, conflicts_with_all = ["file", "ssh_key", "api_key"])]
    password_stdin: bool,
    #[command(flatten)]
    keeps: Keeps,
    #[command(flatten)]
    facts: Facts,
}

/// What is known of an account.
#[derive(Debug, Args)]
pub(crate) struct Facts {
    /// What else there is to know
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// A field of your own; may be given up to twenty times
    #[arg(long, value_name = "LABEL=VALUE", value_parser = field)]
    field: Vec<Field>,
    /// Its password policy; `default` is the resource's
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Whether a retrieval or change must give a reason
    #[arg(long, value_enum, value_name = "WHEN")]
    require_reason: Option<Demand>,
    /// Whether a retrieval or change must give a ticket
    #[arg(long, value_enum, value_name = "WHEN")]
    require_ticket: Option<Demand>,
}

/// List the accounts of a resource
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger account list db1 --json
  claviger account list db1 --search backup --limit 10")]
pub(crate) struct List {
    /// The resource
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// Only those whose names hold this text, in whatever case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Show an account, without its password
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger account show db1 root")]
pub(crate) struct Show {
    #[command(flatten)]
    account: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Change what is known of an account
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger account edit db1 root --notes 'break glass only'")]
pub(crate) struct Edit {
    #[command(flatten)]
    account: Which,
    /// Its new name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    facts: Facts,
    /// Drop all fields of your own
    #[arg(long, conflicts_with = "field")]
    no_fields: bool,
}

/// Remove an account with its passwords
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger account remove db1 backup")]
pub(crate) struct Remove {
    #[command(flatten)]
    account: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// List when and by whom an account's password changed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger account history db1 root")]
pub(crate) struct History {
    #[command(flatten)]
    account: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Give an account a password policy of its own
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger account policy db1 root Strong
  claviger account policy db1 root default")]
pub(crate) struct Policy {
    #[command(flatten)]
    account: Which,
    /// The policy; `default` is the resource's
    #[arg(value_name = "POLICY")]
    policy: String,
}

/// Which account.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The resource
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// The account
    #[arg(value_name = "ACCOUNT")]
    account: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl Which {
    /// Its path, and what is below it.
    pub(crate) fn path(&self, below: &[&str]) -> ApiPath {
        let path = accounts(&self.resource).then(&self.account);
        let path = below.iter().fold(path, |path, segment| path.then(segment));
        path.maybe("organisation", self.organisation.org.as_deref())
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {} of {}", self.account, self.resource)
    }
}

fn accounts(resource: &str) -> ApiPath {
    ApiPath::new("/v1/resources")
        .then(resource)
        .then("accounts")
}

impl Account {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::History(history) => history.run(context).await,
            Self::Policy(policy) => policy.run(context).await,
            Self::Secret(secret) => secret.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let password = match self.password_stdin {
            true => Some(SecretText::new(from_stdin("password")?)),
            false => None,
        };
        let new = NewAccount {
            name: self.account.account,
            password,
            secret: self.keeps.read()?,
            notes: self.facts.notes,
            fields: self.facts.field,
            policy: self.facts.policy.and_then(policy_or_default),
            reason_demanded: self.facts.require_reason.and_then(Demand::wanted),
            ticket_demanded: self.facts.require_ticket.and_then(Demand::wanted),
        };
        let resource = &self.account.resource;
        let path =
            accounts(resource).maybe("organisation", self.account.organisation.org.as_deref());
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
        context.out.line(format_args!(
            "account {} added to {resource}{how}",
            made.name
        ))
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = accounts(&self.resource)
            .maybe("organisation", self.organisation.org.as_deref())
            .maybe("search", self.search.as_deref());
        let path = self.part.of(path);
        let row = |account: wire::Account| {
            let policy = account.policy.unwrap_or_else(|| "default".to_owned());
            let accessed = account.accessed.unwrap_or_default();
            vec![
                account.name,
                account.kind,
                policy,
                account.changed,
                accessed,
                account.notes,
            ]
        };
        let heads = [
            "ACCOUNT",
            "KEEPS",
            "POLICY",
            "CHANGED",
            "RETRIEVED",
            "NOTES",
        ];
        let whole = (&path, self.part.most());
        list_to(context, whole, &self.json, &heads, row).await
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let shown: wire::Account = context.client().await?.get(&self.account.path(&[])).await?;
        if self.json.json {
            return context.out.json(&shown);
        }
        let fields = shown
            .fields
            .iter()
            .map(|field| (field.label.as_str(), field.value.clone()));
        let mut facts = vec![
            ("account", shown.name.clone()),
            ("id", shown.id.clone()),
            ("keeps", shown.kind.clone()),
            ("notes", shown.notes.clone()),
            (
                "policy",
                shown.policy.clone().unwrap_or_else(|| "default".to_owned()),
            ),
            ("reason demanded", demanded(shown.reason_demanded)),
            ("ticket demanded", demanded(shown.ticket_demanded)),
            ("version", shown.version.to_string()),
            ("made", shown.created.clone()),
            ("changed", shown.changed.clone()),
            (
                "retrieved",
                shown.accessed.clone().unwrap_or_else(|| "never".to_owned()),
            ),
        ];
        if let Some(pending) = self.pending(context).await? {
            facts.push(("reset", pending));
        }
        facts.extend(fields);
        context.out.facts(&facts)
    }

    /// Since when, and why, it is not clear which password its target has.
    async fn pending(&self, context: &Context) -> Result<Option<String>, CliError> {
        let org = self.account.organisation.org.as_deref();
        let path = ApiPath::new("/v1/resets").maybe("organisation", org);
        let mut found = None;
        let mut client = context.client().await?;
        client
            .pages(&path, |page: Vec<wire::PendingReset>| {
                let mine = |it: &wire::PendingReset| {
                    it.resource == self.account.resource && it.account == self.account.account
                };
                if let Some(it) = page.into_iter().find(mine) {
                    found = Some(format!("not clear since {}: {}", it.since, it.why));
                }
                Ok(())
            })
            .await?;
        Ok(found)
    }
}

async fn change(which: &Which, edit: &AccountEdit, context: &Context) -> Result<(), CliError> {
    let path = which.path(&[]);
    context
        .client()
        .await?
        .tell(Method::PATCH, &path, Some(edit))
        .await?;
    context.out.line(format_args!(
        "account {} of {} changed",
        which.account, which.resource
    ))
}

impl Edit {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let facts = self.facts;
        let edit = AccountEdit {
            name: self.name,
            notes: facts.notes,
            fields: (self.no_fields || !facts.field.is_empty()).then_some(facts.field),
            policy: facts.policy.map(policy_or_default),
            reason_demanded: facts.require_reason.map(Demand::wanted),
            ticket_demanded: facts.require_ticket.map(Demand::wanted),
        };
        if edit == AccountEdit::default() {
            return Err(CliError::Usage(
                "nothing to change: give at least one option".to_owned(),
            ));
        }
        change(&self.account, &edit, context).await
    }
}

impl Policy {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let policy = Some(policy_or_default(self.policy));
        change(
            &self.account,
            &AccountEdit {
                policy,
                ..AccountEdit::default()
            },
            context,
        )
        .await
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let Which {
            resource, account, ..
        } = &self.account;
        let question = format!("Remove account {account} of {resource} with its passwords?");
        if !self.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        let path = self.account.path(&[]);
        context
            .client()
            .await?
            .tell(Method::DELETE, &path, None::<&()>)
            .await?;
        context
            .out
            .line(format_args!("account {account} of {resource} removed"))
    }
}

impl History {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.account.path(&["history"]);
        let row = |change: PasswordChange| {
            let by = change.by.unwrap_or_else(|| "(operator)".to_owned());
            vec![
                change.version.to_string(),
                change.at,
                by,
                yes(change.generated),
            ]
        };
        list(
            context,
            &path,
            &self.json,
            &["VERSION", "CHANGED", "BY", "GENERATED"],
            row,
        )
        .await
    }
}
