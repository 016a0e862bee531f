//! The certificate that is asked about: its id, its issuer, its responders.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use hyper::Uri;
use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_OCSP;
use x509_parser::prelude::FromDer;

use super::OcspFailure;

/// The four fields that name a certificate in OCSP (RFC 6960 §4.1.1): the hash algorithm is SHA-1,
/// which RFC 5019 §2.1.1 asks for and every responder knows. It only finds the certificate; nothing
/// rests on its strength, since the signed answer must repeat all four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CertificateId {
    pub(super) issuer_name_hash: [u8; 20],
    pub(super) issuer_key_hash: [u8; 20],
    pub(super) serial: Vec<u8>,
}

/// What a responder is asked, and who may answer.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) id: CertificateId,
    pub(super) issuer: CertificateDer<'static>,
    pub(super) responders: Vec<Result<Responder, OcspFailure>>,
}

/// A responder that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Responder {
    pub(super) url: Uri,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Question {
    /// Reads what must be known of `leaf` and its `issuer`; nothing when `leaf` names no responder.
    pub(super) fn about(
        leaf: &CertificateDer<'_>,
        issuer: &CertificateDer<'_>,
        max_responders: usize,
    ) -> Result<Option<Self>, OcspFailure> {
        let which = "the certificate";
        let parsed = parse(leaf).ok_or(OcspFailure::Certificate { which })?;
        let responders: Vec<_> = urls(&parsed)
            .into_iter()
            .take(max_responders)
            .map(Responder::parse)
            .collect();
        if responders.is_empty() {
            return Ok(None);
        }
        let which = "the certificate's issuer";
        let above = parse(issuer).ok_or(OcspFailure::Certificate { which })?;
        if parsed.issuer().as_raw() != above.subject().as_raw() {
            return Err(OcspFailure::NotIssuer);
        }
        let id = CertificateId {
            issuer_name_hash: sha1(above.subject().as_raw()),
            issuer_key_hash: key_hash(&above),
            serial: parsed.raw_serial().to_vec(),
        };
        Ok(Some(Self {
            id,
            issuer: issuer.clone().into_owned(),
            responders,
        }))
    }
}

impl Responder {
    fn parse(text: &str) -> Result<Self, OcspFailure> {
        let refused = || OcspFailure::Url {
            url: text
                .chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect(),
        };
        let url: Uri = text.parse().map_err(|_| refused())?;
        let authority = url.authority().ok_or_else(refused)?;
        let plain = url.scheme_str() == Some("http");
        if !plain || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(refused());
        }
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => 80,
            None => return Err(refused()),
        };
        Ok(Self {
            host: authority.host().to_ascii_lowercase(),
            port,
            url,
        })
    }

    /// Whether `allowed` names the host.
    pub(super) fn is_allowed(&self, allowed: Option<&[String]>) -> bool {
        allowed.is_none_or(|hosts| {
            hosts
                .iter()
                .any(|host| host.eq_ignore_ascii_case(&self.host))
        })
    }
}

/// The certificate, when there is nothing after it.
pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        Ok(_) | Err(_) => None,
    }
}

/// SHA-1 of the key's bits, without tag, length and algorithm (RFC 6960 §4.1.1).
pub(super) fn key_hash(certificate: &X509Certificate<'_>) -> [u8; 20] {
    sha1(&certificate.public_key().subject_public_key.data)
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    hash.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    hash
}

/// The OCSP responders in the authorityInfoAccess extension, each once (RFC 5280 §4.2.2.1).
fn urls<'a>(certificate: &X509Certificate<'a>) -> Vec<&'a str> {
    let mut urls = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else {
            continue;
        };
        for description in &access.accessdescs {
            if description.access_method != OID_PKIX_ACCESS_DESCRIPTOR_OCSP {
                continue;
            }
            if let GeneralName::URI(url) = description.access_location
                && !urls.contains(&url)
            {
                urls.push(url);
            }
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_responders_can_be_asked() {
        for url in [
            "https://ocsp.example/",
            "ldap://ocsp.example/",
            "file:///etc/passwd",
            "ocsp.example",
            "/path",
            "http://",
            "http://user@ocsp.example/",
            "http://ocsp.example:99999/",
            "http://ocsp.example:/",
            "http://a\r\nb/",
            "",
        ] {
            assert!(
                matches!(Responder::parse(url), Err(OcspFailure::Url { .. })),
                "{url}"
            );
        }
    }

    #[test]
    fn a_responder_has_a_host_and_a_port() {
        let responder = Responder::parse("http://OCSP.Example/a?b").unwrap();

        assert_eq!(
            (responder.host.as_str(), responder.port),
            ("ocsp.example", 80)
        );
        assert!(responder.is_allowed(None));
        assert!(responder.is_allowed(Some(&["ocsp.EXAMPLE".to_owned()])));
        assert!(!responder.is_allowed(Some(&["example".to_owned()])));
        assert!(!responder.is_allowed(Some(&[])));
    }

    #[test]
    fn a_refused_url_stays_on_one_short_line() {
        let url = format!("https://a\r\n\u{1b}[2J{}", "x".repeat(1000));

        let Err(OcspFailure::Url { url }) = Responder::parse(&url) else {
            panic!("a https responder was taken");
        };

        assert!(!url.contains(char::is_control));
        assert!(url.len() < 300);
    }
}
