//! Which part of a list is shown.

use clap::{Args, ValueEnum};

use crate::cli::ApiPath;
use crate::cli::list::PAGE;

/// From where, and how much.
#[derive(Debug, Args)]
pub(crate) struct Part {
    /// Pass over so many rows
    #[arg(long, value_name = "N")]
    start: Option<usize>,
    /// Show at most so many rows
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// Where something is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Column {
    /// Everywhere but in notes and accounts
    All,
    /// The resource's name
    Name,
    /// Its type
    Type,
    /// Its DNS name or address
    Address,
    /// Its web page
    Url,
    /// What it is for
    Description,
    /// Its department
    Department,
    /// Where it stands
    Location,
    /// The values of its own fields
    Fields,
    /// The names of its accounts
    Account,
}

impl Part {
    /// The path, asking for this part.
    pub(crate) fn of(&self, path: ApiPath) -> ApiPath {
        let limit = self.limit.map(|most| most.min(ROWS).to_string());
        let start = self.start.map(|start| start.to_string());
        path.with("limit", limit.as_deref().unwrap_or(PAGE))
            .maybe("start", start.as_deref())
    }

    /// How many rows there are to be at most.
    pub(crate) fn most(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }
}

impl Column {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Name => "name",
            Self::Type => "type",
            Self::Address => "address",
            Self::Url => "url",
            Self::Description => "description",
            Self::Department => "department",
            Self::Location => "location",
            Self::Fields => "fields",
            Self::Account => "account",
        }
    }
}

/// [`PAGE`], as a number.
const ROWS: usize = 1000;
