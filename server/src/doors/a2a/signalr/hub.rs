//! Connections that were negotiated: who may take one, until when, and, where what is
//! said comes in by other requests than the one that listens, the way from them to it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::domain::{ApiKey, Fingerprint, OrgId, UserId};

/// What an operator may set about listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSettings {
    /// The most connections that listen, or were negotiated and do not yet. Default 4096.
    pub most: usize,
    /// The most of them that are one certificate's, or one user's. Default 2048.
    pub by_one: usize,
    /// The most that one of them has negotiated that do not listen yet. Default 64.
    pub waiting: usize,
    /// How long a negotiated connection waits to be taken, and hands to be shaken. Default 15 s.
    pub wait: Duration,
    /// How often a listener is told that the server is there, and asked again who it is. Default
    /// 15 s.
    pub ping: Duration,
    /// How long a listener by WebSocket that has answered a ping may be silent. Default 60 s.
    pub silence: Duration,
    /// How long a listener by server-sent events, which need not answer anything, may be silent until
    /// it is asked to come again. Default 1 h.
    pub feed: Duration,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            most: 4096,
            by_one: 2048,
            waiting: 64,
            wait: Duration::from_secs(15),
            ping: Duration::from_secs(15),
            silence: Duration::from_secs(60),
            feed: Duration::from_hours(1),
        }
    }
}

/// The connections that are negotiated.
pub(super) struct Hub {
    settings: EventSettings,
    lines: Mutex<HashMap<Name, Line>>,
}

/// Whose a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Whoever shows this certificate.
    Certificate(Fingerprint),
    /// Whoever has logged in as this user.
    User(OrgId, UserId),
}

/// A connection's token, as its hash: whoever looks one up learns nothing by the time it takes.
type Name = [u8; 32];

struct Line {
    owner: Owner,
    until: Instant,
    keys: Vec<ApiKey>,
    said: Sender<Bytes>,
    /// Taken by whoever listens.
    hears: Option<Receiver<Bytes>>,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// None of that token, or it is another's, was taken, or has waited too long.
    Unknown,
    /// There are as many as there may be, or as much was said as fits.
    Full,
}

/// A place among the listeners; given back when it is dropped.
pub(super) struct Taken {
    hub: Arc<Hub>,
    name: Name,
    /// What is said by other requests.
    pub(super) hears: Receiver<Bytes>,
    /// The keys that came with an earlier request.
    pub(super) keys: Vec<ApiKey>,
}

impl Hub {
    pub(super) fn new(settings: EventSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            lines: Mutex::default(),
        })
    }

    pub(super) fn settings(&self) -> &EventSettings {
        &self.settings
    }

    /// A connection for its owner, and the token to take it by: 256 random bits, once, by that
    /// owner, soon.
    pub(super) fn negotiate(
        &self,
        owner: Owner,
        keys: Vec<ApiKey>,
    ) -> Result<Zeroizing<String>, Unheard> {
        let mut random = Zeroizing::new([0; 32]);
        getrandom::fill(random.as_mut_slice()).map_err(|_| Unheard::Full)?;
        let token = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()));
        let (said, hears) = channel(SAID);
        let now = Instant::now();
        let line = Line {
            owner,
            until: now + self.settings.wait,
            keys,
            said,
            hears: Some(hears),
        };
        let mut lines = self.lock();
        lines.retain(|_, line| line.hears.is_none() || line.until > now);
        let mine = lines.values().filter(|line| line.owner == owner);
        let (mut all, mut waiting) = (0, 0);
        for line in mine {
            all += 1;
            waiting += usize::from(line.hears.is_some());
        }
        let settings = &self.settings;
        if lines.len() >= settings.most || all >= settings.by_one || waiting >= settings.waiting {
            return Err(Unheard::Full);
        }
        lines.insert(name(&token), line);
        Ok(token)
    }

    /// Takes the connection of `token`: nobody takes it again.
    pub(super) fn take(self: &Arc<Self>, token: &str, owner: Owner) -> Result<Taken, Unheard> {
        let name = name(token);
        let mut lines = self.lock();
        let line = known(&mut lines, &name, owner)?;
        let hears = line.hears.take().ok_or(Unheard::Unknown)?;
        Ok(Taken {
            hub: Arc::clone(self),
            name,
            hears,
            keys: std::mem::take(&mut line.keys),
        })
    }

    /// Says something to the connection of `token`, taken or not yet.
    pub(super) fn say(
        &self,
        token: &str,
        owner: Owner,
        (said, keys): (Bytes, Vec<ApiKey>),
    ) -> Result<(), Unheard> {
        let mut lines = self.lock();
        let line = known(&mut lines, &name(token), owner)?;
        if line.hears.is_some() && !keys.is_empty() {
            line.keys = keys;
        }
        line.said.try_send(said).map_err(|error| match error {
            TrySendError::Full(_) => Unheard::Full,
            TrySendError::Closed(_) => Unheard::Unknown,
        })
    }

    /// Ends the connection of `token`.
    pub(super) fn end(&self, token: &str, owner: Owner) -> Result<(), Unheard> {
        let (mut lines, name) = (self.lock(), name(token));
        known(&mut lines, &name, owner)?;
        lines.remove(&name);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known<'a>(
    lines: &'a mut HashMap<Name, Line>,
    name: &Name,
    owner: Owner,
) -> Result<&'a mut Line, Unheard> {
    let now = Instant::now();
    let lives =
        |line: &&mut Line| line.owner == owner && (line.hears.is_none() || line.until > now);
    lines.get_mut(name).filter(lives).ok_or(Unheard::Unknown)
}

fn name(token: &str) -> Name {
    Sha256::digest(token.as_bytes()).into()
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.hub.lock().remove(&self.name);
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub(..)")
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Taken(..)")
    }
}

/// How many messages wait for a connection to hear them.
const SAID: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: Owner = Owner::Certificate(Fingerprint([1; 32]));
    const OTHER: Owner = Owner::User(OrgId(1), UserId(2));

    fn hub(most: usize, waiting: usize) -> Arc<Hub> {
        Hub::new(EventSettings {
            most,
            waiting,
            ..EventSettings::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_taken_once_by_its_certificate_and_soon() {
        let hub = hub(10, 10);
        let token = hub.negotiate(MINE, Vec::new()).unwrap();
        let late = hub.negotiate(MINE, Vec::new()).unwrap();

        assert_eq!(hub.take("x", MINE).unwrap_err(), Unheard::Unknown);
        assert_eq!(hub.take(&token, OTHER).unwrap_err(), Unheard::Unknown);
        let taken = hub.take(&token, MINE).unwrap();
        assert_eq!(hub.take(&token, MINE).unwrap_err(), Unheard::Unknown);
        tokio::time::advance(Duration::from_secs(15)).await;

        assert_eq!(hub.take(&late, MINE).unwrap_err(), Unheard::Unknown);
        // The one that was taken lives as long as somebody listens.
        hub.say(&token, MINE, (Bytes::new(), Vec::new())).unwrap();
        drop(taken);
        let said = hub.say(&token, MINE, (Bytes::new(), Vec::new()));
        assert_eq!(said.unwrap_err(), Unheard::Unknown);
        drop(hub.negotiate(MINE, Vec::new()).unwrap());
        assert_eq!(hub.lock().len(), 1);
    }

    #[tokio::test]
    async fn what_is_said_before_somebody_listens_is_heard_and_not_without_end() {
        let hub = hub(10, 10);
        let token = hub.negotiate(MINE, Vec::new()).unwrap();
        let said = |text: &'static str| (Bytes::from_static(text.as_bytes()), Vec::new());

        for _ in 0..SAID {
            hub.say(&token, MINE, said("a")).unwrap();
        }

        assert_eq!(hub.say(&token, MINE, said("b")).unwrap_err(), Unheard::Full);
        assert_eq!(
            hub.say(&token, OTHER, said("b")).unwrap_err(),
            Unheard::Unknown
        );
        let mut taken = hub.take(&token, MINE).unwrap();
        assert_eq!(taken.hears.recv().await.unwrap(), "a");
        hub.say(&token, MINE, said("b")).unwrap();
    }

    #[tokio::test]
    async fn keys_may_come_with_any_request_before_somebody_listens() {
        let hub = hub(10, 10);
        let text = "6A4psUnrLv1hvoWSB3jsm2V50eFT62vwAI9Zlj/dDWw=";
        let keys = || vec![ApiKey::parse(text).unwrap()];
        let first = hub.negotiate(MINE, Vec::new()).unwrap();
        let second = hub.negotiate(MINE, keys()).unwrap();

        hub.say(&first, MINE, (Bytes::new(), keys())).unwrap();

        for token in [first, second] {
            let taken = hub.take(&token, MINE).unwrap();
            assert_eq!(taken.keys.len(), 1);
            assert_eq!(taken.keys[0].expose(), text);
        }
    }

    #[tokio::test]
    async fn one_certificate_does_not_take_all_places() {
        let hub = Hub::new(EventSettings {
            by_one: 2,
            ..EventSettings::default()
        });
        let tokens = [(); 2].map(|()| hub.negotiate(MINE, Vec::new()).unwrap());
        let _taken = tokens.map(|token| hub.take(&token, MINE).unwrap());

        assert_eq!(hub.negotiate(MINE, Vec::new()).unwrap_err(), Unheard::Full);
        hub.negotiate(OTHER, Vec::new()).unwrap();
    }

    #[tokio::test]
    async fn nobody_negotiates_without_end() {
        let hub = hub(3, 2);
        let first = hub.negotiate(MINE, Vec::new()).unwrap();
        hub.negotiate(MINE, Vec::new()).unwrap();

        assert_eq!(hub.negotiate(MINE, Vec::new()).unwrap_err(), Unheard::Full);
        let _taken = hub.take(&first, MINE).unwrap();
        hub.negotiate(MINE, Vec::new()).unwrap();
        assert_eq!(hub.negotiate(OTHER, Vec::new()).unwrap_err(), Unheard::Full);
    }

    #[tokio::test]
    async fn an_ended_connection_hears_its_end() {
        let hub = hub(3, 2);
        let token = hub.negotiate(MINE, Vec::new()).unwrap();
        let mut taken = hub.take(&token, MINE).unwrap();

        assert_eq!(hub.end(&token, OTHER).unwrap_err(), Unheard::Unknown);
        hub.end(&token, MINE).unwrap();

        assert_eq!(taken.hears.recv().await, None);
    }
}
