//! Lists, as the query of a request wants them.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;
use tokio::task::spawn_blocking;

use crate::doors::a2a::Asked;
use crate::doors::a2a::core::query::{Gathered, QueryFault, Row, Table, Wish};
use crate::doors::a2a::reply::{Refusal, Reply, UNAVAILABLE, ok};

impl From<QueryFault> for Refusal {
    fn from(fault: QueryFault) -> Self {
        Self::new(StatusCode::BAD_REQUEST, fault.code(), fault.to_string())
    }
}

/// What the request says about a list of the entities of `table`.
///
/// # Errors
/// 400 for a query that is none.
pub(super) fn wish(asked: &Asked<'_>, table: &'static Table) -> Result<Wish, Refusal> {
    let query = &asked.target.query;
    Ok(Wish::read(
        |name| query.get(name),
        table,
        asked.target.version,
    )?)
}

/// These entities, each as `row` makes it one, as the query wants them. Where there are too many,
/// the answer says that some were left out.
///
/// # Errors
/// 503.
pub(super) async fn list<T: Send + 'static>(
    wish: Wish,
    entities: Vec<T>,
    row: impl Fn(&T) -> Row + Send + 'static,
) -> Reply {
    let few = entities.len() <= FEW;
    let mut gathered = wish.gather();
    aside(few, move || {
        for entity in entities {
            if !gathered.take(row(&entity)) {
                break;
            }
        }
        answered(gathered)
    })
    .await
}

/// As [`list`], of rows that were gathered one by one.
///
/// # Errors
/// 503.
pub(super) async fn told(gathered: Gathered) -> Reply {
    aside(false, move || answered(gathered)).await
}

/// A long list would keep others waiting that have their turn on the same thread.
async fn aside(few: bool, work: impl FnOnce() -> Response<Body> + Send + 'static) -> Reply {
    if few {
        return Ok(work());
    }
    let done = spawn_blocking(work).await;
    done.map_err(|_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, UNFINISHED))
}

fn answered(gathered: Gathered) -> Response<Body> {
    let cut = gathered.is_cut();
    let mut response = ok(&gathered.into_listing());
    if cut {
        let marked = HeaderValue::from_static("true");
        response.headers_mut().insert(INCOMPLETE, marked);
    }
    response
}

/// One entity: its fields as the query wants them, its names as the version has them.
///
/// # Errors
/// 400 for a query that is none.
pub(super) fn one<T: Serialize>(asked: &Asked<'_>, table: &'static Table, entity: &T) -> Reply {
    Ok(ok(&shaped(asked, table, entity)?))
}

/// As [`one`], with 201.
///
/// # Errors
/// As for [`one`].
pub(super) fn new<T: Serialize>(asked: &Asked<'_>, table: &'static Table, entity: &T) -> Reply {
    let mut response = one(asked, table, entity)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

fn shaped<T: Serialize>(
    asked: &Asked<'_>,
    table: &'static Table,
    entity: &T,
) -> Result<Row, Refusal> {
    Ok(wish(asked, table)?.shape(Row::of(entity)))
}

const INCOMPLETE: HeaderName = HeaderName::from_static("x-list-incomplete");
const UNFINISHED: &str = "The server could not make this list.";
/// So many rows are looked at between two other requests.
const FEW: usize = 64;
