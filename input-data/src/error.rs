//! What can be wrong with a form, a document or one of its fields.

use thiserror::Error;

use crate::Position;

/// Why a form or a document could not be read, and where. It carries no part of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at {position}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, in the text that was given to the function that failed.
    pub position: Position,
}

impl Error {
    /// `kind` at byte `offset` of `text`.
    pub(crate) fn at(kind: ErrorKind, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        Self {
            kind,
            position: Position::after(before, offset),
        }
    }
}

/// What is wrong with a form or a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ErrorKind {
    /// The form, or what its percent sequences stand for, is not UTF-8.
    #[error("bytes that are not UTF-8")]
    NotUtf8,
    /// A per cent sign without two hexadecimal digits in a percent-encoded text.
    #[error("a per cent sign without two hexadecimal digits")]
    Percent,
    /// `INPUT_DATA` is percent-encoded in one place and holds quotes, blanks or braces in another.
    #[error("a text that is percent-encoded in parts only")]
    MixedEncoding,
    /// The form begins with a brace: a document without `INPUT_DATA=` before it.
    #[error("a document where form data belongs, which begins with `INPUT_DATA=`")]
    BareDocument,
    /// Two parameters have one name, told where the name is one of the API's.
    #[error("a second parameter {}", .0.unwrap_or("of one name"))]
    DuplicateParameter(Option<&'static str>),

    /// Neither an object nor any other value.
    #[error("no document: it begins with a brace")]
    NotADocument,
    /// The text ends too early.
    #[error("the text ends inside {0}")]
    Unclosed(&'static str),
    /// Something else stands where one of these belongs.
    #[error("{0} expected")]
    Expected(&'static str),
    /// A quoted text is followed by something that cannot follow it.
    #[error("a quoted text goes on after its closing quote; a quote inside is written \\\"")]
    AfterQuote,
    /// An unquoted text has `"`, `{` or `[` in it, or is Python's `b'…'`.
    #[error("an unquoted text with a character that needs quotes around the text")]
    NeedsQuotes,
    /// Brackets after the end of a document with unquoted texts: they may belong to one.
    #[error("brackets after the end, which may belong to an unquoted text; put it into quotes")]
    AmbiguousEnd,
    /// A control character (below U+0020) that is not written as an escape, in a text or a key.
    #[error("a control character, which is to be written as an escape")]
    Control,
    /// U+0000, however it is written.
    #[error("a NUL character")]
    Nul,
    /// A backslash followed by nothing that JSON or Python's `repr` know.
    #[error("an unknown escape")]
    Escape,
    /// An escape for half of a surrogate pair, or beyond Unicode.
    #[error("an escape for a character that does not exist")]
    NoCharacter,
    /// Two members of one object have one name, told where the name is one of the API's.
    #[error("a second member {}", .0.unwrap_or("of one name"))]
    DuplicateMember(Option<&'static str>),

    /// More bytes than [`Limits::bytes`](crate::Limits::bytes).
    #[error("more than {0} bytes")]
    TooLarge(usize),
    /// More parameters than [`Limits::parameters`](crate::Limits::parameters).
    #[error("more than {0} parameters")]
    TooManyParameters(usize),
    /// Deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("more than {0} lists and objects inside each other")]
    TooDeep(usize),
    /// More values than [`Limits::values`](crate::Limits::values).
    #[error("more than {0} values")]
    TooManyValues(usize),
    /// A longer text than [`Limits::text`](crate::Limits::text).
    #[error("a text of more than {0} bytes")]
    TextTooLong(usize),
}

/// Why a field of a document is not what an operation needs. The name is the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// It is not there, or null.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// It is a list or an object.
    #[error("{0} is not a text")]
    NotText(&'static str),
    /// It is neither true nor false.
    #[error("{0} is neither true nor false")]
    NotFlag(&'static str),
    /// It is not a list.
    #[error("{0} is not a list")]
    NotList(&'static str),
    /// It is not an object, or a list of which one element is not.
    #[error("{0} is not an object")]
    NotObject(&'static str),
}
