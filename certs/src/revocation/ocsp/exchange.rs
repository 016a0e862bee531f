//! One request and its answer over plain HTTP, with an end to every wait.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::certificate::Responder;
use super::settings::bare_host;
use super::{HttpProxy, OcspFailure};

/// Posts `body` to `responder`, through `proxy` if there is one, and brings back what it answers.
pub(super) async fn post(
    responder: &Responder,
    proxy: Option<&HttpProxy>,
    body: Vec<u8>,
    limit: usize,
    deadline: Instant,
) -> Result<Bytes, OcspFailure> {
    let request = request(responder, proxy, body)?;
    let (host, port) = match proxy {
        Some(proxy) => (proxy.host.as_str(), proxy.port),
        None => (bare_host(&responder.host), responder.port),
    };
    let exchange = async {
        let (stream, from) = connect(host, port, deadline).await?;
        talk(stream, from, request, limit).await
    };
    timeout_at(deadline, exchange)
        .await
        .unwrap_or(Err(OcspFailure::TimedOut))
}

/// Part of the time from now to `deadline`, when `left` tries share it.
pub(super) fn share(deadline: Instant, left: usize) -> Instant {
    let now = Instant::now();
    let left = u32::try_from(left).unwrap_or(u32::MAX).max(1);
    now + deadline.saturating_duration_since(now) / left
}

/// Origin-form to the responder itself, absolute-form to a proxy (RFC 9112 §3.2).
fn request(
    responder: &Responder,
    proxy: Option<&HttpProxy>,
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, OcspFailure> {
    let unusable = || OcspFailure::Url {
        url: responder.url.to_string(),
    };
    let authority = responder.url.authority().ok_or_else(unusable)?;
    let target = match proxy {
        Some(_) => responder.url.clone(),
        None => responder
            .url
            .path_and_query()
            .map_or_else(|| Uri::from_static("/"), |path| path.clone().into()),
    };
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(target)
        .header(header::HOST, authority.as_str())
        .header(header::CONTENT_TYPE, "application/ocsp-request")
        .header(header::ACCEPT, "application/ocsp-response")
        .header(header::CONNECTION, HeaderValue::from_static("close"));
    if let Some(login) = proxy.and_then(|proxy| proxy.authorization.as_ref()) {
        request = request.header(header::PROXY_AUTHORIZATION, login);
    }
    request
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| unusable())
}

/// Tries each address of the host, each with its share of the time: a dead first one must not cost
/// the second its chance.
async fn connect(
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), OcspFailure> {
    let unreachable = |why: String| OcspFailure::Unreachable {
        host: format!("{host}:{port}"),
        why,
    };
    let addresses: Vec<SocketAddr> = lookup_host((host, port))
        .await
        .map_err(|why| unreachable(why.to_string()))?
        .take(MAX_ADDRESSES)
        .collect();
    let mut last = unreachable("the name has no address".to_owned());
    for (tried, address) in addresses.iter().enumerate() {
        let until = share(deadline, addresses.len() - tried);
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, *address)),
            Ok(Err(why)) => last = unreachable(why.to_string()),
            Err(_) => last = OcspFailure::TimedOut,
        }
    }
    Err(last)
}

async fn talk(
    stream: TcpStream,
    from: SocketAddr,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Bytes, OcspFailure> {
    let broken = |why: hyper::Error| OcspFailure::Http {
        from,
        why: why.to_string(),
    };
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        read(response, from, limit).await
    };
    tokio::pin!(exchange);
    // The connection moves the bytes, the exchange waits for them; neither outlives this call.
    tokio::select! {
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
}

async fn read(
    response: Response<Incoming>,
    from: SocketAddr,
    limit: usize,
) -> Result<Bytes, OcspFailure> {
    let status = response.status();
    if status != StatusCode::OK {
        return Err(OcspFailure::HttpStatus {
            status: status.as_u16(),
        });
    }
    let body = Limited::new(response.into_body(), limit).collect().await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|why| {
            if why.is::<LengthLimitError>() {
                return OcspFailure::TooLarge { limit };
            }
            OcspFailure::Http {
                from,
                why: why.to_string(),
            }
        })
}

/// Most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;

/// Largest head of an HTTP answer, in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;
