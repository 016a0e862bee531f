//! LDAP messages (RFC 4511) in BER: bind, StartTLS, the password modify operation (RFC 3062) and the
//! change of one attribute.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::connectors::Trouble;
use crate::domain::Password;

/// What the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: u8,
    words: String,
}

impl Answer {
    #[cfg(test)]
    pub(super) fn new(code: u8, words: &str) -> Self {
        let words = words.to_owned();
        Self { code, words }
    }

    pub(super) fn says(&self, words: &str) -> bool {
        self.words.contains(words)
    }

    pub(super) fn in_words(&self) -> String {
        format!("{} (LDAP result {})", self.words, self.code)
    }
}

/// A conversation.
pub(super) struct Talk<L> {
    line: L,
    last: u8,
}

impl<L: AsyncRead + AsyncWrite + Unpin> Talk<L> {
    pub(super) fn over(line: L) -> Self {
        Self { line, last: 0 }
    }

    pub(super) fn into_line(self) -> L {
        self.line
    }

    pub(super) async fn begin_tls(&mut self) -> Result<(), Trouble> {
        let name = field(CONTEXT, b"1.3.6.1.4.1.1466.20037");
        let answer = self.ask(EXTENDED, &[&name]).await?;
        match answer.code {
            0 => Ok(()),
            _ => Err(Trouble::Unencrypted),
        }
    }

    pub(super) async fn bind(&mut self, dn: &str, password: &Password) -> Result<Answer, Trouble> {
        let name = field(OCTETS, dn.as_bytes());
        let password = field(CONTEXT, password.expose().as_bytes());
        self.ask(BIND, &[&field(INTEGER, &[3]), &name, &password])
            .await
    }

    pub(super) async fn modify_password(
        &mut self,
        dn: &str,
        old: Option<&Password>,
        new: &Password,
    ) -> Result<Answer, Trouble> {
        let name = field(CONTEXT, b"1.3.6.1.4.1.4203.1.11.1");
        let user = field(CONTEXT, dn.as_bytes());
        let old = old.map(|old| field(CONTEXT + 1, old.expose().as_bytes()));
        let old = old.unwrap_or_default();
        let new = field(CONTEXT + 2, new.expose().as_bytes());
        let value = field(CONTEXT + 1, &sequence(SEQUENCE, &[&user, &old, &new]));
        self.ask(EXTENDED, &[&name, &value]).await
    }

    /// Replaces `unicodePwd`; its owner takes the old one away and puts the new one there.
    pub(super) async fn replace_unicode(
        &mut self,
        dn: &str,
        old: Option<&[u8]>,
        new: &[u8],
    ) -> Result<Answer, Trouble> {
        let change = |kind: u8, value: &[u8]| {
            let values = sequence(SET, &[&field(OCTETS, value)]);
            let attribute = sequence(SEQUENCE, &[&field(OCTETS, b"unicodePwd"), &values]);
            sequence(SEQUENCE, &[&field(ENUMERATED, &[kind]), &attribute])
        };
        let changes = match old {
            Some(old) => sequence(SEQUENCE, &[&change(DELETE, old), &change(ADD, new)]),
            None => sequence(SEQUENCE, &[&change(REPLACE, new)]),
        };
        self.ask(MODIFY, &[&field(OCTETS, dn.as_bytes()), &changes])
            .await
    }

    async fn ask(&mut self, operation: u8, parts: &[&[u8]]) -> Result<Answer, Trouble> {
        self.last = self.last.wrapping_add(1) & 0x7F;
        let id = field(INTEGER, &[self.last]);
        let message = sequence(SEQUENCE, &[&id, &sequence(operation, parts)]);
        let cut = |_| Trouble::Cut;
        self.line.write_all(&message).await.map_err(cut)?;
        self.line.flush().await.map_err(cut)?;
        let heard = self.hear().await?;
        answer(&heard, self.last).ok_or(Trouble::Cut)
    }

    /// What is inside the next message.
    async fn hear(&mut self) -> Result<Vec<u8>, Trouble> {
        let cut = |_| Trouble::Cut;
        if self.line.read_u8().await.map_err(cut)? != SEQUENCE {
            return Err(Trouble::Cut);
        }
        let short = self.line.read_u8().await.map_err(cut)?;
        let mut length = usize::from(short);
        if short & 0x80 != 0 {
            length = 0;
            for _ in 0..usize::from(short & 0x7F).min(4) {
                let byte = self.line.read_u8().await.map_err(cut)?;
                length = (length << 8) | usize::from(byte);
            }
        }
        if length > LONGEST {
            return Err(Trouble::Cut);
        }
        let mut message = vec![0; length];
        self.line.read_exact(&mut message).await.map_err(cut)?;
        Ok(message)
    }
}

/// The result of the operation, if the message answers the request with this id.
fn answer(message: &[u8], id: u8) -> Option<Answer> {
    let (tag, number, rest) = split(message)?;
    if tag != INTEGER || number.last() != Some(&id) {
        return None;
    }
    let (tag, result, _) = split(rest)?;
    if ![BIND_ANSWER, MODIFY_ANSWER, EXTENDED_ANSWER].contains(&tag) {
        return None;
    }
    let (_, code, rest) = split(result)?;
    let (_, _matched, rest) = split(rest)?;
    let (_, words, _) = split(rest)?;
    Some(Answer {
        code: *code.last()?,
        words: String::from_utf8_lossy(words).into_owned(),
    })
}

/// The first field: its tag, what is in it, and what comes behind.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match short & 0x80 {
        0 => (usize::from(short), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7F))?;
            let length = digits.iter().try_fold(0usize, |sum, byte| {
                sum.checked_mul(256)?.checked_add((*byte).into())
            })?;
            (length, rest)
        }
    };
    let (inside, rest) = rest.split_at_checked(length)?;
    Some((tag, inside, rest))
}

fn sequence(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut inside = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        inside.extend_from_slice(part);
    }
    field(tag, &inside)
}

fn field(tag: u8, inside: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(inside.len() + 6));
    bytes.push(tag);
    let length = inside.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let digits = length.to_be_bytes();
            let first = digits.iter().position(|digit| *digit != 0).unwrap_or(0);
            let digits = digits.get(first..).unwrap_or_default();
            bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            bytes.extend_from_slice(digits);
        }
    }
    bytes.extend_from_slice(inside);
    bytes
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0A;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT: u8 = 0x80;
const BIND: u8 = 0x60;
const BIND_ANSWER: u8 = 0x61;
const MODIFY: u8 = 0x66;
const MODIFY_ANSWER: u8 = 0x67;
const EXTENDED: u8 = 0x77;
const EXTENDED_ANSWER: u8 = 0x78;
const ADD: u8 = 0;
const DELETE: u8 = 1;
const REPLACE: u8 = 2;
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_fields_have_long_lengths() {
        for (length, head) in [
            (127, &[4, 127][..]),
            (128, &[4, 0x81, 128]),
            (300, &[4, 0x82, 1, 44]),
        ] {
            let bytes = field(OCTETS, &vec![7; length]);
            assert!(bytes.starts_with(head), "{length}");
            let (tag, inside, rest) = split(&bytes).unwrap();
            assert_eq!((tag, inside.len(), rest.len()), (OCTETS, length, 0));
        }
    }

    #[test]
    fn an_answer_to_another_request_is_none() {
        let bind = [
            0x02,
            1,
            1,
            BIND_ANSWER,
            9,
            0x0A,
            1,
            49,
            4,
            0,
            4,
            2,
            b'n',
            b'o',
        ];

        let read = answer(&bind, 1).unwrap();

        assert_eq!(read.in_words(), "no (LDAP result 49)");
        assert_eq!(answer(&bind, 2), None);
        for end in 0..bind.len() {
            assert_eq!(answer(&bind[..end], 1), None, "{end}");
        }
    }
}
