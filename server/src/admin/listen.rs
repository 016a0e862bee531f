//! The socket itself: who may connect, how many, for how long.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::admin::answer::answered;
use crate::admin::asked::Peer;
use crate::admin::routes::router;
use crate::admin::{AdminError, Desk, socket};

/// The limits of this door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminSettings {
    /// The longest request body, in bytes.
    pub max_body: usize,
    /// The most connections at once; others wait.
    pub max_connections: usize,
    /// How long the head or the body of a request may take.
    pub read_timeout: Duration,
    /// How long an answer that comes bit by bit may stay unread.
    pub answer_timeout: Duration,
    /// The most rows in one page of a list.
    pub max_page: usize,
    /// The most lines in one batch of an import.
    pub max_batch: usize,
}

/// The open socket. Dropping it removes the file.
#[derive(Debug)]
pub struct AdminDoor {
    listener: UnixListener,
    path: PathBuf,
    own_uid: u32,
}

impl AdminDoor {
    /// Opens the socket of a data directory. The caller holds the directory's lock: what is left
    /// of an earlier server is removed.
    ///
    /// # Errors
    /// [`AdminError::Socket`] when it cannot be made, [`AdminError::NoSocket`] when something else
    /// is in its place.
    pub fn open(data: &Path) -> Result<Self, AdminError> {
        let path = socket::path(data);
        let failed = |source| AdminError::Socket {
            path: path.clone(),
            source,
        };
        remove_old(&path)?;
        let address = socket::Address::of(data).map_err(failed)?;
        // Bound under another name first: under its own it appears with its mode already set.
        let bare = address.path().with_extension("new");
        remove_old(&bare)?;
        let listener = UnixListener::bind(&bare).map_err(failed)?;
        fs::set_permissions(&bare, Permissions::from_mode(0o600)).map_err(failed)?;
        fs::rename(&bare, address.path()).map_err(failed)?;
        let own_uid = rustix::process::geteuid().as_raw();
        Ok(Self {
            listener,
            path,
            own_uid,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves until `stop` says so, then lets what is under way end within `drain`.
    pub async fn serve(self, desk: Desk, mut stop: watch::Receiver<bool>, drain: Duration) {
        let room = Arc::new(Semaphore::new(desk.settings.max_connections));
        let router = router(desk.clone());
        let mut connections = JoinSet::new();
        let halt = stop.clone();
        loop {
            let accepted = tokio::select! {
                accepted = self.accept(&room) => accepted,
                () = until(&mut stop) => break,
            };
            while connections.try_join_next().is_some() {}
            let Some((stream, uid, permit)) = accepted else {
                continue;
            };
            let service = Visit {
                router: router.clone(),
                desk: desk.clone(),
                uid,
            };
            connections.spawn(talk(stream, service, halt.clone(), permit));
        }
        let left = async { while connections.join_next().await.is_some() {} };
        let tasks = desk.tasks.clone();
        tokio::join!(tasks.end(drain), async {
            // What does not end in time is cut when `connections` is dropped.
            let _ended = timeout(drain, left).await;
        });
    }

    async fn accept(
        &self,
        room: &Arc<Semaphore>,
    ) -> Option<(UnixStream, u32, OwnedSemaphorePermit)> {
        let permit = Arc::clone(room).acquire_owned().await.ok()?;
        let stream = match self.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the admin socket accepts nobody");
                // Out of descriptors: going round at once would only burn the processor.
                sleep(Duration::from_millis(100)).await;
                return None;
            }
        };
        let uid = stream.peer_cred().ok()?.uid();
        if uid != 0 && uid != self.own_uid {
            tracing::warn!(uid, "turned away at the admin socket");
            return None;
        }
        Some((stream, uid, permit))
    }
}

impl Drop for AdminDoor {
    fn drop(&mut self) {
        // Whoever restored the directory meanwhile may have removed it.
        let _gone = fs::remove_file(&self.path);
    }
}

fn remove_old(path: &Path) -> Result<(), AdminError> {
    let failed = |source| AdminError::Socket {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(failed),
        Ok(_) => Err(AdminError::NoSocket(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// One connection's way to the handlers.
#[derive(Clone, Debug)]
struct Visit {
    router: Router,
    desk: Desk,
    uid: u32,
}

impl Visit {
    async fn answer(self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let id = self.desk.vault.next_request();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer::Local {
            uid: self.uid,
            request: id,
        });
        Ok(answered(self.router, &self.desk.tasks, request, id).await)
    }
}

/// Until `stop` says so, or whoever could say so is gone. The guard that the channel gives must
/// not be held across a wait.
async fn until(stop: &mut watch::Receiver<bool>) {
    let _said = stop.wait_for(|stop| *stop).await.map(drop);
}

async fn talk(
    stream: UnixStream,
    visit: Visit,
    mut stop: watch::Receiver<bool>,
    _room: OwnedSemaphorePermit,
) {
    let read_timeout = visit.desk.settings.read_timeout;
    let service = service_fn(move |request| visit.clone().answer(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(read_timeout)
        // Otherwise whoever asks and leaves before it is read is not heard at all.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of the admin socket broke off");
    }
}
