//! What a certificate that an operator shows is good for, so that what was forgotten is said at
//! once and not found out by an application at night.

use certs::{CertificateDer, CertificateInfo, PeerName};

use crate::admin::Desk;
use crate::admin::problem::Refusal;
use crate::domain::{Fingerprint, Thumbprint};
use crate::vault::{Caller, Trusted, VaultError};

/// A certificate that an operator shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The certificate.
    pub(crate) der: CertificateDer<'static>,
    /// Its SHA-256.
    pub(crate) fingerprint: Fingerprint,
    /// What it says.
    pub(crate) info: CertificateInfo,
}

impl Shown {
    /// Reads one certificate.
    ///
    /// # Errors
    /// [`Refusal`] when it cannot be read, or there is not exactly one.
    pub(crate) fn read(pem: &str) -> Result<Self, Refusal> {
        let unreadable = |error: certs::CertError| Refusal::invalid(error.to_string());
        let mut found = certs::load_certificates(pem.as_bytes())
            .map_err(unreadable)?
            .into_iter();
        let (Some(der), None) = (found.next(), found.next()) else {
            return Err(Refusal::invalid("give one certificate at a time"));
        };
        let info = CertificateInfo::parse(&der).map_err(unreadable)?;
        let fingerprint = Fingerprint(*info.fingerprint.as_bytes());
        Ok(Self {
            der,
            fingerprint,
            info,
        })
    }

    /// Its SHA-256 with its SHA-1.
    pub(crate) fn called(&self) -> (Fingerprint, Thumbprint) {
        (self.fingerprint, Thumbprint::of(&self.der))
    }
}

/// What is trusted; `None` where that is not the caller's to know, who may have made somebody all
/// the same.
async fn known(desk: &Desk, caller: &Caller) -> Result<Option<Vec<Trusted>>, VaultError> {
    if !desk.vault.may_govern(caller) {
        return Ok(None);
    }
    desk.vault.trusted_certificates(caller).await.map(Some)
}

fn untold(shown: &Shown) -> String {
    format!(
        "whether {} is trusted is for those to say who govern the whole house",
        shown.fingerprint
    )
}

/// What keeps these from being trusted, whomever they prove.
///
/// # Errors
/// What the vault says.
pub(crate) async fn trust_warnings(
    shown: &[Shown],
    desk: &Desk,
    caller: &Caller,
) -> Result<Vec<String>, VaultError> {
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    let known = known(desk, caller).await?;
    let now = desk.vault.now().unix_seconds();
    let doubts = |one| {
        expired(one, now)
            .into_iter()
            .chain(missing_trust(one, known.as_deref()))
    };
    Ok(shown.iter().flat_map(doubts).collect())
}

/// What keeps a user called `name` from coming in with these.
///
/// # Errors
/// What the vault says.
pub(crate) async fn warnings(
    shown: &[Shown],
    name: &str,
    desk: &Desk,
    caller: &Caller,
) -> Result<Vec<String>, VaultError> {
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    let known = known(desk, caller).await?;
    let now = desk.vault.now().unix_seconds();
    Ok(shown
        .iter()
        .flat_map(|one| doubts(one, name, known.as_deref(), now))
        .collect())
}

fn doubts(shown: &Shown, name: &str, known: Option<&[Trusted]>, now: i64) -> Vec<String> {
    let mut doubts = Vec::new();
    let print = shown.fingerprint;
    match PeerName::parse(&shown.der) {
        Ok(peer) if peer.common_name.as_str() == name => {}
        Ok(peer) => doubts.push(format!(
            "the CN of {print} is `{}`, not `{name}`: it never proves this user",
            peer.common_name
        )),
        Err(error) => doubts.push(format!("{print} names nobody: {error}")),
    }
    doubts.extend(expired(shown, now));
    doubts.extend(missing_trust(shown, known));
    doubts
}

fn expired(shown: &Shown, now: i64) -> Option<String> {
    let over = shown.info.not_after < now;
    over.then(|| format!("{} has expired", shown.fingerprint))
}

/// What is missing until it is trusted.
fn missing_trust(shown: &Shown, known: Option<&[Trusted]>) -> Option<String> {
    let print = shown.fingerprint;
    let Some(known) = known else {
        return Some(untold(shown));
    };
    if known.iter().any(|one| one.der == shown.der.as_ref()) {
        return None;
    }
    if shown.info.version < 3 {
        return Some(format!(
            "{print} is of X.509 version 1, which is refused even under an imported CA: \
             `claviger cert import` it itself, or issue it anew with version 3 extensions"
        ));
    }
    let trusted = known.iter().any(|one| one.root && has_issued(one, shown));
    (!trusted).then(|| {
        format!(
            "{print} is not trusted yet: `claviger cert import` it, or with --ca the CA that \
             issued it"
        )
    })
}

/// Whether `root` has the name of the issuer.
fn has_issued(root: &Trusted, shown: &Shown) -> bool {
    let root = CertificateDer::from(root.der.as_slice());
    CertificateInfo::parse(&root).is_ok_and(|info| info.subject == shown.info.issuer)
}

/// What keeps a CA from proving users.
///
/// # Errors
/// What the vault says.
pub(crate) async fn root_warnings(
    shown: &Shown,
    desk: &Desk,
    caller: &Caller,
) -> Result<Vec<String>, VaultError> {
    let Some(known) = known(desk, caller).await? else {
        return Ok(vec![untold(shown)]);
    };
    let root = |trusted: &Trusted| trusted.root && trusted.der == shown.der.as_ref();
    if known.iter().any(root) {
        return Ok(Vec::new());
    }
    let print = shown.fingerprint;
    Ok(vec![format!(
        "{print} is no trusted CA yet: `claviger cert import --ca` it"
    )])
}
