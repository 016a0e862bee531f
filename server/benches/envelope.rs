//! What sealing, opening and hiding cost. `cargo bench -p claviger --bench envelope`

#![expect(
    clippy::unwrap_used,
    reason = "a step that fails should stop the benchmark"
)]

use claviger::crypto::{KeyRing, MasterKey};
use claviger::domain::Timestamp;
use divan::{Bencher, black_box, counter::BytesCount};

fn main() {
    divan::main();
}

const SIZES: [usize; 4] = [64, 300, 4096, 65536];

#[divan::bench(args = SIZES)]
fn seal(bencher: Bencher<'_, '_>, size: usize) {
    let (ring, plain) = (ring(), vec![7; size]);
    bencher
        .counter(BytesCount::new(size))
        .bench(|| ring.seal(black_box(PLACE), black_box(&plain)).unwrap());
}

#[divan::bench(args = SIZES)]
fn open(bencher: Bencher<'_, '_>, size: usize) {
    let ring = ring();
    let sealed = ring.seal(PLACE, &vec![7; size]).unwrap();
    bencher
        .counter(BytesCount::new(size))
        .bench(|| ring.open(black_box(PLACE), black_box(&sealed)).unwrap());
}

/// The budget: at most 3 µs for a row of 300 bytes.
#[divan::bench(args = [300])]
fn seal_and_open(bencher: Bencher<'_, '_>, size: usize) {
    let (ring, plain) = (ring(), vec![7; size]);
    bencher.bench(|| {
        let sealed = ring.seal(black_box(PLACE), black_box(&plain)).unwrap();
        ring.open(PLACE, &sealed).unwrap()
    });
}

#[divan::bench]
fn hide_a_name(bencher: Bencher<'_, '_>) {
    let ring = ring();
    bencher.bench(|| ring.hide("user", &[black_box(b"billing@host-17")]));
}

fn ring() -> KeyRing {
    let home = tempfile::tempdir().unwrap();
    let master = MasterKey::random().unwrap();
    KeyRing::create(home.path(), &master, Timestamp(0))
        .unwrap()
        .0
}

const PLACE: &[u8] = b"\x08\0\0\0\0\0\0\0\x2a\0\0\0\0\0\0\0\x07 version 3";
