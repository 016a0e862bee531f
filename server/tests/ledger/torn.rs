//! What a crash leaves of the last write is cut off; what was acknowledged before it stays.

use std::fs;

use claviger::ledger::{DamageKind, Head, Ledger, LedgerError, Order, Query};
use futures_util::future::join_all;

use crate::fixture::{HEADER, Place, append_each, record, records_in};

/// A trail whose last write brought several records; with the end before it.
struct Torn {
    place: Place,
    whole: Vec<u8>,
    /// Where the last write begins and ends.
    group: std::ops::Range<usize>,
    /// How many records stood before it.
    before: u64,
    records: Vec<(usize, usize)>,
}

async fn several_in_the_last_write() -> Torn {
    // On a disk that takes its time: the records of a write are those that came during the last.
    let mut place = Place::new();
    place.settings.segment_bytes = 64 << 10;
    let ledger = place.open();
    append_each(&ledger, 1, 12).await;
    let mut next = 21;
    let (whole, group) = loop {
        // The first keeps the writer busy while the others queue up behind it.
        let requests: Vec<_> = (next..next + 5).map(record).collect();
        join_all(requests.iter().map(|record| ledger.append(record))).await;
        next += 5;
        let whole = fs::read(place.last()).expect("a segment");
        let records = records_in(&whole);
        let (start, _) = *records
            .iter()
            .rfind(|(at, _)| whole[at + 4..at + 8] == [0; 4])
            .expect("the first record of a write");
        let (last, len) = *records.last().expect("a record");
        // Over three sectors at least, so that they can arrive in every order.
        if (last + len) / 512 >= start / 512 + 2 {
            break (whole, start..last + len);
        }
    };
    ledger.close().await.expect("a closed ledger");
    let records = records_in(&whole);
    assert_eq!(place.segments().len(), 1);
    Torn {
        place: place.copy(),
        before: records.iter().filter(|(at, _)| *at < group.start).count() as u64,
        whole,
        group,
        records,
    }
}

impl Torn {
    /// What stands in `bytes`: whole records, and whether something stands behind them.
    fn stands(&self, bytes: &[u8]) -> (u64, bool) {
        let whole = self
            .records
            .iter()
            .take_while(|(at, len)| bytes[*at..at + len] == self.whole[*at..at + len])
            .count() as u64;
        let behind = &bytes[self.end_of(whole)..];
        (whole, behind.iter().any(|byte| *byte != 0))
    }

    /// Reads the trail with `bytes` as its last segment, without a server.
    fn reads(&self, bytes: &[u8]) {
        fs::write(self.place.last(), bytes).expect("a written segment");
        let (whole, dirty) = self.stands(bytes);
        assert!(whole >= self.before);

        let report = self.place.verify(None).expect("a sound trail");

        assert_eq!((report.head.seq, report.torn.is_some()), (whole, dirty));
    }

    /// Opens a ledger on `bytes` and goes on.
    async fn opens_with(&self, bytes: &[u8]) {
        self.reads(bytes);
        let (whole, dirty) = self.stands(bytes);

        let ledger = self.place.open();
        assert_eq!(ledger.head().seq, whole);
        assert_eq!(ledger.cut().is_some(), dirty);
        append_each(&ledger, whole + 1, whole + 1).await;
        let after = ledger.head();
        ledger.close().await.expect("a closed ledger");

        let report = self.place.verify(Some(after)).expect("a sound trail");
        assert_eq!((report.records, report.torn), (whole + 1, None));
    }

    fn end_of(&self, records: u64) -> usize {
        let index = usize::try_from(records).expect("a small number");
        match index.checked_sub(1) {
            Some(last) => self.records[last].0 + self.records[last].1,
            None => HEADER,
        }
    }
}

#[tokio::test]
async fn a_write_torn_at_any_byte_costs_no_acknowledged_record() {
    let torn = several_in_the_last_write().await;

    for end in torn.group.clone() {
        let mut bytes = torn.whole.clone();
        bytes[end..].fill(0);
        torn.reads(&bytes);
        if end % 29 == 0 {
            torn.opens_with(&bytes).await;
        }
    }
}

#[tokio::test]
async fn sectors_of_a_torn_write_may_arrive_in_any_order() {
    let torn = several_in_the_last_write().await;
    let first = torn.group.start / 512;
    let sectors: Vec<_> = (first..=torn.group.end / 512).collect();
    assert!(sectors.len() >= 3, "{sectors:?}");

    for arrived in 0..(1_u32 << sectors.len()) {
        let mut bytes = torn.whole.clone();
        for (place, sector) in sectors.iter().enumerate() {
            if arrived & (1 << place) == 0 {
                let lost = (sector * 512).max(torn.group.start)..(sector + 1) * 512;
                bytes[lost].fill(0);
            }
        }
        torn.reads(&bytes);
        if arrived % 3 == 1 {
            torn.opens_with(&bytes).await;
        }
    }
}

#[tokio::test]
async fn what_was_cut_is_told() {
    let torn = several_in_the_last_write().await;
    let mut bytes = torn.whole.clone();
    bytes[torn.group.start] ^= 1;
    fs::write(torn.place.last(), &bytes).unwrap();

    let ledger = torn.place.open();

    let cut = ledger.cut().expect("a cut");
    assert_eq!(
        cut.segment,
        torn.place.last().file_name().unwrap().to_str().unwrap()
    );
    assert_eq!(cut.byte, torn.group.start as u64);
    // A tag may end in zeros, which look like the space that was filled ahead of use.
    let written = torn.whole[torn.group.clone()].iter();
    let last = written.clone().rposition(|byte| *byte != 0).unwrap();
    assert_eq!(cut.bytes, last as u64 + 1);
    assert_eq!(ledger.head().seq, torn.before);
}

#[tokio::test]
async fn an_edit_before_the_last_write_is_not_taken_for_a_torn_one() {
    let torn = several_in_the_last_write().await;
    for (at, len) in torn.records.iter().filter(|(at, _)| *at < torn.group.start) {
        for byte in [*at, at + 4, at + 8, at + 16, at + len / 2, at + len - 1] {
            let mut bytes = torn.whole.clone();
            bytes[byte] ^= 0x10;
            fs::write(torn.place.last(), &bytes).unwrap();

            match torn.place.try_open() {
                Err(LedgerError::Damaged(damage)) => assert_eq!(damage.byte, *at as u64),
                other => panic!("byte {byte}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn bytes_far_behind_the_end_are_not_taken_for_a_torn_write() {
    let mut place = Place::in_memory();
    place.settings.segment_bytes = 1 << 20;
    let ledger = place.open();
    append_each(&ledger, 1, 2).await;
    ledger.close().await.unwrap();
    let mut bytes = fs::read(place.last()).unwrap();
    let stray = bytes.len() - 1;
    bytes[stray] = 1;
    fs::write(place.last(), &bytes).unwrap();

    let refused = place.try_open();

    assert!(
        matches!(&refused, Err(LedgerError::Damaged(damage))
            if damage.kind == DamageKind::Stray && damage.byte == stray as u64),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_operator_can_go_on_past_damage_and_it_stays_named() {
    let torn = several_in_the_last_write().await;
    let (at, _) = torn.records[4];
    let mut bytes = torn.whole.clone();
    bytes[at + 20] ^= 1;
    fs::write(torn.place.last(), &bytes).unwrap();
    let place = &torn.place;

    let ledger = Ledger::open_past_damage(
        &place.dir(),
        place.keys.clone(),
        place.settings.clone(),
        None,
    )
    .unwrap();

    let known = torn.records.len() as u64;
    assert_eq!(ledger.head().seq, known);
    assert_eq!(ledger.lost_before(ledger.head()).unwrap(), Some(5..=known));
    assert_eq!(ledger.passed().map(|damage| damage.seq), Some(5));
    append_each(&ledger, known + 1, known + 2).await;
    ledger.close().await.unwrap();
    let damage = place.damage(None);
    assert_eq!((damage.kind, damage.seq), (DamageKind::Edited, 5));
    place.open();
}

#[tokio::test]
async fn what_stands_before_and_behind_passed_damage_is_read() {
    for at in ["header", "record"] {
        let torn = several_in_the_last_write().await;
        let known = torn.records.len() as u64;
        let byte = if at == "header" {
            100
        } else {
            torn.records[4].0 + 20
        };
        let mut bytes = torn.whole.clone();
        bytes[byte] ^= 1;
        fs::write(torn.place.last(), &bytes).unwrap();
        let place = &torn.place;
        let open = || {
            Ledger::open_past_damage(
                &place.dir(),
                place.keys.clone(),
                place.settings.clone(),
                None,
            )
            .unwrap()
        };
        let ledger = open();
        let next = ledger.head().seq + 1;
        append_each(&ledger, next, next + 1).await;

        for order in [Order::OldestFirst, Order::NewestFirst] {
            let query = Query {
                order,
                ..Query::default()
            };
            let page = ledger.read(&query).unwrap();
            let mut seqs: Vec<_> = page.entries.iter().map(|entry| entry.seq).collect();
            seqs.sort_unstable();
            let expected = if at == "header" {
                vec![next, next + 1]
            } else {
                assert_eq!(next, known + 1);
                vec![1, 2, 3, 4, next, next + 1]
            };
            assert_eq!(seqs, expected, "{at} {order:?}");
        }
        ledger.close().await.unwrap();
        assert_eq!(open().passed(), None);
    }
}

#[tokio::test]
async fn a_trail_past_damage_goes_on_behind_what_is_known_from_elsewhere() {
    let torn = several_in_the_last_write().await;
    let mut bytes = torn.whole.clone();
    bytes[torn.records[4].0 + 20] ^= 1;
    fs::write(torn.place.last(), &bytes).unwrap();
    let place = &torn.place;
    let known = Head {
        seq: 1000,
        tag: [7; 32],
    };

    let ledger = Ledger::open_past_damage(
        &place.dir(),
        place.keys.clone(),
        place.settings.clone(),
        Some(known),
    )
    .unwrap();

    assert_eq!(ledger.head(), known);
    assert_eq!(ledger.lost_before(known).unwrap(), Some(5..=1000));
}

#[tokio::test]
async fn damage_behind_a_gap_that_was_passed_is_named_too() {
    let torn = several_in_the_last_write().await;
    let mut bytes = torn.whole.clone();
    bytes[torn.records[4].0 + 20] ^= 1;
    fs::write(torn.place.last(), &bytes).unwrap();
    let place = &torn.place;
    let ledger = Ledger::open_past_damage(
        &place.dir(),
        place.keys.clone(),
        place.settings.clone(),
        None,
    )
    .unwrap();
    let next = ledger.head().seq + 1;
    append_each(&ledger, next, next + 5).await;
    ledger.close().await.unwrap();
    let known = Some(ledger.head());
    assert_eq!(place.damage(known).seq, 5);

    let mut bytes = fs::read(place.last()).unwrap();
    let second = records_in(&bytes)[1].0;
    bytes[second + 20] ^= 1;
    fs::write(place.last(), bytes).unwrap();

    match place.verify(known) {
        Err(LedgerError::DamagedAgain { first, again }) => {
            assert_eq!((first.kind, first.seq), (DamageKind::Edited, 5));
            assert_eq!((again.kind, again.seq), (DamageKind::Edited, next + 1));
        }
        other => panic!("{other:?}"),
    }
}
