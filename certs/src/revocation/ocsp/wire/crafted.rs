//! Answers made to measure, signed rightly or wrongly, for the tests beside the code.

use std::time::Duration;

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, OctetStringRef};
use der::{Decode, Encode, Sequence, Tag, TagNumber};
use rcgen::{CertificateParams, KeyPair, SigningKey};

use super::{
    Algorithm, BASIC, CertId, Envelope, Extension, NONCE, ResponseBytes, ResponseData,
    ResponseStatus, SHA1, SingleResponse,
};
use crate::revocation::ocsp::certificate::{CertificateId, Question, key_hash, parse};

/// An issuer that signs what it is told about the certificate 1001.
pub(in crate::revocation::ocsp) struct Issuer {
    key: KeyPair,
    pub(in crate::revocation::ocsp) question: Question,
}

/// What an answer says of one certificate.
#[derive(Clone)]
pub(in crate::revocation::ocsp) struct Saying {
    pub(in crate::revocation::ocsp) id: CertificateId,
    /// Tag number and content of the state.
    pub(in crate::revocation::ocsp) state: (u32, Vec<u8>),
    pub(in crate::revocation::ocsp) this_update: u64,
    pub(in crate::revocation::ocsp) next_update: Option<u64>,
    pub(in crate::revocation::ocsp) has_critical: bool,
}

/// The whole of an answer.
#[derive(Clone)]
pub(in crate::revocation::ocsp) struct Draft {
    pub(in crate::revocation::ocsp) version: Option<u8>,
    pub(in crate::revocation::ocsp) produced_at: u64,
    pub(in crate::revocation::ocsp) sayings: Vec<Saying>,
    pub(in crate::revocation::ocsp) nonce: Option<Vec<u8>>,
}

impl Issuer {
    pub(in crate::revocation::ocsp) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let issuer = CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&key)
            .unwrap()
            .der()
            .clone();
        let issuer_key_hash = key_hash(&parse(&issuer).unwrap());
        Self {
            question: Question {
                id: CertificateId {
                    issuer_name_hash: [7; 20],
                    issuer_key_hash,
                    serial: vec![0x10, 0x01],
                },
                issuer,
                responders: Vec::new(),
            },
            key,
        }
    }

    /// Good, from `this_update` for an hour.
    pub(in crate::revocation::ocsp) fn good(&self, this_update: u64) -> Saying {
        Saying {
            id: self.question.id.clone(),
            state: (0, Vec::new()),
            this_update,
            next_update: Some(this_update + 3600),
            has_critical: false,
        }
    }

    pub(in crate::revocation::ocsp) fn draft(&self, sayings: Vec<Saying>) -> Draft {
        Draft {
            version: None,
            produced_at: sayings.first().map_or(0, |saying| saying.this_update),
            sayings,
            nonce: None,
        }
    }

    /// The signed answer.
    pub(in crate::revocation::ocsp) fn sign(&self, draft: &Draft) -> Vec<u8> {
        let key_hash = OctetStringRef::new(&self.question.id.issuer_key_hash)
            .unwrap()
            .to_der()
            .unwrap();
        let nonce = draft
            .nonce
            .as_ref()
            .map(|nonce| OctetStringRef::new(nonce).unwrap().to_der().unwrap());
        let data = ResponseData {
            version: draft.version,
            signer: field(2, true, &key_hash),
            produced_at: time(draft.produced_at),
            responses: draft.sayings.iter().map(single).collect(),
            extensions: nonce
                .as_deref()
                .map(|nonce| vec![extension(NONCE, false, nonce)]),
        }
        .to_der()
        .unwrap();
        let signature = self.key.sign(&data).unwrap();
        // ecdsa-with-SHA256, RFC 5758 §3.2.
        let algorithm = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        assert_eq!(self.key.algorithm(), &rcgen::PKCS_ECDSA_P256_SHA256);
        let basic = Signed {
            data: AnyRef::from_der(&data).unwrap(),
            algorithm: AnyRef::new(Tag::Sequence, &algorithm).unwrap(),
            signature: BitStringRef::from_bytes(&signature).unwrap(),
        }
        .to_der()
        .unwrap();
        Envelope {
            status: ResponseStatus::Successful,
            body: Some(ResponseBytes {
                kind: BASIC,
                response: OctetStringRef::new(&basic).unwrap(),
            }),
        }
        .to_der()
        .unwrap()
    }
}

#[derive(Sequence)]
struct Signed<'a> {
    data: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

fn single(saying: &Saying) -> SingleResponse<'_> {
    let (number, content) = &saying.state;
    SingleResponse {
        id: CertId {
            hash: Algorithm {
                id: SHA1,
                parameters: None,
            },
            issuer_name_hash: OctetStringRef::new(&saying.id.issuer_name_hash).unwrap(),
            issuer_key_hash: OctetStringRef::new(&saying.id.issuer_key_hash).unwrap(),
            serial: AnyRef::new(Tag::Integer, &saying.id.serial).unwrap(),
        },
        state: field(*number, !content.is_empty(), content),
        this_update: time(saying.this_update),
        next_update: saying.next_update.map(time),
        extensions: saying
            .has_critical
            .then(|| vec![extension("1.2.3.4".parse().unwrap(), true, b"")]),
    }
}

fn extension(id: der::asn1::ObjectIdentifier, critical: bool, value: &[u8]) -> Extension<'_> {
    Extension {
        id,
        critical,
        value: OctetStringRef::new(value).unwrap(),
    }
}

fn field(number: u32, constructed: bool, content: &[u8]) -> AnyRef<'_> {
    let number = TagNumber(number);
    AnyRef::new(
        Tag::ContextSpecific {
            constructed,
            number,
        },
        content,
    )
    .unwrap()
}

fn time(unix: u64) -> GeneralizedTime {
    GeneralizedTime::from_unix_duration(Duration::from_secs(unix)).unwrap()
}
