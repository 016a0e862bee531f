//! The token of a request, by whichever of the five ways it comes.

use http::HeaderMap;
use input_data::form::Form;

use crate::domain::ApiToken;

/// Why a request has no token that could be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untold {
    /// There is none.
    Missing,
    /// There are several, and not the same.
    Several,
    /// It stands in the URL, where the operator wants none.
    InUrl,
    /// What is there is no token.
    Malformed,
}

impl Untold {
    /// What the audit trail calls somebody who shows this.
    pub(super) fn stranger(self) -> &'static str {
        match self {
            Self::Missing => "(no token)",
            Self::Several => "(several tokens)",
            Self::InUrl => "(a token in the URL)",
            Self::Malformed => "(no well-formed token)",
        }
    }
}

/// The token of a request: in the header `AUTHTOKEN` or `APP_AUTHTOKEN`, or, where `in_url` admits
/// it, in the query. `APP_TYPE` and `APP_NAME`, which come with the latter two, decide nothing.
pub(super) fn token(headers: &HeaderMap, query: &Form, in_url: bool) -> Result<ApiToken, Untold> {
    let mut shown: Option<&[u8]> = None;
    let in_query = NAMES.iter().filter_map(|name| query.get(name));
    let in_query: Vec<&[u8]> = in_query.map(str::as_bytes).collect();
    if !in_url && !in_query.is_empty() {
        return Err(Untold::InUrl);
    }
    let in_headers = NAMES.iter().flat_map(|name| headers.get_all(*name));
    for text in in_headers.map(http::HeaderValue::as_bytes).chain(in_query) {
        if shown.is_some_and(|other| other != text) {
            return Err(Untold::Several);
        }
        shown = Some(text);
    }
    let text = shown.ok_or(Untold::Missing)?;
    let text = std::str::from_utf8(text).map_err(|_| Untold::Malformed)?;
    ApiToken::parse(text).map_err(|_| Untold::Malformed)
}

/// Of headers in any case, of parameters to the letter.
const NAMES: [&str; 2] = ["AUTHTOKEN", "APP_AUTHTOKEN"];

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use input_data::{Limits, form};

    use super::*;

    const ONE: &str = "B9A1809A-5BF7-4459-9ED2-8D4F499CB902";
    const OTHER: &str = "00000000-5BF7-4459-9ED2-8D4F499CB902";

    fn shown(
        headers: &[(&'static str, &'static str)],
        query: &str,
        in_url: bool,
    ) -> Result<String, Untold> {
        let pairs = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_static(value))
        });
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, value);
        }
        let query = form::parse(query.as_bytes(), &Limits::default()).unwrap();
        token(&map, &query, in_url).map(|token| token.expose().to_owned())
    }

    #[test]
    fn all_five_ways_lead_to_the_token() {
        let in_query = format!("AUTHTOKEN={ONE}");
        let named = format!("APP_AUTHTOKEN={ONE}&APP_NAME=tests");
        let ways: [(&[(&'static str, &'static str)], &str); 5] = [
            (&[("AUTHTOKEN", ONE)], ""),
            (&[], &in_query),
            (&[("APP_AUTHTOKEN", ONE)], ""),
            (&[("APP_AUTHTOKEN", ONE), ("APP_TYPE", "17")], ""),
            (&[], &named),
        ];

        for (headers, query) in ways {
            assert_eq!(
                shown(headers, query, true),
                Ok(ONE.to_owned()),
                "{headers:?} {query}"
            );
        }
        let both = shown(&[("authtoken", ONE)], &in_query, true);
        assert_eq!(both, Ok(ONE.to_owned()), "the same one twice");
    }

    #[test]
    fn a_token_that_is_none_and_a_second_one_are_none() {
        let query = format!("AUTHTOKEN={OTHER}");
        assert_eq!(shown(&[], "", true), Err(Untold::Missing));
        assert_eq!(
            shown(&[("COOKIE", ONE)], "authtoken=x", true),
            Err(Untold::Missing)
        );
        assert_eq!(
            shown(&[("AUTHTOKEN", ONE)], &query, true),
            Err(Untold::Several)
        );
        let twice = [("AUTHTOKEN", ONE), ("AUTHTOKEN", OTHER)];
        assert_eq!(shown(&twice, "", true), Err(Untold::Several));
        let ways = [("AUTHTOKEN", ONE), ("APP_AUTHTOKEN", OTHER)];
        assert_eq!(shown(&ways, "", true), Err(Untold::Several));
        for text in ["", "x", "b9a1809a-5bf7-4459-9ed2-8d4f499cb902"] {
            assert_eq!(
                shown(&[("AUTHTOKEN", text)], "", true),
                Err(Untold::Malformed)
            );
        }
    }

    #[test]
    fn a_token_in_a_url_is_refused_where_none_may_be() {
        for query in [format!("AUTHTOKEN={ONE}"), format!("APP_AUTHTOKEN={ONE}")] {
            assert_eq!(shown(&[], &query, false), Err(Untold::InUrl));
            assert_eq!(
                shown(&[("AUTHTOKEN", ONE)], &query, false),
                Err(Untold::InUrl)
            );
        }
        assert_eq!(shown(&[("AUTHTOKEN", ONE)], "", false), Ok(ONE.to_owned()));
    }
}
