//! Names that people give to things: parsed once, at the edge.

use std::fmt;

use caseless::Caseless;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// There is nothing in it.
    #[error("the {what} is empty")]
    Empty {
        /// What was to be named.
        what: &'static str,
    },
    /// It is longer than the limit.
    #[error("the {what} is longer than {limit} characters")]
    TooLong {
        /// What was to be named.
        what: &'static str,
        /// The most characters it may have.
        limit: usize,
    },
    /// It holds a character that a name may not have.
    #[error("the {what} holds the character U+{code:04X}, which no {what} may have")]
    Character {
        /// What was to be named.
        what: &'static str,
        /// The code point.
        code: u32,
    },
    /// It begins or ends with a blank.
    #[error("the {what} begins or ends with a blank")]
    Blank {
        /// What was to be named.
        what: &'static str,
    },
}

/// A name in the form in which two spellings of it are one: NFKC and full case folding
/// (Unicode 3.13, D146). Names are found exactly; folded forms only keep two spellings apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Folded(String);

impl Folded {
    /// Folds `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text.is_ascii() {
            return Self(text.to_ascii_lowercase());
        }
        Self(
            text.chars()
                .nfd()
                .default_case_fold()
                .nfkd()
                .default_case_fold()
                .nfkc()
                .collect(),
        )
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn checked(text: &str, what: &'static str, limit: usize) -> Result<String, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.trim() != text {
        return Err(NameError::Blank { what });
    }
    if text.chars().count() > limit {
        return Err(NameError::TooLong { what, limit });
    }
    if let Some(bad) = text.chars().find(|&c| is_hidden(c)) {
        return Err(NameError::Character {
            what,
            code: u32::from(bad),
        });
    }
    Ok(text.to_owned())
}

/// Characters that would make a name look like another one, or act on a terminal: controls, line
/// and paragraph separators, bidirectional and zero-width marks, noncharacters.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $limit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks `text` and makes it a name.
            ///
            /// # Errors
            /// [`NameError`] when it is empty, too long, begins or ends with a blank, or holds a
            /// control, zero-width or bidirectional character.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                checked(text, $what, $limit).map(Self)
            }

            /// The name as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The form in which other spellings of this name are the same.
            #[must_use]
            pub fn folded(&self) -> Folded {
                Folded::new(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name of a resource: up to 255 characters, unique in its organisation.
    ResourceName, "resource name", 255
}
name! {
    /// The name of an account: up to 255 characters, unique on its resource.
    AccountName, "account name", 255
}
name! {
    /// The display name of an organisation: up to 100 characters.
    OrgName, "organisation name", 100
}
name! {
    /// The name of a password policy: up to 100 characters.
    PolicyName, "policy name", 100
}
name! {
    /// The name of a group of users or of resources: up to 100 characters, unique among its kind in
    /// its organisation.
    GroupName, "group name", 100
}
name! {
    /// The name of an application: up to 255 characters, unique in its organisation.
    ApplicationName, "application name", 255
}
name! {
    /// The name of a file that an account keeps: up to 255 characters.
    FileName, "file name", 255
}
name! {
    /// The name, or id, of an API key: up to 255 characters.
    KeyName, "key name", 255
}
name! {
    /// The name of a user without the host, as in a certificate's CN: up to 100 characters.
    UserName, "user name", 100
}

/// A text somebody wrote for people to read: notes, a reason, a ticket. May hold line ends and
/// tabs, but no other control; up to 4000 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreeText(String);

impl FreeText {
    /// The most characters in one.
    pub const LIMIT: usize = 4000;

    /// Checks `text`; surrounding blanks are dropped.
    ///
    /// # Errors
    /// [`NameError`] when it is too long or holds a control character other than tab and line end.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.chars().count() > Self::LIMIT {
            return Err(NameError::TooLong {
                what: "text",
                limit: Self::LIMIT,
            });
        }
        if let Some(bad) = text
            .chars()
            .find(|&c| is_hidden(c) && !matches!(c, '\t' | '\n' | '\r'))
        {
            return Err(NameError::Character {
                what: "text",
                code: u32::from(bad),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_control_a_direction_mark_or_outer_blanks_is_refused() {
        let cases = [
            (
                "",
                NameError::Empty {
                    what: "resource name",
                },
            ),
            (
                " db",
                NameError::Blank {
                    what: "resource name",
                },
            ),
            (
                "db\u{a0}",
                NameError::Blank {
                    what: "resource name",
                },
            ),
            (
                "d\0b",
                NameError::Character {
                    what: "resource name",
                    code: 0,
                },
            ),
            (
                "d\u{1b}[2Jb",
                NameError::Character {
                    what: "resource name",
                    code: 0x1b,
                },
            ),
            (
                "d\u{202e}b",
                NameError::Character {
                    what: "resource name",
                    code: 0x202e,
                },
            ),
            (
                "d\u{200b}b",
                NameError::Character {
                    what: "resource name",
                    code: 0x200b,
                },
            ),
        ];

        for (text, error) in cases {
            assert_eq!(ResourceName::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(
            ResourceName::parse(&"x".repeat(256)),
            Err(NameError::TooLong {
                what: "resource name",
                limit: 255
            })
        );
    }

    #[test]
    fn spellings_that_differ_in_case_or_form_fold_to_one() {
        let pairs = [
            ("DB", "db"),
            ("Straße", "STRASSE"),
            ("é", "e\u{301}"),
            ("ﬁle", "FILE"),
            ("Σ", "ς"),
        ];

        for (left, right) in pairs {
            assert_eq!(Folded::new(left), Folded::new(right), "{left} {right}");
        }
        assert_ne!(Folded::new("db1"), Folded::new("db2"));
        assert_ne!(
            Folded::new("а"),
            Folded::new("a"),
            "a homoglyph is another letter"
        );
    }
}
