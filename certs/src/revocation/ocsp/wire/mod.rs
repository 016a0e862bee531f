//! The ASN.1 of RFC 6960: requests out, answers in. Nothing here is believed yet.

#[cfg(test)]
pub(super) mod crafted;

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, OctetStringRef};
use der::{
    Decode, Encode, Enumerated, Reader, Sequence, SliceReader, Tag, TagMode, TagNumber, Tagged,
};

use super::certificate::CertificateId;
use super::{OcspFailure, RevocationReason};

/// An answer, taken apart.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    /// The bytes that the signature covers.
    pub(super) signed: &'a [u8],
    /// The content of the signature's AlgorithmIdentifier.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    /// The certificates that came along, whole.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) signer: SignerId<'a>,
    pub(super) produced_at: i64,
    pub(super) singles: Vec<Single<'a>>,
    pub(super) nonce: Option<&'a [u8]>,
}

/// Whom the answer calls its signer.
#[derive(Clone, Copy, Debug)]
pub(super) enum SignerId<'a> {
    /// By name, as DER.
    Name(&'a [u8]),
    /// By the SHA-1 of the key's bits.
    KeyHash(&'a [u8]),
}

/// What the answer says of one certificate.
#[derive(Debug)]
pub(super) struct Single<'a> {
    id: CertId<'a>,
    pub(super) state: State,
    pub(super) this_update: i64,
    pub(super) next_update: Option<i64>,
}

/// The state of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Good,
    Revoked {
        since: i64,
        reason: RevocationReason,
    },
    Unknown,
}

impl Single<'_> {
    /// Whether this is about the certificate `id`: all four fields.
    pub(super) fn is_about(&self, id: &CertificateId) -> bool {
        self.id.hash.is_sha1()
            && self.id.issuer_name_hash.as_bytes() == id.issuer_name_hash
            && self.id.issuer_key_hash.as_bytes() == id.issuer_key_hash
            && self.id.serial.value() == id.serial
    }
}

/// The request for one certificate (RFC 6960 §4.1.1), unsigned.
pub(super) fn request(id: &CertificateId, nonce: Option<&[u8]>) -> der::Result<Vec<u8>> {
    let request_list = vec![SingleRequest {
        certificate: CertId {
            hash: Algorithm {
                id: SHA1,
                parameters: Some(AnyRef::NULL),
            },
            issuer_name_hash: OctetStringRef::new(&id.issuer_name_hash)?,
            issuer_key_hash: OctetStringRef::new(&id.issuer_key_hash)?,
            serial: AnyRef::new(Tag::Integer, &id.serial)?,
        },
    }];
    let wrapped = nonce
        .map(|nonce| OctetStringRef::new(nonce)?.to_der())
        .transpose()?;
    let extensions = match &wrapped {
        None => None,
        Some(nonce) => Some(vec![Extension {
            id: NONCE,
            critical: false,
            value: OctetStringRef::new(nonce)?,
        }]),
    };
    Request {
        body: RequestBody {
            request_list,
            extensions,
        },
    }
    .to_der()
}

impl<'a> Answer<'a> {
    /// Takes `bytes` apart.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, OcspFailure> {
        let envelope = Envelope::from_der(bytes).map_err(|_| malformed("envelope"))?;
        if let Some(status) = envelope.status.complaint() {
            return Err(OcspFailure::Declined { status });
        }
        let body = envelope.body.ok_or(malformed("body"))?;
        if body.kind != BASIC {
            return Err(malformed("response type"));
        }
        let basic = Basic::parse(body.response.as_bytes()).map_err(|_| malformed("response"))?;
        let data = ResponseData::from_der(basic.signed).map_err(|_| malformed("response data"))?;
        if data.version.is_some_and(|version| version != 0) {
            return Err(malformed("version"));
        }
        Ok(Self {
            signed: basic.signed,
            algorithm: basic.algorithm,
            signature: basic.signature,
            certificates: basic.certificates,
            signer: SignerId::parse(data.signer)?,
            produced_at: unix(data.produced_at)?,
            singles: data
                .responses
                .into_iter()
                .map(Single::parse)
                .collect::<Result<_, _>>()?,
            nonce: nonce(data.extensions.as_deref())?,
        })
    }
}

impl<'a> SignerId<'a> {
    fn parse(any: AnyRef<'a>) -> Result<Self, OcspFailure> {
        match tag_number(any) {
            Some(1) => Ok(Self::Name(any.value())),
            Some(2) => <&OctetStringRef>::from_der(any.value())
                .map(|hash| Self::KeyHash(hash.as_bytes()))
                .map_err(|_| malformed("responder's key hash")),
            _ => Err(malformed("responder's id")),
        }
    }
}

impl<'a> Single<'a> {
    fn parse(single: SingleResponse<'a>) -> Result<Self, OcspFailure> {
        nothing_critical(single.extensions.as_deref())?;
        Ok(Self {
            id: single.id,
            state: State::parse(single.state)?,
            this_update: unix(single.this_update)?,
            next_update: single.next_update.map(unix).transpose()?,
        })
    }
}

impl State {
    fn parse(any: AnyRef<'_>) -> Result<Self, OcspFailure> {
        match tag_number(any) {
            Some(0) if any.value().is_empty() => Ok(Self::Good),
            Some(1) => Self::revoked(any.value()),
            Some(2) if any.value().is_empty() => Ok(Self::Unknown),
            _ => Err(malformed("certificate's state")),
        }
    }

    fn revoked(content: &[u8]) -> Result<Self, OcspFailure> {
        let mut reader = SliceReader::new(content).map_err(|_| malformed("revocation"))?;
        let since = GeneralizedTime::decode(&mut reader).map_err(|_| malformed("revocation"))?;
        // Whatever stands for the reason, known or not, the certificate is revoked.
        let reason = reader
            .context_specific::<Reason>(TagNumber(0), TagMode::Explicit)
            .ok()
            .flatten()
            .map_or(0, |Reason(code)| code);
        Ok(Self::Revoked {
            since: unix(since)?,
            reason: RevocationReason::from_code(reason),
        })
    }
}

/// What a signed response consists of; `signed` keeps the very bytes.
struct Basic<'a> {
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    certificates: Vec<Vec<u8>>,
}

impl<'a> Basic<'a> {
    fn parse(bytes: &'a [u8]) -> der::Result<Self> {
        let mut outer = SliceReader::new(bytes)?;
        let basic = outer.sequence(|reader| {
            let signed = reader.tlv_bytes()?;
            let algorithm = AnyRef::decode(reader)?;
            algorithm.tag().assert_eq(Tag::Sequence)?;
            let signature = BitStringRef::decode(reader)?;
            let certificates = reader
                .context_specific::<Vec<AnyRef<'a>>>(TagNumber(0), TagMode::Explicit)?
                .unwrap_or_default();
            Ok::<_, der::Error>(Self {
                signed,
                algorithm: algorithm.value(),
                // A signature is whole bytes.
                signature: signature.as_bytes().ok_or(der::ErrorKind::Value {
                    tag: Tag::BitString,
                })?,
                certificates: certificates
                    .iter()
                    .map(Encode::to_der)
                    .collect::<der::Result<_>>()?,
            })
        })?;
        outer.finish()?;
        Ok(basic)
    }
}

#[derive(Sequence)]
struct Request<'a> {
    body: RequestBody<'a>,
}

#[derive(Sequence)]
struct RequestBody<'a> {
    request_list: Vec<SingleRequest<'a>>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension<'a>>>,
}

#[derive(Sequence)]
struct SingleRequest<'a> {
    certificate: CertId<'a>,
}

#[derive(Debug, Sequence)]
struct CertId<'a> {
    hash: Algorithm<'a>,
    issuer_name_hash: &'a OctetStringRef,
    issuer_key_hash: &'a OctetStringRef,
    serial: AnyRef<'a>,
}

#[derive(Debug, Sequence)]
struct Algorithm<'a> {
    id: ObjectIdentifier,
    #[asn1(optional = "true")]
    parameters: Option<AnyRef<'a>>,
}

impl Algorithm<'_> {
    fn is_sha1(&self) -> bool {
        self.id == SHA1 && self.parameters.is_none_or(AnyRef::is_null)
    }
}

#[derive(Debug, Sequence)]
struct Extension<'a> {
    id: ObjectIdentifier,
    #[asn1(default = "Default::default")]
    critical: bool,
    value: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Envelope<'a> {
    status: ResponseStatus,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    body: Option<ResponseBytes<'a>>,
}

#[derive(Sequence)]
struct ResponseBytes<'a> {
    kind: ObjectIdentifier,
    response: &'a OctetStringRef,
}

#[derive(Sequence)]
struct ResponseData<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    version: Option<u8>,
    signer: AnyRef<'a>,
    produced_at: GeneralizedTime,
    responses: Vec<SingleResponse<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension<'a>>>,
}

#[derive(Sequence)]
struct SingleResponse<'a> {
    id: CertId<'a>,
    state: AnyRef<'a>,
    this_update: GeneralizedTime,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    next_update: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension<'a>>>,
}

/// RFC 6960 §4.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumerated)]
#[asn1(type = "ENUMERATED")]
#[repr(u8)]
enum ResponseStatus {
    Successful = 0,
    MalformedRequest = 1,
    InternalError = 2,
    TryLater = 3,
    SigRequired = 5,
    Unauthorized = 6,
}

impl ResponseStatus {
    fn complaint(self) -> Option<&'static str> {
        match self {
            Self::Successful => None,
            Self::MalformedRequest => Some("it finds the request malformed"),
            Self::InternalError => Some("it has an internal error"),
            Self::TryLater => Some("it asks to try later"),
            Self::SigRequired => Some("it wants signed requests"),
            Self::Unauthorized => Some("it does not answer for this certificate (unauthorized)"),
        }
    }
}

/// A CRLReason, known or not.
struct Reason(u8);

impl der::FixedTag for Reason {
    const TAG: Tag = Tag::Enumerated;
}

impl<'a> der::DecodeValue<'a> for Reason {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: der::Header) -> der::Result<Self> {
        let content = reader.read_vec(header.length())?;
        Ok(Self(content.last().copied().unwrap_or_default()))
    }
}

fn tag_number(any: AnyRef<'_>) -> Option<u32> {
    let tag = any.tag();
    tag.is_context_specific().then(|| tag.number().value())
}

fn unix(time: GeneralizedTime) -> Result<i64, OcspFailure> {
    i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| malformed("time"))
}

/// The nonce, its inner octet string unwrapped (RFC 9654 §2.1), when nothing else is critical.
fn nonce<'a>(extensions: Option<&[Extension<'a>]>) -> Result<Option<&'a [u8]>, OcspFailure> {
    let extensions = extensions.unwrap_or_default();
    let nonce = extensions.iter().find(|extension| extension.id == NONCE);
    nothing_critical(Some(extensions))?;
    // Some responders put the bare bytes there: what was sent comes back in whatever form it had.
    Ok(nonce.map(|nonce| {
        let bytes = nonce.value.as_bytes();
        <&OctetStringRef>::from_der(bytes).map_or(bytes, |inner| inner.as_bytes())
    }))
}

fn nothing_critical(extensions: Option<&[Extension<'_>]>) -> Result<(), OcspFailure> {
    match extensions
        .unwrap_or_default()
        .iter()
        .find(|extension| extension.critical && extension.id != NONCE)
    {
        None => Ok(()),
        Some(extension) => Err(OcspFailure::CriticalExtension {
            oid: extension.id.to_string(),
        }),
    }
}

fn malformed(what: &'static str) -> OcspFailure {
    OcspFailure::Malformed { what }
}

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
