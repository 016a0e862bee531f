//! `/v1/audit`.

use std::io;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use tokio::time::timeout;

use crate::admin::asked::{Asked, Plain, Sent};
use crate::admin::lines::{LINES, Pipe, PipeWriter, answer, line, pipe};
use crate::admin::problem::{Refusal, with_causes};
use crate::admin::wire::{
    AuditRecord, Page, ResumeOrder, ResumedTrail, Verification, VerifyProgress,
};
use crate::admin::{Desk, moment};
use crate::domain::Timestamp;
use crate::vault::{
    AuditEntry, AuditExport, AuditFormat, AuditHead, AuditQuery, AuditReport, Caller, Follower,
    Order, OutcomeKind, Resumption, VaultError, audit_line,
};

/// Which records.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    limit: Option<usize>,
    after: Option<u64>,
    order: Option<InOrder>,
    caller: Option<String>,
    operation: Option<String>,
    resource: Option<String>,
    account: Option<String>,
    outcome: Option<Ended>,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum InOrder {
    Oldest,
    Newest,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ended {
    Allowed,
    Refused,
    Failed,
}

/// What to export.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Export {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    format: Option<Form>,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Json,
    Csv,
}

/// Against what to check.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verify {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    expect_head: Option<String>,
}

pub(crate) async fn page(
    State(desk): State<Desk>,
    asked: Asked<Which>,
) -> Result<Json<Page<AuditRecord>>, Refusal> {
    let query = asked.query.query(&desk)?;
    let page = desk.vault.audit(query, &asked.caller).await?;
    let items = page.entries.iter().map(in_words).collect();
    Ok(Json(Page {
        items,
        next: page.next.map(|seq| seq.to_string()),
    }))
}

/// New records as they are written, and an empty line now and then, so that each end knows that
/// the other is there.
pub(crate) async fn follow(
    State(desk): State<Desk>,
    asked: Asked<Which>,
) -> Result<Response, Refusal> {
    let mut query = asked.query.query(&desk)?;
    query.order = Order::OldestFirst;
    let follower = desk.vault.follow_audit(&asked.caller).await?;
    if query.after.is_none() {
        query.after = Some(desk.vault.status().await?.head.seq);
    }
    let (to, pieces) = pipe(desk.settings.answer_timeout);
    let tasks = desk.tasks.clone();
    tasks.spawn(tell_new(desk, asked.caller, (follower, query), to));
    Ok(answer(pieces, LINES))
}

/// Goes on for as long as whoever asked could ask again: that is looked at with every page, and at
/// every beat.
async fn tell_new(
    desk: Desk,
    mut caller: Caller,
    (mut follower, mut query): (Follower, AuditQuery),
    to: Pipe,
) {
    loop {
        let Ok(page) = desk.vault.more_audit(query.clone()).await else {
            return;
        };
        let Ok(Some(now)) = desk.vault.still_follows(&caller).await else {
            return;
        };
        caller = now;
        let last = page.entries.last().map(|entry| entry.seq);
        for entry in &page.entries {
            let text = Ok(Bytes::from(audit_line(entry) + "\n"));
            if to.send(text).await.is_err() {
                return;
            }
        }
        query.after = page.next.or(last).or(query.after);
        if page.next.is_some() {
            continue;
        }
        match timeout(BEAT, follower.next()).await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(_) if to.send(Ok(Bytes::from_static(b"\n"))).await.is_err() => return,
            Err(_) => {}
        }
    }
}

pub(crate) async fn export(
    State(desk): State<Desk>,
    asked: Asked<Export>,
) -> Result<Response, Refusal> {
    let Export {
        format,
        since,
        until,
        ..
    } = &asked.query;
    let (format, kind) = match format {
        Some(Form::Csv) => (AuditFormat::Csv, "text/csv; charset=utf-8"),
        Some(Form::Json) | None => (AuditFormat::JsonLines, LINES),
    };
    let what = AuditExport {
        from: time("since", since.as_deref())?,
        until: time("until", until.as_deref())?,
        format,
        ..AuditExport::default()
    };
    let (to, pieces) = pipe(desk.settings.answer_timeout);
    let Asked { caller, .. } = asked;
    let tasks = desk.tasks.clone();
    tasks.spawn(async move {
        let sink = io::BufWriter::with_capacity(1 << 16, PipeWriter::new(to.clone()));
        if let Err(error) = desk.vault.export_audit(what, sink, &caller).await {
            let error = with_causes(&error);
            tracing::warn!(%error, "an export of the audit trail broke off");
            // Nobody is left to be told.
            let _gone = to.send(Err(io::Error::other(error))).await;
        }
    });
    Ok(answer(pieces, kind))
}

pub(crate) async fn verify(
    State(desk): State<Desk>,
    asked: Asked<Verify>,
) -> Result<Response, Refusal> {
    let expected = match &asked.query.expect_head {
        Some(text) => Some(read_head(text).ok_or_else(|| {
            Refusal::invalid("`expect_head` is NUMBER:HASH, as an earlier check printed it")
        })?),
        None => None,
    };
    let (to, pieces) = pipe(desk.settings.answer_timeout);
    let Asked { caller, .. } = asked;
    let tasks = desk.tasks.clone();
    tasks.spawn(async move {
        let telling = to.clone();
        let progress = move |at: crate::vault::AuditProgress| {
            let at = VerifyProgress {
                records: at.records,
                ..VerifyProgress::default()
            };
            telling.try_send(line(&at));
        };
        let found = desk.vault.verify_audit(expected, progress, &caller).await;
        let last = match found {
            Ok(report) => VerifyProgress {
                records: report.records,
                finished: Some(verification(&report)),
                error: None,
            },
            Err(error) => VerifyProgress {
                error: Some(match &error {
                    // It was done, and this is what was found.
                    VaultError::Unavailable(found) => with_causes(found),
                    other => with_causes(other),
                }),
                ..VerifyProgress::default()
            },
        };
        // Nobody is left to be told.
        let _gone = to.send(line(&last)).await;
    });
    Ok(answer(pieces, LINES))
}

pub(crate) async fn resume(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(order): Sent<ResumeOrder>,
) -> Result<Json<ResumedTrail>, Refusal> {
    let resumed = desk
        .vault
        .resume_audit(&order.reason, &asked.caller)
        .await?;
    Ok(Json(resumption(&resumed)))
}

/// What became of the order to go on, in words.
#[must_use]
pub fn resumption(resumed: &Resumption) -> ResumedTrail {
    ResumedTrail {
        needed: resumed.needed,
        lost_first: resumed.lost.as_ref().map(|lost| *lost.start()),
        lost_last: resumed.lost.as_ref().map(|lost| *lost.end()),
        next: resumed.next,
    }
}

impl Which {
    fn query(&self, desk: &Desk) -> Result<AuditQuery, Refusal> {
        let operation = match &self.operation {
            None => None,
            Some(word) => Some(word.parse().map_err(|()| {
                Refusal::invalid("`operation` is a word of the trail, such as retrieve or change")
            })?),
        };
        let newest = self.order == Some(InOrder::Newest);
        let defaults = AuditQuery::default();
        Ok(AuditQuery {
            after: self.after.filter(|_| !newest),
            before: self.after.filter(|_| newest),
            order: if newest {
                Order::NewestFirst
            } else {
                Order::OldestFirst
            },
            limit: self
                .limit
                .unwrap_or(defaults.limit)
                .clamp(1, desk.settings.max_page),
            from: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            caller: self.caller.clone(),
            operation,
            resource: self.resource.clone(),
            account: self.account.clone(),
            outcome: self.outcome.map(|ended| match ended {
                Ended::Allowed => OutcomeKind::Allowed,
                Ended::Refused => OutcomeKind::Refused,
                Ended::Failed => OutcomeKind::Failed,
            }),
            ..defaults
        })
    }
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    moment::parse(text).map(Some).ok_or_else(|| {
        Refusal::invalid(format!(
            "`{name}` is a time with its zone, like 2027-01-31T12:00:00Z"
        ))
    })
}

fn in_words(entry: &AuditEntry) -> AuditRecord {
    AuditRecord {
        seq: entry.seq,
        time: moment::to_text(entry.at),
        request: entry.request.to_string(),
        caller: entry.caller.clone(),
        org: entry.org.clone(),
        door: entry.door.to_string(),
        peer: entry.peer.map(|peer| peer.to_string()),
        operation: entry.operation.to_string(),
        resource: entry.resource.clone(),
        account: entry.account.clone(),
        reason: entry.reason.clone(),
        ticket: entry.ticket.clone(),
        outcome: entry.outcome.to_string(),
        detail: entry.detail.clone(),
    }
}

/// What a check found, in words.
#[must_use]
pub fn verification(report: &AuditReport) -> Verification {
    let torn = report.torn.as_ref();
    Verification {
        first: report.first,
        records: report.records,
        head: head_in_words(&report.head),
        torn: torn.map(|cut| format!("{} bytes at {} of {}", cut.bytes, cut.byte, cut.segment)),
    }
}

/// `NUMBER:HASH`.
#[must_use]
pub fn head_in_words(head: &AuditHead) -> String {
    let hash: String = head.tag.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}:{hash}", head.seq)
}

/// Reads `NUMBER:HASH`.
#[must_use]
pub fn read_head(text: &str) -> Option<AuditHead> {
    let (seq, hash) = text.split_once(':')?;
    let print: crate::domain::Fingerprint = hash.parse().ok()?;
    Some(AuditHead {
        seq: seq.parse().ok()?,
        tag: print.0,
    })
}

/// How often a silent trail sends an empty line.
const BEAT: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_nothing_else_does() {
        let head = AuditHead {
            seq: 12,
            tag: [0xab; 32],
        };

        assert_eq!(read_head(&head_in_words(&head)), Some(head));
        for text in ["", "12", "12:", "12:abcd", "x:00", ":"] {
            assert_eq!(read_head(text), None, "{text}");
        }
    }
}
