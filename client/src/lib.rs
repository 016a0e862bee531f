//! The crate that applications link to retrieve, change and create passwords kept by Claviger.
//!
//! An application shows its client certificate and asks for the password it needs, instead of
//! carrying it in its configuration:
//!
//! ```no_run
//! use claviger_client::{Client, Secret};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .server("vault.example.org", 7070)
//!     .identity_files("billing.crt", "billing.key")
//!     .ca_file("ca.pem")
//!     .build()?;
//!
//! let password = client.retrieve_password("db-1", "root").reason("nightly backup").send().await?;
//! connect_to_database("root", password.expose());
//!
//! let new = client.change_password("db-1", "root").reason("rotation").send().await?;
//! assert!(new.is_some(), "the server generated it");
//!
//! client
//!     .create_resource("mail-1", "Linux", "postmaster")
//!     .password(Secret::from("first password".to_owned()))
//!     .notes("the new mail server")
//!     .send()
//!     .await?;
//! # Ok(())
//! # }
//! # fn connect_to_database(_: &str, _: &str) {}
//! ```
//!
//! [`blocking::Client`] does the same without a runtime. [`Client::from_java_conf`] reads the
//! configuration file of the Java wrapper.
//!
//! # When something fails
//! [`Error`] answers questions: [`is_refused`](Error::is_refused),
//! [`is_policy`](Error::is_policy), [`is_unavailable`](Error::is_unavailable),
//! [`is_outcome_unknown`](Error::is_outcome_unknown), [`code`](Error::code).
//!
//! * A **retrieval** is asked for again, after waits that grow and differ by chance.
//! * A **change** is sent once. Only when it is certain that the server saw nothing of it, another
//!   connection, or the secondary, gets it.
//! * A **secondary** is asked when the primary cannot be had. The primary is then asked last for a
//!   while, so that its absence costs one short wait and not one each time. A secondary refuses
//!   changes ([`Error::is_read_only`]).
//! * A **kept connection** that turns out to be closed is replaced without anybody noticing.
//!
//! # Secrets
//! [`Secret`] is wiped when dropped and never printed; no error holds one.

pub mod blocking;
mod builder;
mod client;
mod code;
mod connection;
mod error;
mod health;
mod java_conf;
mod pool;
#[cfg(feature = "program")]
#[doc(hidden)]
pub mod program;
mod properties;
mod request;
mod secret;
mod server;
mod settings;

pub use builder::Builder;
pub use client::Client;
pub use code::Code;
pub use error::{Error, SetupError};
pub use request::{ChangePassword, CreateResource, RetrievePassword};
pub use secret::Secret;
