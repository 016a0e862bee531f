//! Whatever is done to the files, verification names it.

use std::fs;

use claviger::ledger::{DamageKind, Head, LedgerError};

use crate::fixture::{HEADER, Place, append_each, keys, record, records_in};

/// Three segments and the begin of a fourth; each record was a write of its own.
async fn four_segments() -> (Place, Head) {
    let place = Place::in_memory();
    let place = Place {
        settings: claviger::ledger::LedgerSettings {
            segment_bytes: 8 << 10,
            ..place.settings.clone()
        },
        ..place
    };
    let ledger = place.open();
    let mut number = 0;
    while place.segments().len() < 4 {
        number += 1;
        append_each(&ledger, number, number).await;
    }
    append_each(&ledger, number + 1, number + 3).await;
    let head = ledger.head();
    ledger.close().await.expect("a closed ledger");
    (place, head)
}

fn name(path: &std::path::Path) -> String {
    path.file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

fn first_seq(path: &std::path::Path) -> u64 {
    name(path)[6..26].parse().expect("a number")
}

#[tokio::test]
async fn an_untouched_trail_verifies() {
    let (place, head) = four_segments().await;
    let mut told = Vec::new();

    let report = claviger::ledger::verify(&place.dir(), &place.keys, Some(head), |step| {
        told.push(step);
    })
    .unwrap();

    assert_eq!(
        (report.head, report.records, report.segments),
        (head, head.seq, 4)
    );
    assert_eq!((report.first, report.torn), (1, None));
    assert_eq!(told[0].segments, 4);
}

#[tokio::test]
async fn a_single_changed_bit_is_named_wherever_it_is() {
    let (place, head) = four_segments().await;
    for path in place.segments() {
        let last = path == place.last();
        let whole = fs::read(&path).unwrap();
        let records = records_in(&whole);
        let end = records.last().map_or(HEADER, |(at, len)| at + len);
        // Bytes that say something, and some of those that are zero.
        let told = (0..200).chain(HEADER..end).step_by(STEP);
        let zeros = (200..HEADER).chain(end..whole.len()).step_by(97);
        for byte in told.chain(zeros) {
            let mut bytes = whole.clone();
            bytes[byte] ^= 1 << (byte % 8);
            fs::write(&path, &bytes).unwrap();

            let holder = records
                .iter()
                .zip(first_seq(&path)..)
                .find(|((at, len), _)| (*at..at + len).contains(&byte));
            match holder {
                Some(((at, _), seq)) => {
                    let damage = place.damage(Some(head));
                    assert_eq!(
                        (damage.segment, damage.byte, damage.seq),
                        (name(&path), *at as u64, seq),
                        "byte {byte}"
                    );
                }
                None if byte < HEADER => {
                    let damage = place.damage(Some(head));
                    assert_eq!(
                        (damage.kind, damage.segment),
                        (DamageKind::Foreign, name(&path)),
                        "byte {byte}"
                    );
                }
                None if last => {
                    let torn = place.verify(Some(head)).unwrap().torn.unwrap();
                    assert_eq!(torn.byte + torn.bytes - 1, byte as u64);
                }
                None => {
                    let damage = place.damage(Some(head));
                    assert_eq!(
                        (damage.kind, damage.segment, damage.byte),
                        (DamageKind::Stray, name(&path), byte as u64)
                    );
                }
            }
        }
        fs::write(&path, &whole).unwrap();
    }
}

/// A prime, so that every field of a record and every bit has its turn.
const STEP: usize = 5;

#[tokio::test]
async fn a_removed_record_is_named() {
    let (place, head) = four_segments().await;
    for path in place.segments() {
        let whole = fs::read(&path).unwrap();
        let records = records_in(&whole);
        let (at, len) = records[1];
        let mut bytes = whole.clone();
        bytes.drain(at..at + len);
        bytes.extend(std::iter::repeat_n(0, len));
        fs::write(&path, &bytes).unwrap();

        let damage = place.damage(Some(head));

        assert_eq!(
            (damage.kind, damage.segment, damage.byte, damage.seq),
            (
                DamageKind::Removed,
                name(&path),
                at as u64,
                first_seq(&path) + 1
            )
        );
        fs::write(&path, &whole).unwrap();
    }
}

#[tokio::test]
async fn a_blanked_record_is_named() {
    let (place, head) = four_segments().await;
    let path = place.segments()[1].clone();
    let mut bytes = fs::read(&path).unwrap();
    let (at, len) = records_in(&bytes)[2];
    bytes[at..at + len].fill(0);
    fs::write(&path, &bytes).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!((damage.kind, damage.byte), (DamageKind::Edited, at as u64));
}

#[tokio::test]
async fn two_records_in_the_other_order_are_named() {
    let (place, head) = four_segments().await;
    let path = place.segments()[2].clone();
    let mut bytes = fs::read(&path).unwrap();
    let records = records_in(&bytes);
    let ((one, first), (two, second)) = (records[3], records[4]);
    let moved = [&bytes[two..two + second], &bytes[one..one + first]].concat();
    bytes[one..one + first + second].copy_from_slice(&moved);
    fs::write(&path, &bytes).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!(
        (damage.kind, damage.byte, damage.seq),
        (DamageKind::Reordered, one as u64, first_seq(&path) + 3)
    );
}

#[tokio::test]
async fn a_record_copied_over_another_is_named() {
    let (place, head) = four_segments().await;
    let path = place.segments()[0].clone();
    let mut bytes = fs::read(&path).unwrap();
    let records = records_in(&bytes);
    let ((from, len), (to, _)) = (records[1], records[2]);
    bytes.copy_within(from..from + len, to);
    fs::write(&path, &bytes).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!((damage.byte, damage.seq), (to as u64, 3));
}

#[tokio::test]
async fn a_cut_tail_is_named_by_the_anchor_only() {
    let (place, head) = four_segments().await;
    let path = place.last();
    let mut bytes = fs::read(&path).unwrap();
    let (at, _) = *records_in(&bytes).last().unwrap();
    bytes[at..].fill(0);
    fs::write(&path, &bytes).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!(
        (damage.kind, damage.byte, damage.seq),
        (DamageKind::Cut { known: head.seq }, at as u64, head.seq)
    );
    assert_eq!(place.verify(None).unwrap().records, head.seq - 1);
}

#[tokio::test]
async fn a_missing_last_segment_is_named_by_the_anchor() {
    let (place, head) = four_segments().await;
    let first = first_seq(&place.last());
    fs::remove_file(place.last()).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!(
        (damage.kind, damage.seq),
        (DamageKind::Cut { known: head.seq }, first)
    );
}

#[tokio::test]
async fn a_missing_segment_is_named() {
    let (place, head) = four_segments().await;
    let segments = place.segments();
    for (gone, next) in segments.iter().zip(&segments[1..]) {
        let kept = fs::read(gone).unwrap();
        fs::remove_file(gone).unwrap();

        let damage = place.damage(Some(head));

        let until = first_seq(next);
        assert_eq!(
            (damage.kind, damage.seq),
            (DamageKind::SegmentMissing { until }, first_seq(gone))
        );
        fs::write(gone, kept).unwrap();
    }
}

#[tokio::test]
async fn a_missing_segment_is_named_wherever_the_others_end() {
    let place = Place::in_memory();
    let ledger = place.open();
    let mut number = 0;
    while place.segments().len() < 6 {
        number += 1;
        // Records of all sizes, so that no two segments end alike.
        let long = usize::try_from(number * 37 % 900).unwrap();
        let some = claviger::domain::Record {
            reason: "x".repeat(long),
            ..record(number)
        };
        ledger.append(&some).await.unwrap();
    }
    let head = ledger.head();
    ledger.close().await.unwrap();
    let segments = place.segments();

    for (gone, next) in segments.iter().zip(&segments[1..]) {
        let copy = place.copy();
        fs::remove_file(copy.dir().join(name(gone))).unwrap();

        let damage = copy.damage(Some(head));

        let until = first_seq(next);
        assert_eq!(
            (damage.kind, damage.seq),
            (DamageKind::SegmentMissing { until }, first_seq(gone))
        );
    }
}

#[tokio::test]
async fn an_emptied_directory_is_named() {
    let (place, head) = four_segments().await;
    for path in place.segments() {
        fs::remove_file(path).unwrap();
    }

    let damage = place.damage(Some(head));

    assert_eq!(damage.seq, 1);
}

#[tokio::test]
async fn swapped_segments_are_named() {
    let (place, head) = four_segments().await;
    let segments = place.segments();
    let (one, two) = (&segments[1], &segments[2]);
    let aside = place.dir().join("aside");
    fs::rename(one, &aside).unwrap();
    fs::rename(two, one).unwrap();
    fs::rename(&aside, two).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!(
        (damage.kind, damage.segment),
        (DamageKind::Misnamed, name(one))
    );
}

#[tokio::test]
async fn a_truncated_segment_is_named() {
    let (place, head) = four_segments().await;
    let path = place.segments()[1].clone();
    let bytes = fs::read(&path).unwrap();
    let (at, _) = records_in(&bytes)[2];
    fs::write(&path, &bytes[..at]).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!(
        (damage.kind, damage.byte),
        (DamageKind::Truncated, at as u64)
    );
}

#[tokio::test]
async fn a_chain_under_another_key_is_named() {
    let (place, head) = four_segments().await;
    let mut other = Place::new();
    other.keys = keys(9);
    let ledger = other.open();
    append_each(&ledger, 1, 3).await;
    ledger.close().await.unwrap();
    for path in place.segments() {
        fs::remove_file(path).unwrap();
    }
    fs::copy(other.last(), place.dir().join(name(&other.last()))).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!((damage.kind, damage.byte), (DamageKind::Foreign, 0));
}

#[tokio::test]
async fn another_chain_under_the_same_key_is_named_by_the_anchor() {
    let (place, head) = four_segments().await;
    let (other, _) = four_segments().await;

    let damage = other.damage(Some(head));

    assert_eq!((damage.kind, damage.seq), (DamageKind::Replaced, head.seq));
    assert_eq!(place.verify(Some(head)).unwrap().head, head);
}

#[tokio::test]
async fn a_segment_of_another_chain_under_the_same_key_is_named() {
    let (place, head) = four_segments().await;
    let (other, _) = four_segments().await;
    let path = &place.segments()[1];
    assert_eq!(name(path), name(&other.segments()[1]));
    fs::copy(&other.segments()[1], path).unwrap();

    let damage = place.damage(Some(head));

    assert_eq!(
        (damage.kind, damage.segment),
        (DamageKind::Replaced, name(path))
    );
}

#[tokio::test]
async fn an_older_copy_of_the_trail_is_named_by_the_anchor() {
    let place = Place::roomy();
    let ledger = place.open();
    append_each(&ledger, 1, 5).await;
    let old = place.copy();
    append_each(&ledger, 6, 9).await;

    let damage = old.damage(Some(ledger.head()));

    assert_eq!((damage.kind, damage.seq), (DamageKind::Cut { known: 9 }, 6));
}

#[tokio::test]
async fn a_running_trail_verifies_while_it_grows() {
    let mut place = Place::in_memory();
    place.settings.segment_bytes = 16 << 10;
    let ledger = std::sync::Arc::new(place.open());
    let writing = std::sync::Arc::clone(&ledger);
    let writer = tokio::spawn(async move { append_each(&writing, 1, 2000).await });
    let dir = place.dir();
    let keys = place.keys.clone();

    let checking = tokio::task::spawn_blocking(move || {
        let mut rounds = 0;
        while !writer.is_finished() {
            let anchor = ledger.head();
            claviger::ledger::verify(&dir, &keys, Some(anchor), |_| {}).expect("a sound trail");
            rounds += 1;
        }
        (rounds, writer)
    });

    let (rounds, writer) = checking.await.unwrap();
    writer.await.unwrap();
    assert!(rounds > 0);
}

#[tokio::test]
async fn every_anchor_counts() {
    let (place, head) = four_segments().await;
    let false_one = Head {
        seq: 4,
        tag: [9; 32],
    };

    let refused = claviger::ledger::verify(&place.dir(), &place.keys, [head, false_one], |_| {});

    assert!(
        matches!(&refused, Err(LedgerError::Damaged(damage))
            if damage.kind == DamageKind::Replaced && damage.seq == 4),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_open_trail_tells_whether_it_holds_a_known_end() {
    let place = Place::new();
    let ledger = place.open();
    let mut known = vec![ledger.head()];
    for number in 1..=60 {
        append_each(&ledger, number, number).await;
        known.push(ledger.head());
    }
    let kind = |known| match ledger.holds(known) {
        Err(LedgerError::Damaged(damage)) => Some((damage.kind, damage.seq)),
        other => {
            other.expect("held");
            None
        }
    };

    for head in &known[1..] {
        assert_eq!(kind(*head), None);
    }
    let beyond = Head {
        seq: 61,
        tag: [0; 32],
    };
    assert_eq!(kind(beyond), Some((DamageKind::Cut { known: 61 }, 61)));
    for seq in [1, 30, 60] {
        let other = Head { seq, tag: [0; 32] };
        assert_eq!(kind(other), Some((DamageKind::Replaced, seq)));
    }
}
