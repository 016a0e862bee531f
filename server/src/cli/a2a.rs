//! `claviger a2a`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{
    self, ApiKeyText, NewBroker, NewRegistration, NewRetrievable, RegistrationEdit,
};
use crate::cli::fields::{AsJson, InOrganisation, split_target, yes};
use crate::cli::list::list;
use crate::cli::output::visible;
use crate::cli::secret_input::{ask, somebody_there};
use crate::cli::{ApiPath, CliError, Context};

/// Registrations of the A2A interface: what applications may have by API keys
#[derive(Debug, Subcommand)]
pub(crate) enum A2a {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Remove(Remove),
    #[command(subcommand)]
    Account(Account),
    #[command(subcommand)]
    Broker(Broker),
}

/// Register an application for a certificate user; then say what it may have with `a2a account
/// add`
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger user add billing@app1.example --api --role password-user --cert billing.crt
  claviger a2a add billing --user billing@app1.example
  claviger a2a account add billing db1/root --from 10.1.0.0/16
  claviger a2a account key billing db1/root

The certificate must be trusted, too: see `claviger cert import`. The registration is an application
as well: `claviger app list` shows it.")]
pub(crate) struct Add {
    #[command(flatten)]
    registration: Which,
    /// The certificate user: NAME@HOST of a program
    #[arg(long, value_name = "USER")]
    user: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    /// Let its user see by its certificate alone what it may have, with the keys
    #[arg(long)]
    visible: bool,
    /// Let it also change what it may have
    #[arg(long)]
    bidirectional: bool,
}

/// List registrations
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger a2a list --json")]
pub(crate) struct List {
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Show a registration
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger a2a show billing")]
pub(crate) struct Show {
    #[command(flatten)]
    registration: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Change a registration; in force on its very next request
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger a2a edit billing --bidirectional true
  claviger a2a edit billing --disabled true")]
pub(crate) struct Edit {
    #[command(flatten)]
    registration: Which,
    /// Its new name
    #[arg(long = "name", value_name = "NAME")]
    new_name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The certificate user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Whether it is kept out, at once and on open connections, too
    #[arg(long, value_name = "TRUE|FALSE")]
    disabled: Option<bool>,
    /// Whether its user sees by its certificate alone what it may have, with the keys
    #[arg(long, value_name = "TRUE|FALSE")]
    visible: Option<bool>,
    /// Whether it may also change what it may have
    #[arg(long, value_name = "TRUE|FALSE")]
    bidirectional: Option<bool>,
}

/// Remove a registration: its keys open nothing any more, at once
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger a2a remove billing --yes")]
pub(crate) struct Remove {
    #[command(flatten)]
    registration: Which,
    #[command(flatten)]
    sure: Sure,
}

/// The accounts that a registration may have, each by its own key
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Let a registration have an account
    #[command(
        after_help = "Example:\n  claviger a2a account add billing db1/root --from 10.1.0.0/16"
    )]
    Add(AddAccount),
    /// List the accounts that a registration may have
    #[command(after_help = "Example:\n  claviger a2a account list billing")]
    List(Show),
    /// Print the key for an account, and nothing else
    #[command(after_help = "Example:\n  claviger a2a account key billing db1/root")]
    Key(OneAccount),
    /// Make another key for an account, and print it: the old one opens nothing any more
    #[command(after_help = "Example:\n  claviger a2a account renew billing db1/root")]
    Renew(OneAccount),
    /// Take an account from a registration
    #[command(after_help = "Example:\n  claviger a2a account remove billing db1/root")]
    Remove(OneAccount),
}

/// An account for a registration.
#[derive(Debug, Args)]
pub(crate) struct AddAccount {
    #[command(flatten)]
    one: OneAccount,
    /// An address or a network from where the key is to count; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    from: Vec<String>,
}

/// An account of a registration.
#[derive(Debug, Args)]
pub(crate) struct OneAccount {
    #[command(flatten)]
    registration: Which,
    /// The account
    #[arg(value_name = "RESOURCE/ACCOUNT")]
    account: String,
}

/// In whose names a registration raises requests
#[derive(Debug, Subcommand)]
pub(crate) enum Broker {
    /// Say in whose names a registration may raise requests, in place of whoever it was
    #[command(after_help = "Example:\n  claviger a2a broker set billing --user ann --group dba")]
    Set(SetBroker),
    /// Show in whose names a registration may raise requests
    #[command(after_help = "Example:\n  claviger a2a broker show billing")]
    Show(Show),
    /// Print the key for requests, and nothing else
    #[command(after_help = "Example:\n  claviger a2a broker key billing")]
    Key(Which),
    /// Make another key for requests, and print it: the old one opens nothing any more
    #[command(after_help = "Example:\n  claviger a2a broker renew billing")]
    Renew(Which),
    /// Let a registration raise requests in nobody's name any more
    #[command(after_help = "Example:\n  claviger a2a broker remove billing")]
    Remove(Which),
}

/// In whose names.
#[derive(Debug, Args)]
pub(crate) struct SetBroker {
    #[command(flatten)]
    registration: Which,
    /// A user; may be given several times
    #[arg(long, value_name = "USER")]
    user: Vec<String>,
    /// A group of users; may be given several times
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// An address or a network from where the key is to count; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    from: Vec<String>,
}

/// Which registration.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The registration
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

/// Whether to ask.
#[derive(Debug, Args)]
pub(crate) struct Sure {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Which {
    fn path(&self) -> ApiPath {
        self.below(&[])
    }

    fn below(&self, rest: &[&str]) -> ApiPath {
        let path = ApiPath::new("/v1/registrations").then(&self.name);
        let path = rest.iter().fold(path, |path, part| path.then(part));
        path.maybe("organisation", self.organisation.org.as_deref())
    }
}

impl OneAccount {
    fn names(&self) -> Result<(&str, &str), CliError> {
        match split_target(&self.account) {
            (resource, Some(account)) => Ok((resource, account)),
            (_, None) => Err(CliError::Usage(WRITTEN.to_owned())),
        }
    }

    fn path(&self, rest: &[&str]) -> Result<ApiPath, CliError> {
        let (resource, account) = self.names()?;
        let parts = [&["accounts", resource, account], rest].concat();
        Ok(self.registration.below(&parts))
    }
}

impl A2a {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::Account(account) => account.run(context).await,
            Self::Broker(broker) => broker.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let org = self.registration.organisation.org.as_deref();
        let path = ApiPath::new("/v1/registrations").maybe("organisation", org);
        let new = NewRegistration {
            name: self.registration.name,
            description: self.description,
            user: self.user,
            visible: self.visible,
            bidirectional: self.bidirectional,
        };
        let mut client = context.client().await?;
        let made: wire::Registration = client.send(Method::POST, &path, &new).await?;
        let (name, user) = (visible(&made.name), user_of(made.user));
        let user = visible(&user);
        context.out.line(format_args!(
            "registration {name} made for {user}: say with `claviger a2a account add` what it may have"
        ))
    }
}

/// A removed user is told of: whoever reads the list is to mend or remove its registration.
fn user_of(user: Option<String>) -> String {
    user.unwrap_or_else(|| "(removed)".to_owned())
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/registrations")
            .maybe("organisation", self.organisation.org.as_deref());
        let row = |it: wire::Registration| {
            vec![
                it.name,
                user_of(it.user),
                it.thumbprint.unwrap_or_default(),
                yes(it.disabled),
                yes(it.visible),
                yes(it.bidirectional),
            ]
        };
        let heads = [
            "REGISTRATION",
            "CERTIFICATE USER",
            "THUMBPRINT",
            "DISABLED",
            "VISIBLE",
            "BIDIRECTIONAL",
        ];
        list(context, &path, &self.json, &heads, row).await
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.registration.path();
        let it: wire::Registration = context.client().await?.get(&path).await?;
        if self.json.json {
            return context.out.json(&it);
        }
        context.out.facts(&[
            ("registration", it.name),
            ("id", it.id),
            ("description", it.description),
            ("certificate user", user_of(it.user)),
            ("thumbprint", it.thumbprint.unwrap_or_default()),
            ("disabled", yes(it.disabled)),
            ("visible", yes(it.visible)),
            ("bidirectional", yes(it.bidirectional)),
            ("made", it.created),
            ("by", it.author.unwrap_or_default()),
        ])
    }

    async fn accounts(self, context: &Context) -> Result<(), CliError> {
        let path = self.registration.below(&["accounts"]);
        let row = |it: wire::Retrievable| {
            let from = it.from.join(", ");
            vec![it.resource, it.account, it.account_id, from]
        };
        let heads = ["RESOURCE", "ACCOUNT", "ID", "FROM"];
        list(context, &path, &self.json, &heads, row).await
    }

    async fn broker(self, context: &Context) -> Result<(), CliError> {
        let path = self.registration.below(&["broker"]);
        let it: wire::Broker = context.client().await?.get(&path).await?;
        if self.json.json {
            return context.out.json(&it);
        }
        let named = |what, names: Vec<String>| names.into_iter().map(move |name| (what, name));
        let facts = named("user", it.users)
            .chain(named("group", it.groups))
            .chain(named("from", it.from));
        context.out.facts(&facts.collect::<Vec<_>>())
    }
}

impl Edit {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let edit = RegistrationEdit {
            name: self.new_name,
            description: self.description,
            user: self.user,
            disabled: self.disabled,
            visible: self.visible,
            bidirectional: self.bidirectional,
        };
        if edit == RegistrationEdit::default() {
            return Err(CliError::Usage("say what shall be different".to_owned()));
        }
        let path = self.registration.path();
        let mut client = context.client().await?;
        let now: wire::Registration = client.send(Method::PATCH, &path, &edit).await?;
        let name = visible(&now.name);
        context
            .out
            .line(format_args!("registration {name} changed"))
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = visible(&self.registration.name);
        let question = format!("Remove registration {name}? Its keys open nothing any more.");
        if !self.sure.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        tell(context, Method::DELETE, &self.registration.path()).await?;
        context
            .out
            .line(format_args!("registration {name} removed"))
    }
}

impl Account {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(show) => show.accounts(context).await,
            Self::Key(one) => print_key(context, Method::GET, &one.path(&["key"])?).await,
            Self::Renew(one) => print_key(context, Method::POST, &one.path(&["key"])?).await,
            Self::Remove(one) => {
                tell(context, Method::DELETE, &one.path(&[])?).await?;
                let account = visible(&one.account);
                context
                    .out
                    .line(format_args!("{account} taken away: its key opens nothing"))
            }
        }
    }
}

impl AddAccount {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let (resource, account) = self.one.names()?;
        let new = NewRetrievable {
            resource: resource.to_owned(),
            account: account.to_owned(),
            from: self.from,
        };
        let path = self.one.registration.below(&["accounts"]);
        let mut client = context.client().await?;
        let _made: wire::Retrievable = client.send(Method::POST, &path, &new).await?;
        let (name, account) = (&self.one.registration.name, &self.one.account);
        let (name, account) = (visible(name), visible(account));
        context.out.line(format_args!(
            "{name} may have {account}: `claviger a2a account key` prints the key"
        ))
    }
}

impl Broker {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Set(set) => set.run(context).await,
            Self::Show(show) => show.broker(context).await,
            Self::Key(which) => {
                print_key(context, Method::GET, &which.below(&["broker", "key"])).await
            }
            Self::Renew(which) => {
                print_key(context, Method::POST, &which.below(&["broker", "key"])).await
            }
            Self::Remove(which) => {
                tell(context, Method::DELETE, &which.below(&["broker"])).await?;
                let name = visible(&which.name);
                context
                    .out
                    .line(format_args!("{name} raises requests in nobody's name"))
            }
        }
    }
}

impl SetBroker {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        if self.user.is_empty() && self.group.is_empty() {
            return Err(CliError::Usage("name users or groups".to_owned()));
        }
        let new = NewBroker {
            users: self.user,
            groups: self.group,
            from: self.from,
        };
        let path = self.registration.below(&["broker"]);
        let mut client = context.client().await?;
        let _now: wire::Broker = client.send(Method::PUT, &path, &new).await?;
        let name = visible(&self.registration.name);
        context.out.line(format_args!(
            "{name} may raise requests: `claviger a2a broker key` prints the key"
        ))
    }
}

async fn print_key(context: &Context, method: Method, path: &ApiPath) -> Result<(), CliError> {
    let mut client = context.client().await?;
    let shown: ApiKeyText = match method {
        Method::GET => client.get(path).await?,
        method => client.send(method, path, &serde_json::json!({})).await?,
    };
    context.out.line(shown.key.expose().as_str())
}

async fn tell(context: &Context, method: Method, path: &ApiPath) -> Result<(), CliError> {
    let mut client = context.client().await?;
    client.tell(method, path, None::<&()>).await
}

const WRITTEN: &str = "an account is written RESOURCE/ACCOUNT";
