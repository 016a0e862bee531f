use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use claviger::domain::{Operation, Outcome, RefusalReason, Role, Scope};
use claviger::ledger::Query;
use claviger::vault::{AnchorState, VaultError};

use crate::fixture::{house, house_in};

#[tokio::test]
async fn the_store_remembers_where_the_trail_ended_and_sees_that_it_was_cut() {
    let first = house().await;
    let owner = first
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let kept = tempfile::tempdir().unwrap();
    first.ledger.close().await.unwrap();
    let crate::fixture::House {
        dir,
        vault,
        rows,
        ledger,
        ..
    } = first;
    drop((vault, rows, ledger, owner));
    for entry in std::fs::read_dir(dir.path().join("audit")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, kept.path().join(path.file_name().unwrap())).unwrap();
    }

    let second = house_in(dir, false).await;
    second
        .user("later", 2, Role::PasswordUser, Scope::Owned)
        .await;
    second.vault.drop_anchor().await.unwrap();
    assert_eq!(
        second.vault.check_anchor().await.unwrap(),
        AnchorState::Whole
    );
    second.ledger.close().await.unwrap();
    let crate::fixture::House {
        dir,
        vault,
        rows,
        ledger,
        ..
    } = second;
    drop((vault, rows, ledger));
    let audit = dir.path().join("audit");
    std::fs::remove_dir_all(&audit).unwrap();
    std::fs::rename(kept.path(), &audit).unwrap();
    std::fs::set_permissions(&audit, Permissions::from_mode(0o700)).unwrap();

    let third = house_in(dir, false).await;
    let state = third.vault.check_anchor().await.unwrap();
    assert!(matches!(state, AnchorState::Cut { .. }), "{state:?}");
    let status = third.vault.status().await.unwrap();
    assert!(
        status
            .problems
            .iter()
            .any(|line| line.contains("audit verify")),
        "{status:?}"
    );
}

#[tokio::test]
async fn reading_the_trail_is_itself_recorded() {
    let house = house().await;
    let operator = house.operator().await;

    let page = house
        .vault
        .audit(Query::default(), &operator)
        .await
        .unwrap();

    assert!(page.entries.is_empty() || page.entries.len() == 1);
    assert_eq!(house.newest(1), [(Operation::ReadAudit, Outcome::Allowed)]);
    let report = house
        .vault
        .verify_audit(None, |_| {}, &operator)
        .await
        .unwrap();
    assert_eq!(report.records, 2);
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_happen() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret", &owner).await;

    house.ledger.close().await.unwrap();

    let refusal = house.retrieve("db1", "app", &owner).await.unwrap_err();
    assert!(matches!(refusal, VaultError::Unavailable(_)), "{refusal:?}");
    let missing = house.retrieve("nothing", "app", &owner).await.unwrap_err();
    assert!(matches!(missing, VaultError::Unavailable(_)), "{missing:?}");
}

#[tokio::test]
async fn only_an_administrator_with_a_reason_goes_on_past_a_loss() {
    let house = house().await;
    let stranger = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::All)
        .await;
    let operator = house.operator().await;

    let stranger = house.vault.resume_audit("because", &stranger).await;
    let silent = house.vault.resume_audit(" \t", &operator).await;
    let nothing = house.vault.resume_audit("because", &operator).await;

    assert!(
        matches!(stranger, Err(VaultError::NotAllowed)),
        "{stranger:?}"
    );
    assert!(
        matches!(silent, Err(VaultError::ReasonRequired)),
        "{silent:?}"
    );
    let nothing = nothing.unwrap();
    assert_eq!((nothing.needed, nothing.lost), (false, None));
    let told = [
        (Operation::ResumeAudit, Outcome::Allowed),
        (
            Operation::ResumeAudit,
            Outcome::Refused(RefusalReason::ReasonMissing),
        ),
        (
            Operation::ResumeAudit,
            Outcome::Refused(RefusalReason::NotAllowed),
        ),
    ];
    assert_eq!(house.newest(3), told);
}
