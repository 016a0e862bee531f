//! The form of a person's second factor.

use zeroize::Zeroizing;

use crate::crypto::{CryptoError, TotpSecret};
use crate::domain::{FactorState, OneTimeCode, Timestamp, UserName};
use crate::store::rows::Record;

/// What is kept of a person's authenticator.
#[derive(Debug)]
pub struct FactorRow {
    secret: TotpSecret,
    /// When the first code came back.
    confirmed: Option<Timestamp>,
    /// The last step of which a code was accepted: none before it counts, nor it itself again.
    last: u64,
}

impl FactorRow {
    /// A secret that nobody has seen yet.
    ///
    /// # Errors
    /// [`CryptoError`] when there are no random numbers.
    pub fn draw() -> Result<Self, CryptoError> {
        Ok(Self {
            secret: TotpSecret::draw()?,
            confirmed: None,
            last: 0,
        })
    }

    /// Whether it counts.
    #[must_use]
    pub fn state(&self) -> FactorState {
        self.confirmed.map_or(FactorState::Offered, FactorState::On)
    }

    /// The same, with `code` used up and confirmed, if it is one of now that was not used yet.
    #[must_use]
    pub fn using(&self, code: &OneTimeCode, now: Timestamp) -> Option<Self> {
        let last = self.secret.step_of(code, self.last, now)?;
        Some(Self {
            secret: TotpSecret::new(Zeroizing::new(*self.secret.expose())),
            confirmed: Some(self.confirmed.unwrap_or(now)),
            last,
        })
    }

    /// The secret for an authenticator, in base32.
    #[must_use]
    pub fn secret(&self) -> Zeroizing<String> {
        self.secret.base32()
    }

    /// The secret for an authenticator, as the URI that a picture of dots holds (the "Key URI
    /// Format" that authenticators agree on).
    #[must_use]
    pub fn uri(&self, name: &UserName) -> Zeroizing<String> {
        let (label, secret) = (escaped(name.as_str()), self.secret.base32());
        let parts = [
            "otpauth://totp/Claviger:",
            &label,
            "?secret=",
            &secret,
            "&issuer=Claviger&algorithm=SHA1&digits=6&period=30",
        ];
        // Room for all at once: a text that grew would leave copies behind.
        let length = parts.iter().map(|part| part.len()).sum();
        let mut uri = Zeroizing::new(String::with_capacity(length));
        parts.iter().for_each(|part| uri.push_str(part));
        uri
    }
}

/// RFC 3986 §2.3: unreserved characters stay, every other byte is escaped.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

impl Record for FactorRow {
    /// `form(1)=1 || confirmed at(8), 0 not yet || last step(8) || secret(20)`.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(37));
        bytes.push(1);
        let at = self.confirmed.map_or(0, |at| at.0);
        bytes.extend_from_slice(&at.to_be_bytes());
        bytes.extend_from_slice(&self.last.to_be_bytes());
        bytes.extend_from_slice(self.secret.expose());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[1], bytes) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (at, bytes) = bytes.split_first_chunk::<8>()?;
        let (last, secret) = bytes.split_first_chunk::<8>()?;
        let at = i64::from_be_bytes(*at);
        Some(Self {
            secret: TotpSecret::new(Zeroizing::new(secret.try_into().ok()?)),
            confirmed: (at != 0).then_some(Timestamp(at)),
            last: u64::from_be_bytes(*last),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> FactorRow {
        FactorRow {
            secret: TotpSecret::new(Zeroizing::new(*b"12345678901234567890")),
            confirmed: None,
            last: 0,
        }
    }

    #[test]
    fn the_uri_names_the_person_and_keeps_to_its_place() {
        let name = UserName::parse("Zoë & co/1").unwrap();

        assert_eq!(
            row().uri(&name).as_str(),
            "otpauth://totp/Claviger:Zo%C3%AB%20%26%20co%2F1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQ\
             OJQ&issuer=Claviger&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn what_is_kept_reads_back_and_another_length_does_not() {
        let code = OneTimeCode::parse("287082").unwrap();
        let used = row().using(&code, Timestamp(59_000)).unwrap();
        let read = FactorRow::decode(&used.encode()).unwrap();

        assert_eq!(read.state(), FactorState::On(Timestamp(59_000)));
        assert_eq!(read.secret.expose(), row().secret.expose());
        assert!(read.using(&code, Timestamp(59_000)).is_none(), "used up");
        assert_eq!(row().state(), FactorState::Offered);
        assert!(FactorRow::decode(&used.encode()[..36]).is_none());
    }
}
