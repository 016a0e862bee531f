//! Telling programs that a secret has changed.

use http::Request;

use crate::doors::a2a::Asked;
use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::Lost;
use crate::doors::a2a::reply::Reply;

/// Answers what is below `signalr`; `request` is the same one, for its connection's sake.
pub(super) async fn answer(_asked: &Asked<'_>, _request: Request<()>) -> Reply {
    Err(astray(Lost::Nothing))
}
