//! `claviger user`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use http::Method;

use crate::admin::wire::{self, NewCertificate, NewPassword, NewUser, SecretText};
use crate::cli::cert::read_pem;
use crate::cli::fields::{AsJson, InOrganisation, yes};
use crate::cli::list::{PAGE, list};
use crate::cli::output::visible;
use crate::cli::secret_input::{ask, eprint, from_stdin, somebody_there};
use crate::cli::user_ssh_key::UserSshKey;
use crate::cli::user_token::UserToken;
use crate::cli::user_totp::UserTotp;
use crate::cli::{ApiPath, CliError, Context};

/// Users: the programs and persons that may come in
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    Add(Add),
    List(List),
    Show(Show),
    Lock(Lock),
    Unlock(Unlock),
    Remove(Remove),
    Password(Password),
    #[command(subcommand)]
    Cert(UserCert),
    #[command(subcommand)]
    SshKey(UserSshKey),
    #[command(subcommand)]
    Token(UserToken),
    #[command(subcommand)]
    Totp(UserTotp),
}

/// Make a user: a program (--api) or a person (--person)
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger user add billing@app1.example --api --role password-user --cert billing.crt
  claviger user add alice --person --role administrator --scope all --password-stdin < secret")]
#[command(group = ArgGroup::new("kind").required(true))]
pub(crate) struct Add {
    /// A program's name, which is the CN of its certificates, and the host it comes from: a DNS
    /// name, an address, or a network like 10.0.0.0/8; or the name that a person signs in with
    #[arg(value_name = "NAME@HOST|NAME")]
    login: String,
    /// It is a program
    #[arg(long, group = "kind")]
    api: bool,
    /// It is a person
    #[arg(long, group = "kind", requires = "password_stdin")]
    person: bool,
    /// Read the person's password from standard input
    #[arg(long, conflicts_with = "api")]
    password_stdin: bool,
    /// The person's first name
    #[arg(long, value_name = "TEXT", conflicts_with = "api")]
    first_name: Option<String>,
    /// The person's last name
    #[arg(long, value_name = "TEXT", conflicts_with = "api")]
    last_name: Option<String>,
    /// The person comes in with a second factor only: see `claviger user totp`
    #[arg(long, conflicts_with = "api")]
    two_factor: bool,
    /// The person's e-mail address
    #[arg(long, value_name = "TEXT", conflicts_with = "api")]
    email: Option<String>,
    /// What it may do
    #[arg(long, value_enum)]
    role: Role,
    /// How far an administrator's role reaches: what it owns and is shared with it, or everything
    #[arg(long, value_enum, default_value = "owned")]
    scope: Scope,
    /// A certificate (PEM or DER) that proves it; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "person")]
    cert: Vec<PathBuf>,
    #[command(flatten)]
    organisation: InOrganisation,
    /// The name for reports [default: NAME@HOST - API User, or first and last name]
    #[arg(long, value_name = "TEXT")]
    full_name: Option<String>,
    /// Its department
    #[arg(long, value_name = "TEXT")]
    department: Option<String>,
    /// Where it is
    #[arg(long, value_name = "TEXT")]
    location: Option<String>,
    /// It may come from any host, whatever HOST says
    #[arg(long, conflicts_with = "person")]
    any_host: bool,
    /// When it stops being able to come in: a time like 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Use what is shared with it
    PasswordUser,
    /// Make resources and manage their passwords, too
    PasswordAdministrator,
    /// Read the audit trail (persons only)
    PasswordAuditor,
    /// Everything
    Administrator,
}

/// How far a role reaches.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// What it owns and what is shared with it
    Owned,
    /// All passwords
    All,
}

/// List users
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user list --json")]
pub(crate) struct List {
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Show a user with its certificates
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user show billing@app1.example")]
pub(crate) struct Show {
    #[command(flatten)]
    user: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Which user.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The user
    #[arg(value_name = "NAME@HOST")]
    login: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

/// Keep a user out, at once and on open connections, too
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user lock billing@app1.example")]
pub(crate) struct Lock {
    #[command(flatten)]
    user: Which,
}

/// Let a locked user in again
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user unlock billing@app1.example")]
pub(crate) struct Unlock {
    #[command(flatten)]
    user: Which,
}

/// Remove a user with its certificates, SSH keys, tokens and shares
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user remove billing@app1.example")]
pub(crate) struct Remove {
    #[command(flatten)]
    user: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Give a person another password; whoever came in by the old one is out
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger user password alice --password-stdin < secret")]
pub(crate) struct Password {
    #[command(flatten)]
    user: Which,
    /// Read the password from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

/// The certificates that prove a user
#[derive(Debug, Subcommand)]
pub(crate) enum UserCert {
    Add(AddCert),
    Remove(RemoveCert),
}

/// Let one more certificate prove a user, so that a renewal needs no outage
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger user cert add billing@app1.example renewed.crt

With --ca, any certificate with the user's name as CN that this CA has issued proves the user:
  claviger user cert add billing@app1.example --ca company-ca.pem")]
pub(crate) struct AddCert {
    #[command(flatten)]
    user: Which,
    /// The certificate (PEM or DER)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// It is a CA whose certificates with this user's name prove the user
    #[arg(long)]
    ca: bool,
}

/// Stop a certificate from proving a user, at once
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger user cert remove billing@app1.example 9c1185a5c5e9fc54612808977ee8f548b2258d31…")]
pub(crate) struct RemoveCert {
    #[command(flatten)]
    user: Which,
    /// The SHA-256 of the certificate, as `user show` prints it
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
}

impl User {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Lock(Lock { user }) => switch(&user, "lock", "locked", context).await,
            Self::Unlock(Unlock { user }) => switch(&user, "unlock", "unlocked", context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::Password(password) => password.run(context).await,
            Self::Cert(UserCert::Add(add)) => add.run(context).await,
            Self::Cert(UserCert::Remove(remove)) => remove.run(context).await,
            Self::SshKey(key) => key.run(context).await,
            Self::Token(token) => token.run(context).await,
            Self::Totp(totp) => totp.run(context).await,
        }
    }
}

impl Which {
    /// Its name.
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    /// Its path in the API, and what is below it.
    pub(crate) fn path(&self, below: &[&str]) -> ApiPath {
        let path = ApiPath::new("/v1/users").then(&self.login);
        let path = below.iter().fold(path, |path, segment| path.then(segment));
        path.maybe("organisation", self.organisation.org.as_deref())
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let password = match self.password_stdin {
            true => Some(SecretText::new(from_stdin("password")?)),
            false => None,
        };
        let certificates = self.cert.iter().map(|file| read_pem(file));
        let new = NewUser {
            login: self.login,
            person: self.person,
            second_factor: self.two_factor,
            password,
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            role: word(&self.role),
            scope: Some(word(&self.scope)),
            any_host: self.any_host,
            full_name: self.full_name,
            department: self.department,
            location: self.location,
            expires: self.expires,
            certificates: certificates.collect::<Result<_, _>>()?,
        };
        let path =
            ApiPath::new("/v1/users").maybe("organisation", self.organisation.org.as_deref());
        let made: wire::CreatedUser = context
            .client()
            .await?
            .send(Method::POST, &path, &new)
            .await?;
        let user = made.user;
        context.out.line(format_args!("user {} made", user.login))?;
        warn(&made.warnings);
        if user.api && user.certificates.is_empty() {
            context.out.line(format_args!(
                "it has no certificate yet: claviger user cert add {} FILE",
                user.login
            ))?;
        }
        Ok(())
    }
}

/// The word for a choice, as the command line and the API have it.
fn word(choice: &impl ValueEnum) -> String {
    choice
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/users")
            .with("limit", PAGE)
            .maybe("organisation", self.organisation.org.as_deref());
        let row = |user: wire::User| {
            let certificates = user.certificates.len().to_string();
            let state = if user.locked { "locked" } else { "open" }.to_owned();
            vec![
                user.login,
                user.role,
                user.scope,
                state,
                certificates,
                user.full_name,
            ]
        };
        let heads = [
            "USER",
            "ROLE",
            "SCOPE",
            "STATE",
            "CERTIFICATES",
            "FULL NAME",
        ];
        list(context, &path, &self.json, &heads, row).await
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let user: wire::User = context.client().await?.get(&self.user.path(&[])).await?;
        if self.json.json {
            return context.out.json(&user);
        }
        let certificates = user.certificates.iter().map(|certificate| {
            let kind = if certificate.issuer {
                " (any from this CA)"
            } else {
                ""
            };
            ("certificate", format!("{}{kind}", certificate.fingerprint))
        });
        let mut facts = vec![
            ("user", user.login.clone()),
            (
                "kind",
                if user.api { "program" } else { "person" }.to_owned(),
            ),
            ("full name", user.full_name.clone()),
            ("first name", user.first_name.clone()),
            ("last name", user.last_name.clone()),
            ("e-mail", user.email.clone()),
            ("role", user.role.clone()),
            ("scope", user.scope.clone()),
            ("any host", yes(user.any_host)),
            ("department", user.department.clone()),
            ("location", user.location.clone()),
            ("locked", yes(user.locked)),
            (
                "expires",
                user.expires.clone().unwrap_or_else(|| "never".to_owned()),
            ),
            ("made", user.created.clone()),
        ];
        facts.extend(certificates);
        context.out.facts(&facts)
    }
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        eprint(&format!("warning: {}\n", visible(warning)));
    }
}

async fn switch(user: &Which, verb: &str, done: &str, context: &Context) -> Result<(), CliError> {
    let mut client = context.client().await?;
    client
        .tell(Method::POST, &user.path(&[verb]), None::<&()>)
        .await?;
    context.out.line(format_args!("user {} {done}", user.login))
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let login = &self.user.login;
        let question =
            format!("Remove user {login} with its certificates, keys, tokens and shares?");
        if !self.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        let mut client = context.client().await?;
        client
            .tell(Method::DELETE, &self.user.path(&[]), None::<&()>)
            .await?;
        context.out.line(format_args!("user {login} removed"))
    }
}

impl Password {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let new = NewPassword {
            password: SecretText::new(from_stdin("password")?),
        };
        let path = self.user.path(&["password"]);
        let mut client = context.client().await?;
        client.tell(Method::PUT, &path, Some(&new)).await?;
        let login = &self.user.login;
        context
            .out
            .line(format_args!("user {login} has another password now"))
    }
}

impl AddCert {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let new = NewCertificate {
            pem: read_pem(&self.file)?,
            ca: Some(self.ca),
        };
        let path = self.user.path(&["certificates"]);
        let mut client = context.client().await?;
        let bound: wire::BoundCertificate = client.send(Method::POST, &path, &new).await?;
        let (added, login) = (bound.certificate, &self.user.login);
        warn(&bound.warnings);
        if added.issuer {
            return context.out.line(format_args!(
                "any certificate with the name of {login} from CA {} proves it now",
                added.fingerprint
            ));
        }
        context.out.line(format_args!(
            "certificate {} proves {login} now",
            added.fingerprint
        ))
    }
}

impl RemoveCert {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.user.path(&["certificates", &self.fingerprint]);
        context
            .client()
            .await?
            .tell(Method::DELETE, &path, None::<&()>)
            .await?;
        let login = &self.user.login;
        context.out.line(format_args!(
            "certificate {} proves {login} no more",
            self.fingerprint
        ))
    }
}
