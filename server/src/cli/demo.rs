//! `claviger demo`: everything once, from nothing to a retrieved password.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use clap::Args;
use claviger_client::{Client as AppClient, Secret};
use http::Method;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::admin::wire::{self, Issued, NewIssue, NewResource, NewToken, NewUser};
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
        config.doors.rest.listen = free(config.doors.rest.listen);
        config.doors.ssh.listen = free(config.doors.ssh.listen);
        config.doors.a2a.listen = free(config.doors.a2a.listen);
        log(config.log.format, config.log.level.min(LogLevel::Warn));
        let (opened, doors) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = serve(&folder, config, opened, stopped);
        let visiting = async {
            // An end without an address is told by the server's own error.
            let Ok(doors) = doors.await else {
                return Ok(());
            };
            let visited = self.visit(doors, context).await;
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
    async fn visit(&self, doors: Doors, context: &Context) -> Result<(), CliError> {
        let app = Application::furnish(context).await?;
        let client = AppClient::builder()
            .server("127.0.0.1", doors.xmlrpc.port())
            .identity_files(&app.certificate, &app.key)
            .ca_file(&app.ca)
            .build()
            .map_err(|error| CliError::Failed(error.to_string()))?;
        let password = client.retrieve_password(RESOURCE, ACCOUNT).send().await;
        let password = password.map_err(|error| CliError::Failed(error.to_string()))?;
        app.tell(&password, doors, context)
    }
}

/// Where the doors for applications are.
#[derive(Clone, Copy, Debug)]
struct Doors {
    xmlrpc: SocketAddr,
    rest: SocketAddr,
    ssh: SocketAddr,
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
    opened: oneshot::Sender<Doors>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), CliError> {
    let mut opened = Some(opened);
    let (mut xmlrpc, mut rest, mut ssh) = (None, None, None);
    let mut announce = |told: Announcement<'_>| match told {
        Announcement::Listening {
            door: "xmlrpc",
            address,
        } => xmlrpc = address.parse().ok(),
        Announcement::Listening {
            door: "rest",
            address,
        } => rest = address.parse().ok(),
        Announcement::Listening {
            door: "ssh",
            address,
        } => ssh = address.parse().ok(),
        Announcement::Ready => {
            let doors = xmlrpc.zip(rest).zip(ssh);
            if let (Some(opened), Some(((xmlrpc, rest), ssh))) = (opened.take(), doors) {
                // Whoever waits for it waits in the same future.
                let _gone = opened.send(Doors { xmlrpc, rest, ssh });
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
    /// For the REST API: shown once, so another one at every run.
    token: Zeroizing<String>,
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
        let (certificate, key) = (place("crt"), place("key"));
        let mut client = context.client().await?;
        if !certificate.exists() {
            issue(&files, (&certificate, &key), &mut client).await?;
        }
        let pem = crate::cli::cert::read_pem(&certificate)?;
        make_user(pem, &mut client).await?;
        make_resource(&mut client).await?;
        Ok(Self {
            certificate,
            key,
            ca: DataFolder::new(data).authority(),
            token: renew_token(&mut client).await?,
        })
    }

    fn tell(&self, password: &Secret, doors: Doors, context: &Context) -> Result<(), CliError> {
        let out = &context.out;
        let Self {
            certificate,
            key,
            ca,
            token,
        } = self;
        let (certificate, key, ca) = (certificate.display(), key.display(), ca.display());
        let (port, rest, ssh) = (doors.xmlrpc.port(), doors.rest.port(), doors.ssh.port());
        let data = self.ca.parent().unwrap_or(&context.data);
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("claviger"));
        let (data, program) = (data.display(), program.display());
        let pair = self.key.with_extension("ssh");
        let pair = pair.display();
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

by the REST API, with a token in place of a certificate:

curl --cacert '{ca}' -H 'AUTHTOKEN: {}' \\
     https://127.0.0.1:{rest}/restapi/json/v1/resources

by SSH, with a key of its own:

[ -f '{pair}' ] || {{
    ssh-keygen -q -t ed25519 -N '' -f '{pair}' &&
    '{program}' user ssh-key add {USER}@127.0.0.1 '{pair}.pub' --data '{data}'
}}
ssh -q -p {ssh} -i '{pair}' -o IdentitiesOnly=yes -o StrictHostKeyChecking=accept-new \\
    -o UserKnownHostsFile='{pair}.hosts' {USER}@127.0.0.1 \\
    RETRIEVE --resource={RESOURCE} --account={ACCOUNT}

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

'{program}' audit tail --data '{data}'
",
            password.expose(),
            token.as_str()
        ))
    }
}

async fn issue(
    files: &Path,
    (certificate, key): (&Path, &Path),
    client: &mut Client,
) -> Result<(), CliError> {
    std::fs::create_dir_all(files).map_err(CliError::file(files))?;
    let new = NewIssue {
        name: USER.to_owned(),
        days: 365,
    };
    let path = ApiPath::new("/v1/certificates/issue");
    let issued: Issued = client.send(Method::POST, &path, &new).await?;
    let secret = issued.key.expose();
    write(key, secret.as_bytes(), 0o600, Existing::Replace)?;
    let public = issued.certificate.as_bytes();
    write(certificate, public, 0o644, Existing::Replace)
}

/// A token; those of earlier runs are taken back.
async fn renew_token(client: &mut Client) -> Result<Zeroizing<String>, CliError> {
    let login = format!("{USER}@127.0.0.1");
    let path = ApiPath::new("/v1/users")
        .then(&login)
        .then("tokens")
        .then("regenerate");
    let new = NewToken::default();
    let issued: wire::IssuedToken = client.send(Method::POST, &path, &new).await?;
    Ok(issued.secret.expose())
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
