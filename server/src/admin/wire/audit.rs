//! The audit trail.

use serde::{Deserialize, Serialize};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Its number in the trail, from 1.
    pub seq: u64,
    /// When it was decided.
    pub time: String,
    /// The id of the request it belongs to.
    pub request: String,
    /// The caller's login, or what a stranger called itself.
    pub caller: String,
    /// The caller's organisation.
    pub org: String,
    /// Through which door.
    pub door: String,
    /// From which address; null on this machine's own socket.
    pub peer: Option<String>,
    /// What was asked for.
    pub operation: String,
    /// The resource.
    pub resource: String,
    /// The account.
    pub account: String,
    /// The reason that was given.
    pub reason: String,
    /// The ticket that was given.
    pub ticket: String,
    /// `allowed`, `failed`, or `refused: ` and why.
    pub outcome: String,
    /// What else a judge should know.
    pub detail: String,
}

/// How far a check of the trail is; the last line has `finished` or `error`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyProgress {
    /// How many records have been checked.
    pub records: u64,
    /// What was found, when all has been checked and nothing is wrong.
    pub finished: Option<Verification>,
    /// What is wrong with the trail, or why it could not be checked.
    pub error: Option<String>,
}

/// What a check of the whole trail found to be in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The first record that is there; not 1 after pruning.
    pub first: u64,
    /// How many records were checked.
    pub records: u64,
    /// The number and the keyed hash of the last record, `NUMBER:HASH`: kept elsewhere, it proves
    /// later that the trail was not cut.
    pub head: String,
    /// What a crash tore off the end: acknowledged to nobody. Null if nothing.
    pub torn: Option<String>,
}

/// The order to go on with the trail although records of it are lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeOrder {
    /// Why, for the trail.
    pub reason: String,
}

/// What became of the order to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumedTrail {
    /// Whether anything was wrong; otherwise the trail goes on as before.
    pub needed: bool,
    /// The first record that cannot be read and proven any more; null if there is none.
    pub lost_first: Option<u64>,
    /// The last of them; null if there is none.
    pub lost_last: Option<u64>,
    /// The number of the first record behind the gap.
    pub next: u64,
}
