//! Thumbprints: by which the A2A interface speaks of certificates.

use std::fmt;
use std::str::FromStr;

use sha1::{Digest, Sha1};

/// The SHA-1 of a certificate's DER. SHA-1 has collisions: it names a certificate that something
/// else vouches for, and proves nothing by itself.
///
/// Shown as forty upper-case hexadecimal digits; read in either case, with blanks, colons or
/// dashes between bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 20]);

impl Thumbprint {
    /// The thumbprint of the certificate with this DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha1::digest(der).into())
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl FromStr for Thumbprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut nibbles = Vec::with_capacity(40);
        for c in text.chars().filter(|c| !matches!(c, ' ' | ':' | '-')) {
            nibbles.push(u8::try_from(c.to_digit(16).ok_or(())?).map_err(|_| ())?);
        }
        let (pairs, rest) = nibbles.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(());
        }
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        bytes.try_into().map(Self).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_reads_back_in_every_spelling_that_tools_print() {
        let print = Thumbprint([0xab; 20]);

        assert_eq!(print.to_string(), "AB".repeat(20));
        for separator in ["", ":", " ", "-"] {
            assert_eq!(["ab"; 20].join(separator).parse(), Ok(print));
        }
        for wrong in [
            "",
            "AB",
            &"AB".repeat(21),
            &"AG".repeat(20),
            &"A".repeat(39),
        ] {
            assert_eq!(wrong.parse::<Thumbprint>(), Err(()), "{wrong}");
        }
    }
}
