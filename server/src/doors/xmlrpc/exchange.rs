//! One HTTP exchange: what is no call to this door is refused in HTTP's own words, and whatever is
//! wrong behind that in XML-RPC's.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method as Verb, Request, Response, StatusCode, request};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::timeout;
use tracing::{debug, error};
use xmlrpc_codec::{Fault, FaultCode, Value, decode_call, encode_response};
use zeroize::Zeroizing;

use crate::domain::RequestId;
use crate::doors::body::{self, BodyError};
use crate::doors::gate::Visitor;
use crate::doors::refusal::ResultCode;
use crate::doors::xmlrpc::Xmlrpc;
use crate::doors::xmlrpc::answer::{Refusal, fault};
use crate::doors::xmlrpc::dispatch::Params;
use crate::doors::xmlrpc::overload::wipe;

impl Xmlrpc {
    /// Answers one request.
    pub(super) async fn exchange(
        &self,
        visitor: &Visitor,
        request: Request<Incoming>,
        id: RequestId,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        if let Err(status) = screen(&head) {
            body::discard(body, &self.limits).await;
            return refuse(status, id);
        }
        let charset = match charset(&head.headers) {
            Ok(charset) => charset,
            Err(fault) => {
                body::discard(body, &self.limits).await;
                return reply(StatusCode::UNSUPPORTED_MEDIA_TYPE, Err(fault), id);
            }
        };
        let document = match body::take(&head.headers, body, &self.limits, &self.purse).await {
            Ok(document) => document,
            Err(error) => return refuse_body(&error, id),
        };
        let said = self.converse(visitor, document.bytes(), charset, id);
        match timeout(self.limits.request, said).await {
            Ok(said) => reply(StatusCode::OK, said, id),
            Err(_) => {
                if let Some(unsaid) = self.outages.now() {
                    let after = self.limits.request;
                    error!(%id, ?after, unsaid, "a request was not finished in time");
                }
                reply(StatusCode::OK, Err(unfinished()), id)
            }
        }
    }

    /// Finds out who calls, reads the call, and has it done. Nobody's bytes are parsed before it
    /// is known whose they are.
    async fn converse(
        &self,
        visitor: &Visitor,
        document: &[u8],
        charset: Option<&str>,
        id: RequestId,
    ) -> Result<Value, Fault> {
        let caller = match self.gate.caller(visitor, id).await {
            Ok(caller) => caller,
            Err(error) => return Err(self.refusal(error, id).into_fault()),
        };
        let call = decode_call(document, charset, &self.settings.document).map_err(|error| {
            self.meters.count_malformed();
            debug!(%error, "malformed");
            fault(error.fault_code(), error.to_string())
        })?;
        self.dispatch(visitor, &call.method, Params::new(call.params), &caller)
            .await
    }
}

/// Whether there is anything at that path, and whether it takes that verb.
fn screen(head: &request::Parts) -> Result<(), StatusCode> {
    match (head.uri.path(), &head.method) {
        (PATH, &Verb::POST) => Ok(()),
        (PATH, _) => Err(StatusCode::METHOD_NOT_ALLOWED),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

const PATH: &str = "/xmlrpc";

/// The charset that the content type names. XML it must be; a client that does not say is believed.
fn charset(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let wrong = || {
        fault(
            FaultCode::TransportError,
            "the content type must be text/xml",
        )
    };
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let Some(content_type) = types.next() else {
        return Ok(None);
    };
    if types.next().is_some() {
        return Err(wrong());
    }
    let mut parts = content_type.to_str().map_err(|_| wrong())?.split(';');
    let media = parts.next().unwrap_or_default().trim();
    if !["text/xml", "application/xml"]
        .iter()
        .any(|xml| media.eq_ignore_ascii_case(xml))
    {
        return Err(wrong());
    }
    let named = parts.filter_map(|part| part.split_once('='));
    let mut named = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    Ok(named
        .next()
        .map(|(_, charset)| charset.trim().trim_matches('"')))
}

fn refuse_body(error: &BodyError, id: RequestId) -> Response<Full<Bytes>> {
    debug!(%error, "no body");
    let (status, code) = match error {
        BodyError::Crowded => (StatusCode::SERVICE_UNAVAILABLE, FaultCode::TransportError),
        BodyError::TooLarge { .. } | BodyError::TooDense { .. } => {
            (StatusCode::PAYLOAD_TOO_LARGE, FaultCode::InvalidRequest)
        }
        BodyError::Late => (StatusCode::REQUEST_TIMEOUT, FaultCode::TransportError),
        BodyError::Broken(_) | BodyError::Gzip => {
            (StatusCode::BAD_REQUEST, FaultCode::TransportError)
        }
        BodyError::Encoding => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            FaultCode::TransportError,
        ),
    };
    let mut response = reply(status, Err(fault(code, error.to_string())), id);
    let headers = response.headers_mut();
    match error {
        BodyError::Late | BodyError::Broken(_) | BodyError::Crowded => close(headers),
        BodyError::Encoding => {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, identity"));
        }
        BodyError::TooLarge { .. } | BodyError::TooDense { .. } | BodyError::Gzip => {}
    }
    response
}

/// Nobody knows whether it is done: the caller must look.
fn unfinished() -> Fault {
    Refusal {
        code: ResultCode::Unavailable,
        message: "The server did not finish in time, and may have done it.".to_owned(),
    }
    .into_fault()
}

/// An answer in HTTP's own words.
fn refuse(status: StatusCode, id: RequestId) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    mark(headers, id);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// An answer in XML-RPC's words.
fn reply(status: StatusCode, said: Result<Value, Fault>, id: RequestId) -> Response<Full<Bytes>> {
    // Who is nobody must show its certificate again, and finds out at the handshake.
    let nobody = matches!(&said, Err(fault) if fault.code == ResultCode::Unidentified as i32);
    let mut response = Response::new(Full::new(encode(said, id)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/xml; charset=utf-8"),
    );
    mark(headers, id);
    if nobody {
        close(headers);
    }
    response
}

/// Writes the answer into bytes that are wiped once they are sent; what they were written from is
/// wiped at once.
fn encode(said: Result<Value, Fault>, id: RequestId) -> Bytes {
    let response = match said {
        Ok(value) => xmlrpc_codec::Response::Value(value),
        Err(fault) => xmlrpc_codec::Response::Fault(fault),
    };
    let encoded = encode_response(&response);
    if let xmlrpc_codec::Response::Value(mut value) = response {
        wipe(&mut value);
    }
    match encoded {
        Ok(bytes) => Bytes::from_owner(Zeroizing::new(bytes)),
        Err(error) => {
            error!(%id, %error, "answer cannot be written");
            Bytes::from_static(UNWRITABLE)
        }
    }
}

const UNWRITABLE: &[u8] = b"<?xml version=\"1.0\"?><methodResponse><fault><value><struct>\
    <member><name>faultCode</name><value><int>-32603</int></value></member>\
    <member><name>faultString</name><value><string>the answer cannot be written as XML\
    </string></value></member></struct></value></fault></methodResponse>";

fn mark(headers: &mut HeaderMap, id: RequestId) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(id.to_string())) {
        headers.insert(X_REQUEST_ID, id);
    }
}

fn close(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[cfg(test)]
mod tests {
    use super::*;

    fn charset_of(content_types: &[&'static str]) -> Result<Option<String>, i32> {
        let headers = content_types
            .iter()
            .map(|it| (CONTENT_TYPE, HeaderValue::from_static(it)));
        let headers: HeaderMap = headers.collect();
        charset(&headers)
            .map(|charset| charset.map(str::to_owned))
            .map_err(|fault| fault.code)
    }

    #[test]
    fn a_charset_is_read_from_every_spelling_of_xml() {
        assert_eq!(charset_of(&[]), Ok(None));
        for (content_type, expected) in [
            ("text/xml", None),
            ("Application/XML", None),
            ("text/xml; charset=utf-8", Some("utf-8")),
            ("text/xml;Charset=\"ISO-8859-1\"", Some("ISO-8859-1")),
            ("text/xml; version=1; charset=x", Some("x")),
        ] {
            assert_eq!(charset_of(&[content_type]), Ok(expected.map(str::to_owned)));
        }
    }

    #[test]
    fn anything_but_xml_is_refused() {
        for content_type in [
            "text/html",
            "application/json",
            "text/xmlx",
            "",
            "text/xml,text/xml",
        ] {
            assert_eq!(charset_of(&[content_type]), Err(-32300), "{content_type}");
        }
        assert_eq!(charset_of(&["text/xml", "text/xml"]), Err(-32300));
    }

    #[test]
    fn the_answer_of_last_resort_is_a_fault() {
        let response =
            xmlrpc_codec::decode_response(UNWRITABLE, None, &xmlrpc_codec::Limits::default());

        let fault = response.unwrap().into_result().unwrap_err();
        assert_eq!(fault.code, i32::from(FaultCode::InternalError));
    }

    #[test]
    fn a_text_that_xml_cannot_carry_becomes_a_fault() {
        let bytes = encode(Ok(Value::String("\u{0}".to_owned())), RequestId(1));

        assert_eq!(bytes, UNWRITABLE);
    }
}
