//! What can go wrong, and the questions to ask about it.

use std::{io, path::PathBuf};

use certs::CertError;
use thiserror::Error;
use xmlrpc_codec::{DecodeError, EncodeError};

use crate::{Code, Secret};

/// Why an operation did not succeed. It never holds a secret.
///
/// ```
/// # use claviger_client::{Client, Error, Secret};
/// async fn password(client: &Client) -> Result<Option<Secret>, Error> {
///     match client.retrieve_password("db-1", "root").send().await {
///         Ok(password) => Ok(Some(password)),
///         Err(error) if error.is_refused() => Ok(None),
///         Err(error) => Err(error),
///     }
/// }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered that it does not do it.
    #[error("{message} (code {code})")]
    Answered {
        /// Its result code.
        code: Code,
        /// What it says to people.
        message: String,
    },
    /// No connection to the server, so that nothing was sent.
    #[error("cannot connect to {server}")]
    Connect {
        /// Its name and port.
        server: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The server is not the one that is trusted, or speaks no TLS of ours. Nothing was sent.
    #[error("cannot trust {server}")]
    Untrusted {
        /// Its name and port.
        server: String,
        /// What is wrong with it.
        #[source]
        source: rustls::Error,
    },
    /// The server does not accept this client's certificate. Nothing was done.
    #[error("{server} does not accept the client certificate")]
    Rejected {
        /// Its name and port.
        server: String,
        /// The alert it sent.
        #[source]
        source: rustls::Error,
    },
    /// No answer in time. A change may have been done.
    #[error("no answer from {server} in time")]
    TimedOut {
        /// Its name and port.
        server: String,
    },
    /// The connection broke before the answer was there. A change may have been done.
    #[error("the connection to {server} broke before it answered")]
    Interrupted {
        /// Its name and port.
        server: String,
        /// What HTTP says.
        #[source]
        source: hyper::Error,
    },
    /// All connections of the pool were in use all the time. Nothing was sent.
    #[error("no free connection to {server}")]
    Busy {
        /// Its name and port.
        server: String,
    },
    /// The answer is none of XML-RPC, but an HTTP status.
    #[error("{server} answered with HTTP status {status}")]
    Status {
        /// Its name and port.
        server: String,
        /// The status.
        status: u16,
    },
    /// The answer cannot be read. A change may have been done.
    #[error("{server} answered with something unreadable")]
    Unreadable {
        /// Its name and port.
        server: String,
        /// What is wrong with it, and where.
        #[source]
        source: DecodeError,
    },
    /// The answer is longer than this client takes. A change may have been done.
    #[error("{server} answered with more than {limit} bytes")]
    TooLong {
        /// Its name and port.
        server: String,
        /// The most bytes that are taken.
        limit: usize,
    },
    /// The answer is of another type than the operation has. A change may have been done.
    #[error("the server answered with a {found}")]
    Unexpected {
        /// The type that XML-RPC gives it.
        found: &'static str,
    },
    /// An argument cannot be sent: it has a character that XML cannot carry.
    #[error("an argument cannot be sent")]
    Unsendable(#[source] EncodeError),
    /// The blocking client was given up while the operation ran.
    #[error("the client was closed")]
    Closed,
}

impl Error {
    /// The server's result code, if it answered with one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Answered { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the server knows the request and says no: there is no such account, it is not
    /// shared, this user may not do it, or it is nobody. Asking again does not help.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let refused = matches!(
            self.code(),
            Some(Code::Refused | Code::NotAllowed | Code::NotAuthenticated)
        );
        refused || matches!(self, Self::Rejected { .. })
    }

    /// Whether a rule demands more: a reason, a ticket, a better password.
    #[must_use]
    pub fn is_policy(&self) -> bool {
        let codes = [
            Code::ReasonRequired,
            Code::TicketRequired,
            Code::PolicyViolated,
        ];
        self.code().is_some_and(|code| codes.contains(&code))
    }

    /// Whether the server answers retrievals only, as a secondary does. Ask the primary.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.code() == Some(Code::ReadOnly)
    }

    /// Whether the service could not be had just now. Asking again later may help.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::TimedOut { .. }
            | Self::Interrupted { .. }
            | Self::Busy { .. } => true,
            Self::Answered { code, .. } => *code == Code::Unavailable,
            Self::Status { status, .. } => matches!(status, 429 | 500..),
            Self::Untrusted { .. }
            | Self::Rejected { .. }
            | Self::Unreadable { .. }
            | Self::TooLong { .. }
            | Self::Unexpected { .. }
            | Self::Unsendable(_)
            | Self::Closed => false,
        }
    }

    /// Whether a change may have been done all the same: look before it is asked for again.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::TimedOut { .. }
            | Self::Interrupted { .. }
            | Self::Unreadable { .. }
            | Self::TooLong { .. }
            | Self::Unexpected { .. }
            | Self::Closed => true,
            // The server gave up waiting for itself, or something before the server did.
            Self::Answered { code, .. } => *code == Code::Unavailable,
            Self::Status { status, .. } => *status >= 500,
            Self::Connect { .. }
            | Self::Untrusted { .. }
            | Self::Rejected { .. }
            | Self::Busy { .. }
            | Self::Unsendable(_) => false,
        }
    }

    /// Whether it is certain that the server saw nothing of the request.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Untrusted { .. })
    }

    /// Whether another server may do better, or the same one later.
    pub(crate) fn is_passing(&self) -> bool {
        self.is_unavailable() || matches!(self, Self::Untrusted { .. })
    }

    /// The same without the secret, should the server have quoted it.
    pub(crate) fn without(self, secret: Option<&Secret>) -> Self {
        let quoted = secret.map(Secret::expose).filter(|text| !text.is_empty());
        match (self, quoted) {
            (Self::Answered { code, message }, Some(text)) if message.contains(text) => {
                let message = message.replace(text, "..");
                Self::Answered { code, message }
            }
            (error, _) => error,
        }
    }
}

/// Why a client cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A setting that must be given is missing.
    #[error("{what} is missing")]
    Missing {
        /// What, and how it is given.
        what: &'static str,
    },
    /// A certificate, key or keystore cannot be used.
    #[error("cannot use {what}")]
    Certificate {
        /// Which one.
        what: String,
        /// What is wrong with it.
        #[source]
        source: CertError,
    },
    /// Not a host name or address.
    #[error("`{name}` is neither a host name nor an address")]
    Host {
        /// As it was given.
        name: String,
    },
    /// The configuration file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line of the configuration file cannot be understood.
    #[error("{path}, line {line}: {reason}")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The blocking client cannot start its threads.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}
