//! The form of a password that a target may have and that is not in force yet.

use zeroize::Zeroizing;

use crate::domain::{OrgId, Password, Timestamp, UserId};
use crate::store::rows::Record;

/// A password on its way to a target: sealed before the target is touched, gone when it is known
/// which one the target has.
#[derive(Debug)]
pub struct PendingRow {
    /// The organisation it belongs to.
    pub org: OrgId,
    /// Since when.
    pub since: Timestamp,
    /// Who wants it; `None` is the operator, or the server itself.
    pub by: Option<UserId>,
    /// Whether it was generated.
    pub generated: bool,
    /// Whether the target has said that it has taken the new one.
    pub accepted: bool,
    /// Whether the account was known to be the one on the target, so that another account's powers
    /// may put it right.
    pub vouched: bool,
    /// When it was told last; it may do so for a while.
    pub told: Timestamp,
    /// How often it was asked in vain which one the target has.
    pub tries: u32,
    /// When it is asked next.
    pub next: Timestamp,
    /// Why that is not known; empty while the target is being told.
    pub why: String,
    /// The password that was in force when the target was told.
    pub old: Password,
    /// The one that it was told.
    pub new: Password,
}

impl Record for PendingRow {
    /// `form(1)=2 || org(8) || since(8) || by(8), 0 the operator || flags(1): generated,
    /// accepted, vouched || tries(4) || next(8) || told(8) || length of why(4) || length of old(4) || why ||
    /// old || new`: not JSON, so that no parser keeps an unwiped copy. Form 1 is without `told`.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let texts = [self.why.as_str(), self.old.expose(), self.new.expose()];
        let length = texts.iter().map(|text| text.len()).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(54 + length));
        bytes.push(2);
        bytes.extend_from_slice(&self.org.0.to_be_bytes());
        bytes.extend_from_slice(&self.since.0.to_be_bytes());
        bytes.extend_from_slice(&self.by.map_or(0, |user| user.0).to_be_bytes());
        let flags = [self.generated, self.accepted, self.vouched];
        let flags = flags.into_iter().zip([1, 2, 4]);
        bytes.push(flags.map(|(flag, bit)| u8::from(flag) * bit).sum());
        bytes.extend_from_slice(&self.tries.to_be_bytes());
        bytes.extend_from_slice(&self.next.0.to_be_bytes());
        bytes.extend_from_slice(&self.told.0.to_be_bytes());
        for text in [texts[0], texts[1]] {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        for text in texts {
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[form @ (1 | 2)], bytes) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (org, bytes) = bytes.split_first_chunk::<8>()?;
        let (since, bytes) = bytes.split_first_chunk::<8>()?;
        let (by, bytes) = bytes.split_first_chunk::<8>()?;
        let (&[flags], bytes) = bytes.split_first_chunk::<1>()?;
        let (tries, bytes) = bytes.split_first_chunk::<4>()?;
        let (next, bytes) = bytes.split_first_chunk::<8>()?;
        let (told, bytes) = match form {
            // It was told right after it was sealed.
            1 => (since, bytes),
            _ => bytes.split_first_chunk::<8>()?,
        };
        let (why, bytes) = bytes.split_first_chunk::<4>()?;
        let (old, bytes) = bytes.split_first_chunk::<4>()?;
        let (why, bytes) = bytes.split_at_checked(length(*why)?)?;
        let (old, new) = bytes.split_at_checked(length(*old)?)?;
        let by = u64::from_be_bytes(*by);
        Some(Self {
            org: OrgId(u64::from_be_bytes(*org)),
            since: Timestamp(i64::from_be_bytes(*since)),
            by: (by != 0).then_some(UserId(by)),
            generated: flags & 1 != 0,
            accepted: flags & 2 != 0,
            vouched: flags & 4 != 0,
            told: Timestamp(i64::from_be_bytes(*told)),
            tries: u32::from_be_bytes(*tries),
            next: Timestamp(i64::from_be_bytes(*next)),
            why: std::str::from_utf8(why).ok()?.to_owned(),
            old: password(old)?,
            new: password(new)?,
        })
    }
}

fn length(bytes: [u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

fn password(bytes: &[u8]) -> Option<Password> {
    let text = Zeroizing::new(std::str::from_utf8(bytes).ok()?.to_owned());
    Password::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pending_reads_back_and_what_is_cut_does_not() {
        let secret = |text: &str| Password::parse(Zeroizing::new(text.to_owned())).unwrap();
        let row = PendingRow {
            org: OrgId(1),
            since: Timestamp(2),
            by: Some(UserId(3)),
            generated: true,
            accepted: true,
            vouched: true,
            told: Timestamp(6),
            tries: 4,
            next: Timestamp(5),
            why: "the line was cut".to_owned(),
            old: secret("alt ä"),
            new: secret("neu"),
        };

        let bytes = row.encode();
        let read = PendingRow::decode(&bytes).unwrap();

        assert_eq!(read.encode(), bytes);
        assert_eq!((read.old.expose(), read.new.expose()), ("alt ä", "neu"));
        assert_eq!(read.why, "the line was cut");
        assert!(read.generated && read.accepted && read.vouched);
        assert_eq!((read.since, read.told), (Timestamp(2), Timestamp(6)));
        assert!(PendingRow::decode(&bytes[..bytes.len() - 3]).is_none());
        assert!(PendingRow::decode(&bytes[..40]).is_none());
        // As an earlier version wrote it.
        let first = [&[1], &bytes[1..38], &bytes[46..]].concat();
        let read = PendingRow::decode(&first).unwrap();
        assert_eq!((read.since, read.told), (Timestamp(2), Timestamp(2)));
        assert_eq!((read.old.expose(), read.new.expose()), ("alt ä", "neu"));
    }
}
