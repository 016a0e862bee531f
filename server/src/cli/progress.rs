//! How far long work is: a bar on a terminal, else a line every few seconds.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::secret_input::eprint;

/// Shows how far something is.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    bar: Option<ProgressBar>,
    said: Instant,
    total: Option<u64>,
}

impl Progress {
    /// Begins; `what` is counted, such as `rows`.
    pub(crate) fn begin(what: &'static str, total: Option<u64>) -> Self {
        let bar = io::stderr().is_terminal().then(|| bar(what, total));
        Self {
            what,
            bar,
            said: Instant::now(),
            total,
        }
    }

    /// There are so many in all, as is known by now.
    pub(crate) fn of(&mut self, total: u64) {
        self.total = Some(total);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
        }
    }

    /// So many are done.
    pub(crate) fn at(&mut self, done: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.said.elapsed() >= PAUSE => {
                self.said = Instant::now();
                match self.total {
                    Some(total) => eprint(&format!("{done} of {total} {}\n", self.what)),
                    None => eprint(&format!("{done} {}\n", self.what)),
                }
            }
            None => {}
        }
    }

    /// It has ended, well or not.
    pub(crate) fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &'static str, total: Option<u64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::no_length(),
    };
    let look = "{wide_bar} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(look) {
        bar.set_style(style);
    }
    bar.with_message(what)
}

const PAUSE: Duration = Duration::from_secs(3);
