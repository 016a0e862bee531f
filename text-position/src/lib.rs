//! Where in a message something is: for readers that name the place of what is wrong.

use std::fmt;

/// A place in a message, as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Bytes before it, a byte order mark included.
    pub offset: usize,
    /// Its line, from 1. Lines end with LF, CR LF or CR.
    pub line: usize,
    /// Its column, from 1, in characters.
    pub column: usize,
}

impl Position {
    /// The place after `before`, which took `offset` bytes in the message.
    ///
    /// ```
    /// let place = text_position::Position::after("one\ntw", 6);
    /// assert_eq!(place.to_string(), "line 2, column 3 (byte 6)");
    /// ```
    #[must_use]
    pub fn after(before: &str, offset: usize) -> Self {
        let mut line = 1;
        let mut column = 1;
        let mut characters = before.chars().peekable();
        while let Some(character) = characters.next() {
            let ends_line = match character {
                '\n' => true,
                '\r' => characters.peek() != Some(&'\n'),
                _ => false,
            };
            if ends_line {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        Self {
            offset,
            line,
            column,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {} (byte {})",
            self.line, self.column, self.offset
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_lf_crlf_or_cr() {
        for (before, line, column) in [
            ("", 1, 1),
            ("ab", 1, 3),
            ("a\n", 2, 1),
            ("a\r\nb", 2, 2),
            ("a\rb", 2, 2),
            ("é", 1, 2),
        ] {
            let position = Position::after(before, before.len());

            assert_eq!(
                (position.line, position.column),
                (line, column),
                "{before:?}"
            );
        }
    }
}
