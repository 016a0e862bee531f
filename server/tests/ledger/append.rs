//! What is appended is there, in order, sealed, and chained across restarts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use claviger::domain::{
    AccountId, Door, Operation, Outcome, Record, RefusalReason, RequestId, Timestamp,
};
use claviger::ledger::{Health, Ledger, LedgerError, Order, Query, Word, verify};
use proptest::prelude::*;

use crate::fixture::{Place, append_each, keys, record};

fn all(ledger: &Ledger) -> Vec<Record> {
    let query = Query {
        order: Order::OldestFirst,
        limit: usize::MAX,
        examine: usize::MAX,
        ..Query::default()
    };
    let page = ledger.read(&query).expect("a page");
    assert_eq!(page.next, None);
    page.entries
        .iter()
        .map(|entry| entry.record().expect("known words"))
        .collect()
}

#[tokio::test]
async fn what_was_appended_is_read_back_after_a_restart() {
    let place = Place::new();
    let ledger = place.open();
    let records: Vec<_> = (1..=60).map(record).collect();
    for record in &records {
        ledger.append(record).await.unwrap();
    }
    let head = ledger.head();
    ledger.close().await.unwrap();

    let again = place.open();

    assert_eq!(all(&again), records);
    assert_eq!(again.head(), head);
    assert_eq!(again.cut(), None);
    assert!(place.segments().len() > 3, "{:?}", place.segments());
}

#[tokio::test]
async fn the_chain_goes_on_across_restarts() {
    let place = Place::new();
    for round in 0..7 {
        let ledger = place.open();
        append_each(&ledger, round * 5 + 1, round * 5 + 5).await;
        ledger.close().await.unwrap();
    }

    let report = verify(&place.dir(), &place.keys, None, |_| {}).unwrap();

    assert_eq!((report.first, report.records), (1, 35));
    assert_eq!(report.torn, None);
}

#[tokio::test]
async fn every_word_comes_back() {
    let place = Place::roomy();
    let ledger = place.open();
    let operations = [
        Operation::Identify,
        Operation::Retrieve,
        Operation::Change,
        Operation::CreateResource,
        Operation::EditResource,
        Operation::RemoveResource,
        Operation::CreateAccount,
        Operation::EditAccount,
        Operation::RemoveAccount,
        Operation::History,
        Operation::List,
        Operation::Share,
        Operation::Unshare,
        Operation::CreateUser,
        Operation::EditUser,
        Operation::RemoveUser,
        Operation::Trust,
        Operation::Distrust,
        Operation::IssueCertificate,
        Operation::Policy,
        Operation::Setting,
        Operation::Organisation,
        Operation::Import,
        Operation::Export,
        Operation::ReadAudit,
        Operation::ResumeAudit,
        Operation::RotateKey,
        Operation::Backup,
        Operation::Restore,
        Operation::Start,
        Operation::Stop,
    ];
    let outcomes = [
        Outcome::Allowed,
        Outcome::Failed,
        Outcome::Refused(RefusalReason::UnknownUser),
        Outcome::Refused(RefusalReason::NotShared),
        Outcome::Refused(RefusalReason::ReadOnly),
    ];
    let mut records = Vec::new();
    for (number, operation) in operations.into_iter().enumerate() {
        for outcome in outcomes {
            records.push(Record {
                operation,
                outcome,
                door: [Door::Xmlrpc, Door::Admin, Door::Server][number % 3],
                ..record(number as u64)
            });
        }
    }
    for record in &records {
        ledger.append(record).await.unwrap();
    }

    assert_eq!(all(&ledger), records);
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        any::<String>(),
        "[\\x00-\\x1f\\x7f\\r\\n\"'\\\\]{0,40}",
        Just("\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\u{9b}31m\u{202e}".to_owned()),
    ];
    prop::collection::vec(text, 7)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back_as_it_was(
        texts in texts(),
        at in any::<i64>(),
        request in any::<u64>(),
        peer in prop::option::of(any::<std::net::IpAddr>()),
    ) {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap();
        let record = Record {
            at: Timestamp(at),
            request: RequestId(request),
            caller: text(),
            org: text(),
            peer,
            resource: text(),
            account: text(),
            account_id: Some(AccountId(request)),
            reason: text(),
            ticket: text(),
            detail: text(),
            ..record(1)
        };
        let place = Place::roomy();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

        let ledger = place.open();
        runtime.block_on(ledger.append(&record)).unwrap();

        prop_assert_eq!(all(&ledger), vec![record]);
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_and_says_so() {
    let mut place = Place::roomy();
    place.settings.text_bytes = 10;
    let ledger = place.open();
    let long = Record {
        resource: "12345é890abc".to_owned(),
        account: "1234567890".to_owned(),
        ..record(1)
    };

    ledger.append(&long).await.unwrap();

    let read = all(&ledger);
    assert_eq!(read[0].resource, "12345é…");
    assert_eq!(read[0].account, "1234567890");
}

#[tokio::test]
async fn a_record_that_fits_into_no_segment_is_refused_alone() {
    let place = Place::new();
    let ledger = place.open();
    let long = "x".repeat(2000);
    let huge = Record {
        resource: long.clone(),
        account: long.clone(),
        reason: long,
        ..record(1)
    };

    let refused = ledger.append(&huge).await;

    assert!(matches!(refused, Err(LedgerError::TooLarge)), "{refused:?}");
    assert_eq!(ledger.health(), Health::Ok);
    append_each(&ledger, 1, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_appends_each_have_a_number_of_their_own() {
    let mut place = Place::new();
    place.settings.segment_bytes = 64 << 10;
    place.settings.queue = 8;
    let ledger = Arc::new(place.open());
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64 {
        let ledger = Arc::clone(&ledger);
        tasks.spawn(async move {
            let mut told = Vec::new();
            for number in 0..20 {
                let request = task * 20 + number;
                told.push((ledger.append(&record(request)).await.unwrap(), request));
            }
            assert!(told.is_sorted());
            told
        });
    }
    let mut told: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    told.sort_unstable();

    let stands: Vec<_> = all(&ledger)
        .iter()
        .zip(1..)
        .map(|(record, seq)| (seq, record.request.0))
        .collect();
    assert_eq!(stands, told);
    let report = verify(&place.dir(), &place.keys, Some(ledger.head()), |_| {}).unwrap();
    assert_eq!(report.records, 64 * 20);
}

#[tokio::test]
async fn names_times_and_reasons_are_not_on_the_disk() {
    let place = Place::roomy();
    let ledger = place.open();
    append_each(&ledger, 1, 3).await;
    ledger.close().await.unwrap();
    let bytes = fs::read(place.last()).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);

    assert!(holds(b"CLVAUDIT"));
    for text in [
        "svc-billing",
        "db-prod-01",
        "nightly",
        "CHG-4711",
        "retrieve",
        "allowed",
    ] {
        assert!(!holds(text.as_bytes()), "{text}");
    }
    assert!(!holds(&record(2).at.0.to_le_bytes()));
    assert!(!holds(&record(2).at.0.to_be_bytes()[2..]));
}

#[tokio::test]
async fn files_are_for_the_owner_only_and_others_are_refused() {
    let place = Place::new();
    let ledger = place.open();
    append_each(&ledger, 1, 40).await;
    ledger.close().await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;

    assert_eq!(mode(&place.dir()), 0o700);
    for file in place.segments() {
        assert_eq!(mode(&file), 0o600);
    }
    for path in [place.last(), place.dir()] {
        let before = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        let refused = place.try_open();
        assert!(
            matches!(&refused, Err(LedgerError::Exposed { path: named }) if *named == path),
            "{refused:?}"
        );
        fs::set_permissions(&path, before).unwrap();
    }
    place.open();
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_has_closed() {
    let place = Place::new();
    let first = place.open();

    let second = place.try_open();

    assert!(matches!(second, Err(LedgerError::Busy)), "{second:?}");
    append_each(&first, 1, 1).await;
    first.close().await.unwrap();
    place.open();
}

#[tokio::test]
async fn nothing_is_appended_after_close() {
    let place = Place::new();
    let ledger = place.open();
    let mut follower = ledger.subscribe();
    ledger.close().await.unwrap();

    let refused = ledger.append(&record(1)).await;

    assert!(matches!(refused, Err(LedgerError::Closed)), "{refused:?}");
    assert_eq!(follower.next().await, None);
}

#[tokio::test]
async fn a_ledger_under_other_keys_does_not_open() {
    let mut place = Place::new();
    let ledger = place.open();
    append_each(&ledger, 1, 1).await;
    ledger.close().await.unwrap();

    place.keys = keys(2);
    let refused = place.try_open();

    assert!(
        matches!(refused, Err(LedgerError::Damaged(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn followers_hear_of_the_end_once_each() {
    let place = Place::new();
    let ledger = place.open();
    let mut follower = ledger.subscribe();

    append_each(&ledger, 1, 3).await;

    assert_eq!(follower.next().await, Some(ledger.head()));
    let waiting = tokio::spawn(async move { (follower.next().await, follower.next().await) });
    append_each(&ledger, 4, 4).await;
    let head = ledger.head();
    ledger.close().await.unwrap();
    assert_eq!(waiting.await.unwrap(), (Some(head), None));
}

#[test]
fn a_word_of_a_later_version_is_kept_as_it_stands() {
    let known: Word<Operation> = Word::Known(Operation::Retrieve);
    let unknown: Word<Operation> = Word::Unknown("teleport".to_owned());

    assert_eq!(
        (known.to_string(), known.known()),
        ("retrieve".to_owned(), Some(&Operation::Retrieve))
    );
    assert_eq!(
        (unknown.to_string(), unknown.known()),
        ("teleport".to_owned(), None)
    );
}
