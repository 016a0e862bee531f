//! How much a message may ask of its reader.

/// Bounds on one message. Whatever passes them is refused, before memory is spent on it.
///
/// ```
/// use xmlrpc_codec::Limits;
///
/// let small = Limits { bytes: 64 * 1024, ..Limits::default() };
/// assert_eq!(small.depth, 32);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole message; default 1 MiB.
    pub bytes: usize,
    /// Arrays and structs inside each other; default 32, and [`Limits::MAX_DEPTH`] at most.
    pub depth: usize,
    /// Values in the whole message, inner ones too; default 10 000.
    pub values: usize,
    /// Bytes (in UTF-8) of one text: a string, a name, a number, base64; default 256 KiB.
    pub text: usize,
    /// Attributes of one element; XML-RPC has none, some clients write `xmlns`; default 8.
    pub attributes: usize,
}

impl Limits {
    /// The deepest nesting that can be asked for. Values are dropped and written recursively, and
    /// this much fits into every stack.
    pub const MAX_DEPTH: usize = 128;

    pub(crate) fn effective_depth(&self) -> usize {
        self.depth.min(Self::MAX_DEPTH)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1024 * 1024,
            depth: 32,
            values: 10_000,
            text: 256 * 1024,
            attributes: 8,
        }
    }
}
