//! One request's way to its handler and back, by whichever way it came.

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, StatusCode};
use tower_service::Service;

use crate::admin::Tasks;
use crate::admin::problem::Refusal;
use crate::domain::RequestId;

/// Has a request answered, to its end even if whoever asked goes away: what is stored and told half
/// would be worse than what nobody waits for any more, for whoever was taken back in the store
/// would still be let in.
pub(crate) async fn answered(
    mut router: Router,
    tasks: &Tasks,
    request: Request<Body>,
    id: RequestId,
) -> Response {
    let response = match tasks.finish(router.call(request)).await {
        Some(Ok(response)) => response,
        Some(Err(never)) => match never {},
        None => Refusal::unavailable("the server is stopping").into_response(),
    };
    told(response, id)
}

/// The answer with its id; a refusal as a problem.
pub(crate) fn told(mut response: Response, id: RequestId) -> Response {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        let text = serde_json::to_vec(&refusal.of(id)).unwrap_or_default();
        *response.body_mut() = Body::from(text);
        let unknown = response.status() == StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, kind);
        headers.remove(CONTENT_LENGTH);
        if unknown {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
    }
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}
