//! XML-RPC 1.0 messages to and from bytes: lossless, bounded, with positions in every error.
//!
//! Four functions do the work, none of them does I/O:
//!
//! | | from bytes | to bytes |
//! |---|---|---|
//! | `<methodCall>` | [`decode_call`] | [`encode_call`] |
//! | `<methodResponse>` | [`decode_response`] | [`encode_response`] |
//!
//! ```
//! use xmlrpc_codec::{Call, Limits, Response, decode_call, encode_call, encode_response};
//!
//! let call = Call::new("retrievePassword").with("db-1").with("root").with("nightly backup");
//! let bytes = encode_call(&call)?;
//!
//! // On the other side, the charset of the Content-Type header goes in too.
//! let received = decode_call(&bytes, Some("utf-8"), &Limits::default())?;
//! assert_eq!(received, call);
//!
//! let answer = encode_response(&Response::value("s3cret"))?;
//! assert!(answer.ends_with(b"</params></methodResponse>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it accepts
//! The eight types of XML-RPC 1.0 and `nil`; nothing else, above all not the extension types of
//! Apache's library (`ex:serializable` is a Java object). UTF-8, UTF-16, ISO-8859-1 and US-ASCII.
//! No document type definition, so no entities but XML's own five. A message that is not exactly
//! right is an error that says what and where: [`DecodeError`].
//!
//! # Texts stay as they are
//! Blanks and line ends in texts are kept. XML asks a reader to turn a literal carriage return
//! into a line feed; this one keeps it, since a password is not prose, and writes it as `&#13;`,
//! which every reader keeps.
//!
//! # Secrets
//! `Debug` of a [`Value`] shows its shape and never its texts; errors carry no part of the
//! message. Decoded texts are moved out without a copy ([`Value::into_string`],
//! [`Struct::take`]), so that the caller can wipe them; UTF-8 messages are encoded into a buffer
//! that never moves.

mod charset;
mod convert;
mod datetime;
mod declaration;
mod decode;
mod encode;
mod error;
mod limits;
mod message;
mod scalar;
mod structure;
mod token;
mod value;

pub use charset::Charset;
pub use convert::{Base64, FromValue, IntoValue, TypeError};
pub use datetime::DateTime;
pub use decode::{decode_call, decode_response};
pub use encode::{encode_call, encode_call_in, encode_response, encode_response_in};
pub use error::{DecodeError, EncodeError, ErrorKind, FaultCode};
pub use limits::Limits;
pub use message::{Call, Fault, Response};
pub use structure::{Iter, Struct};
pub use text_position::Position;
pub use value::Value;
