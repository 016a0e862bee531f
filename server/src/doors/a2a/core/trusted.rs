//! `TrustedCertificates`: which certificates, and certificates issued by which, count.

use base64::prelude::{BASE64_STANDARD, Engine};
use certs::{CertificateDer, CertificateInfo, ImportAs, ImportWish, classify};
use http::{Method, StatusCode};
use serde::Serialize;

use crate::domain::{Fingerprint, Thumbprint};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{self, list, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::query::{Row, Table};
use crate::doors::a2a::core::{nothing_there, times};
use crate::doors::a2a::reply::{Refusal, Reply, no_content, sentence};
use crate::vault::{Caller, Trusted};

/// A trusted certificate, as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ServerCertificate {
    thumbprint: String,
    subject: String,
    issued_by: String,
    not_before: String,
    not_after: String,
    is_certificate_authority: bool,
    is_system_owned: bool,
    base64_certificate_data: String,
}

static TABLE: Table = Table {
    names: &[
        "Thumbprint",
        "Subject",
        "IssuedBy",
        "NotBefore",
        "NotAfter",
        "IsCertificateAuthority",
        "IsSystemOwned",
        "Base64CertificateData",
    ],
    renamed: &[],
    aliases: &[],
};

/// Answers what is below `TrustedCertificates`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    match (rest, &asked.method) {
        ([], &Method::GET) => all(asked).await,
        ([], &Method::POST) => add(asked).await,
        ([], &Method::DELETE) => Err(Refusal::new(StatusCode::BAD_REQUEST, NO_ID, WHICH)),
        ([print], &Method::GET) => show(print, asked).await,
        ([print], &Method::DELETE) => remove(print, asked).await,
        _ => Err(nothing_there()),
    }
}

async fn all(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let wish = wish(asked, &TABLE)?;
    let trusted = trusted(&caller, asked).await?;
    list(wish, trusted, |one| Row::of(&in_words(one))).await
}

async fn show(print: &str, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let found = with_thumbprint(print, &caller, asked).await?;
    let first = found.first().ok_or_else(missing)?;
    listing::one(asked, &TABLE, &in_words(first))
}

async fn add(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let data = Members::read(asked)?.text(&["Base64CertificateData"])?;
    let data = data.ok_or_else(|| wrong("The Base64CertificateData field is required."))?;
    let der = read(&data)?;
    let vault = &asked.door.vault;
    let import = classify(&der, ImportWish::Auto, vault.now().unix_seconds());
    let import = import.map_err(|error| wrong(sentence(&error.to_string())))?;
    let root = import.as_what == ImportAs::Root;
    let print = Fingerprint(*import.info.fingerprint.as_bytes());
    let subject = &import.info.subject;
    let done = vault.trust_certificate((print, der.as_ref()), root, subject, &caller);
    done.await.map_err(|error| asked.refused(error))?;
    let trusted = Trusted {
        root,
        since: vault.now(),
        der: der.to_vec(),
    };
    listing::new(asked, &TABLE, &in_words(&trusted))
}

async fn remove(print: &str, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let found = with_thumbprint(print, &caller, asked).await?;
    if found.is_empty() {
        return Err(missing());
    }
    // SHA-1 has collisions: whoever takes a thumbprint back takes back all that have it.
    for one in found {
        let der = CertificateDer::from(one.der.as_slice());
        let print = Fingerprint(*certs::Fingerprint::of(&der).as_bytes());
        let done = asked.door.vault.distrust_certificate(print, &caller).await;
        done.map_err(|error| asked.refused(error))?;
    }
    Ok(no_content())
}

async fn with_thumbprint(
    print: &str,
    caller: &Caller,
    asked: &Asked<'_>,
) -> Result<Vec<Trusted>, Refusal> {
    let trusted = trusted(caller, asked).await?;
    let Ok(print) = print.parse::<Thumbprint>() else {
        return Ok(Vec::new());
    };
    let same = |one: &Trusted| Thumbprint::of(&one.der) == print;
    Ok(trusted.into_iter().filter(same).collect())
}

async fn trusted(caller: &Caller, asked: &Asked<'_>) -> Result<Vec<Trusted>, Refusal> {
    let trusted = asked.door.vault.trusted_certificates(caller).await;
    trusted.map_err(|error| asked.refused(error))
}

/// One certificate: PEM, DER in base64, or PEM in base64.
fn read(data: &str) -> Result<CertificateDer<'static>, Refusal> {
    if data.contains(BEGIN) {
        return from_pem(data.as_bytes());
    }
    let digits: String = data.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = BASE64_STANDARD.decode(digits);
    let bytes = bytes.map_err(|_| wrong("It is neither PEM nor base64."))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(BEGIN) => from_pem(&bytes),
        _ => Ok(CertificateDer::from(bytes)),
    }
}

fn from_pem(pem: &[u8]) -> Result<CertificateDer<'static>, Refusal> {
    let found = certs::load_certificates(pem);
    let mut found = found
        .map_err(|error| wrong(sentence(&error.to_string())))?
        .into_iter();
    match (found.next(), found.next()) {
        (Some(der), None) => Ok(der),
        _ => Err(wrong("Give one certificate at a time.")),
    }
}

fn in_words(trusted: &Trusted) -> ServerCertificate {
    let der = CertificateDer::from(trusted.der.as_slice());
    let info = CertificateInfo::parse(&der);
    // A certificate must not vanish from the list because a later version reads them more strictly.
    let told = |read: fn(&CertificateInfo) -> String| match &info {
        Ok(info) => read(info),
        Err(error) => format!("(unreadable: {error})"),
    };
    ServerCertificate {
        thumbprint: Thumbprint::of(&trusted.der).to_string(),
        subject: told(|info| info.subject.clone()),
        issued_by: told(|info| info.issuer.clone()),
        not_before: told(|info| times::seconds_to_text(info.not_before)),
        not_after: told(|info| times::seconds_to_text(info.not_after)),
        is_certificate_authority: trusted.root,
        is_system_owned: false,
        base64_certificate_data: BASE64_STANDARD.encode(&trusted.der),
    }
}

fn wrong(why: impl Into<String>) -> Refusal {
    Refusal::field("entity.Base64CertificateData", why)
}

fn missing() -> Refusal {
    Refusal::missing("There is no trusted certificate with this thumbprint.")
}

const BEGIN: &str = "-----BEGIN";
/// There is no id in the address where one is needed.
const NO_ID: i32 = 60097;
const WHICH: &str = "The thumbprint of the certificate is missing.";
