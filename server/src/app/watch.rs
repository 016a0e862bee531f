//! What the server looks after by itself: certificates and lists that change on disk, dates that
//! come near, check-outs whose time is up, and the store's memory of the audit trail.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use certs::{CertificateDer, CertificateInfo, Fingerprint, ServerIdentity};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use crate::app::folder::check_private;
use crate::app::trust::TrustKeeper;
use crate::doors::{Closing, Leaving};
use crate::vault::Vault;

/// A certificate that has expired or soon will.
#[derive(Clone, Debug)]
pub(crate) struct Ageing {
    /// `server`, `ca` for a root, or `client` for a pin and for one that came in.
    pub(crate) role: &'static str,
    /// What it says.
    pub(crate) info: CertificateInfo,
    /// How many days are left; negative once it has expired.
    pub(crate) days_left: i64,
}

/// Looks after things, and remembers what it saw when it last looked.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) vault: Arc<Vault>,
    pub(crate) trust: Arc<TrustKeeper>,
    pub(crate) identity: ServerIdentity,
    /// The server's certificate and key.
    pub(crate) files: [PathBuf; 2],
    /// How many days before its end a certificate is warned of.
    pub(crate) warn_days: i64,
    /// The clients' certificates that came in and soon end.
    pub(crate) leaving: Arc<Leaving>,
    pub(crate) seen: Mutex<Seen>,
}

/// What was seen last.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    written: [Option<SystemTime>; 2],
    reload_problem: Option<String>,
    ageing: Vec<Ageing>,
    warned_on_day: i64,
    /// Of what the log has warned on that day.
    warned: HashSet<Fingerprint>,
}

impl Seen {
    /// What there is to see when the files were written at these times.
    pub(crate) fn since(written: [Option<SystemTime>; 2]) -> Self {
        Self {
            written,
            ..Self::default()
        }
    }
}

impl Watch {
    /// Looks every `pause`, and every `sweep` for check-outs whose time is up, until `closing` says
    /// so.
    pub(crate) async fn run(self: Arc<Self>, pause: Duration, sweep: Duration, closing: Closing) {
        tokio::join!(
            self.look_around(pause, sweep, closing.clone()),
            self.note_accesses(pause, closing)
        );
    }

    async fn look_around(&self, pause: Duration, sweep: Duration, mut closing: Closing) {
        let [mut ticks, mut sweeps] = [pause, sweep].map(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = closing.said() => return,
                _ = ticks.tick() => self.look().await,
                _ = sweeps.tick() => self.end_overdue().await,
            }
        }
    }

    /// Writes the times of last access every `pause`, and when many wait; what is left at the end
    /// is written when the house closes.
    async fn note_accesses(&self, pause: Duration, mut closing: Closing) {
        loop {
            let round = async {
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.vault.access_times_crowded() => {}
                }
                if let Err(why) = self.vault.write_access_times_gently().await {
                    warn!(%why, "the times of last access cannot be written");
                }
            };
            tokio::select! {
                () = closing.said() => return,
                () = round => {}
            }
        }
    }

    /// What is wrong with files that were to be reloaded, a line each.
    pub(crate) fn problems(&self) -> Vec<String> {
        let now = self.vault.now().unix_seconds();
        let reload = self.seen().reload_problem.clone();
        reload
            .into_iter()
            .chain(self.trust.list_problems(now))
            .collect()
    }

    /// The certificates that have expired or soon will.
    pub(crate) fn ageing(&self) -> Vec<Ageing> {
        self.seen().ageing.clone()
    }

    async fn look(&self) {
        self.reload_identity();
        if self.trust.reload_lists() {
            self.vault.doubt_everyone();
            info!("the revocation lists were read again");
        }
        self.look_at_dates();
        self.vault.drop_unused_lists();
        if let Err(why) = self.vault.drop_anchor().await {
            warn!(%why, "the store cannot remember where the audit trail ends");
        }
    }

    async fn end_overdue(&self) {
        match self.vault.end_overdue().await {
            Ok(0) => {}
            Ok(ended) => info!(ended, "check-outs and requests whose time was up"),
            Err(why) => warn!(%why, "check-outs whose time is up cannot be ended"),
        }
        match self.vault.sweep_leftovers().await {
            Ok(0) => {}
            Ok(swept) => info!(swept, "removed things whose rows were still there"),
            Err(why) => warn!(%why, "rows of what is removed cannot be taken away"),
        }
    }

    /// The server's own certificate, when one of its files was written; the old one stays where
    /// the new one cannot be used.
    fn reload_identity(&self) {
        let written = times(&self.files);
        if written == self.seen().written {
            return;
        }
        let [_, key] = &self.files;
        let result = check_private(key)
            .map_err(|why| why.to_string())
            .and_then(|()| self.identity.reload().map_err(|why| why.to_string()));
        let mut seen = self.seen();
        seen.written = written;
        seen.reload_problem = match result {
            Ok(info) => {
                info!(subject = %info.subject, fingerprint = %info.fingerprint, "own certificate read again");
                None
            }
            Err(why) => {
                error!(%why, "the server's new certificate cannot be used: the old one stays");
                Some(format!(
                    "the server's new certificate cannot be used: {why}"
                ))
            }
        };
    }

    fn look_at_dates(&self) {
        let now = self.vault.now().unix_seconds();
        let mut all = vec![("server", self.identity.info())];
        for (root, der) in self.trust.certificates() {
            let role = if root { "ca" } else { "client" };
            match CertificateInfo::parse(&CertificateDer::from(der)) {
                Ok(info) => all.push((role, info)),
                Err(why) => warn!(%why, "a trusted certificate cannot be read"),
            }
        }
        for info in self.leaving.known(now) {
            if !all
                .iter()
                .any(|(_, known)| known.fingerprint == info.fingerprint)
            {
                all.push(("client", info));
            }
        }
        let age = |(role, info): (&'static str, CertificateInfo)| {
            let days_left = (info.not_after - now).div_euclid(DAY);
            Ageing {
                role,
                info,
                days_left,
            }
        };
        let ageing: Vec<_> = all
            .into_iter()
            .map(age)
            .filter(|one| one.days_left < self.warn_days)
            .collect();
        let mut seen = self.seen();
        // Once a day is enough for a log.
        if seen.warned_on_day != now.div_euclid(DAY) {
            seen.warned_on_day = now.div_euclid(DAY);
            seen.warned.clear();
        }
        for one in &ageing {
            let (role, info, days_left) = (one.role, &one.info, one.days_left);
            if seen.warned.insert(info.fingerprint) {
                warn!(role, subject = %info.subject, fingerprint = %info.fingerprint, days_left,
                    "a certificate has expired or soon will");
            }
        }
        seen.ageing = ageing;
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the files were last written, those that are there.
pub(crate) fn times(files: &[PathBuf; 2]) -> [Option<SystemTime>; 2] {
    files
        .each_ref()
        .map(|path| fs::metadata(path).and_then(|data| data.modified()).ok())
}

const DAY: i64 = 86_400;
