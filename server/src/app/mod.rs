//! The only place that sees every floor: builds them from the ground up and opens the doors.

mod a2a;
mod backup;
mod checks;
mod error;
mod events;
mod files;
mod folder;
mod house;
mod init;
mod operator;
mod porch;
mod recovery;
mod resets;
mod restore;
mod serve;
mod ssh;
mod trust;
mod watch;

pub use backup::{BackupTarget, backup};
pub use error::AppError;
pub use folder::DataFolder;
pub use house::House;
pub use init::{InitReport, init};
pub use recovery::{recover, resume_audit, verify_audit};
pub use restore::{BackupContent, Restore, RestoreReport, Unlock, restore, verify_backup};
pub use serve::{Announcement, Orders, serve};
