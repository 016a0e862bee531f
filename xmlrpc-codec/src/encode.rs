//! From calls and answers to bytes.

use std::fmt::Write as _;

use crate::message::is_method_name;
use crate::scalar::{write_base64, write_double};
use crate::token::is_xml_character;
use crate::{Call, Charset, EncodeError, Fault, Limits, Response, Struct, Value};

/// Writes a `<methodCall>` in UTF-8.
///
/// # Errors
/// [`EncodeError`] when something in it cannot be written as XML-RPC.
pub fn encode_call(call: &Call) -> Result<Vec<u8>, EncodeError> {
    encode_call_in(call, Charset::Utf8)
}

/// Writes a `<methodCall>` in another charset.
///
/// # Errors
/// [`EncodeError`] when something in it cannot be written as XML-RPC.
pub fn encode_call_in(call: &Call, charset: Charset) -> Result<Vec<u8>, EncodeError> {
    if !is_method_name(&call.method) {
        return Err(EncodeError::MethodName);
    }
    let size = call
        .params
        .iter()
        .map(|param| PARAM + room(param, charset, 0))
        .sum::<usize>();
    let mut writer = Writer::new(charset, size + call.method.len());
    writer.raw("<methodCall><methodName>");
    writer.raw(&call.method);
    writer.raw("</methodName><params>");
    for param in &call.params {
        writer.raw("<param>");
        writer.value(param, 0)?;
        writer.raw("</param>");
    }
    writer.raw("</params></methodCall>");
    Ok(writer.finish())
}

/// Writes a `<methodResponse>` in UTF-8.
///
/// # Errors
/// [`EncodeError`] when something in it cannot be written as XML-RPC.
pub fn encode_response(response: &Response) -> Result<Vec<u8>, EncodeError> {
    encode_response_in(response, Charset::Utf8)
}

/// Writes a `<methodResponse>` in another charset.
///
/// # Errors
/// [`EncodeError`] when something in it cannot be written as XML-RPC.
pub fn encode_response_in(response: &Response, charset: Charset) -> Result<Vec<u8>, EncodeError> {
    match response {
        Response::Value(value) => {
            let mut writer = Writer::new(charset, room(value, charset, 0));
            writer.raw("<methodResponse><params><param>");
            writer.value(value, 0)?;
            writer.raw("</param></params></methodResponse>");
            Ok(writer.finish())
        }
        Response::Fault(fault) => encode_fault(fault, charset),
    }
}

fn encode_fault(fault: &Fault, charset: Charset) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer::new(charset, 2 * ELEMENT + escaped_len(&fault.message, charset));
    writer.raw("<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>");
    writer.number(fault.code);
    writer.raw("</int></value></member><member><name>faultString</name><value><string>");
    writer.text(&fault.message)?;
    writer.raw("</string></value></member></struct></value></fault></methodResponse>");
    Ok(writer.finish())
}

struct Writer {
    out: String,
    charset: Charset,
}

impl Writer {
    /// `room` is what the values need. It must suffice: a buffer that grows leaves copies of
    /// secrets behind.
    fn new(charset: Charset, room: usize) -> Self {
        let mut out = String::with_capacity(room + FRAME);
        out.push_str("<?xml version=\"1.0\" encoding=\"");
        out.push_str(charset.name());
        out.push_str("\"?>");
        Self { out, charset }
    }

    fn finish(self) -> Vec<u8> {
        self.charset.encode(self.out)
    }

    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = write!(self.out, "{number}");
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), EncodeError> {
        self.raw("<value>");
        match value {
            Value::Int(number) => self.element("int", |out| out.number(number)),
            Value::Bool(value) => self.element("boolean", |out| out.number(u8::from(*value))),
            Value::String(text) => {
                self.raw("<string>");
                self.text(text)?;
                self.raw("</string>");
            }
            Value::Double(number) if !number.is_finite() => return Err(EncodeError::NotFinite),
            Value::Double(number) => {
                self.element("double", |out| write_double(*number, &mut out.out));
            }
            Value::DateTime(when) => self.element("dateTime.iso8601", |out| out.number(when)),
            Value::Base64(bytes) => self.element("base64", |out| write_base64(bytes, &mut out.out)),
            Value::Struct(members) => self.structure(members, deeper(depth)?)?,
            Value::Array(elements) => self.array(elements, deeper(depth)?)?,
            Value::Nil => self.raw("<nil/>"),
        }
        self.raw("</value>");
        Ok(())
    }

    fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        for part in ["<", name, ">"] {
            self.raw(part);
        }
        content(self);
        for part in ["</", name, ">"] {
            self.raw(part);
        }
    }

    fn structure(&mut self, members: &Struct, depth: usize) -> Result<(), EncodeError> {
        self.raw("<struct>");
        for (name, value) in members {
            self.raw("<member><name>");
            self.text(name)?;
            self.raw("</name>");
            self.value(value, depth)?;
            self.raw("</member>");
        }
        self.raw("</struct>");
        Ok(())
    }

    fn array(&mut self, elements: &[Value], depth: usize) -> Result<(), EncodeError> {
        self.raw("<array><data>");
        for element in elements {
            self.value(element, depth)?;
        }
        self.raw("</data></array>");
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), EncodeError> {
        let mut rest = text;
        while let Some((at, character)) = first_special(rest, self.charset) {
            let (plain, special) = rest.split_at(at);
            self.raw(plain);
            self.escaped(character)?;
            rest = special.get(character.len_utf8()..).unwrap_or_default();
        }
        self.raw(rest);
        Ok(())
    }

    fn escaped(&mut self, character: char) -> Result<(), EncodeError> {
        match character {
            '&' => self.raw("&amp;"),
            '<' => self.raw("&lt;"),
            '>' => self.raw("&gt;"),
            _ if !is_xml_character(character) => return Err(EncodeError::InvalidCharacter),
            _ => {
                self.raw("&#");
                self.number(u32::from(character));
                self.raw(";");
            }
        }
        Ok(())
    }
}

fn deeper(depth: usize) -> Result<usize, EncodeError> {
    if depth >= Limits::MAX_DEPTH {
        return Err(EncodeError::TooDeep(Limits::MAX_DEPTH));
    }
    Ok(depth + 1)
}

/// The first character that cannot stand for itself. A carriage return could, but readers turn it
/// into a line feed.
fn first_special(text: &str, charset: Charset) -> Option<(usize, char)> {
    text.char_indices()
        .find(|(_, character)| is_special(*character, charset))
}

fn is_special(character: char, charset: Charset) -> bool {
    matches!(character, '&' | '<' | '>' | '\r')
        || !is_xml_character(character)
        || !charset.carries(character)
}

/// The most bytes that a text can take.
fn escaped_len(text: &str, charset: Charset) -> usize {
    let specials = text
        .chars()
        .filter(|character| is_special(*character, charset))
        .count();
    text.len() + specials * "&#1114111;".len()
}

/// The most bytes that a value can take.
fn room(value: &Value, charset: Charset, depth: usize) -> usize {
    if depth > Limits::MAX_DEPTH {
        return 0;
    }
    let inner = match value {
        Value::String(text) => escaped_len(text, charset),
        Value::Base64(bytes) => bytes.len() / 3 * 4 + 4,
        // The smallest double has 1074 digits after the period.
        Value::Double(_) => 1100,
        Value::Struct(members) => members
            .iter()
            .map(|(name, value)| {
                ELEMENT + escaped_len(name, charset) + room(value, charset, depth + 1)
            })
            .sum(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| room(element, charset, depth + 1))
            .sum(),
        Value::Int(_) | Value::Bool(_) | Value::DateTime(_) | Value::Nil => 20,
    };
    ELEMENT + inner
}

/// The most that the tags of a value, or of a member, take:
/// `<value><dateTime.iso8601></dateTime.iso8601></value>`.
const ELEMENT: usize = 64;
/// `<param></param>`.
const PARAM: usize = 15;
/// Declaration, root and what is inside it once.
const FRAME: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Base64, DateTime};

    #[test]
    fn the_buffer_never_grows() {
        let when = DateTime::new((2001, 2, 3), (4, 5, 6)).unwrap();
        let members = Struct::new()
            .with("&&&&", "<>&\r")
            .with("\u{e9}", when)
            .with("d", 5e-324);
        let call = Call::new("m")
            .with(vec![i32::MIN; 3])
            .with(Base64(vec![1; 100]))
            .with(members)
            .with(f64::MIN);

        for charset in [Charset::Utf8, Charset::Ascii] {
            let size: usize = call
                .params
                .iter()
                .map(|it| PARAM + room(it, charset, 0))
                .sum();

            assert!(encode_call_in(&call, charset).unwrap().len() <= size + FRAME + 1);
        }
    }

    #[test]
    fn a_value_too_deep_to_read_is_not_written() {
        let nest = |depth: usize| (0..depth).fold(Value::Nil, |inner, _| Value::Array(vec![inner]));

        assert!(encode_response(&Response::Value(nest(Limits::MAX_DEPTH))).is_ok());
        assert_eq!(
            encode_response(&Response::Value(nest(Limits::MAX_DEPTH + 1))),
            Err(EncodeError::TooDeep(128))
        );
    }
}
