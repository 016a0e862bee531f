//! What is asked for, by every name that the original's clients give it.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::{AccessControl, SecretKind, Timestamp, Window};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::request_types;
use crate::doors::a2a::reply::Refusal;

/// A thing or somebody, as it is meant: its id wins over its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sought {
    pub(super) id: Option<u64>,
    pub(super) name: Option<String>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) user: Sought,
    /// How the user proves itself: `Local` or `Certificate`.
    pub(super) provider: Option<String>,
    pub(super) asset: Sought,
    pub(super) account: Sought,
    /// The domain of the account, of which there are none here.
    pub(super) domain: Option<String>,
    pub(super) kind: SecretKind,
    pub(super) reason: String,
    pub(super) ticket: String,
    from: Option<Timestamp>,
    duration: Option<Duration>,
}

impl Body {
    /// Reads it.
    ///
    /// # Errors
    /// 400 for a member that is not what it should be; 403 for a session.
    pub(super) fn of(members: &Members) -> Result<Self, Refusal> {
        if members.truth(&["IsEmergency"])? {
            let why = "There is no emergency access here: whoever must approve is asked.";
            return Err(Refusal::field("entity.IsEmergency", why));
        }
        let kind = members.text(&["AccessRequestType", "AccessType"])?;
        Ok(Self {
            user: sought(members, &["ForUserId"], &["ForUser", "ForUserName"])?,
            provider: text(members, &["ForProvider"])?,
            asset: sought(
                members,
                &["AssetId", "SystemId", "AccountAssetId"],
                &["AssetName", "SystemName", "AccountAssetName"],
            )?,
            account: sought(members, &["AccountId"], &["AccountName"])?,
            domain: text(members, &["AccountDomainName"])?,
            kind: request_types::kind(kind.as_deref().unwrap_or_default())?,
            reason: reason(members)?,
            ticket: members.text(&["TicketNumber"])?.unwrap_or_default(),
            from: from(members)?,
            duration: duration(members)?,
        })
    }

    /// For which time it is asked; nothing said is from now on, for as long as it may be held:
    /// `longest`, where there is access control.
    ///
    /// # Errors
    /// 400 for a longer time.
    pub(super) fn window(
        &self,
        now: Timestamp,
        longest: Option<Duration>,
    ) -> Result<Option<Window>, Refusal> {
        let from = match (self.from, self.duration) {
            (None, None) => return Ok(None),
            (from, _) => from.unwrap_or(now),
        };
        let longest = longest.unwrap_or(AccessControl::LONGEST);
        let duration = self.duration.unwrap_or(longest);
        if duration > longest {
            let minutes = longest.as_secs() / 60;
            let why = format!("It may be held for {minutes} minutes at most.");
            return Err(Refusal::field("entity.RequestedDuration", why));
        }
        let until = from.after(duration);
        Ok(Some(Window { from, until }))
    }
}

fn sought(members: &Members, ids: &[&str], names: &[&str]) -> Result<Sought, Refusal> {
    Ok(Sought {
        id: members.id(ids)?,
        name: text(members, names)?,
    })
}

/// A text with something in it.
fn text(members: &Members, names: &[&str]) -> Result<Option<String>, Refusal> {
    let text = members.text(names)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// The comment behind the name of the reason. There are no reasons with numbers here: such a number
/// means none, as in the original.
fn reason(members: &Members) -> Result<String, Refusal> {
    let comment = members.text(&["ReasonComment"])?.unwrap_or_default();
    if comment.chars().count() > LONGEST_COMMENT {
        let why = format!("A comment has up to {LONGEST_COMMENT} characters.");
        return Err(Refusal::field("entity.ReasonComment", why));
    }
    let code = members.text(&["ReasonCode"])?.unwrap_or_default();
    Ok(match (code.trim(), comment.trim()) {
        ("", comment) => comment.to_owned(),
        (code, "") => code.to_owned(),
        (code, comment) => format!("{code}: {comment}"),
    })
}

fn from(members: &Members) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = text(members, &["RequestedFor"])? else {
        return Ok(None);
    };
    let text = text.trim();
    let exact = text.parse::<jiff::Timestamp>().ok();
    // Without a zone it is UTC.
    let bare = || {
        let at = text.parse::<DateTime>().ok()?;
        Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let moment = exact.or_else(bare);
    let moment = moment.ok_or_else(|| {
        Refusal::field(
            "entity.RequestedFor",
            "It is a moment such as 2027-01-31T12:00:00Z.",
        )
    })?;
    Ok(Some(Timestamp(moment.as_millisecond())))
}

/// How long, by days, hours and minutes, or all of them as `d:h:m`.
fn duration(members: &Members) -> Result<Option<Duration>, Refusal> {
    let parts = [
        ("RequestedDurationDays", 31, 24 * 60),
        ("RequestedDurationHours", 23, 60),
        ("RequestedDurationMinutes", 59, 1),
    ];
    let whole = text(members, &["RequestedDuration"])?;
    let whole: Vec<Option<i64>> = match &whole {
        Some(text) => text
            .split(':')
            .map(|part| part.trim().parse().ok())
            .collect(),
        None => Vec::new(),
    };
    if !whole.is_empty() && whole.len() != parts.len() {
        return Err(Refusal::field(
            "entity.RequestedDuration",
            "It is days:hours:minutes.",
        ));
    }
    let mut minutes = 0_u64;
    for (place, (name, most, each)) in parts.into_iter().enumerate() {
        let number = match whole.get(place) {
            Some(part) => Some(part.unwrap_or(-1)),
            None => members.number(&[name])?,
        };
        let number = u64::try_from(number.unwrap_or(0)).ok();
        let number = number.filter(|number| *number <= most).ok_or_else(|| {
            Refusal::field(
                &format!("entity.{name}"),
                format!("It is from 0 to {most}."),
            )
        })?;
        minutes += number * each;
    }
    if minutes > LONGEST_DURATION {
        let why = "A request is for 31 days at most.";
        return Err(Refusal::field("entity.RequestedDurationDays", why));
    }
    Ok((minutes > 0).then(|| Duration::from_secs(minutes * 60)))
}

const LONGEST_COMMENT: usize = 1000;
/// Minutes.
const LONGEST_DURATION: u64 = 31 * 24 * 60;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(value: &Value) -> Result<Body, (u16, i32)> {
        let body = Body::of(&Members::of(value.as_object().unwrap().clone()));
        body.map_err(|refusal| (refusal.status.as_u16(), refusal.code))
    }

    #[test]
    fn every_clients_names_mean_the_same() {
        let own = json!({"ForUser": "ann", "AssetId": 7, "AccountName": "root",
            "AccessRequestType": "Password", "ReasonCode": "Night", "ReasonComment": "x",
            "TicketNumber": "T1", "RequestedDurationHours": 2});
        let other = json!({"ForUserName": "ann", "ForUserId": null, "SystemId": "7",
            "AccountId": 0, "accountname": "root", "AccessType": "password",
            "ReasonCodeId": 3, "ReasonCode": "Night", "ReasonComment": "x",
            "TicketNumber": "T1", "RequestedDuration": "0:2:0"});

        assert_eq!(body(&own), body(&other));
        let body = body(&own).unwrap();
        assert_eq!((body.asset.id, body.reason.as_str()), (Some(7), "Night: x"));
        let now = Timestamp(1000);
        let until = Timestamp(1000 + 2 * 3_600_000);
        let hours = |hours| Some(Duration::from_hours(hours));
        let window = |longest| body.window(now, longest).map_err(|no| no.status.as_u16());
        assert_eq!(window(hours(2)), Ok(Some(Window { from: now, until })));
        assert_eq!(window(None), window(hours(2)));
        assert_eq!(window(hours(1)), Err(400));
    }

    #[test]
    fn a_moment_comes_in_every_clients_form() {
        for text in [
            "2027-01-31T12:00:00Z",
            "2027-01-31 12:00:00Z",
            "2027-01-31T13:00:00+01:00",
            "2027-01-31T12:00:00",
        ] {
            let read = body(&json!({"AccessType": "Password", "RequestedFor": text}));
            let at = read.unwrap().from.unwrap();
            assert_eq!(at, Timestamp(1_801_396_800_000), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let long = "x".repeat(1001);
        for (name, value) in [
            ("RequestedFor", json!("soon")),
            ("RequestedDurationDays", json!(32)),
            ("RequestedDurationHours", json!(24)),
            ("RequestedDurationMinutes", json!(-1)),
            ("RequestedDuration", json!("1:2")),
            ("RequestedDuration", json!("31:0:1")),
            ("ReasonComment", json!(long)),
            ("IsEmergency", json!(true)),
            ("AccessRequestType", json!("Anything")),
        ] {
            let mut asked = json!({"AccessType": "Password"});
            asked[name] = value;
            assert_eq!(body(&asked).map(drop), Err((400, 70000)), "{name}");
        }
        let session = json!({"AccessRequestType": "RemoteDesktop"});
        assert_eq!(body(&session).map(drop), Err((403, 90408)));
    }
}
