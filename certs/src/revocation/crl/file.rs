//! One file of CRLs: from bytes to what the verifier takes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use rustls_pki_types::pem::{PemObject, SectionKind};
use webpki::BorrowedCertRevocationList;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::{CrlFault, CrlLimits, LoadedCrl};

/// The CRLs of the file, and the faults of those that cannot be used.
pub(super) fn read(
    path: &Path,
    limits: CrlLimits,
) -> Result<(Vec<LoadedCrl>, Vec<CrlFault>), CrlFault> {
    let bytes = bytes(path, limits.max_file_bytes)?;
    if !is_pem(&bytes) {
        return crl(path, bytes).map(|crl| (vec![crl], Vec::new()));
    }
    let mut faults = Vec::new();
    let mut crls = Vec::new();
    let blocks = blocks(&bytes, &mut faults);
    if blocks.len() > limits.max_crls_per_file {
        faults.push(CrlFault::TooManyCrls {
            limit: limits.max_crls_per_file,
        });
    }
    for der in blocks.into_iter().take(limits.max_crls_per_file) {
        match crl(path, der) {
            Ok(crl) => crls.push(crl),
            Err(why) => faults.push(why),
        }
    }
    if crls.is_empty() && faults.is_empty() {
        faults.push(CrlFault::NoCrl);
    }
    Ok((crls, faults))
}

fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, CrlFault> {
    let unreadable = |why: io::Error| CrlFault::Unreadable(why.kind());
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(CrlFault::TooLarge { limit });
    }
    Ok(bytes)
}

fn is_pem(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN)
}

/// The `X509 CRL` blocks up to the first that is broken.
fn blocks(bytes: &[u8], faults: &mut Vec<CrlFault>) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    for block in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
        match block {
            Ok((SectionKind::Crl, der)) => blocks.push(der),
            Ok(_) => {}
            Err(why) => {
                faults.push(CrlFault::Pem(why.to_string()));
                break;
            }
        }
    }
    blocks
}

fn crl(path: &Path, der: Vec<u8>) -> Result<LoadedCrl, CrlFault> {
    let head = Head::parse(&der)?;
    let revoked = admitted(&der)?;
    Ok(LoadedCrl {
        path: path.to_owned(),
        issuer: head.issuer,
        this_update: head.this_update,
        next_update: head.next_update,
        revoked,
        der: der.into(),
    })
}

/// How many certificates the CRL takes back, when the verifier admits it.
fn admitted(der: &[u8]) -> Result<usize, CrlFault> {
    let crl = BorrowedCertRevocationList::from_der(der).map_err(refusal)?;
    let mut revoked = 0;
    for entry in &crl {
        entry.map_err(refusal)?;
        revoked += 1;
    }
    Ok(revoked)
}

fn refusal(why: webpki::Error) -> CrlFault {
    match why {
        webpki::Error::UnsupportedDeltaCrl => CrlFault::Delta,
        webpki::Error::UnsupportedIndirectCrl => CrlFault::Indirect,
        why => CrlFault::Refused(why.to_string()),
    }
}

/// The fields of a CRL before its list (RFC 5280 §5.1).
#[derive(Debug)]
struct Head {
    issuer: String,
    this_update: i64,
    next_update: i64,
}

impl Head {
    fn parse(der: &[u8]) -> Result<Self, CrlFault> {
        let mut file = SliceReader::new(der).map_err(|_| CrlFault::NotDer)?;
        let list = AnyRef::decode(&mut file).map_err(|_| CrlFault::NotDer)?;
        if list.tag() != Tag::Sequence {
            return Err(CrlFault::NotDer);
        }
        if !file.is_finished() {
            return Err(CrlFault::Trailing);
        }
        let mut list = SliceReader::new(list.value()).map_err(|_| CrlFault::NotDer)?;
        let body = AnyRef::decode(&mut list).map_err(|_| CrlFault::NotDer)?;
        let mut body = SliceReader::new(body.value()).map_err(|_| CrlFault::NotDer)?;
        Self::fields(&mut body)
    }

    fn fields(reader: &mut SliceReader<'_>) -> Result<Self, CrlFault> {
        let version = next_if(reader, |tag| tag == Tag::Integer)?;
        let algorithm = AnyRef::decode(reader).map_err(|_| CrlFault::NotDer)?;
        let issuer = reader.tlv_bytes().map_err(|_| CrlFault::NotDer)?;
        let this_update = AnyRef::decode(reader).map_err(|_| CrlFault::NotDer)?;
        let this_update = moment(this_update).ok_or(CrlFault::NotDer)?;
        let next_update = next_if(reader, is_moment)?;
        next_if(reader, |tag| tag == Tag::Sequence)?;
        let extensions = next_if(reader, |tag| tag.is_context_specific())?;
        let (_, issuer) = X509Name::from_der(issuer).map_err(|_| CrlFault::NotDer)?;
        if version.is_none() {
            return Err(CrlFault::VersionOne);
        }
        if extensions.is_none() {
            return Err(CrlFault::NoExtensions);
        }
        if !is_accepted(algorithm.value()) {
            return Err(CrlFault::WeakSignature);
        }
        Ok(Self {
            issuer: issuer.to_string(),
            this_update,
            next_update: next_update.and_then(moment).ok_or(CrlFault::NoNextUpdate)?,
        })
    }
}

fn next_if<'a>(
    reader: &mut SliceReader<'a>,
    wanted: impl Fn(Tag) -> bool,
) -> Result<Option<AnyRef<'a>>, CrlFault> {
    if reader.is_finished() {
        return Ok(None);
    }
    let mut ahead = reader.clone();
    let any = AnyRef::decode(&mut ahead).map_err(|_| CrlFault::NotDer)?;
    if !wanted(any.tag()) {
        return Ok(None);
    }
    *reader = ahead;
    Ok(Some(any))
}

fn is_moment(tag: Tag) -> bool {
    matches!(tag, Tag::UtcTime | Tag::GeneralizedTime)
}

fn moment(any: AnyRef<'_>) -> Option<i64> {
    let since = match any.tag() {
        Tag::UtcTime => any.decode_as::<UtcTime>().ok()?.to_unix_duration(),
        Tag::GeneralizedTime => any.decode_as::<GeneralizedTime>().ok()?.to_unix_duration(),
        _ => return None,
    };
    i64::try_from(since.as_secs()).ok()
}

/// Whether the verifier knows the signature algorithm: SHA-256 and better.
fn is_accepted(algorithm: &[u8]) -> bool {
    webpki::ALL_VERIFICATION_ALGS
        .iter()
        .any(|known| known.signature_alg_id().as_ref() == algorithm)
}
