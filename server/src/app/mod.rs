//! The only place that sees every floor: builds them from the ground up and opens the doors.

mod error;
mod folder;
mod house;
mod init;
mod operator;
mod recovery;
mod serve;
mod trust;
mod watch;

pub use error::AppError;
pub use folder::DataFolder;
pub use house::House;
pub use init::{InitReport, init};
pub use recovery::{recover, verify_audit};
pub use serve::{Announcement, Orders, serve};
