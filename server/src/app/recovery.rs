//! What works on a stopped server: checking the audit trail, and getting back in by the recovery
//! code.

use crate::app::house::{blocking, master_source, unlock};
use crate::app::{AppError, DataFolder, House};
use crate::config::Config;
use crate::crypto::{KeyRing, RecoveryCode};
use crate::ledger::{self, Head, LedgerKeys, Report};
use crate::store;
use crate::vault::{AnchorState, Resumption, VaultError};

/// Checks the audit trail of a stopped server against its chain, against what the store remembers
/// of it, and against `expected`, an end that somebody kept elsewhere.
///
/// # Errors
/// [`AppError::Ledger`] with the first thing that is wrong; [`AppError::StoreBehind`] when the trail
/// is whole and the store is not of the same time.
pub async fn verify_audit(folder: &DataFolder, expected: Option<Head>) -> Result<Report, AppError> {
    folder.check()?;
    let config = Config::load(folder.path())?;
    let keys = unlock(folder, &config).await?;
    let (seal, chain) = keys.ledger_keys();
    let audit = folder.audit();
    // The trail is read before anything is opened for writing, which would mend its end.
    let ledger_keys = LedgerKeys::new(seal, chain);
    let (dir, first) = (audit.clone(), ledger_keys.clone());
    blocking(move || ledger::verify(&dir, &first, expected, |_| {})).await??;
    let house = House::open(folder, &config, keys).await?;
    let (anchor, state) = (house.vault.anchor().await, house.vault.check_anchor().await);
    house.ledger.close().await?;
    let anchor = anchor?;
    let report = blocking(move || ledger::verify(&audit, &ledger_keys, anchor, |_| {})).await??;
    match state? {
        // A trail that was cut has not come so far.
        AnchorState::Whole | AnchorState::Cut { .. } | AnchorState::Replaced { .. } => Ok(report),
        behind @ AnchorState::StoreBehind { .. } => Err(AppError::StoreBehind(behind)),
    }
}

/// Goes on with the audit trail of a stopped server past what is damaged or missing in it.
///
/// # Errors
/// [`AppError::Store`] when a server is running; [`AppError::Vault`] without a reason.
pub async fn resume_audit(folder: &DataFolder, reason: &str) -> Result<Resumption, AppError> {
    folder.check()?;
    let config = Config::load(folder.path())?;
    if reason.trim().is_empty() {
        return Err(VaultError::ReasonRequired.into());
    }
    let keys = unlock(folder, &config).await?;
    let house = House::open_past_damage(folder, &config, keys).await?;
    let operator = house.operator().await?;
    let resumed = house.vault.resume_audit(reason, &operator).await;
    house.close("audit resume").await?;
    Ok(resumed?)
}

/// Opens the keys of a stopped server by the recovery code, and wraps them by a new master key from
/// where `claviger.toml` says.
///
/// # Errors
/// [`AppError::Store`] when a server is running; [`AppError::Keys`] when the code is mistyped or
/// another vault's.
pub async fn recover(folder: &DataFolder, code: &str) -> Result<(), AppError> {
    folder.check()?;
    let config = Config::load(folder.path())?;
    let _nobody_else = store::lock(folder.path())?;
    let code = RecoveryCode::parse(code)?;
    let source = master_source(folder, &config)?;
    let data = folder.path().to_owned();
    let recovered = blocking(move || {
        let master = source.establish()?;
        KeyRing::recover(&data, &code, &master).map(drop)
    });
    Ok(recovered.await??)
}
