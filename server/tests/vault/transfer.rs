use claviger::domain::{Role, Scope};
use claviger::vault::{Entry, EntryError};
use zeroize::Zeroizing;

use crate::fixture::house;

fn entry(resource: &str, account: &str, password: Option<&str>) -> Entry {
    Entry {
        resource: resource.to_owned(),
        account: account.to_owned(),
        password: password.map(|text| Zeroizing::new(text.to_owned())),
        kind: "Linux".to_owned(),
        ..Entry::default()
    }
}

fn batch() -> Vec<Entry> {
    vec![
        entry("db1", "app", Some("s3cret1")),
        entry("db1", "dba", None),
        entry("db1", "APP", Some("again")),
        entry("", "app", Some("nameless")),
        Entry {
            owner: "nobody@nowhere".to_owned(),
            ..entry("db2", "app", None)
        },
        entry("DB1", "other", None),
        entry("db3", "app", Some("s3cret3")),
    ]
}

fn words(answers: &[Result<(), EntryError>]) -> Vec<&str> {
    answers
        .iter()
        .map(|answer| answer.as_ref().map_or_else(|e| e.0.as_str(), |()| ""))
        .collect()
}

const ANSWERS: [&str; 7] = [
    "",
    "",
    "an account with this name exists already",
    "the resource name is empty",
    "there is no such user",
    "it is spelled `db1` there already",
    "",
];

#[tokio::test]
async fn a_dry_run_says_what_an_import_would_and_changes_nothing() {
    let house = house().await;
    let operator = house.operator().await;

    let dry = house.vault.import(batch(), true, &operator).await.unwrap();

    assert_eq!(words(&dry), ANSWERS);
    assert!(
        house
            .vault
            .resources(None, 9, &operator)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn good_entries_come_in_and_bad_ones_are_named() {
    let house = house().await;
    let operator = house.operator().await;

    let answers = house.vault.import(batch(), false, &operator).await.unwrap();

    assert_eq!(words(&answers), ANSWERS);
    assert_eq!(
        house.retrieve("db1", "app", &operator).await.unwrap(),
        "s3cret1"
    );
    assert_eq!(
        house.retrieve("db3", "app", &operator).await.unwrap(),
        "s3cret3"
    );
    assert!(house.retrieve("db1", "dba", &operator).await.is_ok());
    let again = vec![
        entry("db1", "app", Some("other")),
        entry("db1", "new", None),
    ];
    let answers = house.vault.import(again, false, &operator).await.unwrap();
    assert_eq!(
        words(&answers),
        ["an account with this name exists already", ""]
    );
}

#[tokio::test]
async fn an_export_imported_elsewhere_gives_the_same_passwords() {
    let first = house().await;
    let operator = first.operator().await;
    let owner = first
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    for n in 0..5 {
        first
            .create(&format!("db{n}"), "app", &format!("pä<&>ss{n}"), &owner)
            .await;
    }

    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let (page, next) = first.vault.export(after, 2, &operator).await.unwrap();
        entries.extend(page);
        if next.is_none() {
            break;
        }
        after = next;
    }
    assert_eq!(entries.len(), 5);

    let second = house().await;
    let operator = second.operator().await;
    second
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let answers = second
        .vault
        .import(entries, false, &operator)
        .await
        .unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let owner = second
        .enter(&crate::fixture::credential("owner", 1), "10.0.0.1")
        .await
        .unwrap();
    for n in 0..5 {
        let password = second
            .retrieve(&format!("db{n}"), "app", &owner)
            .await
            .unwrap();
        assert_eq!(password, format!("pä<&>ss{n}"));
    }
}
