//! Trust that is changed by two at once, or half.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use claviger::domain::Fingerprint;
use claviger::store::rows::TrustRow;
use claviger::vault::VaultError;
use tokio::time::timeout;

use crate::fixture::house;

const PIN: Fingerprint = Fingerprint([1; 32]);
const OTHER: Fingerprint = Fingerprint([2; 32]);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_taken_back_is_not_trusted_again_by_whoever_was_slower() {
    let house = Arc::new(house().await);
    let operator = house.operator().await;
    let vault = &house.vault;
    vault
        .trust_certificate((PIN, b"pin"), false, "pin", &operator)
        .await
        .unwrap();
    let (listening, listens) = channel();
    let (go_on, goes_on) = channel();
    *house.heard.1.lock().unwrap() = Some((listening, goes_on));

    let (slow, caller) = (house.clone(), operator.clone());
    let slower = tokio::spawn(async move {
        let other = (OTHER, &b"other"[..]);
        slow.vault
            .trust_certificate(other, false, "other", &caller)
            .await
    });
    tokio::task::spawn_blocking(move || listens.recv())
        .await
        .unwrap()
        .unwrap();
    let (quick, caller) = (house.clone(), operator.clone());
    let mut faster = tokio::spawn(async move {
        let taken = quick.vault.distrust_certificate(PIN, &caller).await;
        taken.unwrap();
    });
    let row = house.rows.places().trust(PIN);
    while house
        .rows
        .get::<TrustRow>(row.clone())
        .await
        .unwrap()
        .is_some()
    {
        tokio::task::yield_now().await;
    }
    // It may tell at once, or wait for the slower one: either way the slower one goes on now.
    let told = timeout(Duration::from_millis(300), &mut faster).await;
    go_on.send(()).unwrap();
    slower.await.unwrap().unwrap();
    if told.is_err() {
        faster.await.unwrap();
    }

    let trusted = house.heard.0.lock().unwrap().clone();
    let ders: Vec<_> = trusted.iter().map(|one| one.der.as_slice()).collect();
    assert_eq!(ders, [b"other"]);
}

#[tokio::test]
async fn what_went_without_anybody_being_told_is_told_by_the_next_try() {
    let house = house().await;
    let operator = house.operator().await;
    house
        .vault
        .trust_certificate((PIN, b"pin"), false, "pin", &operator)
        .await
        .unwrap();
    let row = house.rows.places().trust(PIN);
    let kept = house.rows.get::<TrustRow>(row).await.unwrap().unwrap();
    let mut changes = house.rows.changes();
    changes.remove(&kept);
    changes.commit().await.unwrap();
    assert_eq!(house.heard.0.lock().unwrap().len(), 1);

    let again = house.vault.distrust_certificate(PIN, &operator).await;

    assert!(matches!(again, Err(VaultError::NotFound(_))), "{again:?}");
    assert!(house.heard.0.lock().unwrap().is_empty());
}
