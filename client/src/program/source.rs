//! Where a password comes from: the server, or an agent on this machine.

use std::path::PathBuf;

use crate::java_conf::JavaConf;
use crate::program::options::{Reach, Why};
use crate::program::trouble::Trouble;
use crate::{Builder, Client, Error, Secret};

/// What is retrieved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) resource: String,
    pub(super) account: String,
    /// Empty where none is given.
    pub(super) reason: String,
    /// Empty where none is given.
    pub(super) ticket: String,
}

impl Wanted {
    pub(super) fn new(resource: &str, account: &str, why: &Why) -> Self {
        Self {
            resource: resource.to_owned(),
            account: account.to_owned(),
            reason: why.reason.clone().unwrap_or_default(),
            ticket: why.ticket.clone().unwrap_or_default(),
        }
    }

    /// Asks the server.
    pub(super) async fn from(&self, client: &Client) -> Result<Secret, Error> {
        let mut request = client.retrieve_password(&*self.resource, &*self.account);
        if !self.reason.is_empty() {
            request = request.reason(&*self.reason);
        }
        if !self.ticket.is_empty() {
            request = request.ticket(&*self.ticket);
        }
        request.send().await
    }
}

/// Whoever answers retrievals.
pub(super) enum Source {
    Server(Client),
    #[cfg(unix)]
    Agent(PathBuf, std::time::Duration),
}

impl Source {
    /// The agent on `socket`, or without one the server.
    pub(super) fn new(socket: Option<PathBuf>, reach: Reach) -> Result<Self, Trouble> {
        match socket {
            #[cfg(unix)]
            Some(socket) => Ok(Self::Agent(socket, reach.connect_timeout + reach.timeout)),
            #[cfg(not(unix))]
            Some(_) => Err(Trouble::Usage(
                "there are no agents on this system".to_owned(),
            )),
            None => Ok(Self::Server(builder(reach)?.0.build()?)),
        }
    }

    pub(super) async fn retrieve(&self, wanted: &Wanted) -> Result<Secret, Trouble> {
        match self {
            Self::Server(client) => Ok(wanted.from(client).await?),
            #[cfg(unix)]
            Self::Agent(socket, patience) => {
                crate::program::agent::ask(socket, wanted, *patience).await
            }
        }
    }
}

/// A client as the file or the options describe it, and what kind of things new resources are.
pub(super) fn builder(reach: Reach) -> Result<(Builder, Option<String>), Trouble> {
    let Reach {
        conf,
        server,
        secondary,
        cert,
        key,
        ca,
        connect_timeout,
        timeout,
    } = reach;
    let (builder, kind) = match (server, conf) {
        (None, None) => return Err(Trouble::Usage(NO_SERVER.to_owned())),
        (None, Some(file)) if cert.is_none() && key.is_none() && ca.is_none() => {
            let conf = JavaConf::read(&file)?;
            let kind = conf.resource_type.clone();
            (Builder::from(conf), kind)
        }
        (None, Some(_)) => return Err(Trouble::Usage(NO_MIXTURE.to_owned())),
        (Some(server), _) => {
            let (Some(cert), Some(key), Some(ca)) = (cert, key, ca) else {
                return Err(Trouble::Usage(NO_MIXTURE.to_owned()));
            };
            let (host, port) = address(&server)?;
            let builder = Builder::default().server(host, port);
            let builder = builder.identity_files(cert, key);
            // Trusting a CA's certificate as a server's too gives its owner nothing new.
            (builder.ca_file(&ca).pinned_server_file(ca), None)
        }
    };
    let builder = match secondary {
        None => builder,
        Some(secondary) => {
            let (host, port) = address(&secondary)?;
            builder.secondary(host, port)
        }
    };
    let builder = builder.connect_timeout(connect_timeout);
    Ok((builder.request_timeout(timeout), kind))
}

/// Splits `HOST[:PORT]`; an IPv6 address with a port stands in brackets.
fn address(text: &str) -> Result<(String, u16), Trouble> {
    let bare = || (text.to_owned(), PORT);
    let wrong = |_| Trouble::Usage(format!("`{text}` is no HOST:PORT"));
    match text.rsplit_once(':') {
        None => Ok(bare()),
        Some((host, _)) if host.contains(':') && !host.starts_with('[') => Ok(bare()),
        Some((host, _)) if host.starts_with('[') && !host.ends_with(']') => Ok(bare()),
        Some((host, port)) => Ok((host.to_owned(), port.parse().map_err(wrong)?)),
    }
}

const PORT: u16 = 7070;
const NO_SERVER: &str =
    "say with --conf which PMP_API.conf counts, or give --server, --cert, --key and --ca";
const NO_MIXTURE: &str = "give --server, --cert, --key and --ca together, or --conf without them";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        for (text, host, port) in [
            ("vault", "vault", 7070),
            ("vault:443", "vault", 443),
            ("192.0.2.1:1", "192.0.2.1", 1),
            ("::1", "::1", 7070),
            ("[::1]", "[::1]", 7070),
            ("[::1]:7071", "[::1]", 7071),
        ] {
            assert_eq!(address(text).unwrap(), (host.to_owned(), port), "{text}");
        }
        for text in ["vault:", "vault:x", "vault:65536"] {
            assert!(matches!(address(text), Err(Trouble::Usage(_))), "{text}");
        }
    }
}
