//! Which line of a file a byte stands in, for a reader that reads ahead.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

/// Hands bytes on, and remembers where lines end that nobody has asked about yet.
#[derive(Debug)]
pub(crate) struct Counted<R> {
    from: R,
    at: u64,
    ends: LineEnds,
}

/// Where the lines end.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineEnds(Rc<RefCell<Ends>>);

#[derive(Debug, Default)]
struct Ends {
    ahead: VecDeque<u64>,
    passed: u64,
}

impl<R> Counted<R> {
    /// Counts what is read from `from`.
    pub(crate) fn new(from: R) -> (Self, LineEnds) {
        let ends = LineEnds::default();
        (
            Self {
                from,
                at: 0,
                ends: ends.clone(),
            },
            ends,
        )
    }
}

impl LineEnds {
    /// The line, from 1, of the byte at `offset`; offsets must be asked for in their order.
    pub(crate) fn line_of(&self, offset: u64) -> u64 {
        let mut ends = self.0.borrow_mut();
        while ends.ahead.front().is_some_and(|end| *end < offset) {
            ends.ahead.pop_front();
            ends.passed += 1;
        }
        ends.passed + 1
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        let mut ends = self.ends.0.borrow_mut();
        for (offset, byte) in (self.at..).zip(into.iter().take(count)) {
            if *byte == b'\n' {
                ends.ahead.push_back(offset);
            }
        }
        self.at += count as u64;
        Ok(count)
    }
}
