use claviger::domain::{Role, Scope};
use claviger::store::{Expected, Key, StepKind, Table};

use crate::fixture::house;

#[tokio::test]
async fn after_a_rotation_every_row_is_under_the_new_key_and_reads_as_before() {
    let house = house().await;
    let operator = house.operator().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    for n in 0..20 {
        house
            .create(&format!("db{n}"), "app", &format!("s3cret{n}"), &owner)
            .await;
    }
    let old = house.rows.keys().newest();

    let done = house.vault.rotate_key(&operator, &|_| {}).await.unwrap();

    assert_eq!(done.keys, 1);
    assert!(done.resealed >= 100, "{done:?}");
    assert_ne!(house.rows.keys().newest(), old);
    for n in 0..20 {
        let password = house
            .retrieve(&format!("db{n}"), "app", &owner)
            .await
            .unwrap();
        assert_eq!(password, format!("s3cret{n}"));
    }
}

#[tokio::test]
async fn a_row_that_was_moved_or_swapped_does_not_open() {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house.create("db1", "app", "s3cret1", &owner).await;
    house.create("db2", "app", "s3cret2", &owner).await;
    let store = house.rows.store();
    let secrets = store
        .scan(&Key::table(Table::Secret), None, 9)
        .await
        .unwrap();
    let [first, second] = &secrets[..] else {
        panic!("{}", secrets.len())
    };

    let mut batch = claviger::store::Batch::default();
    let moved = StepKind::Put {
        version: second.version,
        sealed: first.sealed.clone(),
    };
    batch.push(second.key.clone(), Expected::Any, moved);
    store.commit(batch).await.unwrap();

    assert_eq!(
        house.retrieve("db1", "app", &owner).await.unwrap(),
        "s3cret1"
    );
    let refusal = house.retrieve("db2", "app", &owner).await.unwrap_err();
    assert!(
        matches!(refusal, claviger::vault::VaultError::Unavailable(_)),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn no_name_and_no_password_stands_on_the_disk() {
    let house = house().await;
    let owner = house
        .user("canary-user", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    house
        .create(
            "canary-resource",
            "canary-account",
            "canary-password",
            &owner,
        )
        .await;
    house
        .retrieve("canary-resource", "canary-account", &owner)
        .await
        .unwrap();

    let mut files = vec![house.dir.path().to_owned()];
    let mut looked = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        looked += 1;
        assert!(
            !bytes.windows(6).any(|window| window == b"canary"),
            "{}",
            path.display()
        );
    }
    assert!(looked >= 3);
}
