//! The service in which programs, their users and what they may retrieve are registered.

pub(super) mod login;

use crate::doors::a2a::Asked;
use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::Lost;
use crate::doors::a2a::reply::Reply;

/// Answers what is below `/service/core` and `/service/appliance`.
pub(super) async fn answer(_asked: &Asked<'_>) -> Reply {
    Err(astray(Lost::Nothing))
}
