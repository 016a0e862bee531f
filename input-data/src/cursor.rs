//! A place in a text that moves forward.

use crate::{Error, ErrorKind};

/// How far a text has been read.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, offset: usize) -> Self {
        Self { text, offset }
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    /// The next byte.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    /// Moves on by `bytes`, which end at the end of a character.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.offset += bytes;
    }

    /// Takes what comes before the first byte that `ends`, or everything.
    pub(crate) fn take_until(&mut self, ends: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.advance(length);
        rest.get(..length).unwrap_or_default()
    }

    /// Skips blanks, tabs and line ends; whether there were any.
    pub(crate) fn skip_blanks(&mut self) -> bool {
        !self.take_until(|byte| !is_blank(byte)).is_empty()
    }

    /// Skips `text` if it comes next.
    pub(crate) fn skip(&mut self, text: &str) -> bool {
        let comes_next = self.rest().starts_with(text);
        if comes_next {
            self.advance(text.len());
        }
        comes_next
    }

    /// `kind`, here.
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        self.error_at(kind, self.offset)
    }

    /// `kind`, at byte `offset` of the text.
    pub(crate) fn error_at(&self, kind: ErrorKind, offset: usize) -> Error {
        Error::at(kind, self.text, offset)
    }
}

/// The white space of JSON.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// A character that JSON wants to have written as an escape.
pub(crate) fn is_control(byte: u8) -> bool {
    byte < b' '
}
