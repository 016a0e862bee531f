//! From bytes to calls and answers: the grammar of XML-RPC.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::charset::Document;
use crate::message::is_method_name;
use crate::scalar::{is_blank, parse_base64, parse_bool, parse_double, parse_int};
use crate::token::{Flaw, Tag, Token, Tokens, first_invalid_character};
use crate::{
    Call, DateTime, DecodeError, ErrorKind, Fault, Limits, Position, Response, Struct, Value,
};

/// Reads a `<methodCall>`. `content_type_charset` is the `charset` of the Content-Type header, if
/// it had one; it must agree with what the message says of itself.
///
/// # Errors
/// [`DecodeError`] with what is wrong and where, for anything that is not exactly a call.
pub fn decode_call(
    bytes: &[u8],
    content_type_charset: Option<&str>,
    limits: &Limits,
) -> Result<Call, DecodeError> {
    decode(bytes, content_type_charset, limits, |parser| parser.call())
}

/// Reads a `<methodResponse>`, as [`decode_call`] reads calls.
///
/// # Errors
/// [`DecodeError`] with what is wrong and where, for anything that is not exactly an answer.
pub fn decode_response(
    bytes: &[u8],
    content_type_charset: Option<&str>,
    limits: &Limits,
) -> Result<Response, DecodeError> {
    decode(bytes, content_type_charset, limits, |parser| {
        parser.response()
    })
}

fn decode<T>(
    bytes: &[u8],
    charset: Option<&str>,
    limits: &Limits,
    grammar: impl FnOnce(&mut Parser<'_>) -> Result<T, Flaw>,
) -> Result<T, DecodeError> {
    if bytes.len() > limits.bytes {
        let within = String::from_utf8_lossy(bytes.get(..limits.bytes).unwrap_or_default());
        let position = Position::after(&within, limits.bytes);
        return Err(DecodeError {
            kind: ErrorKind::TooLarge(limits.bytes),
            position,
        });
    }
    let document = Document::read(bytes, charset)?;
    if let Some(at) = first_invalid_character(&document.text) {
        return Err(document.error(ErrorKind::InvalidCharacter, at));
    }
    let source = document.text.get(document.body..).unwrap_or_default();
    if source.starts_with('\u{FEFF}') {
        // The reader would skip a second byte order mark.
        return Err(document.error(ErrorKind::NotXml, document.body));
    }
    let tokens = Tokens::new(source, limits.attributes);
    let mut parser = Parser {
        tokens,
        limits,
        values: 0,
    };
    grammar(&mut parser)
        .and_then(|message| parser.finish().map(|()| message))
        .map_err(|flaw| document.error(flaw.kind, document.body + flaw.at))
}

/// A text and where it begins.
struct Leaf<'a> {
    text: Cow<'a, str>,
    at: usize,
}

struct Parser<'a> {
    tokens: Tokens<'a>,
    limits: &'a Limits,
    values: usize,
}

impl<'a> Parser<'a> {
    fn call(&mut self) -> Result<Call, Flaw> {
        self.root(Tag::MethodCall)?;
        self.open(Tag::MethodName)?;
        let name = self.leaf()?;
        if !is_method_name(&name.text) {
            return Err(Flaw {
                kind: ErrorKind::MethodName,
                at: name.at,
            });
        }
        let method = name.text.into_owned();
        let mut params = Vec::new();
        if self.opens(Tag::Params)? {
            while self.opens(Tag::Param)? {
                self.open(Tag::Value)?;
                params.push(self.value(0)?);
                self.close()?;
            }
            self.close()?;
        }
        Ok(Call { method, params })
    }

    fn response(&mut self) -> Result<Response, Flaw> {
        self.root(Tag::MethodResponse)?;
        let response = match self.markup()? {
            Token::Open(Tag::Params) => {
                self.open(Tag::Param)?;
                self.open(Tag::Value)?;
                let value = self.value(0)?;
                self.close()?;
                Response::Value(value)
            }
            Token::Open(Tag::Fault) => {
                self.open(Tag::Value)?;
                let at = self.tokens.at();
                let value = self.value(0)?;
                Response::Fault(fault(value).ok_or(Flaw {
                    kind: ErrorKind::Fault,
                    at,
                })?)
            }
            _ => return Err(self.tokens.flaw(ErrorKind::Expected(Tag::Params.name()))),
        };
        self.close()?;
        self.close()?;
        Ok(response)
    }

    /// Nothing may follow the root element.
    fn finish(&mut self) -> Result<(), Flaw> {
        loop {
            let at = match self.tokens.next()? {
                Token::End => return Ok(()),
                Token::Plain(text) if is_blank(text) => continue,
                Token::Plain(text) => self.tokens.at() + blank_start(text),
                Token::Open(_) | Token::Close | Token::Quoted(_) => self.tokens.at(),
            };
            return Err(Flaw {
                kind: ErrorKind::Trailing,
                at,
            });
        }
    }

    fn root(&mut self, tag: Tag) -> Result<(), Flaw> {
        match self.markup()? {
            Token::Open(found) if found == tag => Ok(()),
            Token::Open(_) => Err(self.tokens.flaw(ErrorKind::Root(tag.name()))),
            _ => Err(self.tokens.flaw(ErrorKind::NotXml)),
        }
    }

    /// The next tag, past white space that is mere layout.
    fn markup(&mut self) -> Result<Token<'a>, Flaw> {
        loop {
            let unexpected = match self.tokens.next()? {
                Token::Plain(text) if is_blank(text) => continue,
                Token::Plain(text) => self.tokens.at() + blank_start(text),
                Token::Quoted(_) => self.tokens.at(),
                token => return Ok(token),
            };
            let kind = match self.tokens.inside() {
                Some(tag) => ErrorKind::Unexpected(tag.name()),
                None => ErrorKind::NotXml,
            };
            return Err(Flaw {
                kind,
                at: unexpected,
            });
        }
    }

    /// The next tag must be `tag`.
    fn open(&mut self, tag: Tag) -> Result<(), Flaw> {
        match self.markup()? {
            Token::Open(found) if found == tag => Ok(()),
            _ => Err(self.tokens.flaw(ErrorKind::Expected(tag.name()))),
        }
    }

    /// The next tag must be `tag`, or the end tag of the element around it: whether it is `tag`.
    fn opens(&mut self, tag: Tag) -> Result<bool, Flaw> {
        match self.markup()? {
            Token::Open(found) if found == tag => Ok(true),
            Token::Close => Ok(false),
            _ => Err(self.tokens.flaw(ErrorKind::Expected(tag.name()))),
        }
    }

    /// The next tag must be the end tag of the element that is open.
    fn close(&mut self) -> Result<(), Flaw> {
        let inside = self.tokens.inside();
        match self.markup()? {
            Token::Close => Ok(()),
            _ => {
                let name = inside.map_or("document", Tag::name);
                Err(self.tokens.flaw(ErrorKind::Unexpected(name)))
            }
        }
    }

    /// The text up to the next tag, and that tag.
    fn text(&mut self) -> Result<(Leaf<'a>, Token<'a>), Flaw> {
        let mut leaf: Option<Leaf<'a>> = None;
        loop {
            let piece = match self.tokens.next()? {
                Token::Plain(text) => Cow::Borrowed(text),
                Token::Quoted(text) => text,
                other => {
                    let empty = Leaf {
                        text: Cow::Borrowed(""),
                        at: self.tokens.at(),
                    };
                    return Ok((leaf.unwrap_or(empty), other));
                }
            };
            leaf = Some(self.join(leaf, piece)?);
        }
    }

    fn join(&self, leaf: Option<Leaf<'a>>, piece: Cow<'a, str>) -> Result<Leaf<'a>, Flaw> {
        let limit = self.limits.text;
        let Leaf { text, at } = leaf.unwrap_or(Leaf {
            text: "".into(),
            at: self.tokens.at(),
        });
        if text.len() + piece.len() > limit {
            return Err(Flaw {
                kind: ErrorKind::TextTooLong(limit),
                at,
            });
        }
        if text.is_empty() {
            return Ok(Leaf { text: piece, at });
        }
        let mut whole = match text {
            Cow::Owned(text) if text.capacity() - text.len() >= piece.len() => text,
            // Room for all that may follow: a growing buffer leaves copies of a secret behind.
            part => {
                let needed = part.len() + piece.len();
                let bound = self.tokens.text_bound(at).min(limit);
                let room = if bound < needed { 2 * needed } else { bound };
                let mut whole = String::with_capacity(room);
                whole.push_str(&part);
                whole
            }
        };
        whole.push_str(&piece);
        Ok(Leaf {
            text: whole.into(),
            at,
        })
    }

    /// The text of the element that is open, and its end tag.
    fn leaf(&mut self) -> Result<Leaf<'a>, Flaw> {
        let inside = self.tokens.inside();
        match self.text()? {
            (leaf, Token::Close) => Ok(leaf),
            _ => {
                let name = inside.map_or("document", Tag::name);
                Err(self.tokens.flaw(ErrorKind::Unexpected(name)))
            }
        }
    }

    /// The value whose `<value>` is open, and its end tag, inside `depth` arrays and structs.
    fn value(&mut self, depth: usize) -> Result<Value, Flaw> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(self
                .tokens
                .flaw(ErrorKind::TooManyValues(self.limits.values)));
        }
        let (leaf, token) = self.text()?;
        let Token::Open(tag) = token else {
            return Ok(Value::String(leaf.text.into_owned()));
        };
        if !is_blank(&leaf.text) {
            let at = leaf.at + blank_start(&leaf.text);
            return Err(Flaw {
                kind: ErrorKind::Unexpected(Tag::Value.name()),
                at,
            });
        }
        let value = self.typed(tag, depth)?;
        self.close()?;
        Ok(value)
    }

    /// The value whose type's tag is open, and its end tag.
    fn typed(&mut self, tag: Tag, depth: usize) -> Result<Value, Flaw> {
        match tag {
            Tag::Int | Tag::I4 => self.scalar(|text| parse_int(text).map(Value::Int)),
            Tag::Boolean => self.scalar(|text| parse_bool(text).map(Value::Bool)),
            Tag::String => Ok(Value::String(self.leaf()?.text.into_owned())),
            Tag::Double => self.scalar(|text| parse_double(text).map(Value::Double)),
            Tag::DateTime => self.scalar(|text| {
                DateTime::parse(text)
                    .map(Value::DateTime)
                    .ok_or(ErrorKind::DateTime)
            }),
            Tag::Base64 => self.scalar(|text| parse_base64(text).map(Value::Base64)),
            Tag::Nil => self.close().map(|()| Value::Nil),
            Tag::Struct => self.structure(self.deeper(depth)?).map(Value::Struct),
            Tag::Array => self.array(self.deeper(depth)?).map(Value::Array),
            Tag::Extension(name) => Err(self.tokens.flaw(ErrorKind::Extension(name))),
            _ => Err(self.tokens.flaw(ErrorKind::UnknownType)),
        }
    }

    fn scalar(
        &mut self,
        parse: impl FnOnce(&str) -> Result<Value, ErrorKind>,
    ) -> Result<Value, Flaw> {
        let leaf = self.leaf()?;
        parse(&leaf.text).map_err(|kind| Flaw { kind, at: leaf.at })
    }

    fn deeper(&self, depth: usize) -> Result<usize, Flaw> {
        let limit = self.limits.effective_depth();
        if depth >= limit {
            return Err(self.tokens.flaw(ErrorKind::TooDeep(limit)));
        }
        Ok(depth + 1)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Flaw> {
        let mut elements = Vec::new();
        self.open(Tag::Data)?;
        while self.opens(Tag::Value)? {
            elements.push(self.value(depth)?);
        }
        self.close()?;
        Ok(elements)
    }

    fn structure(&mut self, depth: usize) -> Result<Struct, Flaw> {
        let mut members = Vec::new();
        let mut places = Vec::new();
        while self.opens(Tag::Member)? {
            places.push(self.tokens.at());
            self.open(Tag::Name)?;
            let name = self.leaf()?.text.into_owned();
            self.open(Tag::Value)?;
            members.push((name, self.value(depth)?));
            self.close()?;
        }
        match first_repeated(&members) {
            Some(index) => {
                let at = places.get(index).copied().unwrap_or_default();
                Err(Flaw {
                    kind: ErrorKind::DuplicateMember,
                    at,
                })
            }
            None => Ok(Struct::from_distinct(members)),
        }
    }
}

/// The first member whose name an earlier one has.
fn first_repeated(members: &[(String, Value)]) -> Option<usize> {
    if members.len() < 2 {
        return None;
    }
    // Its hashes are keyed at random: no choice of names makes it slow.
    let mut seen = HashSet::with_capacity(members.len());
    members
        .iter()
        .position(|(name, _)| !seen.insert(name.as_str()))
}

fn fault(value: Value) -> Option<Fault> {
    let mut members = value.into_struct().ok()?;
    let code = members.take("faultCode")?.as_int()?;
    let message = members.take("faultString")?.into_string().ok()?;
    members.is_empty().then_some(Fault { code, message })
}

/// How many bytes of white space begin the text.
fn blank_start(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len()
}
