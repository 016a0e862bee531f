//! `claviger app toolkit`: what an application's host needs.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use certs::CertificateInfo;
use clap::Args;

use crate::admin::wire;
use crate::cli::app::{Which, warn};
use crate::cli::private_write::{Existing, write};
use crate::cli::{ApiPath, CliError, Context};
use crate::config::Config;

/// Write an application's toolkit: PMP_API.sh and PMP_API.bat, PMP_API.conf filled in, the server's
/// CA, README.txt, and the client program where it is here
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger app toolkit nightly --out ./nightly --server vault.example

On the application's host, ClientCertPath and ClientKeyPath in PMP_API.conf are to be set.")]
pub(crate) struct Toolkit {
    #[command(flatten)]
    app: Which,
    /// The folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The server, as the application's host calls it [default: the first name of the server's
    /// certificate that is not this machine's own, and the port of the XML-RPC door; where that
    /// listens on a loopback address, this]
    #[arg(long, value_name = "HOST[:PORT]")]
    server: Option<String>,
    /// The server that answers retrievals while the first is down
    #[arg(long, value_name = "HOST[:PORT]")]
    secondary: Option<String>,
    /// The CA of the server's certificate (PEM or DER) [default: the built-in CA, where it is that]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Replace files that are there already, but not a PMP_API.conf that is filled in
    #[arg(long)]
    force: bool,
}

impl Toolkit {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let app: wire::Application = client.get(&self.app.path()).await?;
        let status: wire::Status = client.get(&ApiPath::new("/v1/status")).await?;
        let own = own_certificate(context)?;
        let ca = self.ca(&own, context)?;
        let conf = self.conf(&app, &own, &status)?;
        let program = client_program();
        let existing = if self.force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let kept = self.kept_conf()?;
        fs::create_dir_all(&self.out).map_err(CliError::file(&self.out))?;
        let readme = readme(&app, program.is_some());
        let batch = BATCH.replace('\n', "\r\n");
        for (name, text, mode) in [
            ("PMP_API.sh", SCRIPT, 0o755),
            ("PMP_API.bat", batch.as_str(), 0o644),
            (CONF_FILE, conf.as_str(), 0o644),
            ("ca.pem", ca.as_str(), 0o644),
            ("README.txt", readme.as_str(), 0o644),
        ] {
            let path = self.out.join(name);
            if kept.as_ref() == Some(&path) {
                continue;
            }
            write(&path, text.as_bytes(), mode, existing).map_err(self.with_force(&path))?;
            context.out.line(path.display())?;
        }
        if let Some(program) = program {
            let bytes = fs::read(&program).map_err(CliError::file(&program))?;
            let path = self.out.join(PROGRAM);
            write(&path, &bytes, 0o755, existing).map_err(self.with_force(&path))?;
            context.out.line(path.display())?;
        }
        context.out.line(match kept {
            Some(path) => format!(
                "{} is filled in and stays as it is: remove it to have it written anew",
                path.display()
            ),
            None => TO_SET.to_owned(),
        })
    }

    /// The PMP_API.conf that `--force` finds filled in: it stays. What `--server` says could not
    /// stand in it.
    fn kept_conf(&self) -> Result<Option<PathBuf>, CliError> {
        let path = self.out.join(CONF_FILE);
        match fs::read(&path) {
            Ok(bytes) if self.force && is_filled_in(&String::from_utf8_lossy(&bytes)) => {}
            Err(error) if self.force && error.kind() != io::ErrorKind::NotFound => {
                return Err(CliError::file(&path)(error));
            }
            Ok(_) | Err(_) => return Ok(None),
        }
        if self.server.is_some() || self.secondary.is_some() {
            return Err(CliError::Failed(format!(
                "{} is filled in and stays as it is: change the server there, or remove it",
                path.display()
            )));
        }
        Ok(Some(path))
    }

    /// What would help where a file is there already.
    fn with_force(&self, path: &Path) -> impl Fn(CliError) -> CliError {
        let stays = !self.force && path.exists();
        let path = path.display().to_string();
        move |error| match stays {
            true => CliError::Failed(format!(
                "{path} is there already: choose another folder, or replace the files with --force, \
                 which keeps a PMP_API.conf that is filled in"
            )),
            false => error,
        }
    }

    /// The CA certificate that the application is to trust.
    fn ca(&self, own: &CertificateInfo, context: &Context) -> Result<String, CliError> {
        if let Some(file) = &self.ca {
            let found = read(file)?;
            return Ok(found.iter().map(certs::certificate_pem).collect());
        }
        let file = context.folder().authority();
        let found = read(&file)?;
        let issued = |info: CertificateInfo| info.subject == own.issuer;
        let built_in = found
            .first()
            .and_then(|der| CertificateInfo::parse(der).ok());
        if !built_in.is_some_and(issued) {
            return Err(CliError::Failed(format!(
                "the server's certificate is not from the built-in CA but from {}: name that CA's \
                 file with --ca",
                own.issuer
            )));
        }
        Ok(found.iter().map(certs::certificate_pem).collect())
    }

    fn conf(
        &self,
        app: &wire::Application,
        own: &CertificateInfo,
        status: &wire::Status,
    ) -> Result<String, CliError> {
        let listen = status.doors.iter().find(|door| door.name == "xmlrpc");
        let listen = listen.and_then(|door| door.listen.parse::<SocketAddr>().ok());
        let port = listen.map_or(PORT, |at| at.port());
        let (host, port) = match &self.server {
            Some(given) => address(given, port)?,
            None => (
                called(&own.alternative_names, listen.map(|at| at.ip()))?,
                port,
            ),
        };
        let (secondary, secondary_port) = match &self.secondary {
            Some(given) => address(given, port)?,
            None => (String::new(), port),
        };
        warn(doubt(&host, &own.alternative_names).as_slice());
        Ok(CONF
            .replace("@SERVER_NAME@", &host)
            .replace("@SERVER_PORT@", &port.to_string())
            .replace("@SECONDARY_NAME@", &secondary)
            .replace("@SECONDARY_PORT@", &secondary_port.to_string())
            .replace("@RESOURCE_TYPE@", &app.kind))
    }
}

/// The server's own certificate.
fn own_certificate(context: &Context) -> Result<CertificateInfo, CliError> {
    let folder = context.folder();
    let config = Config::load(folder.path())?;
    let file = config.tls.certificate.within(folder.path());
    let found = read(&file)?;
    let info = found.first().map(CertificateInfo::parse);
    let none = || CliError::Failed(format!("{} holds no certificate", file.display()));
    info.ok_or_else(none)?.map_err(unusable(&file))
}

fn read(file: &Path) -> Result<Vec<certs::CertificateDer<'static>>, CliError> {
    let bytes = fs::read(file).map_err(CliError::file(file))?;
    certs::load_certificates(&bytes).map_err(unusable(file))
}

fn unusable(file: &Path) -> impl Fn(certs::CertError) -> CliError {
    move |error| CliError::Failed(format!("{}: {error}", file.display()))
}

/// How others call the server: by a name that its certificate has.
fn called(names: &[String], listen: Option<IpAddr>) -> Result<String, CliError> {
    if let Some(address) = listen.filter(IpAddr::is_loopback) {
        return Ok(address.to_string());
    }
    let mut hosts = names.iter().filter_map(|name| name.strip_prefix("DNS:"));
    let abroad = hosts.find(|name| *name != "localhost" && is_host(name));
    abroad.map(str::to_owned).ok_or_else(|| {
        CliError::Usage("say with --server how the application's host calls this one".to_owned())
    })
}

/// Why an application may not find the server as `host`, where its certificate has these names.
fn doubt(host: &str, names: &[String]) -> Option<String> {
    let address = host.parse::<IpAddr>().ok();
    let own = host.eq_ignore_ascii_case("localhost");
    if own || address.is_some_and(|address| address.to_canonical().is_loopback()) {
        return Some(format!(
            "ServerName is {host}, which only this machine calls its own: for an application on \
             another host, say with --server how it calls this one"
        ));
    }
    let is_host = |name: &String| match address {
        Some(address) => name.strip_prefix("IP:").and_then(|ip| ip.parse().ok()) == Some(address),
        None => name
            .strip_prefix("DNS:")
            .is_some_and(|name| covers(name, host)),
    };
    let told = || {
        format!(
            "the server's certificate has no name {host}: clients refuse it there (it has {})",
            names.join(", ")
        )
    };
    (!names.iter().any(is_host)).then(told)
}

/// Whether a certificate's DNS name, which may begin with `*.`, is `host`'s (RFC 6125 §6.4).
fn covers(name: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let below = host.split_once('.').map(|(_, below)| below);
    name.eq_ignore_ascii_case(host)
        || below.is_some_and(|below| {
            let rest = name.strip_prefix("*.");
            rest.is_some_and(|rest| rest.eq_ignore_ascii_case(below))
        })
}

/// `text` as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Splits `HOST[:PORT]`; an IPv6 address with a port stands in brackets.
fn address(text: &str, usual: u16) -> Result<(String, u16), CliError> {
    let wrong = || CliError::Usage(format!("{text:?} is no HOST[:PORT]"));
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if text.parse::<IpAddr>().is_err() && !text.ends_with(']') => {
            (host, port.parse().map_err(|_| wrong())?)
        }
        _ => (text, usual),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if is_host(host) {
        Ok((host.to_owned(), port))
    } else {
        Err(wrong())
    }
}

/// Whether a property file takes it as it is.
fn is_host(text: &str) -> bool {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    !text.is_empty() && text.chars().all(sound)
}

/// Whether a PMP_API.conf says who asks, which nobody but the application's owner knows.
fn is_filled_in(conf: &str) -> bool {
    let blank = [' ', '\t', '=', ':'];
    conf.lines().any(|line| {
        let line = line.trim();
        let value = WHO_ASKS.iter().find_map(|key| line.strip_prefix(key));
        value.is_some_and(|value| !value.trim_start_matches(blank).is_empty())
    })
}

/// The client program, where it is beside this one.
fn client_program() -> Option<PathBuf> {
    let own: io::Result<PathBuf> = std::env::current_exe();
    let program = own.ok()?.with_file_name(PROGRAM);
    program.is_file().then_some(program)
}

fn readme(app: &wire::Application, is_there: bool) -> String {
    let program = if is_there {
        "Linux: claviger-client is here already. Windows: build it there, as below."
    } else {
        "Build the client program where Rust is, for the system of the application's host:"
    };
    let how = "cargo build --release -p claviger-client --features program\n     and put \
               claviger-client (Windows: claviger-client.exe) beside PMP_API.sh.";
    README
        .replace("@NAME@", &app.name)
        .replace("@QUOTED_NAME@", &quoted(&app.name))
        .replace("@ALLOWED@", &app.allow.join(", "))
        .replace("@HOST@", &app.host)
        .replace("@PROGRAM@", &format!("{program}\n     {how}"))
}

const PROGRAM: &str = "claviger-client";
const CONF_FILE: &str = "PMP_API.conf";
const WHO_ASKS: [&str; 3] = ["ClientCertPath", "ClientKeyPath", "KeyStorePath"];
const TO_SET: &str =
    "set ClientCertPath and ClientKeyPath in PMP_API.conf on the application's host";
const PORT: u16 = 7070;
const SCRIPT: &str = include_str!("../../../scripts/toolkit/PMP_API.sh");
const BATCH: &str = include_str!("../../../scripts/toolkit/PMP_API.bat");
const CONF: &str = include_str!("../../../scripts/toolkit/PMP_API.conf");
const README: &str = include_str!("../../../scripts/toolkit/README.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_call_the_server_by_a_name_of_its_certificate_or_are_told_to_say_it() {
        let names = [
            "DNS:localhost",
            "IP:10.0.0.1",
            "DNS:*.x",
            "DNS:vault.example",
        ];
        let names = names.map(str::to_owned);
        let everywhere = "0.0.0.0".parse().ok();

        assert_eq!(called(&names, everywhere).unwrap(), "vault.example");
        let here = "127.0.0.1".parse().ok();
        assert_eq!(called(&names, here).unwrap(), "127.0.0.1");
        let none = called(names.get(..3).unwrap(), everywhere);
        assert!(matches!(none, Err(CliError::Usage(_))), "{none:?}");
    }

    #[test]
    fn a_name_that_clients_would_refuse_or_find_nobody_by_is_doubted() {
        let names = ["DNS:vault.example", "DNS:*.b.example", "IP:10.0.0.1"].map(str::to_owned);

        for sound in ["vault.example", "VAULT.example.", "x.b.example", "10.0.0.1"] {
            assert_eq!(doubt(sound, &names), None, "{sound}");
        }
        for other in ["vault", "b.example", "y.x.b.example", "10.0.0.2"] {
            let told = doubt(other, &names).unwrap();
            assert!(
                told.starts_with("the server's certificate has no name"),
                "{told}"
            );
        }
        for own in ["127.0.0.1", "::1", "localhost"] {
            let told = doubt(own, &names).unwrap();
            assert!(told.contains("say with --server"), "{told}");
        }
    }

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        assert_eq!(quoted("nightly run"), "'nightly run'");
        assert_eq!(quoted("$(id)`id`'\""), r#"'$(id)`id`'\''"'"#);
    }

    #[test]
    fn a_configuration_is_filled_in_once_it_says_who_asks() {
        assert!(!is_filled_in(CONF));
        for line in [
            "ClientCertPath=/a.crt",
            " ClientKeyPath : b",
            "KeyStorePath\tc",
        ] {
            assert!(is_filled_in(&format!("{CONF}\n{line}\n")), "{line}");
        }
        for line in ["#ClientCertPath=/a.crt", "ClientKeyPath= ", "ServerName=x"] {
            assert!(!is_filled_in(&format!("{CONF}\n{line}\n")), "{line}");
        }
    }

    #[test]
    fn an_address_may_have_a_port_and_brackets_and_nothing_that_a_property_is_not() {
        for (text, host, port) in [
            ("vault", "vault", 7070),
            ("vault.example:443", "vault.example", 443),
            ("::1", "::1", 7070),
            ("[::1]", "::1", 7070),
            ("[::1]:7071", "::1", 7071),
        ] {
            assert_eq!(address(text, 7070).unwrap(), (host.to_owned(), port));
        }
        for text in ["", ":1", "vault:", "vault:x", "a b", "a\nCAPath=x", "a\\b"] {
            let told = address(text, 7070);
            assert!(matches!(told, Err(CliError::Usage(_))), "{text:?}");
        }
    }
}
