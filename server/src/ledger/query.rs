//! What somebody wants to read of the trail.

use crate::domain::{Operation, Outcome, RequestId, Timestamp};
use crate::ledger::{Entry, Word};

/// Which records to read. What is `None` lets all pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Records with greater numbers only.
    pub after: Option<u64>,
    /// Records with smaller numbers only.
    pub before: Option<u64>,
    /// Newest first by default.
    pub order: Order,
    /// At most so many; 100 by default, at least 1 whatever is set.
    pub limit: usize,
    /// Look at no more than so many records; 20 000 by default. What it costs to find little.
    pub examine: usize,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Up to this moment, itself included.
    pub until: Option<Timestamp>,
    /// Of this caller.
    pub caller: Option<String>,
    /// For this operation.
    pub operation: Option<Operation>,
    /// About the resource of this name.
    pub resource: Option<String>,
    /// About the account of this name.
    pub account: Option<String>,
    /// That ended so.
    pub outcome: Option<OutcomeKind>,
    /// Of this request.
    pub request: Option<RequestId>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            after: None,
            before: None,
            order: Order::NewestFirst,
            limit: 100,
            examine: 20_000,
            from: None,
            until: None,
            caller: None,
            operation: None,
            resource: None,
            account: None,
            outcome: None,
            request: None,
        }
    }
}

/// In which order records are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the end backwards.
    NewestFirst,
    /// As they were written.
    OldestFirst,
}

/// How a request ended, without the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// It was allowed.
    Allowed,
    /// It was refused, for whatever reason.
    Refused,
    /// It was allowed and then could not be done.
    Failed,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The records, in the order that was asked for.
    pub entries: Vec<Entry>,
    /// Where to go on, as the next query's `before` (newest first) or `after` (oldest first);
    /// nothing when there is no more. May be there although nothing was found: then so many were
    /// looked at as the query allows.
    pub next: Option<u64>,
}

impl Query {
    /// Whether `entry` is one of those that are asked for.
    pub(crate) fn matches(&self, entry: &Entry) -> bool {
        self.from.is_none_or(|from| entry.at >= from)
            && self.until.is_none_or(|until| entry.at <= until)
            && is(self.caller.as_ref(), &entry.caller)
            && is(self.resource.as_ref(), &entry.resource)
            && is(self.account.as_ref(), &entry.account)
            && self
                .operation
                .is_none_or(|operation| entry.operation == Word::Known(operation))
            && self.request.is_none_or(|request| entry.request == request)
            && self.outcome.is_none_or(|kind| kind.covers(&entry.outcome))
    }
}

impl OutcomeKind {
    fn covers(self, outcome: &Word<Outcome>) -> bool {
        match outcome {
            Word::Known(Outcome::Allowed) => self == Self::Allowed,
            Word::Known(Outcome::Refused(_)) => self == Self::Refused,
            Word::Known(Outcome::Failed) => self == Self::Failed,
            Word::Unknown(word) => {
                self == Self::Refused && word.starts_with(crate::ledger::entry::REFUSED)
            }
        }
    }
}

fn is(wanted: Option<&String>, text: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == text)
}
