//! A request's body: whole, in time, within its limits, inflated if it came compressed, and wiped
//! when it is no longer needed, for it may hold a password.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::doors::Limits;

/// Why there is no body to work with.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    /// It has more bytes than it may have, as sent or inflated.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// The most it may have.
        limit: usize,
    },
    /// It grows more than it may when inflated.
    #[error("the body grows to more than {ratio} times its size")]
    TooDense {
        /// How many times its size it may grow to.
        ratio: usize,
    },
    /// It did not come in time.
    #[error("the body did not come in time")]
    Late,
    /// The connection broke, or the chunks were malformed.
    #[error("the body could not be read")]
    Broken(#[source] hyper::Error),
    /// Too many large bodies are being read at once.
    #[error("too many large bodies are being read at once")]
    Crowded,
    /// It is encoded in a way that is not understood here.
    #[error("the body's content encoding is not supported")]
    Encoding,
    /// It is no gzip, or more than one.
    #[error("the body is not well-formed gzip")]
    Gzip,
}

/// A body in memory, with the memory that it was allowed.
#[derive(Debug)]
pub(crate) struct Whole {
    bytes: Zeroizing<Vec<u8>>,
    _allowed: Option<OwnedSemaphorePermit>,
}

impl Whole {
    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Whole {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

/// The memory that all large bodies of a door share, so that ten thousand slow peers that each
/// send the most they may do not cost ten thousand times that. Small bodies need none of it: no
/// crowd of large ones keeps them out.
#[derive(Debug)]
pub(crate) struct Purse(Arc<Semaphore>);

impl Purse {
    /// Memory for `bytes` in all.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Memory for a body of `bytes`, once it is there.
    async fn allow(&self, bytes: usize) -> Result<Option<OwnedSemaphorePermit>, BodyError> {
        if bytes <= SMALL {
            return Ok(None);
        }
        let bytes = u32::try_from(bytes).map_err(|_| BodyError::Crowded)?;
        let allowed = Arc::clone(&self.0).acquire_many_owned(bytes).await;
        allowed.map(Some).map_err(|_| BodyError::Crowded)
    }
}

/// Reads a request's whole body.
///
/// # Errors
/// [`BodyError`], when it is too large, too late, broken, encoded in another way than `identity`
/// and, where that is allowed, `gzip`, or when `purse` has no memory for it in time.
pub(crate) async fn take(
    headers: &HeaderMap,
    body: Incoming,
    limits: &Limits,
    purse: &Purse,
) -> Result<Whole, BodyError> {
    let coding = Coding::of(headers, limits)?;
    let most = most(&body, coding, limits)?;
    let allowed = match timeout(limits.body, purse.allow(most)).await {
        Ok(allowed) => allowed?,
        Err(_) => return Err(BodyError::Crowded),
    };
    let sent = match timeout(limits.body, collect(body, limits.body_bytes)).await {
        Ok(sent) => sent?,
        Err(_) => return Err(BodyError::Late),
    };
    let bytes = match coding {
        Coding::Identity => sent,
        Coding::Gzip => inflate(&sent, limits)?,
    };
    Ok(Whole {
        bytes,
        _allowed: allowed,
    })
}

/// The most memory that a body may need.
fn most(body: &Incoming, coding: Coding, limits: &Limits) -> Result<usize, BodyError> {
    let limit = limits.body_bytes;
    let size = body.size_hint();
    let announced = size.upper().map_or(Ok(limit), usize::try_from);
    let Some(announced) = announced.ok().filter(|announced| *announced <= limit) else {
        return Err(BodyError::TooLarge { limit });
    };
    Ok(match coding {
        Coding::Identity => announced,
        Coding::Gzip => {
            announced
                + limits
                    .inflated_bytes
                    .min(announced.saturating_mul(limits.inflate_ratio))
        }
    })
}

/// Reads a body only to throw it away, so that the connection can go on; gives up at once where
/// that would take long.
pub(crate) async fn discard(body: Incoming, limits: &Limits) {
    if body.size_hint().lower() <= SMALL as u64 {
        let _ = timeout(limits.body, collect(body, limits.body_bytes)).await;
    }
}

const SMALL: usize = 64 * 1024;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    fn of(headers: &HeaderMap, limits: &Limits) -> Result<Self, BodyError> {
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        match (codings.next(), codings.next()) {
            (None, _) => Ok(Self::Identity),
            (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"identity") => {
                Ok(Self::Identity)
            }
            (Some(one), None) if limits.gzip && is_gzip(one.as_bytes()) => Ok(Self::Gzip),
            (Some(_), _) => Err(BodyError::Encoding),
        }
    }
}

/// RFC 9110 §8.4.1.3: `x-gzip` is the same.
fn is_gzip(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
}

async fn collect(mut body: Incoming, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // What is only announced must not cost memory yet.
    let mut bytes = Zeroizing::new(Vec::with_capacity(announced.min(SMALL)));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            return Err(BodyError::TooLarge { limit });
        }
        append(&mut bytes, &data);
        wipe(data);
    }
    Ok(bytes)
}

/// Appends without leaving a copy behind where the buffer must move to grow.
pub(crate) fn append(bytes: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    let needed = bytes.len() + more.len();
    if needed > bytes.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(bytes.capacity() * 2)));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(more);
}

/// Wipes what hyper read, where nobody else has a part of the same buffer.
fn wipe(data: Bytes) {
    if let Ok(mut data) = data.try_into_mut() {
        zeroize::Zeroize::zeroize(&mut *data);
    }
}

/// Inflates one gzip member, to no more than it may be.
fn inflate(sent: &[u8], limits: &Limits) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    let dense = sent.len().saturating_mul(limits.inflate_ratio);
    let limit = limits.inflated_bytes.min(dense);
    let mut decoder = GzDecoder::new(sent);
    let mut bytes = Zeroizing::new(Vec::new());
    let mut piece = Zeroizing::new([0; 8192]);
    loop {
        let read = decoder
            .read(piece.as_mut_slice())
            .map_err(|_| BodyError::Gzip)?;
        if read == 0 {
            break;
        }
        if bytes.len() + read > limit {
            return Err(if dense < limits.inflated_bytes {
                BodyError::TooDense {
                    ratio: limits.inflate_ratio,
                }
            } else {
                BodyError::TooLarge { limit }
            });
        }
        append(&mut bytes, piece.get(..read).unwrap_or_default());
    }
    if decoder.into_inner().is_empty() {
        Ok(bytes)
    } else {
        Err(BodyError::Gzip)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn limits(inflated_bytes: usize, inflate_ratio: usize) -> Limits {
        Limits {
            inflated_bytes,
            inflate_ratio,
            ..Limits::default()
        }
    }

    #[test]
    fn a_compressed_body_comes_back_as_it_was() {
        let body = b"<methodCall>".repeat(3);

        let inflated = inflate(&gzip(&body), &limits(36, 100)).unwrap();

        assert_eq!(*inflated, body);
    }

    #[test]
    fn a_bomb_stops_at_the_limit_it_reaches_first() {
        let bomb = gzip(&vec![0; 1024 * 1024]);

        let error = inflate(&bomb, &limits(1000, 100_000)).unwrap_err();
        assert!(
            matches!(error, BodyError::TooLarge { limit: 1000 }),
            "{error}"
        );
        let error = inflate(&bomb, &limits(1024 * 1024, 10)).unwrap_err();
        assert!(
            matches!(error, BodyError::TooDense { ratio: 10 }),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_single_gzip_member_is_refused() {
        let one = gzip(b"<methodCall/>");
        let two = [one.as_slice(), one.as_slice()].concat();
        let cut = &one[..one.len() - 1];
        let mut flipped = one.clone();
        flipped[12] ^= 1;

        for bytes in [b"<methodCall/>".as_slice(), b"", cut, &two, &flipped] {
            let error = inflate(bytes, &Limits::default()).unwrap_err();
            assert!(matches!(error, BodyError::Gzip), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn only_gzip_is_inflated_and_only_where_it_is_allowed() {
        let coding = |value: &'static str, gzip: bool| {
            let headers = [(CONTENT_ENCODING, HeaderValue::from_static(value))];
            let limits = Limits {
                gzip,
                ..Limits::default()
            };
            Coding::of(&headers.into_iter().collect(), &limits).ok()
        };

        assert_eq!(coding("gzip", true), Some(Coding::Gzip));
        assert_eq!(coding("X-GZIP", true), Some(Coding::Gzip));
        assert_eq!(coding("gzip", false), None);
        assert_eq!(coding("identity", false), Some(Coding::Identity));
        assert_eq!(coding("gzip, gzip", true), None);
        assert_eq!(coding("deflate", true), None);
        assert_eq!(coding("br", true), None);
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_share_what_there_is_and_small_ones_need_none() {
        let purse = Purse::new(200_000);
        let first = purse.allow(150_000).await.unwrap();

        let second = timeout(std::time::Duration::from_secs(1), purse.allow(100_000)).await;
        assert!(second.is_err(), "more than there is");
        assert!(purse.allow(SMALL).await.unwrap().is_none());
        drop(first);
        assert!(purse.allow(100_000).await.unwrap().is_some());
    }

    #[test]
    fn a_buffer_that_grows_keeps_what_was_in_it() {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut expected = Vec::new();
        for piece in [b"a".as_slice(), b"", &[7; 5000], b"bc"] {
            append(&mut bytes, piece);
            expected.extend_from_slice(piece);
        }

        assert_eq!(*bytes, expected);
    }
}
