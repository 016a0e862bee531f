//! Errors (RFC 9457).

use serde::{Deserialize, Serialize};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable name for the kind of problem: `tag:claviger,2026:not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time, and where it can be told what to do.
    pub detail: String,
    /// The id of the request, as it stands in the log and in the audit trail.
    pub request: String,
}
