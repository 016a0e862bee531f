//! The broker: access requests in the name of somebody else.

use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::Lost;
use crate::doors::a2a::reply::Reply;
use crate::doors::a2a::{Asked, core};

/// Answers what is below `AccessRequests`.
pub(super) async fn answer(asked: &Asked<'_>) -> Reply {
    if asked.target.segments.len() != 1 {
        return Err(astray(Lost::Nothing));
    }
    let keyed = asked.guest.by_key(asked).await?;
    core::requests::for_another(asked, &keyed).await
}
