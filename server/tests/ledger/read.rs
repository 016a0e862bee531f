//! Pages, filters, exports and pruning.

use claviger::domain::{Operation, Outcome, Record, RefusalReason, RequestId, Timestamp};
use claviger::ledger::{
    Before, DamageKind, Entry, Export, ExportFormat, Ledger, LedgerError, Order, OutcomeKind,
    Query, export, json_line,
};
use proptest::prelude::*;

use crate::fixture::{HEADER, Place, append_each, record, records_in};

/// Records of several callers, resources and outcomes, with a clock that jumps.
fn varied(number: u64) -> Record {
    let mut record = record(number);
    record.caller = format!("svc-{}@host", number % 3);
    record.resource = format!("db-{}", number % 5);
    record.account = format!("account-{}", number % 2);
    record.operation =
        [Operation::Retrieve, Operation::Change, Operation::List][(number % 3) as usize];
    record.outcome = [
        Outcome::Allowed,
        Outcome::Refused(RefusalReason::NotShared),
        Outcome::Allowed,
        Outcome::Failed,
    ][(number % 4) as usize];
    record.request = RequestId(number / 2);
    record.at =
        Timestamp(1_000 + (number as i64) * 10 - if number.is_multiple_of(7) { 300 } else { 0 });
    record
}

const COUNT: u64 = 200;

/// A trail of some segments.
async fn varied_trail() -> (Place, Ledger) {
    let mut place = Place::in_memory();
    place.settings.segment_bytes = 16 << 10;
    let ledger = place.open();
    for number in 1..=COUNT {
        ledger.append(&varied(number)).await.expect("an append");
    }
    assert!(place.segments().len() > 3);
    (place, ledger)
}

/// All pages of `query`, joined.
fn pages(ledger: &Ledger, query: &Query) -> Vec<u64> {
    let mut query = query.clone();
    let mut found = Vec::new();
    for _ in 0..1000 {
        let page = ledger.read(&query).expect("a page");
        assert!(page.entries.len() <= query.limit.max(1));
        found.extend(page.entries.iter().map(|entry| entry.seq));
        let Some(next) = page.next else {
            return found;
        };
        match query.order {
            Order::NewestFirst => query.before = Some(next),
            Order::OldestFirst => query.after = Some(next),
        }
    }
    panic!("pages without end");
}

fn queries() -> impl Strategy<Value = Query> {
    let seqs = || prop::option::of(0..COUNT + 5);
    let times = || prop::option::of((900..3200_i64).prop_map(Timestamp));
    let words = (
        prop::option::of((0..4).prop_map(|n| format!("svc-{n}@host"))),
        prop::option::of(prop::sample::select(vec![
            Operation::Retrieve,
            Operation::Share,
        ])),
        prop::option::of((0..6).prop_map(|n| format!("db-{n}"))),
        prop::option::of(prop::sample::select(vec![
            OutcomeKind::Allowed,
            OutcomeKind::Refused,
            OutcomeKind::Failed,
        ])),
        prop::option::of((0..COUNT).prop_map(RequestId)),
    );
    let shape = (any::<bool>(), 0..90_usize, 0..300_usize);
    (seqs(), seqs(), times(), times(), words, shape).prop_map(
        |(
            after,
            before,
            from,
            until,
            (caller, operation, resource, outcome, request),
            (newest, limit, examine),
        )| Query {
            after,
            before,
            from,
            until,
            caller,
            operation,
            resource,
            outcome,
            request,
            limit,
            examine,
            order: if newest {
                Order::NewestFirst
            } else {
                Order::OldestFirst
            },
            account: None,
        },
    )
}

/// What a query should find, in plain words.
fn wanted(query: &Query, number: u64) -> bool {
    let record = varied(number);
    let outcome = match record.outcome {
        Outcome::Allowed => OutcomeKind::Allowed,
        Outcome::Refused(_) => OutcomeKind::Refused,
        Outcome::Failed => OutcomeKind::Failed,
    };
    query.after.is_none_or(|after| number > after)
        && query.before.is_none_or(|before| number < before)
        && query.from.is_none_or(|from| record.at >= from)
        && query.until.is_none_or(|until| record.at <= until)
        && query
            .caller
            .as_ref()
            .is_none_or(|caller| *caller == record.caller)
        && query
            .resource
            .as_ref()
            .is_none_or(|resource| *resource == record.resource)
        && query
            .operation
            .is_none_or(|operation| operation == record.operation)
        && query.outcome.is_none_or(|kind| kind == outcome)
        && query
            .request
            .is_none_or(|request| request == record.request)
}

#[tokio::test]
async fn pages_hold_just_what_was_asked_for() {
    let (_place, ledger) = varied_trail().await;
    let config = ProptestConfig {
        cases: 80,
        failure_persistence: None,
        ..ProptestConfig::default()
    };

    proptest!(config, |(query in queries())| {
        let mut expected: Vec<_> = (1..=COUNT).filter(|number| wanted(&query, *number)).collect();
        if query.order == Order::NewestFirst {
            expected.reverse();
        }
        prop_assert_eq!(pages(&ledger, &query), expected);
    });
}

#[tokio::test]
async fn a_search_that_finds_little_stops_where_it_may_and_says_where_to_go_on() {
    let (_place, ledger) = varied_trail().await;
    let rare = Query {
        caller: Some("nobody".to_owned()),
        examine: 50,
        ..Query::default()
    };

    let page = ledger.read(&rare).unwrap();

    assert_eq!(page.entries, Vec::new());
    assert_eq!(page.next, Some(COUNT - 49));
}

#[tokio::test]
async fn an_empty_trail_has_an_empty_page() {
    let place = Place::new();
    let ledger = place.open();

    let page = ledger.read(&Query::default()).unwrap();

    assert_eq!((page.entries, page.next), (Vec::new(), None));
}

#[tokio::test]
async fn a_changed_record_is_not_read() {
    let (place, ledger) = varied_trail().await;
    let path = place.segments()[1].clone();
    let mut bytes = std::fs::read(&path).unwrap();
    let (at, _) = records_in(&bytes)[3];
    bytes[at + 30] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let first: u64 = name[6..26].parse().unwrap();

    let refused = ledger.read(&Query {
        before: Some(first + 5),
        ..Query::default()
    });

    assert!(
        matches!(&refused, Err(LedgerError::Damaged(damage))
            if damage.segment == name && damage.byte == at as u64 && damage.seq == first + 3),
        "{refused:?}"
    );
    let newest = ledger
        .read(&Query {
            limit: 5,
            ..Query::default()
        })
        .unwrap();
    assert_eq!(newest.entries.len(), 5);
}

#[tokio::test]
async fn pruned_trails_verify_from_the_note_on() {
    let (place, ledger) = varied_trail().await;
    let before = place.segments();
    let kept: u64 = before[2].file_name().unwrap().to_string_lossy()[6..26]
        .parse()
        .unwrap();

    let pruned = ledger.prune(Before::Seq(kept + 1), Timestamp(5)).unwrap();

    assert_eq!((pruned.segments, pruned.first_kept), (2, kept));
    assert_eq!(place.segments(), before[2..]);
    let report = place.verify(Some(ledger.head())).unwrap();
    assert_eq!((report.first, report.head), (kept, ledger.head()));
    let oldest = ledger
        .read(&Query {
            order: Order::OldestFirst,
            limit: 1,
            ..Query::default()
        })
        .unwrap();
    assert_eq!(oldest.entries[0].seq, kept);
    ledger.close().await.unwrap();
    assert_eq!(place.open().head().seq, COUNT);
}

#[tokio::test]
async fn pruning_by_time_keeps_segments_with_a_later_record() {
    let (place, ledger) = varied_trail().await;
    let none = ledger
        .prune(Before::Time(Timestamp(0)), Timestamp(5))
        .unwrap();
    assert_eq!((none.segments, none.first_kept), (0, 1));

    let all = ledger
        .prune(Before::Time(Timestamp(i64::MAX)), Timestamp(5))
        .unwrap();

    assert_eq!(place.segments().len(), 1);
    assert!(all.segments > 2 && all.first_kept <= COUNT);
}

#[tokio::test]
async fn removing_more_than_the_note_says_is_named() {
    let (place, ledger) = varied_trail().await;
    ledger.prune(Before::Seq(100), Timestamp(5)).unwrap();
    std::fs::remove_file(&place.segments()[0]).unwrap();

    let damage = place.damage(Some(ledger.head()));

    assert!(
        matches!(damage.kind, DamageKind::SegmentMissing { .. }),
        "{damage:?}"
    );
}

#[tokio::test]
async fn a_changed_note_of_pruning_is_named() {
    let (place, ledger) = varied_trail().await;
    ledger.prune(Before::Seq(100), Timestamp(5)).unwrap();
    let note = place.dir().join("pruned");
    let mut bytes = std::fs::read(&note).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&note, bytes).unwrap();

    let damage = place.damage(Some(ledger.head()));

    assert_eq!(
        (damage.kind, damage.segment.as_str()),
        (DamageKind::Foreign, "pruned")
    );
}

#[tokio::test]
async fn an_interrupted_pruning_is_finished_at_the_next_start() {
    let (place, ledger) = varied_trail().await;
    let first = place.segments()[0].clone();
    let kept = std::fs::read(&first).unwrap();
    ledger.prune(Before::Seq(100), Timestamp(5)).unwrap();
    std::fs::write(&first, kept).unwrap();
    std::fs::set_permissions(&first, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place.verify(Some(ledger.head())).unwrap();
    ledger.close().await.unwrap();

    place.open();

    assert!(!first.exists());
}

fn exported(place: &Place, what: &Export) -> (u64, String) {
    let mut out = Vec::new();
    let count = export(&place.dir(), &place.keys, what, &mut out).expect("an export");
    (count, String::from_utf8(out).expect("text"))
}

#[tokio::test]
async fn json_lines_hold_the_range() {
    let (place, _ledger) = varied_trail().await;
    let what = Export {
        after: Some(120),
        before: Some(131),
        ..Export::default()
    };

    let (count, text) = exported(&place, &what);

    assert_eq!(count, 10);
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 10);
    assert_eq!(lines[0]["seq"], 121);
    assert_eq!(lines[0]["time"], "1970-01-01T00:00:02.210Z");
    assert_eq!(lines[0]["operation"], "change");
    assert_eq!(lines[0]["outcome"], "refused: not-shared");
    assert_eq!(lines[0]["peer"], "127.0.0.1");
    assert_eq!(lines[0]["request"], "000000000000003c");
}

fn hostile() -> Record {
    Record {
        caller: "\u{1b}]0;owned\u{7}\u{9b}31m".to_owned(),
        resource: "=cmd|'/C calc'!A0".to_owned(),
        account: "a\"b,c\\d".to_owned(),
        reason: "one\r\ntwo\u{2028}three".to_owned(),
        ticket: "\u{202e}gpj\u{e0041}".to_owned(),
        detail: "Zürich 日本".to_owned(),
        ..record(1)
    }
}

#[tokio::test]
async fn nothing_in_an_export_steers_a_terminal_or_spreadsheet() {
    let place = Place::roomy();
    let ledger = place.open();
    ledger.append(&hostile()).await.unwrap();

    let (_, json) = exported(&place, &Export::default());
    let (_, csv) = exported(
        &place,
        &Export {
            format: ExportFormat::Csv,
            ..Export::default()
        },
    );

    for text in [&json, &csv] {
        let steering = |c: &char| {
            (c.is_control() && *c != '\n')
                || ('\u{2028}'..='\u{202e}').contains(c)
                || *c == '\u{e0041}'
        };
        assert_eq!(text.chars().find(steering), None, "{text}");
        assert!(text.contains("Zürich 日本"));
    }
    assert_eq!(json.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(line["caller"], hostile().caller);
    assert_eq!(line["reason"], hostile().reason);
    assert_eq!(line["ticket"], hostile().ticket);
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let row = rows.records().next().unwrap().unwrap();
    assert_eq!(&row[8], "'=cmd|'/C calc'!A0");
    assert_eq!(&row[9], "a\"b,c\\d");
    assert_eq!(&row[10], "one\\u{d}\\u{a}two\\u{2028}three");
}

#[tokio::test]
async fn an_export_that_ends_in_damage_says_where() {
    let place = Place::roomy();
    let ledger = place.open();
    append_each(&ledger, 1, 10).await;
    ledger.close().await.unwrap();
    let mut bytes = std::fs::read(place.last()).unwrap();
    let (at, _) = records_in(&bytes)[4];
    assert!(at > HEADER);
    bytes[at + 20] ^= 1;
    std::fs::write(place.last(), bytes).unwrap();
    let mut out = Vec::new();

    let stopped = export(&place.dir(), &place.keys, &Export::default(), &mut out);

    assert!(
        matches!(&stopped, Err(LedgerError::Damaged(damage)) if damage.seq == 5),
        "{stopped:?}"
    );
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), 5);
    let gap: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(gap["seq"], 5);
    assert!(gap["gap"].as_str().unwrap().ends_with("edited"), "{gap}");
}

#[tokio::test]
async fn an_export_goes_on_behind_damage_and_behind_a_missing_segment() {
    let (place, ledger) = varied_trail().await;
    let last = ledger.head().seq;
    ledger.close().await.unwrap();
    let segments = place.segments();
    let firsts: Vec<u64> = segments.iter().map(|path| first_in(path)).collect();
    let mut bytes = std::fs::read(&segments[0]).unwrap();
    let (at, _) = records_in(&bytes)[2];
    bytes[at + 20] ^= 1;
    std::fs::write(&segments[0], bytes).unwrap();
    std::fs::remove_file(&segments[2]).unwrap();
    let csv = Export {
        format: ExportFormat::Csv,
        ..Export::default()
    };

    for (what, gap, head) in [(Export::default(), "\"gap\":", 0), (csv, "gap: ", 1)] {
        let mut out = Vec::new();
        let told = export(&place.dir(), &place.keys, &what, &mut out);

        let first = matches!(&told, Err(LedgerError::Damaged(damage)) if damage.seq == 3);
        assert!(first, "{told:?}");
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().skip(head).collect();
        let there = last - (firsts[1] - 3) - (firsts[3] - firsts[2]);
        assert_eq!(lines.len() as u64, there + 2);
        assert!(
            lines[2].contains(gap) && lines[2].contains("edited"),
            "{text}"
        );
        let missing = lines[3 + usize::try_from(firsts[2] - firsts[1]).unwrap()];
        assert!(
            missing.contains(gap) && missing.contains("segments are missing"),
            "{missing}"
        );
    }
}

/// The number of the first record in a segment, which its name says.
fn first_in(path: &std::path::Path) -> u64 {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let number = stem.and_then(|stem| stem.strip_prefix("audit-")?.parse().ok());
    number.expect("a segment's name")
}

#[tokio::test]
async fn an_entry_prints_as_one_line_of_json() {
    let place = Place::roomy();
    let ledger = place.open();
    ledger.append(&hostile()).await.unwrap();
    let entry: Entry = ledger.read(&Query::default()).unwrap().entries.remove(0);

    let line = json_line(&entry);

    assert!(
        !line.contains('\n') && line.contains("\\u001b]0;owned\\u0007\\u009b31m"),
        "{line}"
    );
    assert!(line.contains("\\u202egpj\\udb40\\udc41"), "{line}");
}
