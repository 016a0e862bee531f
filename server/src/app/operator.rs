//! What the operator is told of the house.

use std::sync::Arc;

use axum::Router;

use crate::admin::wire::{DoorStatus, ExpiringCertificate};
use crate::admin::{self, AdminSettings};
use crate::app::DataFolder;
use crate::app::backup::backup_files;
use crate::app::watch::Watch;
use crate::config::{Config, Engine};
use crate::doors::{Beyond, Expiring, HealthDoor, Ssh};
use crate::vault::BackupFiles;

/// The house as the admin API shows it.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) watch: Arc<Watch>,
    pub(crate) health: HealthDoor,
    pub(crate) folder: DataFolder,
    pub(crate) config: Config,
    pub(crate) started: String,
    /// The doors that are open, with their addresses.
    pub(crate) doors: Vec<(&'static str, String)>,
    /// The fingerprint of the SSH door's host key, where it is open.
    pub(crate) host_key: Option<String>,
}

impl admin::House for Front {
    fn doors(&self) -> Vec<DoorStatus> {
        let open = self.doors.iter().map(|(name, listen)| DoorStatus {
            name: (*name).to_owned(),
            listen: listen.clone(),
            host_key: self.host_key.clone().filter(|_| *name == Ssh::NAME),
        });
        open.collect()
    }

    fn started(&self) -> String {
        self.started.clone()
    }

    fn engine(&self) -> &'static str {
        match self.config.store.engine {
            Engine::Redb => "redb",
            Engine::Sled => "sled",
        }
    }

    fn expiring(&self) -> Vec<ExpiringCertificate> {
        let ageing = self
            .watch
            .ageing()
            .into_iter()
            .map(|one| ExpiringCertificate {
                use_for: one.role.to_owned(),
                subject: one.info.subject,
                fingerprint: one.info.fingerprint.to_string(),
                not_after: admin::seconds_to_text(one.info.not_after),
                days_left: one.days_left,
            });
        ageing.collect()
    }

    fn problems(&self) -> Vec<String> {
        self.watch.problems()
    }

    fn backup_files(&self) -> Result<BackupFiles, String> {
        backup_files(&self.folder, &self.config).map_err(|error| error.to_string())
    }

    fn watched(&self) -> Router {
        self.health.router()
    }
}

impl Beyond for Watch {
    fn problems(&self) -> Vec<String> {
        Self::problems(self)
    }

    fn expiring(&self) -> Vec<Expiring> {
        let ageing = self.ageing().into_iter().map(|one| Expiring {
            certificate: format!("{} {}", one.role, one.info.subject),
            days_left: one.days_left,
        });
        ageing.collect()
    }
}

/// The limits of the operator's socket, as `claviger.toml` says.
pub(crate) fn admin_settings(config: &Config) -> AdminSettings {
    AdminSettings {
        max_body: config.admin.max_body.as_usize(),
        max_connections: config.admin.max_connections.as_usize(),
        read_timeout: config.admin.read_timeout.get(),
        answer_timeout: config.admin.answer_timeout.get(),
        max_page: config.admin.max_page.as_usize(),
        max_batch: config.admin.max_batch.as_usize(),
    }
}
