//! Whoever listens: what it hears, what it says, and whether it still may.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use crate::domain::{AccountId, ApiKey, ApiToken, Door};
use crate::doors::Closing;
use crate::doors::a2a::guest::{Guest, bearer};
use crate::doors::a2a::path::{Query, Service, Target};
use crate::doors::a2a::reply::Refusal;
use crate::doors::a2a::signalr::event::event;
use crate::doors::a2a::signalr::hub::Taken;
use crate::doors::a2a::signalr::talk::{LONGEST, Talk, Then, ping};
use crate::doors::a2a::signalr::{
    Events, NOTHING_TO_HEAR, not_connected, owner, shows_keys, unheard,
};
use crate::doors::a2a::{A2a, Asked};
use crate::vault::{Heard, KeyOf, Keyed, Listening, Origin, VaultError};

/// A conversation with somebody who listens.
pub(crate) struct Listener {
    door: Arc<A2a>,
    /// Looked at again whenever anything has changed, for itself: requests on the same connection
    /// know of nothing.
    guest: Guest,
    shown: Shown,
    /// For what that counted when it was last found out.
    keyed: Vec<Keyed>,
    place: Taken,
    ear: Listening,
    talk: Talk,
    ticks: Interval,
    /// Until when hands must be shaken.
    shaken: Instant,
    /// When the other side said something last.
    heard: Instant,
    closing: Closing,
}

/// By what somebody listens.
enum Shown {
    /// By a certificate with these API keys.
    Keys(Vec<ApiKey>),
    /// By a log-in.
    Token(ApiToken),
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
        let owner = owner(asked).await?;
        let token = asked.target.query.get("id");
        let taken = match token {
            Some(token) => events.hub.take(token, owner),
            None => {
                let token = events.hub.negotiate(owner, Vec::new()).map_err(unheard)?;
                events.hub.take(&token, owner)
            }
        };
        let mut place = match taken {
            Ok(place) => place,
            Err(why) => return Err(not_connected(why, asked).await),
        };
        let shown = match bearer(&asked.headers) {
            Some(token) if asked.target.service == Service::Event => Shown::Token(token),
            _ => Shown::Keys(keys(&mut place, asked).await?),
        };
        let guest = Guest::new(asked.guest.peer().clone());
        let mut keyed = who(asked.door, &guest, &shown).await?;
        let vault = &asked.door.vault;
        let ear = vault.listen(&keyed).await;
        let ear = ear.map_err(|error| asked.door.refusal(error, asked.request))?;
        if !keyed.iter().all(|keyed| vault.holds(&keyed.caller)) {
            // Nobody has told the ear what changed before there was one.
            keyed = who(asked.door, &guest, &shown).await?;
        }
        let Some(door) = events.door.upgrade() else {
            return Err(unheard(super::hub::Unheard::Full));
        };
        Ok(Self::new(
            (door, guest),
            (shown, keyed),
            (place, ear),
            events,
        ))
    }

    fn new(
        (door, guest): (Arc<A2a>, Guest),
        (shown, keyed): (Shown, Vec<Keyed>),
        (place, ear): (Taken, Listening),
        events: &Events,
    ) -> Self {
        let (now, settings) = (Instant::now(), events.hub.settings());
        let mut ticks = interval_at(now + settings.ping, settings.ping);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            door,
            guest,
            shown,
            keyed,
            place,
            ear,
            talk: Talk::new(LONGEST),
            ticks,
            shaken: now + settings.wait,
            heard: now,
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

    /// Whether hands were shaken.
    pub(super) fn is_open(&self) -> bool {
        self.talk.is_open()
    }

    /// What is said to that.
    pub(super) async fn act(&mut self, turn: Turn) -> Then {
        match turn {
            Turn::Said(Some(said)) => {
                self.heard = Instant::now();
                self.talk.hear(&said)
            }
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
            Ok(true) => Then::Goes(said),
            Ok(false) => Then::Ends(self.talk.pause()),
            Err(refusal) if refusal.status == StatusCode::SERVICE_UNAVAILABLE => {
                Then::Ends(self.talk.pause())
            }
            Err(_) => Then::Ends(self.talk.farewell("You may not listen any more.")),
        }
    }

    /// Finds out for what it counts by which it listens, unless nothing has changed since; whether
    /// that is for the same accounts.
    async fn look_again(&mut self) -> Result<bool, Refusal> {
        let vault = &self.door.vault;
        let hold = self.keyed.iter().all(|keyed| vault.holds(&keyed.caller));
        let proved = match &self.shown {
            Shown::Keys(_) => self.guest.is_still_proved(&self.door),
            Shown::Token(token) => {
                let found = vault.by_session(token, &self.origin()).await;
                matches!(found, Ok(Some(_)))
            }
        };
        if hold && proved {
            return Ok(true);
        }
        let keyed = who(&self.door, &self.guest, &self.shown).await?;
        let before = std::mem::replace(&mut self.keyed, keyed);
        // Which accounts a log-in is for may change under way, which those of a key are never.
        let same = match &self.shown {
            Shown::Keys(_) => true,
            Shown::Token(_) => before
                .iter()
                .map(account)
                .eq(self.keyed.iter().map(account)),
        };
        Ok(same)
    }

    fn origin(&self) -> Origin {
        Origin {
            door: Door::A2a,
            peer: Some(self.guest.address()),
            request: self.door.vault.next_request(),
        }
    }

    /// How long whoever answers pings may be silent.
    pub(super) fn silence(&self) -> Duration {
        let events = self.door.events.as_ref();
        events.map_or(Duration::ZERO, |events| events.hub.settings().silence)
    }

    /// What is said to whoever need not answer pings and has said nothing for too long: a connection
    /// that nobody reads would be there for ever.
    pub(super) fn parting(&self) -> Option<String> {
        let events = self.door.events.as_ref();
        let patience = events.map_or(Duration::ZERO, |events| events.hub.settings().feed);
        (self.heard.elapsed() >= patience).then(|| self.talk.pause())
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener(..)")
    }
}

fn account(keyed: &Keyed) -> Option<AccountId> {
    match keyed.of {
        KeyOf::Account { account, .. } => Some(account),
        KeyOf::Broker { .. } => None,
    }
}

/// The keys that came with this request or, where it shows none, with an earlier one.
async fn keys(place: &mut Taken, asked: &Asked<'_>) -> Result<Vec<ApiKey>, Refusal> {
    let earlier = std::mem::take(&mut place.keys);
    if !earlier.is_empty() && !shows_keys(asked) {
        return Ok(earlier);
    }
    drop(asked.guest.by_keys(asked).await?);
    Ok(super::keys(asked))
}

/// For what it counts now by which somebody listens.
async fn who(door: &A2a, guest: &Guest, shown: &Shown) -> Result<Vec<Keyed>, Refusal> {
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
    match shown {
        Shown::Keys(keys) => by_keys(keys, &asked).await,
        Shown::Token(token) => by_token(token, &asked).await,
    }
}

async fn by_keys(keys: &[ApiKey], asked: &Asked<'_>) -> Result<Vec<Keyed>, Refusal> {
    let Some(shown) = asked.guest.credential(asked).await? else {
        return Err(Refusal::unknown(""));
    };
    let mut keyed = Vec::with_capacity(keys.len());
    for key in keys {
        keyed.push(asked.guest.look_up(key, &shown, asked).await?);
    }
    Ok(keyed)
}

async fn by_token(token: &ApiToken, asked: &Asked<'_>) -> Result<Vec<Keyed>, Refusal> {
    let (door, guest) = (asked.door, asked.guest);
    let token = ApiToken::parse(token.expose()).map_err(|_| Refusal::unknown(""))?;
    let caller = guest.by_token(token, asked).await?;
    let heard = door.vault.heard_by(&caller, door.settings.keys).await;
    heard.map_err(|error| match error {
        VaultError::NotAllowed => Refusal::forbidden(NOTHING_TO_HEAR),
        other => door.refusal(other, asked.request),
    })
}
