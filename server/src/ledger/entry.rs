//! What is inside the seal: a record as bytes, and back.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::domain::{
    AccountId, Door, Operation, Outcome, Record, RefusalReason, RequestId, ResourceId, Timestamp,
};

/// A record as it was read: words that this version does not know stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the chain, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Which request it belongs to.
    pub request: RequestId,
    /// The caller's login, or what a stranger called itself.
    pub caller: String,
    /// The caller's organisation.
    pub org: String,
    /// Through which door.
    pub door: Word<Door>,
    /// From which address.
    pub peer: Option<IpAddr>,
    /// What was asked for.
    pub operation: Word<Operation>,
    /// The resource, as it was named by the caller.
    pub resource: String,
    /// The account, as it was named by the caller.
    pub account: String,
    /// The resource's id, where there was one.
    pub resource_id: Option<ResourceId>,
    /// The account's id, where there was one.
    pub account_id: Option<AccountId>,
    /// The reason that was given.
    pub reason: String,
    /// The ticket that was given.
    pub ticket: String,
    /// How it ended: `allowed`, `failed`, or `refused: ` and why.
    pub outcome: Word<Outcome>,
    /// What else a judge should know.
    pub detail: String,
}

impl Entry {
    /// The record that was appended; nothing when it has words that this version does not know.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        Some(Record {
            at: self.at,
            request: self.request,
            caller: self.caller.clone(),
            org: self.org.clone(),
            door: *self.door.known()?,
            peer: self.peer,
            operation: *self.operation.known()?,
            resource: self.resource.clone(),
            account: self.account.clone(),
            resource_id: self.resource_id,
            account_id: self.account_id,
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
            outcome: *self.outcome.known()?,
            detail: self.detail.clone(),
        })
    }

    /// Reads what [`encode`] wrote, also by a later version: what is missing is empty, what is
    /// unknown is passed over. Nothing when these are not an entry's bytes.
    pub(crate) fn decode(seq: u64, bytes: &[u8]) -> Option<Self> {
        let (at, fields) = bytes.split_first_chunk()?;
        let mut entry = Self::empty(seq, Timestamp(i64::from_le_bytes(*at)));
        for (id, value) in Fields(fields) {
            entry.set(id, value);
        }
        Some(entry)
    }

    fn empty(seq: u64, at: Timestamp) -> Self {
        Self {
            seq,
            at,
            request: RequestId(0),
            caller: String::new(),
            org: String::new(),
            door: Word::Unknown(String::new()),
            peer: None,
            operation: Word::Unknown(String::new()),
            resource: String::new(),
            account: String::new(),
            resource_id: None,
            account_id: None,
            reason: String::new(),
            ticket: String::new(),
            outcome: Word::Unknown(String::new()),
            detail: String::new(),
        }
    }

    fn set(&mut self, id: u8, value: &[u8]) {
        let text = || String::from_utf8_lossy(value);
        match id {
            REQUEST => self.request = RequestId(value.try_into().map_or(0, u64::from_le_bytes)),
            CALLER => self.caller = text().into_owned(),
            ORG => self.org = text().into_owned(),
            DOOR => self.door = Word::read(&text()),
            PEER => self.peer = address(value),
            OPERATION => self.operation = Word::read(&text()),
            RESOURCE => self.resource = text().into_owned(),
            ACCOUNT => self.account = text().into_owned(),
            RESOURCE_ID => self.resource_id = number(value).map(ResourceId),
            ACCOUNT_ID => self.account_id = number(value).map(AccountId),
            REASON => self.reason = text().into_owned(),
            TICKET => self.ticket = text().into_owned(),
            OUTCOME => self.outcome = Word::read(&text()),
            DETAIL => self.detail = text().into_owned(),
            _ => {}
        }
    }
}

/// A word of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<T> {
    /// One that this version knows.
    Known(T),
    /// One that it does not, as it stands.
    Unknown(String),
}

impl<T> Word<T> {
    /// What it means, if this version knows.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<T: Vocabulary> Word<T> {
    fn read(text: &str) -> Self {
        T::parse(text).map_or_else(|| Self::Unknown(text.to_owned()), Self::Known)
    }
}

impl<T: Vocabulary> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(value) => f.write_str(&value.word()),
            Self::Unknown(word) => f.write_str(word),
        }
    }
}

/// What has words in the trail.
pub trait Vocabulary: Sized {
    /// The word for it.
    fn word(&self) -> Cow<'static, str>;
    /// What the word means.
    fn parse(word: &str) -> Option<Self>;
}

impl Vocabulary for Door {
    fn word(&self) -> Cow<'static, str> {
        self.as_str().into()
    }

    fn parse(word: &str) -> Option<Self> {
        Self::from_str(word).ok()
    }
}

impl Vocabulary for Operation {
    fn word(&self) -> Cow<'static, str> {
        self.as_str().into()
    }

    fn parse(word: &str) -> Option<Self> {
        Self::from_str(word).ok()
    }
}

impl Vocabulary for Outcome {
    fn word(&self) -> Cow<'static, str> {
        match self {
            Self::Allowed => "allowed".into(),
            Self::Failed => "failed".into(),
            Self::Refused(why) => format!("{REFUSED}{}", why.as_str()).into(),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "allowed" => Some(Self::Allowed),
            "failed" => Some(Self::Failed),
            _ => RefusalReason::from_str(word.strip_prefix(REFUSED)?)
                .ok()
                .map(Self::Refused),
        }
    }
}

/// `time i64 || (field u8 || length u16 || value)*`, texts cut to `text_bytes`, empty fields left
/// out.
pub(crate) fn encode(record: &Record, text_bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(&record.at.0.to_le_bytes());
    put(&mut out, REQUEST, &record.request.0.to_le_bytes());
    put(&mut out, DOOR, record.door.as_str().as_bytes());
    put(&mut out, OPERATION, record.operation.as_str().as_bytes());
    put(&mut out, OUTCOME, record.outcome.word().as_bytes());
    match record.peer {
        Some(IpAddr::V4(peer)) => put(&mut out, PEER, &peer.octets()),
        Some(IpAddr::V6(peer)) => put(&mut out, PEER, &peer.octets()),
        None => {}
    }
    let ids = [
        (RESOURCE_ID, record.resource_id.map(|id| id.0)),
        (ACCOUNT_ID, record.account_id.map(|id| id.0)),
    ];
    for (field, id) in ids {
        id.into_iter()
            .for_each(|id| put(&mut out, field, &id.to_le_bytes()));
    }
    for (id, text) in [
        (CALLER, &record.caller),
        (ORG, &record.org),
        (RESOURCE, &record.resource),
        (ACCOUNT, &record.account),
        (REASON, &record.reason),
        (TICKET, &record.ticket),
        (DETAIL, &record.detail),
    ] {
        put(&mut out, id, clip(text, text_bytes).as_bytes());
    }
    out
}

/// The word that begins every refusal.
pub(crate) const REFUSED: &str = "refused: ";

/// `text` in at most `limit` bytes, marked when something is missing.
fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(limit - CLIPPED.len());
    let kept = text.get(..end).unwrap_or_default();
    Cow::Owned(format!("{kept}{CLIPPED}"))
}

const CLIPPED: &str = "…";

fn put(out: &mut Vec<u8>, id: u8, value: &[u8]) {
    let Ok(len) = u16::try_from(value.len()) else {
        return;
    };
    if len > 0 {
        out.push(id);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(value);
    }
}

struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, rest) = self.0.split_first()?;
        let (len, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        self.0 = rest;
        Some((*id, value))
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

const REQUEST: u8 = 1;
const CALLER: u8 = 2;
const ORG: u8 = 3;
const DOOR: u8 = 4;
const PEER: u8 = 5;
const OPERATION: u8 = 6;
const RESOURCE: u8 = 7;
const ACCOUNT: u8 = 8;
const REASON: u8 = 9;
const TICKET: u8 = 10;
const OUTCOME: u8 = 11;
const DETAIL: u8 = 12;
const RESOURCE_ID: u8 = 13;
const ACCOUNT_ID: u8 = 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_adds_is_passed_over_and_its_words_are_kept() {
        let mut bytes = 7_i64.to_le_bytes().to_vec();
        put(&mut bytes, CALLER, b"svc");
        put(&mut bytes, 200, b"something new");
        put(&mut bytes, OPERATION, b"teleport");
        put(&mut bytes, OUTCOME, b"refused: quantum");
        put(&mut bytes, DOOR, b"ssh\xff");

        let entry = Entry::decode(3, &bytes).unwrap();

        assert_eq!((entry.seq, entry.at), (3, Timestamp(7)));
        assert_eq!(entry.caller, "svc");
        assert_eq!(entry.operation, Word::Unknown("teleport".to_owned()));
        assert_eq!(entry.outcome, Word::Unknown("refused: quantum".to_owned()));
        assert_eq!(entry.door.to_string(), "ssh\u{fffd}");
        assert_eq!(entry.resource, "");
        assert_eq!(entry.record(), None);
    }

    #[test]
    fn bytes_cut_anywhere_are_read_without_harm() {
        let mut bytes = 7_i64.to_le_bytes().to_vec();
        put(&mut bytes, PEER, &[1; 16]);
        put(&mut bytes, DETAIL, b"text");
        for end in 0..bytes.len() {
            let entry = Entry::decode(1, &bytes[..end]);
            assert_eq!(entry.is_some(), end >= 8);
        }
    }
}
