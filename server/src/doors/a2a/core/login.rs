//! Logging in.

use crate::doors::a2a::Asked;
use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::Lost;
use crate::doors::a2a::reply::Reply;

/// Answers what is below `/RSTS`.
pub(in crate::doors::a2a) async fn answer(_asked: &Asked<'_>) -> Reply {
    Err(astray(Lost::Nothing))
}
