//! What every story of the contract begins with.

use super::*;

pub(crate) fn assert_rows(first: Row, rest: store::Snapshot, sealed: &[u8]) {
    let rows: Vec<Row> = std::iter::once(Ok(first))
        .chain(rest)
        .map(Result::unwrap)
        .collect();
    assert_eq!(keys(&rows), (0..100).map(key).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| row.sealed == sealed));
}

pub(crate) fn fresh(kind: Kind) -> (TempDir, Arc<dyn Store>) {
    let home = TempDir::new().unwrap();
    let store = open(kind, &home);
    (home, store)
}

pub(crate) fn open(kind: Kind, home: &TempDir) -> Arc<dyn Store> {
    store::open(kind, home.path(), &Settings::default()).unwrap()
}

pub(crate) async fn put(
    store: &dyn Store,
    key: Key,
    expected: Expected,
    version: u64,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.push(key, expected, write(version, sealed));
    store.commit(batch).await
}

pub(crate) fn write(version: u64, sealed: &[u8]) -> StepKind {
    StepKind::Put {
        version,
        sealed: sealed.to_vec(),
    }
}

pub(crate) fn accounts() -> Key {
    Key::table(Table::Account)
}

pub(crate) fn key(number: u64) -> Key {
    accounts().number(number)
}

pub(crate) fn row(number: u64, version: u64, sealed: &[u8]) -> Row {
    Row {
        key: key(number),
        version,
        sealed: sealed.to_vec(),
    }
}

pub(crate) fn keys(rows: &[Row]) -> Vec<Key> {
    rows.iter().map(|row| row.key.clone()).collect()
}
