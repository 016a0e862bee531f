//! The trail for other programs: JSON lines and CSV.

use std::io::{self, Write};
use std::path::Path;

use jiff::Timestamp as Moment;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::domain::Timestamp;
use crate::ledger::cursor::Found;
use crate::ledger::escape::is_steering;
use crate::ledger::format::Head;
use crate::ledger::segment::{read_header, unseal};
use crate::ledger::trail::Trail;
use crate::ledger::{Damage, Entry, LedgerError, LedgerKeys, neutralise};

/// What to export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// Records with greater numbers only.
    pub after: Option<u64>,
    /// Records with smaller numbers only.
    pub before: Option<u64>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Up to this moment, itself included.
    pub until: Option<Timestamp>,
    /// JSON lines by default.
    pub format: ExportFormat,
}

/// How an export looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportFormat {
    /// One JSON object a line; what could steer a terminal is escaped as `\u001b`.
    #[default]
    JsonLines,
    /// RFC 4180 with a line of names; what could steer a terminal is written as `\u{1b}`, and a
    /// field that a spreadsheet would take for a formula begins with `'`.
    Csv,
}

/// Writes records of `dir` to `sink`, oldest first, on a running server too, and returns how many.
/// The chain is checked on the way, from the first record's segment on. Where records are lost or
/// not as they were written, a line says so in their place, and the export goes on behind them, at
/// the next segment.
///
/// # Errors
/// [`LedgerError::Damaged`] with the first damage that the server did not go past at the operator's
/// word, after all that can be proven is exported; or what the disk or the sink said.
pub fn export(
    dir: &Path,
    keys: &LedgerKeys,
    what: &Export,
    sink: &mut dyn Write,
) -> Result<u64, LedgerError> {
    let trail = Trail::open(dir, keys)?;
    let mut exporting = Exporting {
        trail: &trail,
        keys,
        what,
        out: Output::new(what.format, sink)?,
        count: 0,
    };
    let done = exporting.run(begin(&trail, dir, keys, what));
    exporting.out.finish()?;
    done.map(|()| exporting.count)
}

/// An export under way.
struct Exporting<'a> {
    trail: &'a Trail<'a>,
    keys: &'a LedgerKeys,
    what: &'a Export,
    out: Output<'a>,
    count: u64,
}

impl Exporting<'_> {
    fn run(&mut self, begin: Result<(usize, Head), LedgerError>) -> Result<(), LedgerError> {
        let (mut next, mut least, mut unexplained) = (begin, 0, None);
        loop {
            let damage = match next.and_then(|(place, head)| self.walk(place, head)) {
                Ok(()) => break,
                Err(LedgerError::Damaged(damage)) => damage,
                Err(other) => return Err(other),
            };
            self.out.gap(&damage)?;
            let behind = self.trail.next_behind(&damage, least);
            if behind.is_none_or(|behind| !behind.by_order) {
                unexplained.get_or_insert(damage);
            }
            let Some(behind) = behind else { break };
            least = behind.place + 1;
            next = Ok((behind.place, behind.head));
        }
        unexplained.map_or(Ok(()), |damage| Err(damage.into()))
    }

    /// Exports what stands behind `head`, which stands before the segment at `place`.
    fn walk(&mut self, place: usize, head: Head) -> Result<(), LedgerError> {
        let walked = self.trail.walk(place, head, |_, found| {
            if !self.what.numbers(found.frame.seq) {
                return Ok(());
            }
            let entry = open(self.keys, found)?;
            if self.what.times(entry.at) {
                self.out.write(&entry)?;
                self.count += 1;
            }
            Ok(())
        });
        walked.map(drop)
    }
}

/// `entry` as one line of JSON, without a line break at its end.
#[must_use]
pub fn json_line(entry: &Entry) -> String {
    let mut line = Vec::with_capacity(384);
    let mut serializer = Serializer::with_formatter(&mut line, Harmless(CompactFormatter));
    // Strings and numbers into memory: neither can fail.
    let _ = Line::new(entry).serialize(&mut serializer);
    String::from_utf8(line).unwrap_or_default()
}

impl Export {
    fn numbers(&self, seq: u64) -> bool {
        self.after.is_none_or(|after| seq > after) && self.before.is_none_or(|before| seq < before)
    }

    fn times(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at <= until)
    }
}

/// The segment to begin with, and the chain's end before it.
fn begin(
    trail: &Trail<'_>,
    dir: &Path,
    keys: &LedgerKeys,
    what: &Export,
) -> Result<(usize, Head), LedgerError> {
    let wanted = what.after.map_or(1, |after| after.saturating_add(1));
    let place = trail
        .segments
        .partition_point(|first| *first <= wanted)
        .saturating_sub(1);
    let Some(first) = trail.segments.get(place).filter(|_| place > 0).copied() else {
        return Ok((0, trail.start()?));
    };
    let path = crate::ledger::folder::segment_path(dir, first);
    let header = read_header(
        &mut crate::ledger::cursor::Cursor::open(&path)?,
        first,
        keys,
    )?;
    Ok((place, header.head()))
}

fn open(keys: &LedgerKeys, found: &Found<'_>) -> Result<Entry, LedgerError> {
    let plain = unseal(keys, found.frame.seq, found.sealed)?;
    Entry::decode(found.frame.seq, &plain)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData).into())
}

enum Output<'a> {
    Json(io::BufWriter<&'a mut dyn Write>),
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
}

impl<'a> Output<'a> {
    fn new(format: ExportFormat, sink: &'a mut dyn Write) -> Result<Self, LedgerError> {
        match format {
            ExportFormat::JsonLines => Ok(Self::Json(io::BufWriter::new(sink))),
            ExportFormat::Csv => {
                let mut out = csv::Writer::from_writer(sink);
                out.write_record(COLUMNS).map_err(io::Error::from)?;
                Ok(Self::Csv(Box::new(out)))
            }
        }
    }

    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        match self {
            Self::Json(out) => {
                out.write_all(json_line(entry).as_bytes())?;
                out.write_all(b"\n")
            }
            Self::Csv(out) => {
                let line = Line::new(entry);
                out.write_record(line.cells().map(|cell| for_spreadsheet(&cell)))
                    .map_err(io::Error::from)
            }
        }
    }

    /// Says that records are missing here. Nothing of what it says comes from a caller.
    fn gap(&mut self, damage: &Damage) -> io::Result<()> {
        let (seq, gap) = (damage.seq, damage.to_string());
        match self {
            Self::Json(out) => {
                serde_json::to_writer(&mut *out, &Gap { seq, gap: &gap })?;
                out.write_all(b"\n")
            }
            Self::Csv(out) => {
                let cell = |name| match name {
                    "seq" => seq.to_string(),
                    "detail" => format!("gap: {gap}"),
                    _ => String::new(),
                };
                out.write_record(COLUMNS.map(cell)).map_err(io::Error::from)
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Json(out) => out.flush(),
            Self::Csv(out) => out.flush(),
        }
    }
}

/// What an export says in the place of records that are lost or not as they were written.
#[derive(Serialize)]
struct Gap<'a> {
    /// The first of them.
    seq: u64,
    gap: &'a str,
}

/// An entry in words, as every export has it.
#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    time: String,
    request: String,
    caller: &'a str,
    org: &'a str,
    door: String,
    peer: Option<String>,
    operation: String,
    resource: &'a str,
    account: &'a str,
    reason: &'a str,
    ticket: &'a str,
    outcome: String,
    detail: &'a str,
}

const COLUMNS: [&str; 14] = [
    "seq",
    "time",
    "request",
    "caller",
    "org",
    "door",
    "peer",
    "operation",
    "resource",
    "account",
    "reason",
    "ticket",
    "outcome",
    "detail",
];

impl<'a> Line<'a> {
    fn new(entry: &'a Entry) -> Self {
        Self {
            seq: entry.seq,
            time: time(entry.at),
            request: entry.request.to_string(),
            caller: &entry.caller,
            org: &entry.org,
            door: entry.door.to_string(),
            peer: entry.peer.map(|peer| peer.to_string()),
            operation: entry.operation.to_string(),
            resource: &entry.resource,
            account: &entry.account,
            reason: &entry.reason,
            ticket: &entry.ticket,
            outcome: entry.outcome.to_string(),
            detail: &entry.detail,
        }
    }

    fn cells(self) -> [String; 14] {
        [
            self.seq.to_string(),
            self.time,
            self.request,
            self.caller.to_owned(),
            self.org.to_owned(),
            self.door,
            self.peer.unwrap_or_default(),
            self.operation,
            self.resource.to_owned(),
            self.account.to_owned(),
            self.reason.to_owned(),
            self.ticket.to_owned(),
            self.outcome,
            self.detail.to_owned(),
        ]
    }
}

/// RFC 3339 in UTC; the bare milliseconds where the calendar ends.
fn time(at: Timestamp) -> String {
    Moment::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |moment| format!("{moment:.3}"))
}

/// Spreadsheets run what begins so.
fn for_spreadsheet(cell: &str) -> String {
    let cell = neutralise(cell);
    if cell.starts_with(['=', '+', '-', '@', '\'']) {
        return format!("'{cell}");
    }
    cell.into_owned()
}

/// JSON in which nothing steers a terminal.
struct Harmless(CompactFormatter);

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for piece in fragment.split_inclusive(is_steering) {
            let Some(last) = piece.chars().next_back().filter(|last| is_steering(*last)) else {
                self.0.write_string_fragment(out, piece)?;
                continue;
            };
            let kept = piece.len() - last.len_utf8();
            self.0
                .write_string_fragment(out, piece.get(..kept).unwrap_or_default())?;
            for unit in last.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}
