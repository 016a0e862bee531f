//! The audit trail, for whoever may read it.

use crate::domain::Outcome;
use crate::doors::rest::Rest;
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Detail, Done, Fields as Out};
use crate::doors::rest::input::Unfit;
use crate::doors::rest::times::{day, exact, stamp};
use crate::vault::{AuditEntry, AuditQuery, Word};

/// Which records are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    All,
    /// About resources and accounts.
    Resources,
    /// About everything else.
    Users,
}

impl Rest {
    pub(super) async fn audits(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let kind = kind(ask)?;
        let most = self.settings.rows;
        let number = |name| {
            let text = ask.input.parameter(name)?;
            let wrong = || Unfit(format!("{name} is no number"));
            text.map(|text| text.parse::<usize>().map_err(|_| wrong()))
                .transpose()
        };
        let start = number("STARTINDEX")?.unwrap_or(0);
        let limit = number("LIMIT")?.unwrap_or(PAGE).min(most);
        let wanted = start.saturating_add(limit);
        if wanted > most {
            let words = format!("STARTINDEX and LIMIT reach over the newest {most} records");
            return Err(Unfit(words).into());
        }
        let (from, until) = self.span(ask)?;
        let query = AuditQuery {
            limit: if kind == Kind::All { wanted } else { most },
            from,
            until,
            ..AuditQuery::default()
        };
        let page = self.vault.audit(query, ask.caller).await?;
        let entries = page.entries.iter().filter(|entry| kind.covers(entry));
        let rows: Vec<Detail> = entries.skip(start).take(limit).map(told).collect();
        let total = rows.len() as u64;
        Ok(Done::new("Audits fetched successfully.").rows(rows, total))
    }

    fn span(&self, ask: &Ask<'_>) -> Result<Span, Unfit> {
        let now = self.vault.now();
        match ask.input.parameter("DURATION")? {
            None => Ok((None, None)),
            Some("TODAY") => Ok((Some(day(now, 0)), None)),
            Some("YESTERDAY") => {
                let midnight = day(now, 0);
                let last = crate::domain::Timestamp(midnight.0.saturating_sub(1));
                Ok((Some(day(now, 1)), Some(last)))
            }
            Some(_) => Err(Unfit("DURATION is neither TODAY nor YESTERDAY".to_owned())),
        }
    }
}

type Span = (
    Option<crate::domain::Timestamp>,
    Option<crate::domain::Timestamp>,
);

impl Kind {
    fn covers(self, entry: &AuditEntry) -> bool {
        match self {
            Self::All => true,
            Self::Resources => !entry.resource.is_empty(),
            Self::Users => entry.resource.is_empty(),
        }
    }
}

fn kind(ask: &Ask<'_>) -> Result<Kind, Unfit> {
    let Some(word) = ask.input.parameter("AUDITTYPE")? else {
        return Ok(Kind::All);
    };
    match word.to_ascii_lowercase().as_str() {
        "all" => Ok(Kind::All),
        "resource" | "resourceaudit" => Ok(Kind::Resources),
        "user" | "useraudit" => Ok(Kind::Users),
        _ => Err(Unfit("AUDITTYPE is none of All, Resource, User".to_owned())),
    }
}

fn told(entry: &AuditEntry) -> Detail {
    let peer = entry.peer.map(|peer| peer.to_string());
    Out::new()
        .with("Audit ID", entry.seq)
        .with("TIME", entry.at.0.to_string())
        .with("Time Stamp", stamp(entry.at))
        .with("Time Stamp UTC", exact(entry.at))
        .with("Operation Type", word(&entry.operation, |it| it.as_str()))
        .with("Status", word(&entry.outcome, outcome))
        .with("Operated by", entry.caller.clone())
        .with("User Name", entry.caller.clone())
        .with("User's Full Name", NOT_KEPT)
        .with("User Account", entry.account.clone())
        .with("User Account ID", id(entry.account_id))
        .with("Resource Name", entry.resource.clone())
        .with("Resource ID", id(entry.resource_id))
        .with("IP Address", peer.unwrap_or_else(|| NOT_KEPT.to_owned()))
        .with("Client Type", word(&entry.door, |it| it.as_str()))
        .with("Reason", entry.reason.clone())
        .with("Ticket ID", entry.ticket.clone())
        .with("Request ID", entry.request.to_string())
        .with("Detail", entry.detail.clone())
        .into()
}

fn id(id: Option<impl ToString>) -> String {
    id.map_or_else(|| NOT_KEPT.to_owned(), |id| id.to_string())
}

fn word<T: Copy>(word: &Word<T>, known: impl Fn(T) -> &'static str) -> String {
    match word {
        Word::Known(it) => known(*it).to_owned(),
        Word::Unknown(text) => text.clone(),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "allowed",
        Outcome::Refused(why) => why.as_str(),
        Outcome::Failed => "failed",
    }
}

/// Full names are not in the trail, nor ids of what was not there.
const NOT_KEPT: &str = "N/A";
/// Records in an answer where nobody says how many.
const PAGE: usize = 100;
