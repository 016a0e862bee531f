//! What a command prints: aligned tables or JSON on standard output, and nothing from outside that
//! would act on a terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::cli::CliError;
use crate::vault::neutralise;

/// Standard output.
#[derive(Debug)]
pub(crate) struct Output {
    terminal: bool,
}

impl Output {
    /// Looks at what standard output is.
    pub(crate) fn new() -> Self {
        Self {
            terminal: io::stdout().is_terminal(),
        }
    }

    /// Prints a line.
    ///
    /// # Errors
    /// [`CliError::Unread`] when nobody reads it.
    pub(crate) fn line(&self, text: impl Display) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")
            .and_then(|()| out.flush())
            .map_err(|_| CliError::Unread)
    }

    /// Prints text that has its line ends already.
    ///
    /// # Errors
    /// [`CliError::Unread`] when nobody reads it.
    pub(crate) fn raw(&self, text: &[u8]) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        out.write_all(text)
            .and_then(|()| out.flush())
            .map_err(|_| CliError::Unread)
    }

    /// Prints a value as indented JSON.
    ///
    /// # Errors
    /// [`CliError::Unread`] when nobody reads it.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| {
            CliError::Failed(format!("this cannot be written as JSON: {error}"))
        })?;
        self.line(text)
    }

    /// Prints rows under their heads, aligned; wrapped to the terminal's width on a terminal. Without
    /// heads, the rows alone.
    ///
    /// # Errors
    /// [`CliError::Unread`] when nobody reads it.
    pub(crate) fn table(&self, heads: &[&str], rows: Vec<Vec<String>>) -> Result<(), CliError> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(if self.terminal {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        if !heads.is_empty() {
            table.set_header(heads.to_vec());
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| visible(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table
            .lines()
            .try_for_each(|line| self.line(line.trim_end()))
    }

    /// Prints what is known of one thing, a line each.
    ///
    /// # Errors
    /// [`CliError::Unread`] when nobody reads it.
    pub(crate) fn facts(&self, facts: &[(&str, String)]) -> Result<(), CliError> {
        let width = facts
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            self.line(format_args!("{name:width$}  {}", visible(value)))?;
        }
        Ok(())
    }
}

/// The same text with everything written out that would act on a terminal or hide in it.
pub(crate) fn visible(text: &str) -> String {
    neutralise(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_on_a_terminal_is_shown_instead() {
        assert_eq!(visible("a\u{1b}[2Jb\r\n"), "a\\u{1b}[2Jb\\u{d}\\u{a}");
        assert_eq!(visible("Größe 🔑 <&>"), "Größe 🔑 <&>");
    }
}
