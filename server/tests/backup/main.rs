//! Backups: made while others work, restored by whom may, refused where a bit is wrong.

#![expect(unreachable_pub, reason = "modules of one test program")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a step that fails stops the test, and says what it could not try"
)]

mod disk;
mod fixture;
mod made;
mod refused;
mod restored;
