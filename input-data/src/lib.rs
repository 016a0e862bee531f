//! The `INPUT_DATA` of a REST API that takes more than JSON: read leniently, within bounds, with
//! positions in every error.
//!
//! The parameter looks like JSON and is not always. Clients send Python's `str(dict)`, curl lines
//! from which a shell took the quotes, percent-encoded bodies and bodies that should be and are
//! not. All of them mean one document, and all of them may carry a password, which is to be
//! stored to the letter.
//!
//! ```
//! use input_data::{Details, Limits, form, parse};
//!
//! let limits = Limits::default();
//! let body = br#"INPUT_DATA={"operation":{"Details":{"NEWPASSWORD":"aB1%d@,$9"}}}&APP_TYPE=17"#;
//!
//! let form = form::parse(body, &limits)?;
//! let document = parse(form.input_data().unwrap_or_default(), &limits)?;
//! let details = Details::of(&document)?;
//!
//! assert_eq!(form.get("APP_TYPE"), Some("17"));
//! assert_eq!(details.text("NEWPASSWORD")?, "aB1%d@,$9");
//! assert_eq!(details.optional("REASON")?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # From a request to a document: [`form::parse`]
//! A query or a body is form data whatever its `Content-Type` says. `INPUT_DATA` comes in one of
//! three ways, and its text tells which:
//!
//! | it holds | it is | `+` |
//! |---|---|---|
//! | up to the first `&`, no `{`, `"`, blank or control character | percent-encoded | a blank |
//! | `{%22`, `{%27` or `{%20` at the beginning, and nowhere a `"` or blank | encoded as browsers do it in a URL | itself |
//! | anything else | raw, nothing in it is decoded | itself |
//!
//! A raw document ends at its closing brace, not at an ampersand: `&`, `=`, `%` and `+` may stand
//! in its texts. Nothing is decoded twice. A text that begins encoded and goes on raw is refused,
//! and so is a second parameter of one name. All other parameters are percent-decoded.
//!
//! # From a document to values: [`parse`]
//! Every JSON document means what JSON says, except that U+0000 and a second member of one name
//! are refused. Beyond JSON:
//!
//! | written | read |
//! |---|---|
//! | `'a'`, `u'a'`, `u"a"`, with the escapes of Python's `repr` | a quoted text; both quotes take the escapes of both languages |
//! | `True`, `False`, `None` | `true`, `false`, `null` |
//! | `{PASSWORD:a b}` | an unquoted text ends at `,` `}` `]` or the line's end, without the blanks around it |
//! | `{NOTES:,REASON:}` | empty texts; in a list, nothing is not a value |
//! | `{RESOURCE ID:7}` | an unquoted key ends at its first `:` |
//! | `{"A":1,}`, `[1,]` | a comma too many at the end |
//! | `{"A":"x";"B":"y"}` | a semicolon for a comma, after quotes and brackets |
//! | `{"A":"x" "B":"y"}` | a missing comma: before a quoted key, with blanks or line ends between |
//! | `{"A":"x" // …` | a comment up to the line's end, after a value and before a key only |
//! | `\{"A":\[1\]\}` | brackets with backslashes, if the first one has one |
//! | `{"A":1}; and so on` | whatever follows the end is not looked at |
//!
//! Numbers keep their text: `12345678901234567890`, `1.50` and `1e5` stay so. What is no number
//! of JSON, as `007`, is a text.
//!
//! # What is not guessed
//! Where a text could mean two passwords, it is refused rather than cut:
//!
//! - **A quote inside a quoted text** (`"ab"cd"`) must be written `\"`: nothing but blanks, a
//!   separator, a bracket or a comment may follow a closing quote.
//! - **An unquoted text** may hold `:`, `//`, `=`, `&`, `'` and blanks; `http://host/a b // c` is
//!   one text. It may not hold `"`, `{`, `[`, and not be Python's `b'…'`. A comma ends it, for there
//!   is no telling: what follows is then a key, and mostly an error.
//! - **Brackets after the end** are junk, unless a key or a text of the document had no quotes:
//!   in `{P:a}b}` the password may be `a}b`.
//! - **A missing closing bracket or quote** is an error: a text that was cut may be a password
//!   that was cut.
//! - **Control characters** (below U+0020) in texts must be escapes, as in JSON; U+0000 may not
//!   even be one. A line end or tab after an unquoted text ends it.
//! - **Raw and unquoted with percent signs**, `{P:a%20b}`, is raw: the password is `a%20b`.
//!
//! # Secrets
//! Every text is a [`Text`]: wiped on drop, never moved while it is filled, shown by `Debug` as a
//! length. Errors repeat nothing of the input; a name that comes twice is told only if it is in a
//! list of the API's own words.
//!
//! # Bounds
//! [`Limits`] bounds bytes, parameters, depth, values and texts. Reading takes time that grows
//! with the length of the input (times its logarithm, for the names) and a stack of fixed depth.

pub mod form;

mod cursor;
mod details;
mod document;
mod error;
mod limits;
mod names;
mod object;
mod percent;
mod quoted;
mod text;
mod unquoted;
mod value;

pub use details::Details;
pub use document::parse;
pub use error::{Error, ErrorKind, FieldError};
pub use limits::Limits;
pub use object::Object;
pub use text::Text;
pub use text_position::Position;
pub use value::Value;
