//! `claviger demo`: everything once, from nothing to a retrieved password.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use clap::Args;
use claviger_client::{Client as AppClient, Secret};
use http::Method;
use tokio::sync::oneshot;

use crate::admin::wire::{self, Issued, NewIssue, NewResource, NewUser};
use crate::app::{self, Announcement, DataFolder, Orders};
use crate::cli::private_write::{Existing, write};
use crate::cli::serve::{log, runtime};
use crate::cli::{ApiPath, CliError, Client, Context};
use crate::config::{Config, Listen, LogLevel};

/// Try everything at once: make a vault, an application and a password, and fetch it over mutual TLS
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger demo
  claviger demo --once

Works in ./claviger-demo unless --data says otherwise, and uses what an earlier run has left there.")]
pub(crate) struct Demo {
    /// Stop after the password was fetched, instead of at Ctrl-C
    #[arg(long)]
    once: bool,
}

impl Demo {
    /// Does it.
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        runtime(None)?.block_on(self.show(context))
    }

    async fn show(self, context: &Context) -> Result<(), CliError> {
        let folder = context.folder();
        let out = &context.out;
        if folder.is_whole() {
            out.line(format_args!(
                "Using the vault in {}.",
                folder.path().display()
            ))?;
        } else {
            out.line(format_args!(
                "Making a vault in {}.",
                folder.path().display()
            ))?;
            let made = app::init(&folder, &[]).await?;
            let code = made.recovery_code.expose();
            out.line(format_args!("Recovery code, shown once: {}", code.as_str()))?;
        }
        let mut config = Config::load(folder.path())?;
        config.doors.xmlrpc.listen = free(config.doors.xmlrpc.listen);
        log(config.log.format, config.log.level.min(LogLevel::Warn));
        let (opened, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = serve(&folder, config, opened, stopped);
        let visiting = async {
            // An end without an address is told by the server's own error.
            let Ok(address) = address.await else {
                return Ok(());
            };
            let visited = self.visit(address, context).await;
            if self.once || visited.is_err() {
                // Gone when it has stopped already.
                let _gone = stop.send(());
            } else {
                out.line("The server stays up until Ctrl-C.")?;
                std::future::pending::<()>().await;
            }
            visited
        };
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => served,
            visited = visiting => serving.await.and(visited),
        }
    }

    /// Is the operator, then the application.
    async fn visit(&self, address: SocketAddr, context: &Context) -> Result<(), CliError> {
        let app = Application::furnish(context).await?;
        let client = AppClient::builder()
            .server("127.0.0.1", address.port())
            .identity_files(&app.certificate, &app.key)
            .ca_file(&app.ca)
            .build()
            .map_err(|error| CliError::Failed(error.to_string()))?;
        let password = client.retrieve_password(RESOURCE, ACCOUNT).send().await;
        let password = password.map_err(|error| CliError::Failed(error.to_string()))?;
        app.tell(&password, address, context)
    }
}

/// The address of the settings, or any port where that one is taken.
fn free(listen: Listen) -> Listen {
    match listen {
        Listen::On(address) if TcpListener::bind(address).is_ok() => listen,
        Listen::On(_) | Listen::Off => Listen::On(SocketAddr::from(([127, 0, 0, 1], 0))),
    }
}

async fn serve(
    folder: &DataFolder,
    config: Config,
    opened: oneshot::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), CliError> {
    let mut opened = Some(opened);
    let mut found = None;
    let mut announce = |told: Announcement<'_>| match told {
        Announcement::Listening {
            door: "xmlrpc",
            address,
        } => found = address.parse().ok(),
        Announcement::Ready => {
            if let (Some(opened), Some(address)) = (opened.take(), found) {
                // Whoever waits for it waits in the same future.
                let _gone = opened.send(address);
            }
        }
        Announcement::Listening { .. } | Announcement::Closing => {}
    };
    let stop = Box::pin(async {
        // When nobody can say stop any more, signals still do.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    let orders = Orders {
        announce: &mut announce,
        stop,
    };
    Ok(app::serve(folder, config, orders).await?)
}

/// The application of the demonstration, and its files.
struct Application {
    certificate: PathBuf,
    key: PathBuf,
    ca: PathBuf,
}

impl Application {
    /// Makes what is not there yet: certificate, user, resource, share.
    async fn furnish(context: &Context) -> Result<Self, CliError> {
        // Whole paths: the lines to paste work from every directory.
        let data = context
            .data
            .canonicalize()
            .map_err(CliError::file(&context.data))?;
        let files = data.join(USER);
        let place = |end: &str| files.join(format!("{USER}.{end}"));
        let app = Self {
            certificate: place("crt"),
            key: place("key"),
            ca: DataFolder::new(data).authority(),
        };
        let mut client = context.client().await?;
        if !app.certificate.exists() {
            app.issue(&files, &mut client).await?;
        }
        let pem = crate::cli::cert::read_pem(&app.certificate)?;
        make_user(pem, &mut client).await?;
        make_resource(&mut client).await?;
        Ok(app)
    }

    async fn issue(&self, files: &Path, client: &mut Client) -> Result<(), CliError> {
        std::fs::create_dir_all(files).map_err(CliError::file(files))?;
        let new = NewIssue {
            name: USER.to_owned(),
            days: 365,
        };
        let path = ApiPath::new("/v1/certificates/issue");
        let issued: Issued = client.send(Method::POST, &path, &new).await?;
        let key = issued.key.expose();
        write(&self.key, key.as_bytes(), 0o600, Existing::Replace)?;
        write(
            &self.certificate,
            issued.certificate.as_bytes(),
            0o644,
            Existing::Replace,
        )
    }

    fn tell(
        &self,
        password: &Secret,
        address: SocketAddr,
        context: &Context,
    ) -> Result<(), CliError> {
        let out = &context.out;
        let Self {
            certificate,
            key,
            ca,
        } = self;
        let (certificate, key, ca) = (certificate.display(), key.display(), ca.display());
        let port = address.port();
        let data = self.ca.parent().unwrap_or(&context.data);
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("claviger"));
        out.line(format_args!(
            "
The application {USER}@127.0.0.1 fetched the password of {ACCOUNT} on {RESOURCE}:

    {}

The same with curl:

curl --cacert '{ca}' --cert '{certificate}' --key '{key}' \\
     -H 'Content-Type: text/xml' https://127.0.0.1:{port}/xmlrpc -d '<?xml version=\"1.0\"?>
<methodCall><methodName>retrievePassword</methodName><params>
  <param><value>{RESOURCE}</value></param><param><value>{ACCOUNT}</value></param>
</params></methodCall>'

with Python:

python3 - <<'END'
import ssl, xmlrpc.client
tls = ssl.create_default_context(cafile='{ca}')
tls.load_cert_chain('{certificate}', '{key}')
vault = xmlrpc.client.ServerProxy('https://127.0.0.1:{port}/xmlrpc', context=tls)
print(vault.retrievePassword('{RESOURCE}', '{ACCOUNT}'))
END

with Rust (the crate claviger-client):

let vault = claviger_client::Client::builder()
    .server(\"127.0.0.1\", {port})
    .identity_files(\"{certificate}\", \"{key}\")
    .ca_file(\"{ca}\")
    .build()?;
let password = vault.retrieve_password(\"{RESOURCE}\", \"{ACCOUNT}\").send().await?;

and what the audit trail says of it:

'{}' audit tail --data '{}'
",
            password.expose(),
            program.display(),
            data.display()
        ))
    }
}

async fn make_user(pem: String, client: &mut Client) -> Result<(), CliError> {
    let new = NewUser {
        login: format!("{USER}@127.0.0.1"),
        role: "password-user".to_owned(),
        certificates: vec![pem],
        ..NewUser::default()
    };
    let path = ApiPath::new("/v1/users");
    let made = client
        .send::<wire::CreatedUser>(Method::POST, &path, &new)
        .await;
    unless_there(made.map(drop))
}

async fn make_resource(client: &mut Client) -> Result<(), CliError> {
    let new = NewResource {
        name: RESOURCE.to_owned(),
        kind: "PostgreSQL".to_owned(),
        account: ACCOUNT.to_owned(),
        owner: Some(format!("{USER}@127.0.0.1")),
        ..NewResource::default()
    };
    let path = ApiPath::new("/v1/resources");
    let made = client
        .send::<wire::Created>(Method::POST, &path, &new)
        .await;
    unless_there(made.map(drop))
}

/// What an earlier run has made is as good.
fn unless_there(made: Result<(), CliError>) -> Result<(), CliError> {
    match made {
        Err(CliError::Refused(problem)) if problem.status == 409 => Ok(()),
        other => other,
    }
}

const USER: &str = "demo-app";
const RESOURCE: &str = "demo-database";
const ACCOUNT: &str = "app";
