//! What is wrong with a query, with the code that clients know it by.

use thiserror::Error;

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(in crate::doors::a2a) enum QueryFault {
    /// A filter names a property that there is not.
    #[error("Invalid filter property - '{0}' is not a valid property name.")]
    FilterProperty(String),
    /// A filter is not one.
    #[error("Invalid filter - {0}.")]
    Filter(String),
    /// `fields` names a property that there is not.
    #[error("Invalid field property - '{0}' is not a valid property name.")]
    Field(String),
    /// `orderby` names a property that there is not.
    #[error("Invalid order by property - '{0}' is not a valid property name.")]
    Order(String),
    /// `page`, `limit` or `count` is no such thing.
    #[error("The request is invalid. {0}")]
    Number(String),
}

impl QueryFault {
    /// The code that goes with it.
    pub(in crate::doors::a2a) fn code(&self) -> i32 {
        match self {
            Self::FilterProperty(_) => 70009,
            Self::Filter(_) => 70003,
            Self::Field(_) => 70002,
            Self::Order(_) => 70001,
            Self::Number(_) => 70000,
        }
    }
}

/// What a caller wrote, short and printable, for the words about it.
pub(super) fn quoted(text: &str) -> String {
    text.chars()
        .take(SHOWN)
        .flat_map(char::escape_default)
        .collect()
}

/// As much as is needed to find the place, and no more than a line.
const SHOWN: usize = 64;
