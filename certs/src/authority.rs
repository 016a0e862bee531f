//! A small certificate authority, for development, demonstrations and toolkits.

use std::{fmt, net::IpAddr, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::{CertError, CommonName, Identity, PrivateKey, info, load};

/// A CA that signs certificates for clients and servers: P-256, one level, no intermediates.
pub struct CertificateAuthority {
    identity: Identity,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// Makes a new CA called `name` that is valid for ten years from `now` (Unix seconds).
    ///
    /// # Errors
    /// [`CertError::Name`] when `name` cannot be a common name, [`CertError::Issue`] when there
    /// is no randomness.
    pub fn create(name: &str, now: i64) -> Result<Self, CertError> {
        let key = generate()?;
        let mut params = params(&CommonName::parse(name)?, None, Term { now, days: CA_DAYS })?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key.pair).map_err(refused)?;
        let identity = Identity::new(vec![certificate.der().clone()], key.private)?;
        Self::new(identity)
    }

    /// Takes up a CA that was written by [`certificate_pem`](Self::certificate_pem) and
    /// [`expose_key_pem`](Self::expose_key_pem), or made elsewhere.
    ///
    /// # Errors
    /// [`CertError`] when one of them cannot be read, they do not belong together, or the
    /// certificate is no CA's.
    pub fn load(certificate: &[u8], key: &[u8], password: Option<&str>) -> Result<Self, CertError> {
        let chain = load::certificates(certificate)?;
        let identity = Identity::new(chain, load::private_key(key, password)?)?;
        if identity.info()?.is_ca != Some(true) {
            return Err(CertError::Issue {
                reason: "the certificate is no CA's (basicConstraints)".to_owned(),
            });
        }
        Self::new(identity)
    }

    fn new(identity: Identity) -> Result<Self, CertError> {
        let pair = key_pair(identity.key())?;
        let issuer = Issuer::from_ca_cert_der(identity.certificate(), pair).map_err(refused)?;
        Ok(Self { identity, issuer })
    }

    /// The CA's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        self.identity.certificate()
    }

    /// The CA's own certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        certificate_pem(self.certificate())
    }

    /// The CA's private key as unencrypted PEM.
    #[must_use]
    pub fn expose_key_pem(&self) -> Zeroizing<String> {
        self.identity.key().expose_pem()
    }

    /// Issues a client certificate with a new P-256 key: CN, an optional O, CA:FALSE,
    /// digitalSignature, clientAuth.
    ///
    /// # Errors
    /// [`CertError::Issue`] when it cannot be made.
    pub fn issue_client(
        &self,
        name: &CommonName,
        organisation: Option<&str>,
        term: Term,
    ) -> Result<Identity, CertError> {
        let organisation = organisation.map(CommonName::parse).transpose()?;
        let mut params = params(name, organisation.as_ref(), term)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    /// Issues a server certificate with a new P-256 key for `hosts` (names or addresses), of
    /// which the first is also the CN: CA:FALSE, digitalSignature, serverAuth.
    ///
    /// # Errors
    /// [`CertError::Issue`] when `hosts` is empty or one is neither a DNS name nor an address.
    pub fn issue_server(&self, hosts: &[String], term: Term) -> Result<Identity, CertError> {
        let first = hosts.first().ok_or_else(|| CertError::Issue {
            reason: "a server certificate needs at least one host".to_owned(),
        })?;
        let mut params = params(&CommonName::parse(first)?, None, term)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = hosts
            .iter()
            .map(|host| host_name(host))
            .collect::<Result<_, _>>()?;
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<Identity, CertError> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = generate()?;
        let certificate = params.signed_by(&key.pair, &self.issuer).map_err(refused)?;
        self.is_issuer_of(certificate.der())?;
        Identity::new(vec![certificate.der().clone()], key.private)
    }

    /// A CA made elsewhere may have a name that is not written back as it was read.
    fn is_issuer_of(&self, certificate: &CertificateDer<'_>) -> Result<(), CertError> {
        let own = info::parse_whole(self.certificate())?;
        if info::parse_whole(certificate)?.issuer().as_raw() == own.subject().as_raw() {
            return Ok(());
        }
        Err(CertError::Issue {
            reason: "the CA's name is encoded in a way that cannot be written again".to_owned(),
        })
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority")
            .field("certificate", self.certificate())
            .finish_non_exhaustive()
    }
}

/// For how long a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// When it is made (Unix seconds).
    pub now: i64,
    /// For how many days, from 1 to 36500.
    pub days: u32,
}

/// Makes a self-signed certificate with a new P-256 key, as an application does that is to be
/// pinned: CA:FALSE, digitalSignature, clientAuth and serverAuth, `hosts` in subjectAltName.
///
/// # Errors
/// [`CertError::Issue`] when it cannot be made.
pub fn self_signed(name: &CommonName, hosts: &[String], term: Term) -> Result<Identity, CertError> {
    let key = generate()?;
    let mut params = params(name, None, term)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::ServerAuth,
    ];
    params.subject_alt_names = hosts
        .iter()
        .map(|host| host_name(host))
        .collect::<Result<_, _>>()?;
    let certificate = params.self_signed(&key.pair).map_err(refused)?;
    Identity::new(vec![certificate.der().clone()], key.private)
}

/// A certificate as PEM.
#[must_use]
pub fn certificate_pem(certificate: &CertificateDer<'_>) -> String {
    load::to_pem("CERTIFICATE", certificate).to_string()
}

/// A new key: for `rcgen` to sign with, and for its owner.
struct Generated {
    pair: KeyPair,
    private: PrivateKey,
}

fn generate() -> Result<Generated, CertError> {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(refused)?;
    let private = PrivateKey::from_pkcs8(Zeroizing::new(pair.serialized_der().to_vec()));
    private.map(|private| Generated { pair, private })
}

fn key_pair(key: &PrivateKey) -> Result<KeyPair, CertError> {
    let der = PrivatePkcs8KeyDer::from(key.expose_pkcs8());
    KeyPair::try_from(&der).map_err(refused)
}

fn params(
    name: &CommonName,
    organisation: Option<&CommonName>,
    term: Term,
) -> Result<CertificateParams, CertError> {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name.as_str());
    if let Some(organisation) = organisation {
        subject.push(DnType::OrganizationName, organisation.as_str());
    }
    let start = u64::try_from(term.now).ok().filter(|_| term.is_sane());
    let start = start.ok_or_else(|| CertError::Issue {
        reason: "its term is not between 1 and 36500 days, or the clock is wrong".to_owned(),
    })?;
    let mut params = CertificateParams::default();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(start.saturating_sub(SKEW));
    params.not_after = epoch + Duration::from_secs(start + u64::from(term.days) * 86_400);
    params.serial_number = Some(serial()?);
    params.distinguished_name = subject;
    Ok(params)
}

impl Term {
    const fn is_sane(&self) -> bool {
        matches!(self.days, 1..=36_500) && matches!(self.now, 0..=LAST_YEAR)
    }
}

/// 127 random bits, positive (RFC 5280 §4.1.2.2).
fn serial() -> Result<SerialNumber, CertError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(refused)?;
    let [first, ..] = &mut bytes;
    *first = (*first & 0x7f) | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn host_name(host: &str) -> Result<SanType, CertError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let bare = host.strip_prefix("*.").unwrap_or(host);
    rustls_pki_types::DnsName::try_from(bare).map_err(|_| CertError::Issue {
        reason: format!("{host:?} is neither a DNS name nor an address"),
    })?;
    host.try_into().map(SanType::DnsName).map_err(refused)
}

fn refused(reason: impl fmt::Display) -> CertError {
    CertError::Issue {
        reason: reason.to_string(),
    }
}

const CA_DAYS: u32 = 3652;
/// Seconds by which a certificate starts early: clocks differ.
const SKEW: u64 = 300;
/// The first second of the year 9800: the end stays below RFC 5280's 9999.
const LAST_YEAR: i64 = 247_092_508_800;
