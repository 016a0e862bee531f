//! Why a password could not be changed or tried on a target.

use thiserror::Error;

use crate::domain::Pin;

/// Why a connector could not do it, and whether the target may have changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectorError {
    /// The target was not told the new password.
    #[error("{0}")]
    Untouched(#[source] Trouble),
    /// The target was told, or may have been: whether it has changed must be found out.
    #[error("{0}")]
    Unclear(#[source] Trouble),
}

/// What went wrong. Never with anything in it that was secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// No connection came about.
    #[error("the target cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("the target took too long")]
    Slow,
    /// The line was cut, or what came makes no sense.
    #[error("the line to the target was cut or disturbed")]
    Cut,
    /// No host key or certificate is pinned.
    #[error("the target's host key or certificate is not trusted yet: it shows {0}")]
    Unpinned(Pin),
    /// It shows another host key or certificate than the one that is pinned.
    #[error("the target's host key or certificate has changed: it shows {0}")]
    Changed(Pin),
    /// It encrypts nothing.
    #[error("the target does not encrypt the connection")]
    Unencrypted,
    /// Whoever is to change the password cannot log in.
    #[error("{0} cannot log in to the target")]
    LoginRefused(String),
    /// It neither takes nor refuses what it was shown; what is missing.
    #[error("the target says neither yes nor no: {0}")]
    Unsaid(String),
    /// The target refuses the change; in its own words, cleaned.
    #[error("the target refuses: {0}")]
    Refused(String),
    /// The target cannot take such a password.
    #[error("{0}")]
    Unfit(&'static str),
    /// How it is set up makes no sense.
    #[error("{0}")]
    Setting(&'static str),
}

impl Trouble {
    /// A refusal in the words of the target: one line, of what people can read, not too long. A
    /// target that repeats the password is not quoted.
    #[must_use]
    pub fn refused(words: &str, secrets: &[&str]) -> Self {
        if secrets.iter().any(|secret| words.contains(secret)) {
            return Self::Refused("(it repeats a password)".to_owned());
        }
        match one_clean_line(words) {
            empty if empty.is_empty() => Self::Refused("(it does not say why)".to_owned()),
            text => Self::Refused(text),
        }
    }

    /// The same as what may be no refusal of the target's own: whoever stands before it, or what
    /// it fell over, says nothing about what it has done already.
    #[must_use]
    pub fn in_doubt(self) -> Self {
        match self {
            Self::Refused(words) => Self::Unsaid(words),
            other => other,
        }
    }

    /// It happened before the target was told anything.
    #[must_use]
    pub fn before(self) -> ConnectorError {
        ConnectorError::Untouched(self)
    }

    /// It happened when the target may have been told.
    #[must_use]
    pub fn after(self) -> ConnectorError {
        ConnectorError::Unclear(self)
    }
}

impl ConnectorError {
    /// What went wrong.
    #[must_use]
    pub fn trouble(&self) -> &Trouble {
        match self {
            Self::Untouched(trouble) | Self::Unclear(trouble) => trouble,
        }
    }
}

/// Of what people can read, and not too long.
pub(super) fn one_clean_line(words: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = words.chars().map(clean).take(LONGEST).collect();
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_says_is_one_clean_line_without_the_password() {
        let said = |words| Trouble::refused(words, &["s3cret"]).to_string();

        assert_eq!(
            said("BAD PASSWORD:\r\n\x1b[1m too short"),
            "the target refuses: BAD PASSWORD: [1m too short"
        );
        assert_eq!(
            said("no 's3cret' here"),
            "the target refuses: (it repeats a password)"
        );
        assert_eq!(said("\0\n"), "the target refuses: (it does not say why)");
    }
}
