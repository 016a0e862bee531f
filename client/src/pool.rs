//! The connections to one server that wait for their next request.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::connection::Connection;

/// A bounded number of connections; those at rest, the last used one last.
#[derive(Debug)]
pub(crate) struct Pool {
    /// One permit a connection that is in use or being made.
    pub(crate) places: Semaphore,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(size: usize) -> Self {
        let places = Semaphore::new(size.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            places,
            idle: Mutex::default(),
        }
    }

    /// The connection that was used last, if it is open and has not been idle for longer than
    /// that. Otherwise the caller, who has a place, makes a new one, and the oldest at rest goes
    /// where there would be too many.
    pub(crate) fn take(&self, now: Instant, idle: Duration) -> Option<Connection> {
        let mut all = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| it.connection.is_open());
        if let Some(last) = all.pop_if(|it| now.duration_since(it.since) <= idle) {
            return Some(last.connection);
        }
        let room = self.places.available_permits();
        let surplus = all.len().saturating_sub(room);
        all.drain(..surplus);
        None
    }

    /// Keeps a connection for its next request, and drops those that nobody used for `idle`.
    pub(crate) fn put(&self, connection: Connection, now: Instant, idle: Duration) {
        let mut all = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| it.connection.is_open() && now.duration_since(it.since) <= idle);
        all.push(Idle {
            connection,
            since: now,
        });
    }

    /// Drops all connections at rest: the server they led to is gone.
    pub(crate) fn clear(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
