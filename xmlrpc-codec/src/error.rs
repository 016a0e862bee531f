//! What can be wrong with a message.

use thiserror::Error;

use crate::Position;

/// Why a message could not be read, and where. It carries no part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{kind} at {position}")]
pub struct DecodeError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where: the first byte of the tag, text or character that is wrong.
    pub position: Position,
}

impl DecodeError {
    /// The fault code for it in the specification of interoperable fault codes.
    #[must_use]
    pub fn fault_code(&self) -> FaultCode {
        self.kind.fault_code()
    }
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ErrorKind {
    /// The charset of the header or the declaration is none of ours.
    #[error("unsupported character encoding")]
    UnsupportedCharset,
    /// Header, byte order mark and declaration name different charsets.
    #[error("header, byte order mark and declaration disagree about the character encoding")]
    ConflictingCharset,
    /// Bytes that mean nothing in the message's charset.
    #[error("bytes that are not {0}")]
    InvalidBytes(&'static str),
    /// A character that XML does not admit.
    #[error("a character that XML does not allow")]
    InvalidCharacter,

    /// Something other than white space before the root element.
    #[error("not an XML document")]
    NotXml,
    /// The message ends too early.
    #[error("the document ends inside <{0}>")]
    Unclosed(&'static str),
    /// An end tag that does not belong to the last start tag.
    #[error("an end tag that does not match its start tag")]
    MismatchedEnd,
    /// Markup that cannot be read.
    #[error("malformed markup")]
    Markup,
    /// A comment with `--` inside.
    #[error("a comment with two hyphens inside")]
    Comment,
    /// `]]>` outside of a CDATA section.
    #[error("`]]>` in a text")]
    CdataEnd,
    /// An ampersand without a reference.
    #[error("an ampersand that begins no reference")]
    Reference,
    /// A reference to an entity that is not one of XML's five.
    #[error("an entity other than lt, gt, amp, apos and quot")]
    Entity,
    /// A reference to a character that does not exist or that XML does not admit.
    #[error("a reference to a character that XML does not allow")]
    CharacterReference,
    /// Malformed or repeated attributes.
    #[error("malformed attributes")]
    Attributes,
    /// A malformed XML declaration, or one that is not at the very beginning.
    #[error("a malformed or misplaced XML declaration")]
    Declaration,
    /// Something after the root element.
    #[error("content after the end of the document")]
    Trailing,

    /// A document type definition.
    #[error("a document type definition, which is not accepted here")]
    Doctype,
    /// The root element is another one.
    #[error("the root element is not <{0}>")]
    Root(&'static str),
    /// An element where another one belongs.
    #[error("<{0}> expected")]
    Expected(&'static str),
    /// An element or text where none belongs.
    #[error("unexpected content in <{0}>")]
    Unexpected(&'static str),
    /// An element that is no type of XML-RPC.
    #[error("an unknown type of value")]
    UnknownType,
    /// A type of Apache's extension.
    #[error("the extension type {0}, which is not accepted here")]
    Extension(&'static str),
    /// A method name with other characters than XML-RPC admits, or none.
    #[error("a malformed method name")]
    MethodName,
    /// Not a decimal integer.
    #[error("a malformed integer")]
    Integer,
    /// An integer of more than 32 bits.
    #[error("an integer outside of 32 bits")]
    IntegerRange,
    /// Neither `0` nor `1`.
    #[error("a boolean that is neither 0 nor 1")]
    Boolean,
    /// Not a decimal number, or too large for one.
    #[error("a malformed double")]
    Double,
    /// Not a date and time as `19980717T14:08:55`, or one that does not exist.
    #[error("a malformed date and time")]
    DateTime,
    /// Not base64.
    #[error("malformed base64")]
    Base64,
    /// Two members of one struct have the same name.
    #[error("a second member of the same name")]
    DuplicateMember,
    /// A fault that is not a struct of `faultCode` and `faultString` alone.
    #[error("a malformed fault")]
    Fault,

    /// More bytes than [`Limits::bytes`](crate::Limits::bytes).
    #[error("more than {0} bytes")]
    TooLarge(usize),
    /// Deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("more than {0} arrays and structs inside each other")]
    TooDeep(usize),
    /// More values than [`Limits::values`](crate::Limits::values).
    #[error("more than {0} values")]
    TooManyValues(usize),
    /// A longer text than [`Limits::text`](crate::Limits::text).
    #[error("a text of more than {0} bytes")]
    TextTooLong(usize),
    /// More attributes than [`Limits::attributes`](crate::Limits::attributes).
    #[error("more than {0} attributes")]
    TooManyAttributes(usize),
}

impl ErrorKind {
    /// The fault code for it in the specification of interoperable fault codes.
    #[must_use]
    pub fn fault_code(self) -> FaultCode {
        match self {
            Self::UnsupportedCharset | Self::ConflictingCharset => FaultCode::UnsupportedEncoding,
            Self::InvalidBytes(_) | Self::InvalidCharacter => FaultCode::InvalidCharacter,
            Self::NotXml
            | Self::Unclosed(_)
            | Self::MismatchedEnd
            | Self::Markup
            | Self::Comment
            | Self::CdataEnd
            | Self::Reference
            | Self::Entity
            | Self::CharacterReference
            | Self::Attributes
            | Self::Declaration
            | Self::Trailing => FaultCode::NotWellFormed,
            Self::Doctype
            | Self::Root(_)
            | Self::Expected(_)
            | Self::Unexpected(_)
            | Self::UnknownType
            | Self::Extension(_)
            | Self::MethodName
            | Self::Integer
            | Self::IntegerRange
            | Self::Boolean
            | Self::Double
            | Self::DateTime
            | Self::Base64
            | Self::DuplicateMember
            | Self::Fault
            | Self::TooLarge(_)
            | Self::TooDeep(_)
            | Self::TooManyValues(_)
            | Self::TextTooLong(_)
            | Self::TooManyAttributes(_) => FaultCode::InvalidRequest,
        }
    }
}

/// The codes of the "Specification for Fault Code Interoperability".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum FaultCode {
    /// The message is not well-formed XML.
    NotWellFormed = -32700,
    /// Its character encoding is not supported.
    UnsupportedEncoding = -32701,
    /// It has a character that its encoding or XML does not admit.
    InvalidCharacter = -32702,
    /// It is XML, and not XML-RPC.
    InvalidRequest = -32600,
    /// There is no such method.
    MethodNotFound = -32601,
    /// The method takes other parameters.
    InvalidParameters = -32602,
    /// The server has a fault of its own.
    InternalError = -32603,
    /// The application refused.
    ApplicationError = -32500,
    /// The system around the application refused.
    SystemError = -32400,
    /// The transport went wrong.
    TransportError = -32300,
}

impl From<FaultCode> for i32 {
    fn from(code: FaultCode) -> Self {
        code as Self
    }
}

/// Why a message could not be written. It carries no part of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A text has a character that XML cannot carry, not even as a reference: a control character
    /// other than tab, line feed and carriage return, or U+FFFE or U+FFFF.
    #[error("a text has a character that XML cannot carry")]
    InvalidCharacter,
    /// A method name with other characters than XML-RPC admits, or none.
    #[error("a malformed method name")]
    MethodName,
    /// A double that is not a number or infinite.
    #[error("a double that is not a finite number")]
    NotFinite,
    /// More than [`Limits::MAX_DEPTH`](crate::Limits::MAX_DEPTH) arrays and structs inside each
    /// other.
    #[error("more than {0} arrays and structs inside each other")]
    TooDeep(usize),
}
