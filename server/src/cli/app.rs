//! `claviger app`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use http::Method;

use crate::admin::wire::{self, ApplicationEdit, ApplicationNow, NewApplication};
use crate::cli::cert::read_pem;
use crate::cli::fields::{AsJson, InOrganisation, yes};
use crate::cli::list::list;
use crate::cli::output::visible;
use crate::cli::secret_input::{ask, eprint, somebody_there};
use crate::cli::toolkit::Toolkit;
use crate::cli::{ApiPath, CliError, Context};

/// Applications: machine identities that act for a user, with some of the operations only
#[derive(Debug, Subcommand)]
pub(crate) enum App {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
    Remove(Remove),
    Toolkit(Toolkit),
}

/// Register an application: it may do what the user may do whose rights it inherits, as far as
/// --allow goes
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger app add nightly --host app1.example --type Linux --allow retrieve,reset \\
    --inherit billing@app1.example --cert nightly.crt

Its certificate must be trusted, too: see `claviger cert import`.")]
pub(crate) struct Add {
    #[command(flatten)]
    app: Which,
    /// The host it comes from: a DNS name, an address, or a network like 10.0.0.0/8
    #[arg(long, value_name = "HOST")]
    host: String,
    /// What its host runs
    #[arg(long = "type", value_enum, ignore_case = true)]
    kind: Platform,
    /// What it may do at most
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        required = true,
        value_name = "OPERATION,…"
    )]
    allow: Vec<Permit>,
    /// The user for whom it acts: NAME@HOST of a program, or a person's name
    #[arg(long, value_name = "USER")]
    inherit: String,
    /// A certificate (PEM or DER) that proves it, whatever its CN; may be given several times
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,
}

/// What an application's host runs.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Platform {
    /// Linux, or another Unix
    #[value(name = "Linux")]
    Linux,
    /// Windows
    #[value(name = "Windows")]
    Windows,
}

/// What an application may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Permit {
    /// Retrieve passwords
    Retrieve,
    /// Reset passwords
    Reset,
    /// Create resources
    Create,
}

/// List applications
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger app list --json")]
pub(crate) struct List {
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Show an application with its certificates
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger app show nightly")]
pub(crate) struct Show {
    #[command(flatten)]
    app: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Change an application; in force on its very next request
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger app edit nightly --add-cert renewed.crt
  claviger app edit nightly --allow retrieve
  claviger app edit nightly --lock

A certificate that --remove-cert takes away may prove a user: see `claviger app remove --help`.")]
pub(crate) struct Edit {
    #[command(flatten)]
    app: Which,
    /// The host it comes from
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// What its host runs
    #[arg(long = "type", value_enum, ignore_case = true)]
    kind: Option<Platform>,
    /// What it may do at most, in place of what it was
    #[arg(long, value_enum, value_delimiter = ',', value_name = "OPERATION,…")]
    allow: Vec<Permit>,
    /// The user for whom it acts
    #[arg(long, value_name = "USER")]
    inherit: Option<String>,
    /// A certificate (PEM or DER) that proves it from now on, too; may be given several times
    #[arg(long, value_name = "FILE")]
    add_cert: Vec<PathBuf>,
    /// The SHA-256 of a certificate that proves it no more; may be given several times
    #[arg(long, value_name = "FINGERPRINT")]
    remove_cert: Vec<String>,
    /// Keep it out, at once and on open connections, too
    #[arg(long)]
    lock: bool,
    /// Let it in again
    #[arg(long, conflicts_with = "lock")]
    unlock: bool,
}

/// Remove an application: its certificates prove it no more, at once
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger app remove nightly

Where a CA proves a user by its name (`user cert add --ca`), a certificate of that CA with that name
proves the user once it is no application's, with all that the user may do. Whoever has its key
must not: take the CA from the user (`user cert remove`), have the CA revoke the certificate, or
lock the application in place of removing it (`app edit --lock`).")]
pub(crate) struct Remove {
    #[command(flatten)]
    app: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Which application.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The application
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl Which {
    /// Where it is in the admin API.
    pub(crate) fn path(&self) -> ApiPath {
        ApiPath::new("/v1/applications")
            .then(&self.name)
            .maybe("organisation", self.organisation.org.as_deref())
    }
}

impl App {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::Toolkit(toolkit) => toolkit.run(context).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let org = self.app.organisation.org.as_deref();
        let path = ApiPath::new("/v1/applications").maybe("organisation", org);
        let new = NewApplication {
            certificates: read_all(&self.cert)?,
            kind: kind(self.kind),
            allow: words(&self.allow),
            name: self.app.name,
            host: self.host,
            inherit: self.inherit,
        };
        let mut client = context.client().await?;
        let made: ApplicationNow = client.send(Method::POST, &path, &new).await?;
        warn(&made.warnings);
        let wire::Application {
            name,
            inherit,
            allow,
            certificates,
            ..
        } = made.application;
        let (name, allow) = (visible(&name), allow.join(", "));
        context.out.line(format_args!(
            "application {name} made: it may {allow} for {}",
            visible(&inherit)
        ))?;
        if certificates.is_empty() {
            context.out.line(format_args!(
                "nothing proves it yet: claviger app edit {name} --add-cert FILE"
            ))?;
        }
        Ok(())
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/applications")
            .maybe("organisation", self.organisation.org.as_deref());
        let row = |app: wire::Application| {
            vec![
                app.name,
                app.host,
                app.kind,
                app.allow.join(","),
                app.inherit,
                yes(app.locked),
                app.certificates.len().to_string(),
            ]
        };
        let heads = [
            "APPLICATION",
            "HOST",
            "TYPE",
            "ALLOWED",
            "INHERITS FROM",
            "LOCKED",
            "CERTIFICATES",
        ];
        list(context, &path, &self.json, &heads, row).await
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let app: wire::Application = context.client().await?.get(&self.app.path()).await?;
        if self.json.json {
            return context.out.json(&app);
        }
        let mut facts = vec![
            ("application", app.name),
            ("id", app.id),
            ("host", app.host),
            ("type", app.kind),
            ("allowed", app.allow.join(", ")),
            ("inherits from", app.inherit),
            ("locked", yes(app.locked)),
            ("made", app.created),
        ];
        let certificates = app.certificates.into_iter();
        facts.extend(certificates.map(|print| ("certificate", print)));
        context.out.facts(&facts)
    }
}

impl Edit {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let edit = ApplicationEdit {
            host: self.host,
            kind: self.kind.map(kind),
            allow: (!self.allow.is_empty()).then(|| words(&self.allow)),
            inherit: self.inherit,
            locked: (self.lock || self.unlock).then_some(self.lock),
            add_certificates: read_all(&self.add_cert)?,
            remove_certificates: self.remove_cert,
        };
        if edit == ApplicationEdit::default() {
            return Err(CliError::Usage("say what shall be different".to_owned()));
        }
        let mut client = context.client().await?;
        let now: ApplicationNow = client.send(Method::PATCH, &self.app.path(), &edit).await?;
        warn(&now.warnings);
        let name = visible(&now.application.name);
        context.out.line(format_args!("application {name} changed"))
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = &self.app.name;
        let question = format!("Remove application {name}? It is kept out at once.");
        if !self.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        let mut client = context.client().await?;
        client
            .tell(Method::DELETE, &self.app.path(), None::<&()>)
            .await?;
        context.out.line(format_args!("application {name} removed"))
    }
}

fn kind(platform: Platform) -> String {
    match platform {
        Platform::Linux => "Linux",
        Platform::Windows => "Windows",
    }
    .to_owned()
}

fn words(permits: &[Permit]) -> Vec<String> {
    let word = |permit: &Permit| match permit {
        Permit::Retrieve => "retrieve",
        Permit::Reset => "reset",
        Permit::Create => "create",
    };
    permits
        .iter()
        .map(|permit| word(permit).to_owned())
        .collect()
}

fn read_all(files: &[PathBuf]) -> Result<Vec<String>, CliError> {
    files.iter().map(|file| read_pem(file)).collect()
}

/// Tells what is done, and may not work.
pub(crate) fn warn(warnings: &[String]) {
    for warning in warnings {
        eprint(&format!("warning: {}\n", visible(warning)));
    }
}
