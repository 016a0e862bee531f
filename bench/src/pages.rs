//! Pages of a large vault: asked for on the admin socket, one after the other, as an operator does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::report::{Measure, Report};
use crate::trouble::Trouble;

const PATIENCE: Duration = Duration::from_secs(120);
/// Rows of a page.
const ROWS: u64 = 50;
/// Pages of each kind.
const PAGES: u64 = 500;
const TARGET_MS: f64 = 5.0;

/// One kind of page: what its median and its 99 % are called, and the query of the n-th of them.
struct Kind {
    p50: &'static str,
    p99: &'static str,
    query: fn(u64, u64) -> String,
}

const KINDS: &[Kind] = &[
    Kind {
        p50: "page of 50, first, p50",
        p99: "page of 50, first, p99",
        query: |_, _| "start=0".to_owned(),
    },
    Kind {
        p50: "page of 50, middle, p50",
        p99: "page of 50, middle, p99",
        query: |number, all| format!("start={}", all / 2 + number),
    },
    Kind {
        p50: "page of 50, last, p50",
        p99: "page of 50, last, p99",
        query: |_, all| format!("start={}", all.saturating_sub(ROWS)),
    },
    Kind {
        p50: "page of 50, search hit, p50",
        p99: "page of 50, search hit, p99",
        query: |number, all| format!("search=server-{:07}", number * 7919 % all),
    },
    Kind {
        p50: "page of 50, search miss, p50",
        p99: "page of 50, search miss, p99",
        query: |number, _| format!("search=nowhere-{number:07}"),
    },
];

/// Asks for pages out of `accounts` on the admin socket at `socket`.
///
/// # Errors
/// When the server does not answer as it should.
pub fn measure(socket: &Path, accounts: u64, report: &mut Report) -> Result<(), Trouble> {
    let mut desk = Desk::open(socket)?;
    let told = |name, since: Instant| Measure::told(name, since.elapsed().as_secs_f64(), "s");
    let start = Instant::now();
    desk.get("start=0")?;
    report.measure(told("first page after the start", start));
    let start = Instant::now();
    desk.get("search=server-0000000")?;
    report.measure(told("first search after the start", start));
    for kind in KINDS {
        let mut times = Vec::new();
        for number in 0..PAGES {
            let start = Instant::now();
            desk.get(&(kind.query)(number, accounts))?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(0.0);
        report.measure(Measure::told(kind.p50, at(50), "ms"));
        report.measure(Measure::at_most(kind.p99, at(99), "ms", Some(TARGET_MS)));
    }
    Ok(())
}

/// A connection to the admin socket.
struct Desk {
    answers: BufReader<UnixStream>,
    body: Vec<u8>,
}

impl Desk {
    fn open(socket: &Path) -> Result<Self, Trouble> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            answers: BufReader::new(stream),
            body: Vec::new(),
        })
    }

    /// Reads a page to its end.
    fn get(&mut self, query: &str) -> Result<(), Trouble> {
        let request =
            format!("GET /v1/resources?limit={ROWS}&{query} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.answers.get_mut().write_all(request.as_bytes())?;
        let (mut length, mut line) = (0, String::new());
        let mut good = None;
        loop {
            line.clear();
            self.answers.read_line(&mut line)?;
            let text = line.trim_end();
            good.get_or_insert_with(|| text.ends_with("200 OK"));
            if text.is_empty() {
                break;
            }
            if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        self.body.resize(length, 0);
        self.answers.read_exact(&mut self.body)?;
        match good {
            Some(true) => Ok(()),
            _ => Err(Trouble::new(String::from_utf8_lossy(&self.body).into_owned()).during(query)),
        }
    }
}
