//! What every handler works with.

use std::fmt;
use std::sync::Arc;

use axum::Router;

use crate::admin::wire::{DoorStatus, ExpiringCertificate};
use crate::admin::{AdminSettings, Tasks};
use crate::vault::{BackupFiles, Vault};

/// What only whoever assembled the server knows.
pub trait House: Send + Sync + fmt::Debug {
    /// The doors that are open.
    fn doors(&self) -> Vec<DoorStatus>;

    /// When the server started, in RFC 3339.
    fn started(&self) -> String;

    /// The name of the store's engine.
    fn engine(&self) -> &'static str;

    /// The certificates that have expired or soon will: the server's own, the CA's, trusted ones.
    fn expiring(&self) -> Vec<ExpiringCertificate>;

    /// What is wrong outside the vault, a line each: a certificate that could not be reloaded, a
    /// revocation list that is stale.
    fn problems(&self) -> Vec<String>;

    /// The files that belong into a backup beside rows and trail.
    ///
    /// # Errors
    /// What could not be read, in words.
    fn backup_files(&self) -> Result<BackupFiles, String>;

    /// `/health` and `/metrics`, as every operator's address offers them.
    fn watched(&self) -> Router;
}

/// What every handler works with.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The counter.
    pub vault: Arc<Vault>,
    /// The rest of the server.
    pub house: Arc<dyn House>,
    /// Work that outlives its request.
    pub tasks: Tasks,
    /// Limits.
    pub settings: AdminSettings,
}
