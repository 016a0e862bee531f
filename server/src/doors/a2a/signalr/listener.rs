//! Whoever listens: what it hears, what it says, and whether it still may.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::domain::ApiKey;
use crate::doors::Closing;
use crate::doors::a2a::guest::Guest;
use crate::doors::a2a::path::{Query, Service, Target};
use crate::doors::a2a::reply::Refusal;
use crate::doors::a2a::signalr::event::event;
use crate::doors::a2a::signalr::hub::Taken;
use crate::doors::a2a::signalr::talk::{LONGEST, Talk, Then, ping};
use crate::doors::a2a::signalr::{Events, certificate, not_connected, shows_keys, unheard};
use crate::doors::a2a::{A2a, Asked};
use crate::vault::{Heard, Keyed, Listening};

/// A conversation with somebody who listens.
pub(crate) struct Listener {
    door: Arc<A2a>,
    /// Looked at again whenever anything has changed, for itself: requests on the same connection
    /// know of nothing.
    guest: Guest,
    keys: Vec<ApiKey>,
    /// For what they counted when that was last found out.
    keyed: Vec<Keyed>,
    place: Taken,
    ear: Listening,
    talk: Talk,
    ticks: Interval,
    /// Until when hands must be shaken.
    shaken: Instant,
    closing: Closing,
}

/// What happens next.
#[derive(Debug)]
pub(super) enum Turn {
    /// Something is heard of the vault.
    Heard(Heard),
    /// The other side says something, or nothing any more.
    Said(Option<Bytes>),
    /// It is time to say that one is still there.
    Tick,
    /// Hands were not shaken.
    Late,
    /// The door closes.
    Closing,
}

impl Listener {
    /// Takes the negotiated connection that is meant, or a new one, for whoever `asked`.
    pub(super) async fn sit(events: &Events, asked: &Asked<'_>) -> Result<Self, Refusal> {
        let certificate = certificate(asked).await?;
        let token = asked.target.query.get("id");
        let taken = match token {
            Some(token) => events.hub.take(token, certificate),
            None => {
                let token = events
                    .hub
                    .negotiate(certificate, Vec::new())
                    .map_err(unheard)?;
                events.hub.take(&token, certificate)
            }
        };
        let mut place = match taken {
            Ok(place) => place,
            Err(why) => return Err(not_connected(why, asked).await),
        };
        let mut keys = std::mem::take(&mut place.keys);
        if keys.is_empty() || shows_keys(asked) {
            drop(asked.guest.by_keys(asked).await?);
            keys = super::keys(asked);
        }
        let guest = Guest::new(asked.guest.peer().clone());
        let mut keyed = who(asked.door, &guest, &keys).await?;
        let vault = &asked.door.vault;
        let ear = vault.listen(&keyed).await;
        let ear = ear.map_err(|error| asked.door.refusal(error, asked.request))?;
        if !keyed.iter().all(|keyed| vault.holds(&keyed.caller)) {
            // Nobody has told the ear what changed before there was one.
            keyed = who(asked.door, &guest, &keys).await?;
        }
        let Some(door) = events.door.upgrade() else {
            return Err(unheard(super::hub::Unheard::Full));
        };
        Ok(Self::new(
            (door, guest),
            (keys, keyed),
            (place, ear),
            events,
        ))
    }

    fn new(
        (door, guest): (Arc<A2a>, Guest),
        (keys, keyed): (Vec<ApiKey>, Vec<Keyed>),
        (place, ear): (Taken, Listening),
        events: &Events,
    ) -> Self {
        let (now, settings) = (Instant::now(), events.hub.settings());
        let mut ticks = interval_at(now + settings.ping, settings.ping);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            door,
            guest,
            keys,
            keyed,
            place,
            ear,
            talk: Talk::new(LONGEST),
            ticks,
            shaken: now + settings.wait,
            closing: events.closing.clone(),
        }
    }

    /// Waits for what happens next. Dropped meanwhile, it has missed nothing.
    pub(super) async fn turn(&mut self) -> Turn {
        let open = self.talk.is_open();
        tokio::select! {
            biased;
            () = self.closing.said() => Turn::Closing,
            said = self.place.hears.recv() => Turn::Said(said),
            () = sleep_until(self.shaken), if !open => Turn::Late,
            _ = self.ticks.tick() => Turn::Tick,
            heard = self.ear.next(), if open => Turn::Heard(heard),
        }
    }

    /// What is said to that.
    pub(super) async fn act(&mut self, turn: Turn) -> Then {
        match turn {
            Turn::Said(Some(said)) => self.talk.hear(&said),
            Turn::Said(None) => Then::Ends(String::new()),
            Turn::Closing => Then::Ends(self.talk.pause()),
            Turn::Late => Then::Ends(self.talk.farewell("Hands were not shaken in time.")),
            Turn::Tick => {
                let said = if self.talk.is_open() {
                    ping()
                } else {
                    String::new()
                };
                self.if_still_allowed(said).await
            }
            Turn::Heard(Heard::Doubt) => self.if_still_allowed(String::new()).await,
            Turn::Heard(Heard::Changed(changed)) => Then::Goes(event(&changed).unwrap_or_default()),
        }
    }

    /// `said`, unless whoever listens may not any more: then the trail says why.
    async fn if_still_allowed(&mut self, said: String) -> Then {
        match self.look_again().await {
            Ok(()) => Then::Goes(said),
            Err(refusal) if refusal.status == StatusCode::SERVICE_UNAVAILABLE => {
                Then::Ends(self.talk.pause())
            }
            Err(_) => Then::Ends(self.talk.farewell("You may not listen any more.")),
        }
    }

    /// Finds out for what the keys count, unless nothing has changed since.
    async fn look_again(&mut self) -> Result<(), Refusal> {
        let vault = &self.door.vault;
        let hold = self.keyed.iter().all(|keyed| vault.holds(&keyed.caller));
        if hold && self.guest.is_still_proved(&self.door) {
            return Ok(());
        }
        self.keyed = who(&self.door, &self.guest, &self.keys).await?;
        Ok(())
    }

    /// How long whoever answers pings may be silent.
    pub(super) fn silence(&self) -> std::time::Duration {
        match &self.door.events {
            Some(events) => events.hub.settings().silence,
            None => std::time::Duration::ZERO,
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener(..)")
    }
}

/// For what these keys count now.
async fn who(door: &A2a, guest: &Guest, keys: &[ApiKey]) -> Result<Vec<Keyed>, Refusal> {
    let asked = Asked {
        door,
        guest,
        method: Method::GET,
        target: Target {
            service: Service::A2a,
            version: 4,
            segments: Vec::new(),
            query: Query::default(),
        },
        headers: HeaderMap::new(),
        body: Bytes::new(),
        request: door.vault.next_request(),
    };
    let Some(shown) = guest.credential(&asked).await? else {
        return Err(Refusal::unknown(""));
    };
    let (origin, mut keyed) = (guest.origin(&asked), Vec::with_capacity(keys.len()));
    for key in keys {
        let found = door.vault.by_key(&shown, key, &origin).await;
        keyed.push(found.map_err(|error| door.refusal(error, asked.request))?);
    }
    Ok(keyed)
}
