//! One-time codes of an authenticator.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::domain::{OneTimeCode, Timestamp};

/// What an authenticator and this house share: wiped on drop, never printed.
///
/// SHA-1, six digits and thirty seconds are what every authenticator knows; what weakens SHA-1
/// elsewhere, collisions, does not weaken HMAC (RFC 6194 §3.3).
pub struct TotpSecret(Zeroizing<[u8; 20]>);

impl TotpSecret {
    /// As many random bits as the hash has (RFC 4226 §4, R6).
    ///
    /// # Errors
    /// [`CryptoError::Random`] when the operating system has no random numbers.
    pub fn draw() -> Result<Self, CryptoError> {
        let mut bytes = Zeroizing::new([0; 20]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| CryptoError::Random)?;
        Ok(Self(bytes))
    }

    /// Takes a secret as it was kept.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 20]>) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever seals them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 20] {
        &self.0
    }

    /// The secret as people type it into an authenticator: base32 (RFC 4648 §6), unpadded.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()))
    }

    /// The step to which `code` belongs, later than `after`: the one at `now`, the one before it
    /// or the one behind it (RFC 6238 §5.2). All three are compared, in constant time.
    #[must_use]
    pub fn step_of(&self, code: &OneTimeCode, after: u64, now: Timestamp) -> Option<u64> {
        let current = step_at(now);
        let mut found = 0_u64;
        for step in current.saturating_sub(1)..=current.saturating_add(1) {
            let same = self.code_at(step).as_slice().ct_eq(code.digits());
            found.conditional_assign(&step, same);
        }
        (found > after).then_some(found)
    }

    /// `HOTP(K, T) = DT(HMAC-SHA-1(K, T)) mod 10^6` (RFC 4226 §5.3), as digits.
    fn code_at(&self, step: u64) -> Zeroizing<[u8; 6]> {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of every length (RFC 2104 §2)"
        )]
        let mut mac = Hmac::<Sha1>::new_from_slice(self.0.as_slice()).expect("any length");
        mac.update(&step.to_be_bytes());
        let tag: Zeroizing<[u8; 20]> = Zeroizing::new(mac.finalize().into_bytes().into());
        let mut number = truncated(&tag) % 1_000_000;
        let mut digits = Zeroizing::new([0; 6]);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
        digits
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

/// Dynamic truncation (RFC 4226 §5.3): 31 bits from where the last four say.
fn truncated(tag: &[u8; 20]) -> u32 {
    let offset = usize::from(tag.last().map_or(0, |byte| byte & 15));
    let four = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>());
    four.map_or(0, |bytes| u32::from_be_bytes(*bytes) & 0x7fff_ffff)
}

/// `T = floor(unix time / 30)` (RFC 6238 §4.2).
fn step_at(now: Timestamp) -> u64 {
    u64::try_from(now.0 / STEP).unwrap_or_default()
}

/// Milliseconds.
const STEP: i64 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::new(Zeroizing::new(*b"12345678901234567890"))
    }

    fn code(text: &str) -> OneTimeCode {
        OneTimeCode::parse(text).unwrap()
    }

    /// RFC 6238, appendix B, the last six digits of eight: the same modulo 10^6.
    #[test]
    fn the_rfc_s_vectors_are_met() {
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp(seconds * 1000);
            let step = secret().step_of(&code(digits), 0, now);

            assert_eq!(step, Some(step_at(now)), "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_one_step_early_and_late_and_never_after_it_was_used() {
        let (code, own) = (code("050471"), 1_111_111_111_000 / STEP as u64 as i64);
        let at = |steps: i64| Timestamp((own + steps) * STEP);
        let own = own as u64;

        for (steps, counts) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let found = secret().step_of(&code, 0, at(steps));
            assert_eq!(found, counts.then_some(own), "{steps}");
        }
        assert_eq!(secret().step_of(&code, own - 1, at(0)), Some(own));
        assert_eq!(secret().step_of(&code, own, at(0)), None);
        assert_eq!(secret().step_of(&code, own, at(1)), None);
    }

    #[test]
    fn another_code_or_another_secret_counts_for_nothing() {
        let now = Timestamp(59_000);
        assert_eq!(secret().step_of(&code("287083"), 0, now), None);
        let other = TotpSecret::new(Zeroizing::new([7; 20]));
        assert_eq!(other.step_of(&code("287082"), 0, now), None);
    }

    #[test]
    fn the_text_is_base32_and_debug_shows_nothing() {
        let text = secret().base32();

        assert_eq!(text.as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(format!("{:?}", secret()), "TotpSecret(..)");
    }
}
