//! `claviger resource target`.

use clap::{Args, Subcommand, ValueEnum};
use http::Method;

use crate::admin::wire::{self, HeldAccount, NewResetTarget, TargetOrder};
use crate::cli::fields::{AsJson, InOrganisation, split_target, yes};
use crate::cli::{ApiPath, CliError, Context};

/// Where the passwords of a resource are changed: its target
#[derive(Debug, Subcommand)]
pub(crate) enum Target {
    Set(Box<Set>),
    Show(Show),
    Test(Test),
    Remove(Remove),
}

/// Say how the passwords of a resource are changed on their target
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger resource target set web1 --connector ssh --host web1.example
  claviger resource target set web1 --connector ssh --admin web1/root
  claviger resource target set db1 --connector postgres --admin db1/postgres
  claviger resource target set db2 --connector mysql --from 10.0.0.% --admin db2/root
  claviger resource target set dir --connector ldap --starttls --dn 'uid={account},ou=people,dc=example' \\
      --admin 'dir/cn=admin,dc=example'
  claviger resource target set router --connector command -- /usr/local/bin/reset-router --fast

Then trust its host key or certificate: claviger resource target test web1 --trust")]
pub(crate) struct Set {
    #[command(flatten)]
    resource: Which,
    /// What speaks to it
    #[arg(long, value_enum)]
    connector: Connector,
    /// Its DNS name or address [default: the resource's]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Its port [default: the usual one]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The account that changes the passwords of others, kept here: a password or an SSH key
    /// [default: each changes its own]
    #[arg(long, value_name = "RESOURCE/ACCOUNT", value_parser = held)]
    admin: Option<HeldAccount>,
    /// The account that puts lost passwords right, kept here [default: the administrative one]
    #[arg(long, value_name = "RESOURCE/ACCOUNT", value_parser = held)]
    reconcile: Option<HeldAccount>,
    /// The host key or certificate that it must show
    #[arg(long, value_name = "SHA256:…")]
    pin: Option<String>,
    /// PostgreSQL: the database that is connected to [default: postgres]
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// MySQL: the host part of its accounts [default: %]
    #[arg(long, value_name = "HOST")]
    from: Option<String>,
    /// LDAP: the DN of an account, with {account} where its name stands
    #[arg(long, value_name = "DN")]
    dn: Option<String>,
    /// LDAP: it is Active Directory
    #[arg(long)]
    active_directory: bool,
    /// LDAP: TLS begins by StartTLS, on the usual port
    #[arg(long, conflicts_with = "plain")]
    starttls: bool,
    /// Do not encrypt: whoever listens on the way learns passwords
    #[arg(long)]
    plain: bool,
    /// For a command: the program, its whole path, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    command: Vec<String>,
}

/// What speaks to a target.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Connector {
    /// A machine with OpenSSH or the like
    Ssh,
    /// PostgreSQL
    Postgres,
    /// MySQL or MariaDB
    Mysql,
    /// A directory
    Ldap,
    /// Your own program
    Command,
}

/// Show how the passwords of a resource are changed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource target show web1")]
pub(crate) struct Show {
    #[command(flatten)]
    resource: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Look at a target and log in, without changing anything
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger resource target test web1
  claviger resource target test web1 --account deploy
  claviger resource target test web1 --trust

Compare the fingerprint with what the target itself says before you trust it; on a machine:
  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")]
pub(crate) struct Test {
    #[command(flatten)]
    resource: Which,
    /// The account that logs in [default: the resource's first]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Trust what it shows from now on, after it was printed
    #[arg(long)]
    trust: bool,
    #[command(flatten)]
    json: AsJson,
}

/// Change the passwords of a resource here only, from now on
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger resource target remove web1")]
pub(crate) struct Remove {
    #[command(flatten)]
    resource: Which,
}

/// Which resource.
#[derive(Debug, Args)]
struct Which {
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
            .then("target")
    }

    fn whole(&self, path: ApiPath) -> ApiPath {
        path.maybe("organisation", self.organisation.org.as_deref())
    }
}

impl Target {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Set(set) => set.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Test(test) => test.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
        }
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let connector = self.connector.to_possible_value();
        let wire = match (self.starttls, self.plain) {
            (true, _) => Some("starttls"),
            (false, true) => Some("plain"),
            (false, false) => None,
        };
        let new = NewResetTarget {
            connector: connector.map_or_else(String::new, |it| it.get_name().to_owned()),
            host: self.host,
            port: self.port,
            wire: wire.map(ToOwned::to_owned),
            admin: self.admin,
            reconcile: self.reconcile,
            pin: self.pin,
            database: self.database,
            from: self.from,
            dn: self.dn,
            active_directory: self.active_directory,
            command: self.command,
        };
        let path = self.resource.whole(self.resource.path());
        let mut client = context.client().await?;
        client.tell(Method::PUT, &path, Some(&new)).await?;
        let name = &self.resource.resource;
        context.out.line(format_args!(
            "{name}: passwords can be changed on the target; try it: claviger resource target test {name}"
        ))
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.resource.whole(self.resource.path());
        let shown: wire::ResetTarget = context.client().await?.get(&path).await?;
        if self.json.json {
            return context.out.json(&shown);
        }
        let held = |held: Option<HeldAccount>, none: &str| {
            held.map_or_else(
                || none.to_owned(),
                |it| format!("{}/{}", it.resource, it.account),
            )
        };
        context.out.facts(&[
            ("connector", shown.connector),
            ("details", shown.details.join(" ")),
            ("host", shown.host),
            ("port", shown.port.to_string()),
            ("wire", shown.wire),
            ("admin", held(shown.admin, "(each its own)")),
            ("reconcile", held(shown.reconcile, "(the admin)")),
            (
                "pin",
                shown.pin.unwrap_or_else(|| "(none is trusted)".to_owned()),
            ),
        ])
    }
}

impl Test {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.resource.whole(self.resource.path().then("test"));
        let mut client = context.client().await?;
        let order = TargetOrder {
            account: self.account.clone(),
            trust: None,
        };
        let mut test: wire::TargetTest = client.send(Method::POST, &path, &order).await?;
        if let Some(shown) = test.shown.clone().filter(|_| self.trust && !test.trusted) {
            // Said before it counts: and what is trusted is what was said.
            if !self.json.json {
                context.out.line(format_args!("it shows {shown}"))?;
            }
            let order = TargetOrder {
                account: self.account.clone(),
                trust: Some(shown),
            };
            test = client.send(Method::POST, &path, &order).await?;
        }
        if self.json.json {
            context.out.json(&test)?;
        } else {
            let login = match test.login {
                Some(true) => format!("{} logs in", test.account),
                Some(false) => format!("{} cannot log in", test.account),
                None => "(not tried)".to_owned(),
            };
            let shown = test.shown.clone();
            context.out.facts(&[
                ("shows", shown.unwrap_or_else(|| "(nothing)".to_owned())),
                ("trusted", yes(test.trusted)),
                ("login", login),
                ("trouble", test.trouble.clone().unwrap_or_default()),
            ])?;
        }
        match (test.trusted, test.login, test.trouble) {
            (_, _, Some(trouble)) => Err(CliError::Failed(trouble)),
            (false, _, None) => Err(CliError::Failed(UNTRUSTED.to_owned())),
            (true, Some(false), None) => Err(CliError::Failed(NO_LOGIN.to_owned())),
            (true, _, None) => Ok(()),
        }
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.resource.whole(self.resource.path());
        let mut client = context.client().await?;
        client.tell(Method::DELETE, &path, None::<&()>).await?;
        let name = &self.resource.resource;
        context
            .out
            .line(format_args!("{name}: passwords change here only"))
    }
}

fn held(text: &str) -> Result<HeldAccount, String> {
    match split_target(text) {
        (resource, Some(account)) if !resource.is_empty() && !account.is_empty() => {
            Ok(HeldAccount {
                resource: resource.to_owned(),
                account: account.to_owned(),
            })
        }
        _ => Err("an account is written RESOURCE/ACCOUNT".to_owned()),
    }
}

const UNTRUSTED: &str = "what it shows is not trusted: compare it, then add --trust";
const NO_LOGIN: &str = "the target does not let the account in with the password that is kept here";
