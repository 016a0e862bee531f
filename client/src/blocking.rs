//! The same client for programs without a runtime: every operation waits for its answer.
//!
//! ```no_run
//! use claviger_client::blocking::Client;
//!
//! let client = Client::from_java_conf("JAVA_API.conf")?;
//! let password = client.retrieve_password("db-1", "root").send()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    path::Path,
    sync::{Arc, mpsc::sync_channel},
};

use tokio::runtime::{self, Runtime};
use xmlrpc_codec::{Call, Value};

use crate::{
    Builder, ChangePassword, CreateResource, Error, RetrievePassword, SetupError, server::Effect,
};

/// A client whose operations wait. It may be used from any thread, also from one that belongs to
/// a runtime (which it then holds up). Cheap to clone; clones share the connections.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    worker: Arc<Worker>,
}

/// The thread that moves the bytes, also between operations, so that a connection that the server
/// closed is known to be closed.
#[derive(Debug)]
struct Worker(Option<Runtime>);

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for it would panic inside of another runtime.
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Begins to describe a client; [`Builder::build_blocking`] makes it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A client as `JAVA_API.conf` describes it: see [`Builder::java_conf`].
    ///
    /// # Errors
    /// [`SetupError`] when the file, or what it names, cannot be used.
    pub fn from_java_conf(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        Builder::java_conf(path)?.build_blocking()
    }

    pub(crate) fn new(client: crate::Client) -> Result<Self, SetupError> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("claviger-client")
            .enable_all()
            .build()
            .map_err(SetupError::Thread)?;
        Ok(Self {
            client,
            worker: Arc::new(Worker(Some(runtime))),
        })
    }

    /// Begins the retrieval of the password of `account` on `resource`.
    pub fn retrieve_password(
        &self,
        resource: impl Into<String>,
        account: impl Into<String>,
    ) -> RetrievePassword<&Self> {
        RetrievePassword::new(self, resource.into(), account.into())
    }

    /// Begins the change of the password of `account` on `resource`.
    pub fn change_password(
        &self,
        resource: impl Into<String>,
        account: impl Into<String>,
    ) -> ChangePassword<&Self> {
        ChangePassword::new(self, resource.into(), account.into())
    }

    /// Begins the creation of `resource`, of that type ("Linux", "Windows", ...), with `account`.
    pub fn create_resource(
        &self,
        resource: impl Into<String>,
        resource_type: impl Into<String>,
        account: impl Into<String>,
    ) -> CreateResource<&Self> {
        CreateResource::new(self, resource.into(), resource_type.into(), account.into())
    }

    pub(crate) fn perform(&self, call: Call, effect: Effect) -> Result<Value, Error> {
        let runtime = self.worker.0.as_ref().ok_or(Error::Closed)?;
        let (answered, answer) = sync_channel(1);
        let client = self.client.clone();
        runtime.spawn(async move {
            // Nobody may be waiting any more.
            let _ = answered.send(client.perform(call, effect).await);
        });
        answer.recv().unwrap_or(Err(Error::Closed))
    }
}
