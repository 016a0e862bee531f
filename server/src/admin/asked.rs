//! What comes in with a request: who asks, for what, with which body.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::admin::problem::Refusal;
use crate::admin::wire::{Page, Part};
use crate::admin::{Desk, Visitor};
use crate::domain::{Door, RequestId};
use crate::vault::{Caller, Credential, Filter, Origin, Search, SearchColumn, SearchKind, Within};

/// Who is at the other end; put into every request by whoever accepted it.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// Somebody at the socket.
    Local {
        /// The peer's user id on this machine.
        uid: u32,
        /// The request's id.
        request: RequestId,
    },
    /// Somebody at another door.
    Visitor(Visitor),
}

impl Peer {
    fn of(parts: &Parts) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<Self>().cloned();
        // Whoever accepted the connection has put it there; without it nobody comes in.
        peer.ok_or_else(|| Refusal::malformed("who are you?"))
    }

    fn origin(&self) -> Origin {
        match self {
            Self::Local { request, .. } => Origin {
                door: Door::Admin,
                peer: None,
                request: *request,
            },
            Self::Visitor(visitor) => visitor.origin,
        }
    }
}

/// Where a request comes from, whoever it is.
#[derive(Debug)]
pub(crate) struct Whence(pub(crate) Origin);

impl FromRequestParts<Desk> for Whence {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _desk: &Desk) -> Result<Self, Refusal> {
        Ok(Self(Peer::of(parts)?.origin()))
    }
}

/// Who asks: the operator, acting in the organisation that the query names, or a visitor in its
/// own; and the query.
#[derive(Debug)]
pub(crate) struct Asked<Q> {
    /// Who asks.
    pub(crate) caller: Caller,
    /// For what.
    pub(crate) query: Q,
}

/// A query that only names the organisation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plain {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
}

/// A query for a page of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paged {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

impl Paged {
    /// How many rows, within the limit.
    pub(crate) fn limit(&self, desk: &Desk) -> usize {
        limit(self.limit, desk)
    }

    /// The cursor: an id that an earlier page gave.
    ///
    /// # Errors
    /// [`Refusal`] when it is none.
    pub(crate) fn after(&self) -> Result<Option<u64>, Refusal> {
        cursor(self.after.as_deref())
    }
}

/// A query for a part of a list: by where it begins, by what is in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Searched {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
    start: Option<usize>,
    search: Option<String>,
    column: Option<String>,
}

impl Searched {
    /// Whether it must be known how many there are in all.
    pub(crate) fn is_counted(&self) -> bool {
        self.start.is_some() || self.search.is_some()
    }

    /// The part that is wanted.
    ///
    /// # Errors
    /// [`Refusal`] for a cursor or a column that is none.
    pub(crate) fn filter(&self, desk: &Desk) -> Result<Filter, Refusal> {
        let after = cursor(self.after.as_deref())?;
        // What comes behind a page does not begin anew.
        let start = self.start.filter(|_| after.is_none()).unwrap_or(0);
        let limit = limit(self.limit, desk);
        let column = self.column.as_deref();
        let column = column.map_or(Ok(SearchColumn::All), column_of)?;
        let search = self.search.clone().map(|value| Search {
            kind: SearchKind::Resource,
            column,
            value,
        });
        Ok(Filter {
            start,
            limit,
            after,
            search,
            within: Within::All,
        })
    }

    /// The same, where `all` columns are those of accounts.
    pub(crate) fn filter_accounts(&self, desk: &Desk) -> Result<Filter, Refusal> {
        let mut filter = self.filter(desk)?;
        if let Some(search) = &mut filter.search {
            search.kind = SearchKind::Account;
        }
        Ok(filter)
    }
}

fn column_of(word: &str) -> Result<SearchColumn, Refusal> {
    Ok(match word {
        "all" => SearchColumn::All,
        "name" => SearchColumn::Name,
        "type" => SearchColumn::Kind,
        "address" => SearchColumn::Address,
        "url" => SearchColumn::Url,
        "description" => SearchColumn::Description,
        "department" => SearchColumn::Department,
        "location" => SearchColumn::Location,
        "fields" => SearchColumn::Fields,
        "account" => SearchColumn::Account,
        _ => return Err(Refusal::malformed(COLUMNS)),
    })
}

const COLUMNS: &str = "`column` is all, name, type, address, url, description, department, \
                       location, fields or account";

fn limit(asked: Option<usize>, desk: &Desk) -> usize {
    asked.unwrap_or(100).clamp(1, desk.settings.max_page)
}

fn cursor(after: Option<&str>) -> Result<Option<u64>, Refusal> {
    let Some(text) = after else {
        return Ok(None);
    };
    let none = |_| Refusal::malformed("`after` is what an earlier page gave as `next`");
    text.parse().map(Some).map_err(none)
}

impl<T> Part<T> {
    /// A part whose last row has the id `last`; there may be more when it is full. Where it was
    /// counted, with how many there are in all, and whether all were looked through.
    pub(crate) fn of(
        items: Vec<T>,
        last: Option<u64>,
        (limit, counted): (usize, Option<(usize, bool)>),
    ) -> Self {
        let Page { items, next } = Page::of(items, last, limit);
        Self {
            items,
            next,
            total: counted.map(|(total, _)| total as u64),
            complete: counted.map(|(_, complete)| complete),
        }
    }
}

impl<T> Page<T> {
    /// A page whose last row has the id `last`; there may be more when it is full.
    pub(crate) fn of(items: Vec<T>, last: Option<u64>, limit: usize) -> Self {
        let next = last
            .filter(|_| items.len() >= limit)
            .map(|id| id.to_string());
        Self { items, next }
    }

    /// All there is, in one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

#[derive(Debug, Deserialize)]
struct InOrganisation {
    organisation: Option<String>,
}

impl<Q: DeserializeOwned + Send> FromRequestParts<Desk> for Asked<Q> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        let query: Q = read_query(parts)?;
        let InOrganisation { organisation } = read_query(parts)?;
        let peer = Peer::of(parts)?;
        let origin = peer.origin();
        let caller = match peer {
            Peer::Local { uid, .. } => operator(uid, &origin, organisation, desk).await?,
            Peer::Visitor(visitor) => known(visitor, organisation, desk).await?,
        };
        Ok(Self { caller, query })
    }
}

async fn operator(
    uid: u32,
    origin: &Origin,
    organisation: Option<String>,
    desk: &Desk,
) -> Result<Caller, Refusal> {
    let credential = Credential::LocalOperator { uid };
    let caller = desk.vault.identify(&credential, origin).await?;
    match organisation {
        None => Ok(caller),
        Some(name) => Ok(desk.vault.within(&caller, &name).await?),
    }
}

async fn known(
    visitor: Visitor,
    organisation: Option<String>,
    desk: &Desk,
) -> Result<Caller, Refusal> {
    let caller = visitor.who.map_err(|nobody| nobody.refusal())?;
    if let Some(name) = organisation {
        desk.vault.confine(&caller, &name).await?;
    }
    Ok(caller)
}

fn read_query<Q: DeserializeOwned>(parts: &Parts) -> Result<Q, Refusal> {
    let Query(query) =
        Query::try_from_uri(&parts.uri).map_err(|error| Refusal::malformed(error.body_text()))?;
    Ok(query)
}

/// The names in the path.
#[derive(Debug)]
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Desk> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, desk).await {
            Ok(Path(names)) => Ok(Self(names)),
            Err(error) => Err(Refusal::malformed(error.body_text())),
        }
    }
}

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Desk> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Refusal> {
        let body = read(request, "application/json", desk).await?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| Refusal::malformed(without_values(&error)))
    }
}

/// A body of lines of JSON: each read, or what is wrong with it.
#[derive(Debug)]
pub(crate) struct SentLines<T>(pub(crate) Vec<Result<T, String>>);

impl<T: DeserializeOwned> FromRequest<Desk> for SentLines<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Refusal> {
        let body = read(request, "application/x-ndjson", desk).await?;
        let body = body.strip_suffix(b"\n").unwrap_or(&body);
        let most = desk.settings.max_batch;
        if body.split(|&byte| byte == b'\n').count() > most {
            return Err(Refusal::invalid(format!(
                "at most {most} lines are taken at once"
            )));
        }
        let lines = body.split(|&byte| byte == b'\n');
        let parsed =
            lines.map(|line| serde_json::from_slice(line).map_err(|error| without_values(&error)));
        Ok(Self(parsed.collect()))
    }
}

/// What is wrong with JSON, and where. serde_json quotes a value that has the wrong type, which
/// may be a password: then only the place is told.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("invalid type") || text.starts_with("invalid value") {
        return format!(
            "a member has a value of the wrong type at line {} column {}",
            error.line(),
            error.column()
        );
    }
    text
}

async fn read(request: Request, kind: &str, desk: &Desk) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let given = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let given = given
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if !given.eq_ignore_ascii_case(kind) {
        return Err(Refusal::media_type(kind));
    }
    let limit = desk.settings.max_body;
    let whole = Limited::new(request.into_body(), limit).collect();
    let collected = timeout(desk.settings.read_timeout, whole).await;
    let collected = collected
        .map_err(|_| Refusal::too_slow())?
        .map_err(|error| {
            if error.downcast_ref::<LengthLimitError>().is_some() {
                return Refusal::too_large(limit);
            }
            Refusal::malformed("the body broke off")
        })?;
    Ok(Zeroizing::new(Vec::from(collected.to_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::wire::NewAccount;

    #[test]
    fn what_is_wrong_with_a_body_does_not_repeat_what_is_in_it() {
        let bodies = [
            r#"{"name":"a","password":12345}"#,
            r#"{"name":"a","password":"hunter2","fields":"hunter2"}"#,
            r#"{"name":"a","password":"hunter2","#,
        ];

        for body in bodies {
            let error = serde_json::from_str::<NewAccount>(body).unwrap_err();
            let told = without_values(&error);
            assert!(
                !told.contains("hunter2") && !told.contains("12345"),
                "{told}"
            );
        }
    }
}
