//! Passwords on their targets, looked after by the server itself: what a crash left behind is
//! settled, and what is due is changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::app::AppError;
use crate::config::{Config, Reset};
use crate::connectors::AllConnectors;
use crate::domain::Host;
use crate::doors::Closing;
use crate::vault::{ResetLimits, Vault};

/// Lets `vault` change passwords on targets, within what `config` allows.
///
/// # Errors
/// [`AppError::Other`] when `[reset] allow` names what is no network.
pub(crate) fn connect(vault: &Vault, config: &Config) -> Result<(), AppError> {
    vault.connect(Arc::new(AllConnectors), limits(&config.reset)?);
    Ok(())
}

fn limits(reset: &Reset) -> Result<ResetLimits, AppError> {
    let mut allow = Vec::new();
    for text in reset.allow.iter().flatten() {
        match Host::parse(text.as_str()) {
            Ok(host @ Host::Network { .. }) => allow.push(host),
            Ok(Host::Name(_)) | Err(_) => {
                return Err(AppError::Other(format!(
                    "reset.allow: `{text}` is no address and no network like 10.0.0.0/8"
                )));
            }
        }
    }
    Ok(ResetLimits {
        allow,
        timeout: reset.timeout.get(),
        wait: reset.wait.get(),
        grace: reset.grace.get(),
        soonest: reset.retry.get(),
        latest: reset.longest_retry.get(),
        at_once: reset.at_once.as_usize(),
        attempts: reset.attempts.get(),
        attempts_span: reset.attempts_span.get(),
    })
}

/// Settles everything that is pending at once, then looks every `pause` what is to be settled or
/// changed, until `closing` says so. What is under way then is settled at the next start.
pub(crate) async fn look_after(vault: Arc<Vault>, pause: Duration, closing: Closing) {
    // Neither waits for the other: many that are due must not keep others unclear.
    tokio::join!(
        settle_all(&vault, pause, closing.clone()),
        change_all(&vault, pause, closing)
    );
}

async fn settle_all(vault: &Vault, pause: Duration, mut closing: Closing) {
    let (mut ticks, mut first) = (ticks(pause), true);
    loop {
        let settling = async {
            ticks.tick().await;
            settle(vault, first).await;
        };
        tokio::select! {
            () = closing.said() => return,
            () = settling => first = false,
        }
    }
}

async fn change_all(vault: &Vault, pause: Duration, mut closing: Closing) {
    let mut ticks = ticks(pause);
    loop {
        let changing = async {
            ticks.tick().await;
            change_due(vault).await;
        };
        tokio::select! {
            () = closing.said() => return,
            () = changing => {}
        }
    }
}

fn ticks(pause: Duration) -> Interval {
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn settle(vault: &Vault, first: bool) {
    match vault.heal(first).await {
        Ok(0) => {}
        Ok(settled) => info!(settled, "resets whose outcome was not clear"),
        Err(why) => warn!(%why, "resets cannot be settled"),
    }
}

async fn change_due(vault: &Vault) {
    match vault.run_due().await {
        Ok(run) if run.total == 0 => {}
        Ok(run) => {
            let failed = run.failed.len();
            info!(changed = run.changed, failed, "passwords that were due");
        }
        Err(why) => warn!(%why, "passwords that are due cannot be changed"),
    }
}
