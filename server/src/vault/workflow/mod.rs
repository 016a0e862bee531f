//! Access control: a password is requested, approved, checked out and checked in.
//!
//! `control.rs` switches it on and off, `rights.rs` says who may decide, `turn.rs` makes every step
//! of a request by compare-and-set, `requests.rs` and `custody.rs` are the steps by name,
//! `policy.rs` does that to many accounts at once, `words.rs` says how much a request may say,
//! `expiry.rs` ends what is overdue, `hold.rs` stands before retrievals.
//!
//! Nobody is above it: where it is on, only the holder of a check-out learns the password, owner,
//! approver and super administrator included. Whoever manages a thing may switch it off, which is
//! recorded.

mod control;
mod custody;
mod expiry;
mod hold;
mod list;
mod policy;
mod requests;
mod rights;
mod turn;
mod words;

pub use control::{AccessControlView, NewAccessControl};
pub use custody::CheckedOut;
pub use list::{RequestPlace, RequestView};
pub use policy::{AccessPolicyView, NewAccessPolicy};
pub use turn::REQUESTED;
