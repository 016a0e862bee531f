//! What goes wrong, with its exit status.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::{Code, Error, SetupError};

/// Why the program did not do what it was asked.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The configuration makes no sense.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The server said no, or nothing.
    #[error(transparent)]
    Server(#[from] Error),
    /// The server said no, or nothing, to a change.
    #[error(transparent)]
    Change(Error),
    /// The agent said no.
    #[error("{message}")]
    Agent {
        /// Its exit status.
        status: u8,
        /// What it says.
        message: String,
    },
    /// There is no agent that could be asked.
    #[error("no agent answers on {}", path.display())]
    NoAgent {
        /// Where it should be.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The agent's socket cannot be made.
    #[error("no agent can listen on {}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The manual pages cannot be written.
    #[error("cannot write to {}", folder.display())]
    Manual {
        /// Where to.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program cannot be run.
    #[error("cannot run {program}")]
    Run {
        /// Which one.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Standard input cannot be read.
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
    /// Standard output cannot be written.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// The same when a change was to be told: it is done all the same.
    #[error("standard output cannot be written")]
    Untold(#[source] io::Error),
    /// There are no random numbers, or a seal is broken.
    #[error("the agent's memory cannot be sealed")]
    Seal,
    /// There is no runtime.
    #[error("the program cannot start")]
    Runtime(#[source] io::Error),
}

/// The exit statuses, as documented: they stay.
pub(super) mod status {
    /// Refused, or there is no such thing.
    pub(in crate::program) const REFUSED: u8 = 1;
    /// The command line or the configuration makes no sense.
    pub(in crate::program) const USAGE: u8 = 2;
    /// A rule demands more.
    pub(in crate::program) const POLICY: u8 = 3;
    /// The password could not be changed on the resource itself.
    pub(in crate::program) const RESET_FAILED: u8 = 4;
    /// The server cannot be had, or only reads.
    pub(in crate::program) const UNAVAILABLE: u8 = 5;
}

impl Trouble {
    /// With what the program ends.
    pub(super) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Setup(_) | Self::Input(_) | Self::Manual { .. } => status::USAGE,
            Self::Server(error) | Self::Change(error) => of_server(error),
            Self::Agent { status, .. } => *status,
            // As shells have it.
            Self::Run { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            Self::Run { .. } => 126,
            Self::NoAgent { .. }
            | Self::Socket { .. }
            | Self::Output(_)
            | Self::Untold(_)
            | Self::Seal
            | Self::Runtime(_) => status::UNAVAILABLE,
        }
    }

    /// What went wrong, and each cause behind it.
    pub(super) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(deeper) = cause {
            let words = deeper.to_string();
            if !text.ends_with(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            cause = deeper.source();
        }
        text.push_str(self.advice());
        text
    }

    /// What to do about a change.
    fn advice(&self) -> &'static str {
        match self {
            Self::Change(error) if error.is_outcome_unknown() => UNKNOWN,
            Self::Untold(_) => DONE,
            _ => "",
        }
    }
}

fn of_server(error: &Error) -> u8 {
    match error.code() {
        None if error.is_refused() => status::REFUSED,
        None if matches!(error, Error::Unsendable(_)) => status::USAGE,
        None => status::UNAVAILABLE,
        Some(Code::ResetFailed) => status::RESET_FAILED,
        Some(Code::InvalidArgument) => status::USAGE,
        Some(Code::ReadOnly | Code::Unavailable | Code::Conflict) => status::UNAVAILABLE,
        Some(_) if error.is_policy() => status::POLICY,
        Some(_) => status::REFUSED,
    }
}

const UNKNOWN: &str = "; whether it was done is not known: look before you ask again";
const DONE: &str = "; it was done: retrieve the password";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_the_documented_status() {
        let answered = |number| {
            Trouble::Server(Error::Answered {
                code: Code::from_number(number),
                message: String::new(),
            })
        };
        let table = [
            (1, 1),
            (2, 1),
            (3, 1),
            (4, 3),
            (5, 3),
            (6, 3),
            (7, 2),
            (8, 4),
            (9, 5),
            (10, 5),
            (11, 1),
            (12, 5),
            (13, 1),
            (14, 1),
            (15, 1),
        ];
        for (code, status) in table {
            assert_eq!(answered(code).status(), status, "code {code}");
        }
        assert_eq!(Trouble::Usage(String::new()).status(), 2);
    }

    #[test]
    fn only_a_change_may_have_been_done_and_what_was_done_is_said_to_be() {
        let timed_out = || Error::TimedOut {
            server: "a:1".to_owned(),
        };
        let retrieval = Trouble::Server(timed_out());
        let change = Trouble::Change(timed_out());

        assert_eq!((retrieval.status(), change.status()), (5, 5));
        assert_eq!(retrieval.in_full(), "no answer from a:1 in time");
        assert_eq!(
            change.in_full(),
            format!("no answer from a:1 in time{UNKNOWN}")
        );
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Trouble::Untold(full()).status(), 5);
        assert!(Trouble::Untold(full()).in_full().ends_with(DONE));
        assert!(!Trouble::Output(full()).in_full().contains("done"));
    }
}
