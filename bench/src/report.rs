//! The numbers, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::load::Outcome;
use crate::machine::Machine;
use crate::options::Options;
use crate::trouble::Trouble;
use crate::works::Work;

/// One peer under one load.
#[derive(Clone, Debug)]
pub struct Row {
    /// The load.
    pub work: Work,
    /// The peer's name.
    pub peer: &'static str,
    /// Its medians.
    pub outcome: Outcome,
}

/// One number that is not a load.
#[derive(Clone, Debug)]
pub struct Measure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    at_most: Option<f64>,
    at_least: Option<f64>,
}

impl Measure {
    /// A number that is to stay at or under its target, if it has one.
    pub fn at_most(
        name: &'static str,
        value: f64,
        unit: &'static str,
        target: Option<f64>,
    ) -> Self {
        Self {
            name,
            value,
            unit,
            at_most: target,
            at_least: None,
        }
    }

    /// A number that is to reach its target.
    pub fn at_least(name: &'static str, value: f64, unit: &'static str, target: f64) -> Self {
        Self {
            at_least: Some(target),
            ..Self::told(name, value, unit)
        }
    }

    /// A number that is only told.
    pub fn told(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self {
            name,
            value,
            unit,
            at_most: None,
            at_least: None,
        }
    }

    fn met(&self) -> Option<bool> {
        let under = self.at_most.map(|target| self.value <= target);
        under.or_else(|| self.at_least.map(|target| self.value >= target))
    }
}

/// All numbers of a run.
#[derive(Clone, Debug)]
pub struct Report {
    machine: Machine,
    rows: Vec<Row>,
    measures: Vec<Measure>,
}

const OURS: &str = "claviger";

impl Report {
    /// An empty report about this machine.
    pub fn new(machine: Machine) -> Self {
        Self {
            machine,
            rows: Vec::new(),
            measures: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a number.
    pub fn measure(&mut self, measure: Measure) {
        eprintln!("{}: {:.2} {}", measure.name, measure.value, measure.unit);
        self.measures.push(measure);
    }

    /// Runs `part`; when it goes wrong, says so and goes on with the rest.
    pub fn attempt(&mut self, name: &str, part: impl FnOnce(&mut Self) -> Result<(), Trouble>) {
        if let Err(why) = part(self) {
            eprintln!("{name} is not measured: {why}");
        }
    }

    /// Says which machine this is.
    pub fn print_machine(&self) {
        let Machine {
            cpu,
            cores,
            memory_gib,
            kernel,
            file_system,
        } = &self.machine;
        println!(
            "{cpu}, {cores} cores, {memory_gib:.0} GiB, Linux {kernel}, data on {file_system}"
        );
        if file_system == "tmpfs" {
            println!("warning: a tmpfs makes every flush free; choose a real disk with --dir");
        }
        if cfg!(debug_assertions) {
            println!(
                "warning: not a release build, so the load generator is slow: cargo run --release"
            );
        }
    }

    /// Prints both tables.
    pub fn print(&self) {
        print!("{}{}", self.loads(), self.numbers());
    }

    fn loads(&self) -> String {
        let mut text = String::new();
        let mut last = "";
        for row in &self.rows {
            let Row {
                work,
                peer,
                outcome,
            } = row;
            if work.name != last {
                last = work.name;
                let _ = writeln!(
                    text,
                    "\n{} ({} connections, {})",
                    work.title,
                    work.connections(),
                    last
                );
                let _ = writeln!(
                    text,
                    "    {:<13} {:>9} {:>9} {:>9} {:>9} {:>10} {:>8}  notes",
                    "server", "req/s", "p50 ms", "p99 ms", "p99.9 ms", "CPU µs/req", "ours ×"
                );
            }
            let _ = writeln!(
                text,
                "    {peer:<13} {:>9.0} {:>9.2} {:>9.2} {:>9.2} {:>10.0} {:>8}  {}",
                outcome.rate,
                outcome.p50,
                outcome.p99,
                outcome.p999,
                outcome.cpu,
                self.ratio(row)
                    .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
                self.notes(row),
            );
        }
        text
    }

    /// Our rate over this row's.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let same = |other: &&Row| other.work.name == row.work.name && other.peer == OURS;
        let ours = self.rows.iter().find(same)?;
        (row.peer != OURS).then(|| ours.outcome.rate / row.outcome.rate)
    }

    fn notes(&self, row: &Row) -> String {
        let mut notes = Vec::new();
        if row.outcome.resumed > 0.0 {
            notes.push(format!("{:.0} % resumed", row.outcome.resumed * 100.0));
        }
        if row.peer == OURS {
            notes.extend(
                self.verdicts(row)
                    .into_iter()
                    .map(|(words, met)| mark(&words, met)),
            );
        }
        notes.join(", ")
    }

    /// Each target of a row of ours, and whether it is met.
    fn verdicts(&self, row: &Row) -> Vec<(String, bool)> {
        let (target, outcome) = (row.work.target, &row.outcome);
        let bare = self
            .rows
            .iter()
            .find(|it| it.work.name == row.work.name && it.peer == "bare");
        let share = bare.map(|bare| outcome.rate / bare.outcome.rate);
        let of_bare = target.of_bare.zip(share);
        let verdicts = [
            target
                .rate
                .map(|least| (format!("≥ {least:.0}/s"), outcome.rate >= least)),
            target
                .p99
                .map(|most| (format!("p99 ≤ {most:.0} ms"), outcome.p99 <= most)),
            target
                .cpu
                .map(|most| (format!("CPU ≤ {most:.0} µs"), outcome.cpu <= most)),
            of_bare.map(|(least, share)| {
                (
                    format!("≥ {:.0} % of bare ({:.0} %)", least * 100.0, share * 100.0),
                    share >= least,
                )
            }),
        ];
        verdicts.into_iter().flatten().collect()
    }

    fn numbers(&self) -> String {
        let mut text = String::new();
        if !self.measures.is_empty() {
            let _ = writeln!(text, "\nmemory, start, import");
        }
        for measure in &self.measures {
            let most = measure.at_most.map(|most| ("≤", most));
            let bound = most.or_else(|| measure.at_least.map(|least| ("≥", least)));
            let target = bound.map_or_else(String::new, |(sign, bound)| {
                mark(
                    &format!("{sign} {bound:.2} {}", measure.unit),
                    measure.met() == Some(true),
                )
            });
            let Measure {
                name, value, unit, ..
            } = measure;
            let _ = writeln!(text, "    {name:<36} {value:>10.2} {unit:<4} {target}");
        }
        text
    }

    /// All of it as JSON.
    pub fn json(&self, options: &Options) -> String {
        let Machine {
            cpu,
            cores,
            memory_gib,
            kernel,
            file_system,
        } = &self.machine;
        let rows: Vec<Value> = self.rows.iter().map(|row| self.row_json(row)).collect();
        let measures: Vec<Value> = self
            .measures
            .iter()
            .map(|it| json!({"name": it.name, "value": it.value, "unit": it.unit, "at_most": it.at_most, "at_least": it.at_least, "met": it.met()}))
            .collect();
        let all = json!({
            "machine": {"cpu": cpu, "cores": cores, "memory_gib": memory_gib, "kernel": kernel,
                        "file_system": file_system},
            "runs": options.runs,
            "seconds": options.duration.as_secs(),
            "accounts": options.accounts,
            "many": options.many,
            "loads": rows,
            "measures": measures,
        });
        format!("{all:#}\n")
    }

    fn row_json(&self, row: &Row) -> Value {
        let Row {
            work,
            peer,
            outcome,
        } = row;
        let verdicts = if *peer == OURS {
            self.verdicts(row)
        } else {
            Vec::new()
        };
        let targets: Vec<Value> = verdicts
            .into_iter()
            .map(|(words, met)| json!({"target": words, "met": met}))
            .collect();
        json!({
            "load": work.name,
            "server": peer,
            "connections": work.connections(),
            "per_second": outcome.rate,
            "p50_ms": outcome.p50,
            "p99_ms": outcome.p99,
            "p999_ms": outcome.p999,
            "cpu_us": outcome.cpu,
            "resumed": outcome.resumed,
            "ours_over_it": self.ratio(row),
            "targets": targets,
        })
    }
}

fn mark(words: &str, met: bool) -> String {
    if met {
        format!("{words} ✓")
    } else {
        format!("{words} MISSED")
    }
}
