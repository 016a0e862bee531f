//! What a command is answered: lines, and an exit status that callers match on.

use zeroize::Zeroizing;

use crate::doors::Ending;
use crate::doors::refusal::{ResultCode, refusal};
use crate::doors::ssh::command::Usage;
use crate::vault::{VaultError, neutralise};

/// The exit statuses, as documented for callers in `docs/ssh.md`: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Exit {
    Done = 0,
    Refused = 1,
    Usage = 2,
    Policy = 3,
    ResetFailed = 4,
    Unavailable = 5,
}

/// What is written, and how it ended.
pub(super) struct Answer {
    pub(super) exit: Exit,
    /// For standard output; it may hold a password.
    pub(super) lines: Zeroizing<Vec<u8>>,
    /// One line for standard error, without its end.
    pub(super) error: Option<String>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({:?})", self.exit)
    }
}

impl Answer {
    /// Done; `lines` are written, each ended by `end`.
    pub(super) fn done(lines: &[&str], end: &str) -> Self {
        let length = lines.iter().map(|line| line.len() + end.len()).sum();
        // Room for all of it: growing would leave copies of a password behind.
        let mut out = Zeroizing::new(Vec::with_capacity(length));
        for line in lines {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(end.as_bytes());
        }
        Self {
            exit: Exit::Done,
            lines: out,
            error: None,
        }
    }

    /// Not done, and why: one line, whatever is in it.
    pub(super) fn failed(exit: Exit, why: &str) -> Self {
        Self {
            exit,
            lines: Zeroizing::default(),
            error: Some(format!("ERROR: {}", neutralise(why))),
        }
    }

    /// What the vault has refused.
    pub(super) fn refused(error: VaultError) -> Self {
        let (code, message) = refusal(error);
        Self::failed(exit(code), &message)
    }

    pub(super) fn ending(&self) -> Ending {
        match self.exit {
            Exit::Done => Ending::Done,
            Exit::Refused | Exit::Policy => Ending::Refused,
            Exit::Usage => Ending::Malformed,
            Exit::ResetFailed | Exit::Unavailable => Ending::Failed,
        }
    }
}

impl From<Usage> for Answer {
    fn from(usage: Usage) -> Self {
        Self::failed(Exit::Usage, &usage.to_string())
    }
}

fn exit(code: ResultCode) -> Exit {
    match code {
        ResultCode::ResourceExists
        | ResultCode::Refused
        | ResultCode::NotAllowed
        | ResultCode::Unidentified
        | ResultCode::Waiting
        | ResultCode::InUse => Exit::Refused,
        ResultCode::Invalid => Exit::Usage,
        ResultCode::Policy | ResultCode::ReasonRequired | ResultCode::TicketRequired => {
            Exit::Policy
        }
        ResultCode::ResetFailed => Exit::ResetFailed,
        ResultCode::ReadOnly | ResultCode::Unavailable | ResultCode::Conflict => Exit::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PolicyViolation;
    use crate::vault::{Hurdle, Outage};

    fn ends(error: VaultError) -> u32 {
        Answer::refused(error).exit as u32
    }

    #[test]
    fn each_refusal_has_its_exit_status() {
        assert_eq!(ends(VaultError::Refused), 1);
        assert_eq!(ends(VaultError::NotAllowed), 1);
        assert_eq!(ends(VaultError::ReasonRequired), 3);
        assert_eq!(ends(VaultError::TicketRequired), 3);
        assert_eq!(ends(VaultError::Waiting(Hurdle::Request)), 1);
        assert_eq!(ends(VaultError::ResourceExists), 1);
        assert_eq!(ends(VaultError::Invalid(String::new())), 2);
        assert_eq!(ends(VaultError::Policy(PolicyViolation::Reused(3))), 3);
        assert_eq!(ends(VaultError::RemoteReset(String::new())), 4);
        assert_eq!(ends(VaultError::ReadOnly), 5);
        assert_eq!(ends(VaultError::Unavailable(Outage::Part("x"))), 5);
        assert_eq!(ends(VaultError::Conflict), 5);
    }

    #[test]
    fn an_error_is_one_line_that_begins_with_the_word() {
        let answer = Answer::refused(VaultError::Invalid("a\nb\u{1b}[2J".to_owned()));

        let line = answer.error.unwrap();
        assert_eq!(line, "ERROR: Invalid argument: a\\u{a}b\\u{1b}[2J.");
        assert!(answer.lines.is_empty());
    }

    #[test]
    fn lines_end_as_the_operator_wants() {
        assert_eq!(*Answer::done(&["a", "b"], "\n").lines, b"a\nb\n");
        assert_eq!(*Answer::done(&["a"], "\r\n").lines, b"a\r\n");
    }
}
