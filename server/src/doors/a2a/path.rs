//! The address of a request: which service, which version, what of it.
//!
//! Paths come in any case and with repeated slashes, as the original's clients send them. They are
//! cut at their slashes first and decoded after that, once, so that no spelling reaches another
//! place.

use zeroize::Zeroize;

use crate::doors::percent;

/// A part of what is served here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// `/service/a2a`
    A2a,
    /// `/service/core`
    Core,
    /// `/service/appliance`
    Appliance,
    /// `/RSTS`
    Rsts,
    /// `/service/event`
    Event,
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) service: Service,
    /// 2, 3 or 4; 4 where the path names none.
    pub(super) version: u8,
    /// What comes behind it, decoded, as it was written.
    pub(super) segments: Vec<String>,
    pub(super) query: Query,
}

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// There is nothing.
    Nothing,
    /// It steps aside, hides a slash, or is no text.
    Crooked,
}

impl Target {
    /// Where a path with its query leads.
    pub(super) fn read(path: &str, query: Option<&str>) -> Result<Self, Lost> {
        let mut segments = Vec::with_capacity(5);
        for raw in path.split('/').filter(|raw| !raw.is_empty()) {
            segments.push(segment(raw).ok_or(Lost::Crooked)?);
        }
        let query = Query::read(query.unwrap_or_default()).ok_or(Lost::Crooked)?;
        let (service, skipped) = service(&segments).ok_or(Lost::Nothing)?;
        let versioned = segments.get(skipped).and_then(|text| version(text));
        let needed = matches!(service, Service::Core | Service::Appliance);
        if needed && versioned.is_none() {
            return Err(Lost::Nothing);
        }
        segments.drain(..skipped + usize::from(versioned.is_some()));
        Ok(Self {
            service,
            version: versioned.unwrap_or(4),
            segments,
            query,
        })
    }

    /// Its segments in lower case, for those that are words.
    pub(super) fn lower(&self) -> Vec<String> {
        let lower = self.segments.iter().map(|text| text.to_ascii_lowercase());
        lower.collect()
    }
}

/// Which service, and how many segments name it.
fn service(segments: &[String]) -> Option<(Service, usize)> {
    let is = |at: usize, word: &str| {
        let segment = segments.get(at);
        segment.is_some_and(|segment| segment.eq_ignore_ascii_case(word))
    };
    if is(0, "rsts") {
        return Some((Service::Rsts, 1));
    }
    if !is(0, "service") {
        return None;
    }
    let known = [
        ("a2a", Service::A2a),
        ("core", Service::Core),
        ("appliance", Service::Appliance),
        ("event", Service::Event),
    ];
    let found = known.into_iter().find(|(word, _)| is(1, word));
    found.map(|(_, service)| (service, 2))
}

fn version(segment: &str) -> Option<u8> {
    let digit = segment.strip_prefix(['v', 'V'])?;
    match digit {
        "2" => Some(2),
        "3" => Some(3),
        "4" => Some(4),
        _ => None,
    }
}

fn segment(raw: &str) -> Option<String> {
    let text = percent::decoded(raw)?;
    let aside = text == "." || text == "..";
    let hidden = |sign: char| sign == '/' || sign == '\\' || sign.is_control();
    (!aside && !text.contains(hidden)).then_some(text)
}

/// What stands behind the question mark: names in lower case, values as they are.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

impl Drop for Query {
    /// Values may be tokens of connections.
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

impl Query {
    /// The pairs of a query; nothing where one is no text.
    pub(super) fn read(text: &str) -> Option<Self> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = plain(name)?.to_ascii_lowercase();
            Some((name, plain(value)?))
        });
        pairs.collect::<Option<_>>().map(Self)
    }

    /// The value of `name` (in lower case); the first where there are several.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|pair| pair.0 == name).map(|pair| pair.1)
    }

    /// All of them.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// As forms write it: a plus is a space.
fn plain(raw: &str) -> Option<String> {
    match raw.contains('+') {
        true => percent::decoded(&raw.replace('+', " ")),
        false => percent::decoded(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Result<(Service, u8, String), Lost> {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let target = Target::read(path, query)?;
        Ok((target.service, target.version, target.segments.join("|")))
    }

    #[test]
    fn paths_come_in_any_case_and_with_many_slashes() {
        let table = [
            (
                "/service/A2A/V2/Credentials?type=Password",
                (Service::A2a, 2, "Credentials"),
            ),
            (
                "/service/a2a/signalr/negotiate",
                (Service::A2a, 4, "signalr|negotiate"),
            ),
            ("/SERVICE/Core/v3/Users/5", (Service::Core, 3, "Users|5")),
            (
                "/service/appliance/v4/A2AService/Status",
                (Service::Appliance, 4, "A2AService|Status"),
            ),
            ("/RSTS//oauth2/token", (Service::Rsts, 4, "oauth2|token")),
            ("/rsts/oauth2/token/", (Service::Rsts, 4, "oauth2|token")),
            ("/service/event/signalr", (Service::Event, 4, "signalr")),
            (
                "/service/core/v4/Users/a%20b",
                (Service::Core, 4, "Users|a b"),
            ),
        ];

        for (path, (service, version, rest)) in table {
            assert_eq!(
                read(path),
                Ok((service, version, rest.to_owned())),
                "{path}"
            );
        }
    }

    #[test]
    fn what_leads_elsewhere_or_hides_a_slash_is_refused() {
        for path in [
            "/",
            "/service",
            "/service/b2b/v4/x",
            "/service/core/v5/Users",
            "/xmlrpc",
        ] {
            assert_eq!(read(path), Err(Lost::Nothing), "{path}");
        }
        for path in [
            "/service/a2a/../core/v4/Users",
            "/service/a2a/%2e%2E/core",
            "/service/a2a/v4/Cred%2fentials",
            "/service/a2a/v4/a%5cb",
            "/service/a2a/v4/a%00",
            "/service/a2a/v4/%ff",
            "/service/a2a/v4/Credentials?type=%zz",
        ] {
            assert_eq!(read(path), Err(Lost::Crooked), "{path}");
        }
    }

    #[test]
    fn a_querys_names_come_in_any_case() {
        let query = Query::read("Type=Password&&keyformat=a+b%2B&type=x&bare").unwrap();

        assert_eq!(query.get("type"), Some("Password"));
        assert_eq!(query.get("keyformat"), Some("a b+"));
        assert_eq!(query.get("bare"), Some(""));
        assert_eq!(query.get("none"), None);
        assert!(!format!("{query:?}").contains("Password"));
    }
}
