//! `/v1/certificates`.

use axum::Json;
use axum::extract::State;
use certs::{
    CertificateAuthority, CertificateDer, CertificateInfo, CommonName, ImportAs, ImportWish, Term,
    Warning, classify,
};
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::trusted::Shown;
use crate::admin::users::fingerprint_from;
use crate::admin::wire::{
    ImportedCertificate, Issued, NewCertificate, NewIssue, Page, SecretText, TrustKind,
    TrustedCertificate,
};
use crate::admin::{Desk, moment};
use crate::domain::Fingerprint;

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<Json<Page<TrustedCertificate>>, Refusal> {
    let trusted = desk.vault.trusted_certificates(&asked.caller).await?;
    let shown = trusted.iter().map(|one| {
        let kind = if one.root {
            TrustKind::Ca
        } else {
            TrustKind::Pin
        };
        let der = CertificateDer::from(one.der.as_slice());
        match CertificateInfo::parse(&der) {
            Ok(info) => in_words(kind, &info),
            Err(error) => unreadable(kind, &der, &error),
        }
    });
    Ok(Json(Page::whole(shown.collect())))
}

pub(crate) async fn import(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewCertificate>,
) -> Result<(StatusCode, Json<ImportedCertificate>), Refusal> {
    let shown = Shown::read(&new.pem)?;
    let wish = if new.ca == Some(true) {
        ImportWish::Ca
    } else {
        ImportWish::Auto
    };
    let now = desk.vault.now().unix_seconds();
    let import =
        classify(&shown.der, wish, now).map_err(|error| Refusal::invalid(error.to_string()))?;
    let (root, kind) = match import.as_what {
        // `false` is said by an API client that wants a pin whatever the certificate says.
        ImportAs::Root if new.ca != Some(false) => (true, TrustKind::Ca),
        ImportAs::Root | ImportAs::Pin => (false, TrustKind::Pin),
    };
    let certificate = (shown.fingerprint, shown.der.as_ref());
    desk.vault
        .trust_certificate(certificate, root, &import.info.subject, &asked.caller)
        .await?;
    let imported = ImportedCertificate {
        certificate: in_words(kind, &import.info),
        explanation: import.explanation,
        warnings: import.warnings.iter().map(Warning::text).collect(),
    };
    Ok((StatusCode::CREATED, Json(imported)))
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(fingerprint): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let print = fingerprint_from(&fingerprint)?;
    desk.vault
        .distrust_certificate(print, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn issue(
    State(desk): State<Desk>,
    asked: Asked<Issuing>,
    Sent(new): Sent<NewIssue>,
) -> Result<(StatusCode, Json<Issued>), Refusal> {
    let refused = |error: certs::CertError| Refusal::invalid(error.to_string());
    let name = CommonName::parse(&new.name).map_err(|error| Refusal::invalid(error.to_string()))?;
    let authority = desk
        .vault
        .certificate_authority(name.as_str(), &asked.caller)
        .await?;
    let authority = CertificateAuthority::load(&authority, &authority, None).map_err(refused)?;
    let term = Term {
        now: desk.vault.now().unix_seconds(),
        days: new.days,
    };
    let organisation = asked.query.organisation.as_deref();
    let identity = authority
        .issue_client(&name, organisation, term)
        .map_err(refused)?;
    let info = identity.info().map_err(refused)?;
    let issued = Issued {
        certificate: certs::certificate_pem(identity.certificate()),
        key: SecretText::new(identity.key().expose_pem()),
        fingerprint: Fingerprint(*info.fingerprint.as_bytes()).to_string(),
        ca: authority.certificate_pem(),
        not_after: moment::seconds_to_text(info.not_after),
    };
    Ok((StatusCode::CREATED, Json(issued)))
}

/// The organisation is the certificate's O, too.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuing {
    organisation: Option<String>,
}

fn in_words(kind: TrustKind, info: &CertificateInfo) -> TrustedCertificate {
    TrustedCertificate {
        fingerprint: Fingerprint(*info.fingerprint.as_bytes()).to_string(),
        kind,
        subject: info.subject.clone(),
        issuer: info.issuer.clone(),
        not_before: moment::seconds_to_text(info.not_before),
        not_after: moment::seconds_to_text(info.not_after),
    }
}

/// A row must not vanish from the list because a later version reads certificates more strictly.
fn unreadable(
    kind: TrustKind,
    der: &CertificateDer<'_>,
    error: &certs::CertError,
) -> TrustedCertificate {
    let print = Fingerprint(*certs::Fingerprint::of(der).as_bytes());
    TrustedCertificate {
        fingerprint: print.to_string(),
        kind,
        subject: format!("(unreadable: {error})"),
        issuer: String::new(),
        not_before: String::new(),
        not_after: String::new(),
    }
}
