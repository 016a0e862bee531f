//! BOOK: the audit trail, a keyed and hash-chained file of every decision. May use `domain` and
//! `crypto`.
//!
//! # What is on the disk
//!
//! `DIR/audit-<first seq>.log`, each filled with zeros before use so that a record overwrites
//! instead of appending (no block is allocated, no journal is waited for):
//!
//! ```text
//! header, 4096 bytes   magic, format, first seq, where and with which tag the segment before
//!                      ended, its earliest and latest time (sealed), MAC
//! record               length u32 | back u32 | seq u64 | sealed record | tag, 32 bytes
//! record …
//! zeros
//! ```
//!
//! - `tag = HMAC(chain key, [tag before, length || back || seq, sealed])`. The first record of all
//!   chains from a random tag, so that two ledgers under one key are two chains.
//! - The record, its time included, is sealed (XChaCha20-Poly1305): a thief of the disk learns how
//!   many records there are and how long they are. It is sealed before it has a number, by the
//!   caller's thread; the tag binds number, place and content, and whoever reads a record checks it.
//! - `back` is how far the record stands behind the beginning of the write that brought it. That
//!   tells a torn write from an edit: what does not verify may be torn only if nothing of a later
//!   write stands behind it, for a write begins after the one before is durable.
//!
//! # When the disk misbehaves
//!
//! - *Full*: the next segment cannot be filled. What is left of the present one is used up, then
//!   appends are refused until there is space again.
//! - *A write or flush fails*: what the disk holds is unknown, and a second flush of the same
//!   pages would prove nothing. The place is given up: a new segment begins with the whole records
//!   of the page that the failed write shared, copied with their tags, and its header says where
//!   the old segment ends.
//! - *The file is deleted, replaced or truncated*: looked for after each flush, before the answer.
//!   Acknowledged records are lost, so this does not heal by itself unless the very file comes
//!   back; [`Ledger::resume`] begins a new segment at the operator's word, and [`verify`] names the
//!   gap for ever, or until the trail before it is pruned.

mod book;
mod copy;
mod cursor;
mod entry;
mod error;
mod escape;
mod export;
mod folder;
mod format;
mod group;
mod health;
mod index;
mod keys;
mod lost;
mod open;
mod prune;
mod query;
mod read;
mod reserve;
mod segment;
mod settings;
mod shelf;
mod tail;
mod trail;
mod verify;
mod writer;

pub use book::{Follower, Ledger, Resumed};
pub use copy::TrailFile;
pub use entry::{Entry, Vocabulary, Word};
pub use error::{Damage, DamageKind, LedgerError, Trouble};
pub use escape::neutralise;
pub use export::{Export, ExportFormat, export, json_line};
pub use format::Head;
pub use health::Health;
pub use keys::LedgerKeys;
pub use prune::{Before, Pruned};
pub use query::{Order, OutcomeKind, Page, Query};
pub use settings::LedgerSettings;
pub use tail::Cut;
pub use verify::{Progress, Report, verify};
