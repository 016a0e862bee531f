//! How much a request may ask of its reader.

/// Bounds on one form and on the document in it. Whatever passes them is refused.
///
/// ```
/// use input_data::Limits;
///
/// let small = Limits { bytes: 64 * 1024, ..Limits::default() };
/// assert_eq!(small.depth, 32);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole form, and of the whole document; default 1 MiB.
    pub bytes: usize,
    /// Parameters of one form; default 32.
    pub parameters: usize,
    /// Lists and objects inside each other; default 32, and [`Limits::MAX_DEPTH`] at most.
    pub depth: usize,
    /// Values in the whole document, inner ones too; default 10 000.
    pub values: usize,
    /// Bytes (in UTF-8) of one text of a document, of one key, and of one parameter other than
    /// `INPUT_DATA`; default 256 KiB.
    pub text: usize,
}

impl Limits {
    /// The deepest nesting that can be asked for. Values are read and dropped recursively, and
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
            parameters: 32,
            depth: 32,
            values: 10_000,
            text: 256 * 1024,
        }
    }
}
