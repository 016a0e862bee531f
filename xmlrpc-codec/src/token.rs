//! XML as the grammar sees it: tags, texts, and every reason why it is not XML.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::{BytesStart, Event};

use crate::ErrorKind;
use crate::scalar::is_blank_byte;

/// An error and the byte of the text where it is.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) kind: ErrorKind,
    pub(crate) at: usize,
}

/// One step through the document.
pub(crate) enum Token<'a> {
    /// A start tag; an empty element is one with its end tag.
    Open(Tag),
    /// The end tag that belongs to the last start tag.
    Close,
    /// Text as it stands there.
    Plain(&'a str),
    /// Text from a CDATA section or a reference: never mere layout.
    Quoted(Cow<'a, str>),
    /// The end of the document, with all elements closed.
    End,
}

/// The tokens of a document. Comments and processing instructions are skipped.
pub(crate) struct Tokens<'a> {
    reader: Reader<&'a [u8]>,
    source: &'a str,
    open: Vec<Tag>,
    attributes: usize,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Reads `source`, with at most that many attributes to an element.
    pub(crate) fn new(source: &'a str, attributes: usize) -> Self {
        let mut reader = Reader::from_str(source);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        Self {
            reader,
            source,
            open: Vec::with_capacity(16),
            attributes,
            at: 0,
        }
    }

    /// Where the last token began.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The element that is open.
    pub(crate) fn inside(&self) -> Option<Tag> {
        self.open.last().copied()
    }

    /// How many bytes the text at `at` can have at most.
    pub(crate) fn text_bound(&self, at: usize) -> usize {
        let rest = self.source.get(at..).unwrap_or_default();
        rest.find("</").unwrap_or(rest.len())
    }

    /// An error where the last token began.
    pub(crate) fn flaw(&self, kind: ErrorKind) -> Flaw {
        Flaw { kind, at: self.at }
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Result<Token<'a>, Flaw> {
        loop {
            self.at = self.offset();
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.flaw(self.kind_of(&error))),
            };
            let token = match event {
                Event::Start(tag) => Token::Open(self.opened(&tag)?),
                Event::End(_) => {
                    self.open.pop();
                    Token::Close
                }
                Event::Text(text) => Token::Plain(self.plain(text.len())?),
                Event::CData(text) => Token::Quoted(text.into_inner()),
                Event::GeneralRef(name) => Token::Quoted(self.resolved(&name)?),
                Event::Eof => self.ended()?,
                Event::Comment(_) => continue,
                Event::PI(instruction) => {
                    self.check_target(instruction.target())?;
                    continue;
                }
                Event::Decl(_) => return Err(self.flaw(ErrorKind::Declaration)),
                Event::DocType(_) => return Err(self.flaw(ErrorKind::Doctype)),
                // Empty elements are expanded by the reader.
                Event::Empty(_) => return Err(self.flaw(ErrorKind::Markup)),
            };
            return Ok(token);
        }
    }

    fn offset(&self) -> usize {
        // It counts bytes of a slice.
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn opened(&mut self, start: &BytesStart<'_>) -> Result<Tag, Flaw> {
        if !start.attributes_raw().is_empty() {
            self.check_attributes(start)?;
        }
        let tag = Tag::from_name(start.name().as_ref());
        self.open.push(tag);
        Ok(tag)
    }

    /// XML-RPC has no attributes, but Apache's library declares a namespace on every message: they
    /// must be well-formed and are not looked at.
    fn check_attributes(&self, start: &BytesStart<'_>) -> Result<(), Flaw> {
        let mut count = 0;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| self.flaw(ErrorKind::Attributes))?;
            count += 1;
            if count > self.attributes {
                return Err(self.flaw(ErrorKind::TooManyAttributes(self.attributes)));
            }
            if attribute.value.contains('<') || !references_are_known(&attribute.value) {
                return Err(self.flaw(ErrorKind::Attributes));
            }
        }
        Ok(())
    }

    /// The text of that length, from the source itself: the event would not lend it for so long.
    fn plain(&self, length: usize) -> Result<&'a str, Flaw> {
        let text = self
            .source
            .get(self.at..self.at + length)
            .unwrap_or_default();
        match text
            .bytes()
            .any(|byte| byte == b']')
            .then(|| text.find("]]>"))
            .flatten()
        {
            Some(found) => Err(Flaw {
                kind: ErrorKind::CdataEnd,
                at: self.at + found,
            }),
            None => Ok(text),
        }
    }

    fn resolved(&self, name: &str) -> Result<Cow<'a, str>, Flaw> {
        resolve(name)
            .map_err(|kind| self.flaw(kind))
            .map(|character| match character {
                Resolved::Entity(text) => Cow::Borrowed(text),
                Resolved::Character(character) => Cow::Owned(character.to_string()),
            })
    }

    fn check_target(&self, target: &str) -> Result<(), Flaw> {
        if target.eq_ignore_ascii_case("xml") {
            return Err(self.flaw(ErrorKind::Declaration));
        }
        let is_name =
            |first: char| !first.is_ascii() || first.is_ascii_alphabetic() || first == '_';
        if !target.starts_with(is_name) {
            return Err(self.flaw(ErrorKind::Markup));
        }
        Ok(())
    }

    fn ended(&self) -> Result<Token<'a>, Flaw> {
        match self.inside() {
            Some(tag) => Err(self.flaw(ErrorKind::Unclosed(tag.name()))),
            None => Ok(Token::End),
        }
    }

    fn kind_of(&self, error: &Error) -> ErrorKind {
        match error {
            Error::IllFormed(
                IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_),
            ) => ErrorKind::MismatchedEnd,
            Error::IllFormed(IllFormedError::DoubleHyphenInComment) => ErrorKind::Comment,
            Error::IllFormed(IllFormedError::UnclosedReference) => ErrorKind::Reference,
            _ if self.at_doctype() => ErrorKind::Doctype,
            _ => ErrorKind::Markup,
        }
    }

    /// A broken document type definition is refused for being one.
    fn at_doctype(&self) -> bool {
        let start = self
            .source
            .as_bytes()
            .get(self.at..)
            .and_then(|rest| rest.get(..9));
        start.is_some_and(|start| start.eq_ignore_ascii_case(b"<!DOCTYPE"))
    }
}

/// Whether all references in an attribute's value are ours.
fn references_are_known(value: &str) -> bool {
    let mut pieces = value.split('&');
    pieces.next();
    pieces.all(|piece| {
        piece
            .split_once(';')
            .is_some_and(|(name, _)| resolve(name).is_ok())
    })
}

enum Resolved {
    Entity(&'static str),
    Character(char),
}

fn resolve(name: &str) -> Result<Resolved, ErrorKind> {
    Ok(match name {
        "lt" => Resolved::Entity("<"),
        "gt" => Resolved::Entity(">"),
        "amp" => Resolved::Entity("&"),
        "apos" => Resolved::Entity("'"),
        "quot" => Resolved::Entity("\""),
        _ => {
            let number = name.strip_prefix('#').ok_or(ErrorKind::Entity)?;
            let character = character(number).filter(|character| is_xml_character(*character));
            Resolved::Character(character.ok_or(ErrorKind::CharacterReference)?)
        }
    })
}

/// The character of `38` or `x26`: digits only, since Rust's parsers would take a plus sign.
fn character(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let code = is_number
        .then(|| u32::from_str_radix(digits, radix).ok())
        .flatten()?;
    char::from_u32(code)
}

/// XML 1.0 §2.2, production 2.
pub(crate) fn is_xml_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => character >= ' ',
    }
}

/// Where the first character is that XML does not admit.
pub(crate) fn first_invalid_character(text: &str) -> Option<usize> {
    // Chunks without an exit inside let the compiler look at many bytes at once.
    let suspicious = |byte: u8| (byte < b' ' && !is_blank_byte(byte)) || byte == 0xEF;
    let clean = |chunk: &[u8]| {
        !chunk
            .iter()
            .fold(false, |any, byte| any | suspicious(*byte))
    };
    if text.as_bytes().chunks(64).all(clean) {
        return None;
    }
    text.char_indices()
        .find(|(_, character)| !is_xml_character(*character))
        .map(|(at, _)| at)
}

macro_rules! tags {
    ($($tag:ident $name:literal,)* ; $($extension:literal)*) => {
        /// An element of XML-RPC.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Tag {
            $($tag,)*
            /// One of Apache's extension types.
            Extension(&'static str),
            Unknown,
        }

        impl Tag {
            fn from_name(name: &str) -> Self {
                match name {
                    $($name => Self::$tag,)*
                    _ => match name.split_once(':') {
                        $(Some((_, $extension)) => Self::Extension(concat!("ex:", $extension)),)*
                        Some(("ex", _)) => Self::Extension("ex:*"),
                        _ => Self::Unknown,
                    },
                }
            }

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$tag => $name,)*
                    Self::Extension(name) => name,
                    Self::Unknown => "unknown element",
                }
            }
        }
    };
}

tags! {
    MethodCall "methodCall", MethodName "methodName", MethodResponse "methodResponse",
    Params "params", Param "param", Fault "fault", Value "value",
    Int "int", I4 "i4", Boolean "boolean", String "string", Double "double",
    DateTime "dateTime.iso8601", Base64 "base64", Nil "nil",
    Struct "struct", Member "member", Name "name", Array "array", Data "data",
    ; "serializable" "i1" "i2" "i8" "float" "dateTime" "bigdecimal" "biginteger" "dom" "nil"
}
