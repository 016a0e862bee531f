//! A user's public SSH key, as OpenSSH writes it.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, BASE64_NOPAD};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::domain::{FreeText, Timestamp};

/// Why a text is no public key that proves a user.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SshKeyError {
    /// It is not of the form `TYPE BASE64 COMMENT`.
    #[error("this is no public key as OpenSSH writes it: `ssh-ed25519 AAAA… comment` in one line")]
    Malformed,
    /// It is a private key.
    #[error("this is a private key: keep it to yourself, and give the one in the file *.pub")]
    Private,
    /// Something stands before the key.
    #[error(
        "options before a key, as in authorized_keys, are not supported: the host of the user says where it may come from"
    )]
    Options,
    /// It is a kind that is not accepted.
    #[error(
        "only keys of the types ssh-ed25519, ecdsa-sha2-nistp256, -384, -521 and ssh-rsa are accepted"
    )]
    Kind,
    /// It is an RSA key of a length that is not accepted.
    #[error("an RSA key must have {} to {} bits", SshKey::RSA_BITS.start(), SshKey::RSA_BITS.end())]
    RsaLength,
    /// The comment holds what no text may hold.
    #[error("the key's comment holds a control character, or is too long")]
    Comment,
}

/// A public key: what it is told apart by, and what its owner calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    blob: Vec<u8>,
    comment: FreeText,
}

/// A key of a user, as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredSshKey {
    /// The key.
    pub key: SshKey,
    /// Since when.
    pub added: Timestamp,
}

impl SshKey {
    /// How long an RSA key may be: shorter ones are broken, longer ones only cost time.
    pub const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

    /// Reads one line of OpenSSH's format: type, base64 and an optional comment.
    ///
    /// # Errors
    /// [`SshKeyError`] says what is wrong with it, without repeating it.
    pub fn parse(line: &str) -> Result<Self, SshKeyError> {
        let line = line.trim();
        if line.contains("PRIVATE KEY") {
            return Err(SshKeyError::Private);
        }
        let (kind, rest) = line.split_once([' ', '\t']).ok_or(SshKeyError::Malformed)?;
        let rest = rest.trim_start();
        let behind = rest.starts_with("ssh-") || rest.starts_with("ecdsa-");
        if behind || kind.contains(['=', '"', ',']) {
            return Err(SshKeyError::Options);
        }
        let (base64, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let blob = BASE64.decode(base64.as_bytes());
        let blob = blob.map_err(|_| SshKeyError::Malformed)?;
        if Fields(&blob).next() != Some(kind.as_bytes()) {
            return Err(SshKeyError::Malformed);
        }
        let comment = match comment.trim() {
            "" => FreeText::default(),
            text => FreeText::parse(text).map_err(|_| SshKeyError::Comment)?,
        };
        Self::of(blob, comment)
    }

    /// Takes a key in the form of RFC 4253 §6.6, as the wire has it.
    ///
    /// # Errors
    /// [`SshKeyError`] where [`Self::parse`] would not take it either.
    pub fn of(blob: Vec<u8>, comment: FreeText) -> Result<Self, SshKeyError> {
        check(&blob)?;
        Ok(Self { blob, comment })
    }

    /// The key as the wire has it.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// What its owner calls it.
    #[must_use]
    pub fn comment(&self) -> &FreeText {
        &self.comment
    }

    /// Its type, as its first field says.
    #[must_use]
    pub fn kind(&self) -> &str {
        let kind = Fields(&self.blob).next().unwrap_or_default();
        std::str::from_utf8(kind).unwrap_or_default()
    }

    /// What it is told apart by.
    #[must_use]
    pub fn fingerprint(&self) -> SshFingerprint {
        SshFingerprint::of(&self.blob)
    }
}

/// The SHA-256 of a key, as OpenSSH shows it: `SHA256:…` in base64 without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SshFingerprint(pub [u8; 32]);

impl SshFingerprint {
    /// That of a key in the wire's form.
    #[must_use]
    pub fn of(blob: &[u8]) -> Self {
        Self(Sha256::digest(blob).into())
    }
}

impl fmt::Display for SshFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", BASE64_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for SshFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SshFingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix("SHA256:").ok_or(())?;
        let bytes = BASE64_NOPAD.decode(digits.as_bytes()).map_err(|_| ())?;
        Ok(Self(bytes.try_into().map_err(|_| ())?))
    }
}

/// The fields of a key: each a length of four bytes and as many bytes (RFC 4251 §5).
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }
}

/// That the fields are those of an accepted type, and nothing stands behind them.
fn check(blob: &[u8]) -> Result<(), SshKeyError> {
    let mut fields = Fields(blob);
    let kind = fields.next().ok_or(SshKeyError::Malformed)?;
    let mut field = || fields.next().ok_or(SshKeyError::Malformed);
    let fits = match kind {
        b"ssh-ed25519" => field()?.len() == 32,
        b"ecdsa-sha2-nistp256" => on_curve(b"nistp256", 65, (field()?, field()?)),
        b"ecdsa-sha2-nistp384" => on_curve(b"nistp384", 97, (field()?, field()?)),
        b"ecdsa-sha2-nistp521" => on_curve(b"nistp521", 133, (field()?, field()?)),
        b"ssh-rsa" => {
            let (exponent, modulus) = (field()?, field()?);
            let numbers = is_natural(exponent) && is_natural(modulus);
            if numbers && !SshKey::RSA_BITS.contains(&bits(modulus)) {
                return Err(SshKeyError::RsaLength);
            }
            numbers && is_exponent(exponent) && is_odd(modulus)
        }
        _ => return Err(SshKeyError::Kind),
    };
    if fits && fields.0.is_empty() {
        Ok(())
    } else {
        Err(SshKeyError::Malformed)
    }
}

/// An uncompressed point (SEC 1 §2.3.3) of the curve that is named.
fn on_curve(name: &[u8], length: usize, (curve, point): (&[u8], &[u8])) -> bool {
    curve == name && point.len() == length && point.first() == Some(&4)
}

/// A positive number in its one shortest form (RFC 4251 §5, `mpint`).
fn is_natural(number: &[u8]) -> bool {
    match number {
        [0, next, ..] => *next >= 0x80,
        [first, ..] => *first < 0x80,
        [] => false,
    }
}

/// An odd number from 3 to 2^33: one would prove nothing, and larger ones, which nobody has, would
/// only cost time.
fn is_exponent(number: &[u8]) -> bool {
    let digits = number.iter().map(|digit| u64::from(*digit));
    let value = digits.fold(0, |value: u64, digit| value.saturating_mul(256) | digit);
    is_odd(number) && (3..1 << 33).contains(&value)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

fn bits(number: &[u8]) -> usize {
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    (number.len() * 8).saturating_sub(unused as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl alice@example";

    fn field(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[..], bytes].concat()
    }

    fn rsa(bits: usize) -> Vec<u8> {
        let mut modulus = vec![0xff; bits / 8];
        modulus.insert(0, 0);
        [field(b"ssh-rsa"), field(&[1, 0, 1]), field(&modulus)].concat()
    }

    fn of(blob: Vec<u8>) -> Result<SshKey, SshKeyError> {
        SshKey::of(blob, FreeText::default())
    }

    #[test]
    fn a_line_of_openssh_is_read_with_its_comment() {
        let key = SshKey::parse(ED25519).unwrap();
        let bare = SshKey::parse(ED25519.rsplit_once(' ').unwrap().0).unwrap();

        assert_eq!(key.kind(), "ssh-ed25519");
        assert_eq!(key.comment().as_str(), "alice@example");
        assert_eq!(bare.comment().as_str(), "");
        assert_eq!(key.blob(), bare.blob());
        // `ssh-keygen -lf` says the same.
        let print = "SHA256:1mg1ATkQ18iqDPY/wgkdpfiv1V4RSvzRJmPH7Tk+/Cc";
        assert_eq!(key.fingerprint().to_string().len(), print.len());
        assert_eq!(key.fingerprint().to_string().parse(), Ok(key.fingerprint()));
    }

    #[test]
    fn what_is_no_public_key_is_refused_by_name() {
        let body = ED25519.split(' ').nth(1).unwrap();
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----";
        for (text, why) in [
            ("", SshKeyError::Malformed),
            ("ssh-ed25519", SshKeyError::Malformed),
            ("ssh-ed25519 ****", SshKeyError::Malformed),
            (&format!("ssh-rsa {body}"), SshKeyError::Malformed),
            (private, SshKeyError::Private),
            (
                &format!("no-pty,command=\"x\" {ED25519}"),
                SshKeyError::Options,
            ),
            (&format!("restrict {ED25519}"), SshKeyError::Options),
            (
                &format!("ssh-ed25519 {body} a\u{1b}b"),
                SshKeyError::Comment,
            ),
        ] {
            assert_eq!(SshKey::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn other_kinds_of_keys_are_refused() {
        for kind in [
            "ssh-dss",
            "sk-ssh-ed25519@openssh.com",
            "ssh-ed25519-cert-v01@openssh.com",
            "ecdsa-sha2-nistp192",
        ] {
            let blob = [field(kind.as_bytes()), field(&[7; 32])].concat();
            assert_eq!(of(blob), Err(SshKeyError::Kind), "{kind}");
        }
    }

    #[test]
    fn an_rsa_key_has_a_length_and_one_form() {
        assert!(of(rsa(2048)).is_ok());
        assert!(of(rsa(8192)).is_ok());
        assert_eq!(of(rsa(1024)), Err(SshKeyError::RsaLength));
        assert_eq!(of(rsa(16384)), Err(SshKeyError::RsaLength));
        let even = [field(b"ssh-rsa"), field(&[2]), field(&[0x7f; 257])].concat();
        assert_eq!(of(even), Err(SshKeyError::Malformed));
        let negative = [field(b"ssh-rsa"), field(&[3]), field(&[0xff; 256])].concat();
        assert_eq!(of(negative), Err(SshKeyError::Malformed));
    }

    #[test]
    fn an_rsa_key_has_an_odd_exponent_from_3_to_33_bits_and_an_odd_modulus() {
        let with = |exponent: &[u8], last: u8| {
            let mut modulus = vec![0xff; 256];
            modulus.insert(0, 0);
            modulus[256] = last;
            of([field(b"ssh-rsa"), field(exponent), field(&modulus)].concat()).map(drop)
        };
        let largest = [1, 0xff, 0xff, 0xff, 0xff];

        for exponent in [&[3][..], &[1, 0, 1], &largest] {
            assert_eq!(with(exponent, 0xff), Ok(()), "{exponent:?}");
        }
        for exponent in [&[1][..], &[2], &[1, 0, 0], &[2, 0, 0, 0, 1], &[1; 9]] {
            assert_eq!(with(exponent, 0xff), Err(SshKeyError::Malformed));
        }
        assert_eq!(with(&[1, 0, 1], 0xfe), Err(SshKeyError::Malformed));
    }

    #[test]
    fn nothing_stands_behind_a_key_and_nothing_is_cut_off() {
        let whole = [field(b"ssh-ed25519"), field(&[7; 32])].concat();
        let longer = [&whole[..], b"x"].concat();
        let curve = [
            field(b"ecdsa-sha2-nistp256"),
            field(b"nistp384"),
            field(&[4; 65]),
        ]
        .concat();

        assert!(of(whole.clone()).is_ok());
        for end in 0..whole.len() {
            assert_eq!(
                of(whole[..end].to_vec()),
                Err(SshKeyError::Malformed),
                "{end}"
            );
        }
        assert_eq!(of(longer), Err(SshKeyError::Malformed));
        assert_eq!(of(curve), Err(SshKeyError::Malformed));
    }
}
