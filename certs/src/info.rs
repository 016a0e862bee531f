//! What a certificate says, for lists, warnings and messages.

use std::fmt;

use rustls_pki_types::CertificateDer;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
        OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519, Oid,
    },
    prelude::FromDer,
    public_key::PublicKey,
    x509::SubjectPublicKeyInfo,
};

use crate::{CertError, Fingerprint, distinguished_name};

/// What a certificate says of itself. Nothing here is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// The subject (RFC 4514).
    pub subject: String,
    /// The issuer (RFC 4514).
    pub issuer: String,
    /// The serial number in hexadecimal, without colons.
    pub serial: String,
    /// The first second at which it is valid (Unix time).
    pub not_before: i64,
    /// The last second at which it is valid (Unix time).
    pub not_after: i64,
    /// The SHA-256 of its DER.
    pub fingerprint: Fingerprint,
    /// Its key.
    pub key: KeyKind,
    /// The algorithm of the signature on it: a name, or an object identifier in digits.
    pub signature_algorithm: String,
    /// The X.509 version: 1, 2 or 3.
    pub version: u32,
    /// Whether issuer and subject are the same name.
    pub self_issued: bool,
    /// What basicConstraints says; `None` when there is no such extension.
    pub is_ca: Option<bool>,
    /// Whether keyUsage allows signing certificates; `None` when there is no such extension.
    pub may_sign_certificates: Option<bool>,
    /// The extended key usages by name or object identifier; empty when there are none.
    pub purposes: Vec<String>,
    /// The DNS names, addresses and other names of subjectAltName.
    pub alternative_names: Vec<String>,
    /// Where its issuer answers by OCSP (authorityInfoAccess).
    pub ocsp_responders: Vec<String>,
}

impl CertificateInfo {
    /// Reads `certificate`.
    ///
    /// # Errors
    /// [`CertError::Certificate`] when it is malformed, [`CertError::TrailingBytes`] when
    /// something follows it.
    pub fn parse(certificate: &CertificateDer<'_>) -> Result<Self, CertError> {
        let parsed = parse_whole(certificate)?;
        let key_usage = parsed.key_usage().map_err(malformed)?;
        let basic = parsed.basic_constraints().map_err(malformed)?;
        Ok(Self {
            subject: distinguished_name::to_text(parsed.subject()),
            issuer: distinguished_name::to_text(parsed.issuer()),
            serial: hex(parsed.raw_serial()),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            fingerprint: Fingerprint::of(certificate),
            key: KeyKind::of(parsed.public_key()),
            signature_algorithm: algorithm_name(&parsed.signature_algorithm.algorithm),
            version: parsed.version().0.saturating_add(1),
            self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            is_ca: basic.map(|basic| basic.value.ca),
            may_sign_certificates: key_usage.map(|usage| usage.value.key_cert_sign()),
            purposes: purposes(&parsed)?,
            alternative_names: alternative_names(&parsed)?,
            ocsp_responders: ocsp_responders(&parsed),
        })
    }

    /// Whole days from `now` (Unix seconds) until it expires; negative when it has.
    #[must_use]
    pub const fn days_left(&self, now: i64) -> i64 {
        self.not_after.saturating_sub(now).div_euclid(86_400)
    }
}

/// The kind and strength of a public key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, with the length of its modulus in bits.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// Any other, by its object identifier.
    Other {
        /// The identifier of the algorithm, or of the curve.
        oid: String,
    },
}

impl KeyKind {
    pub(crate) fn of(key: &SubjectPublicKeyInfo<'_>) -> Self {
        let algorithm = &key.algorithm.algorithm;
        if *algorithm == OID_PKCS1_RSAENCRYPTION {
            return Self::of_rsa(key);
        }
        if *algorithm == OID_SIG_ED25519 {
            return Self::Ed25519;
        }
        let curve = key
            .algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.as_oid().ok());
        match curve {
            Some(curve) if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY => Self::of_curve(&curve),
            _ => Self::Other {
                oid: algorithm.to_id_string(),
            },
        }
    }

    fn of_rsa(key: &SubjectPublicKeyInfo<'_>) -> Self {
        match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => Self::Rsa {
                bits: bits(rsa.modulus),
            },
            _ => Self::Rsa { bits: 0 },
        }
    }

    fn of_curve(curve: &Oid<'_>) -> Self {
        match curve {
            known if *known == OID_EC_P256 => Self::P256,
            known if *known == OID_NIST_EC_P384 => Self::P384,
            known if *known == OID_NIST_EC_P521 => Self::P521,
            other => Self::Other {
                oid: other.to_id_string(),
            },
        }
    }

    /// Its length in bits: of the modulus, or of the curve's field.
    #[must_use]
    pub const fn bits(&self) -> usize {
        match self {
            Self::Rsa { bits } => *bits,
            Self::P256 | Self::Ed25519 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
            Self::Other { .. } => 0,
        }
    }

    /// How good it is as a peer's key.
    #[must_use]
    pub const fn strength(&self) -> Strength {
        match self {
            Self::Rsa { bits: 2048..=8192 }
            | Self::P256
            | Self::P384
            | Self::P521
            | Self::Ed25519 => Strength::Enough,
            Self::Rsa { bits: 8193.. } | Self::Other { .. } => Strength::Unsupported,
            Self::Rsa { .. } => Strength::Weak,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::P521 => f.write_str("P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other { oid } => write!(f, "algorithm {oid}"),
        }
    }
}

/// Whether a key may prove who a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// It may.
    Enough,
    /// RSA below 2048 bits: it can be broken.
    Weak,
    /// Nothing here can verify its signatures.
    Unsupported,
}

/// Parses exactly one certificate: nothing may follow it.
pub(crate) fn parse_whole<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, CertError> {
    let (rest, parsed) = X509Certificate::from_der(certificate).map_err(malformed)?;
    if rest.is_empty() {
        return Ok(parsed);
    }
    Err(CertError::TrailingBytes {
        what: "certificate",
        count: rest.len(),
    })
}

/// The DER of its issuer's name.
pub(crate) fn issuer(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let parsed = parse_whole(certificate).ok()?;
    Some(parsed.issuer().as_raw().to_vec())
}

fn malformed(reason: impl fmt::Display) -> CertError {
    CertError::Certificate {
        position: 1,
        reason: reason.to_string(),
    }
}

fn purposes(certificate: &X509Certificate<'_>) -> Result<Vec<String>, CertError> {
    let Some(usage) = certificate.extended_key_usage().map_err(malformed)? else {
        return Ok(Vec::new());
    };
    let usage = usage.value;
    let named = [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.client_auth, "clientAuth"),
        (usage.server_auth, "serverAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let other = usage.other.iter().map(Oid::to_id_string);
    Ok(named
        .into_iter()
        .filter(|&(present, _)| present)
        .map(|(_, name)| name.to_owned())
        .chain(other)
        .collect())
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, CertError> {
    let names = certificate.subject_alternative_name().map_err(malformed)?;
    Ok(names.map_or_else(Vec::new, |names| {
        names.value.general_names.iter().map(general_name).collect()
    }))
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(text) => format!("DNS:{}", text.escape_debug()),
        GeneralName::URI(text) => format!("URI:{}", text.escape_debug()),
        GeneralName::RFC822Name(text) => format!("email:{}", text.escape_debug()),
        GeneralName::DirectoryName(name) => format!("DN:{}", distinguished_name::to_text(name)),
        GeneralName::IPAddress(bytes) => format!("IP:{}", address(bytes)),
        other => format!("{other:?}").escape_debug().to_string(),
    }
}

fn address(bytes: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return std::net::Ipv4Addr::from(v4).to_string();
    }
    <[u8; 16]>::try_from(bytes).map_or_else(
        |_| format!("#{}", hex(bytes)),
        |v6| std::net::Ipv6Addr::from(v6).to_string(),
    )
}

/// The `id-ad-ocsp` locations of authorityInfoAccess (RFC 5280 §4.2.2.1).
pub(crate) fn ocsp_responders(certificate: &X509Certificate<'_>) -> Vec<String> {
    certificate
        .extensions()
        .iter()
        .filter_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(access) => Some(access),
            _ => None,
        })
        .flat_map(|access| &access.accessdescs)
        .filter(|access| access.access_method.to_id_string() == OCSP)
        .filter_map(|access| match access.access_location {
            GeneralName::URI(url) => Some(url.to_owned()),
            _ => None,
        })
        .collect()
}

/// The length of a big-endian number without its leading zeros.
fn bits(number: &[u8]) -> usize {
    let mut significant = number.iter().skip_while(|&&byte| byte == 0);
    let Some(first) = significant.next() else {
        return 0;
    };
    let first_bits = 8_usize.saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(8));
    significant.count() * 8 + first_bits
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn algorithm_name(oid: &Oid<'_>) -> String {
    let digits = oid.to_id_string();
    SIGNATURES
        .iter()
        .find_map(|&(known, name)| (known == digits).then(|| name.to_owned()))
        .unwrap_or(digits)
}

const OCSP: &str = "1.3.6.1.5.5.7.48.1";

const SIGNATURES: [(&str, &str); 11] = [
    ("1.2.840.113549.1.1.4", "RSA with MD5"),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1"),
    ("1.2.840.113549.1.1.11", "RSA with SHA-256"),
    ("1.2.840.113549.1.1.12", "RSA with SHA-384"),
    ("1.2.840.113549.1.1.13", "RSA with SHA-512"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    ("1.2.840.10045.4.3.2", "ECDSA with SHA-256"),
    ("1.2.840.10045.4.3.3", "ECDSA with SHA-384"),
    ("1.2.840.10045.4.3.4", "ECDSA with SHA-512"),
    ("1.3.101.112", "Ed25519"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modulus_is_measured_without_its_sign_byte() {
        assert_eq!(bits(&[]), 0);
        assert_eq!(bits(&[0, 0]), 0);
        assert_eq!(bits(&[0, 0x80]), 8);
        assert_eq!(bits(&[0x01, 0x00]), 9);
        let mut modulus = vec![0xff; 257];
        modulus[0] = 0;
        assert_eq!(bits(&modulus), 2048);
    }

    #[test]
    fn rsa_below_2048_bits_is_weak_and_above_8192_unsupported() {
        for (bits, strength) in [
            (0, Strength::Weak),
            (1024, Strength::Weak),
            (2047, Strength::Weak),
            (2048, Strength::Enough),
            (8192, Strength::Enough),
            (8193, Strength::Unsupported),
        ] {
            assert_eq!(KeyKind::Rsa { bits }.strength(), strength, "{bits}");
        }
    }
}
