//! The load program: Claviger, a bare rustls peer and OpenBao, in one run on one machine.
//!
//! `cargo run --release -p claviger-bench -- --help` says how. `README.md` beside it says what is
//! measured, how to read it, and where the micro-benchmarks are.

mod checkouts;
mod events;
mod load;
mod machine;
mod measures;
mod options;
mod pages;
mod peers;
mod proc;
mod report;
mod rotate;
mod ssh;
mod stand;
mod trouble;
mod works;

use std::process::ExitCode;

use crate::options::{Asked, Options};
use crate::report::Report;
use crate::stand::Stand;
use crate::trouble::Trouble;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == peers::bare::SUBCOMMAND => peers::bare::serve(rest),
        _ => match Options::parse(&arguments) {
            Ok(Asked::Measure(options)) => measure(&options),
            Ok(Asked::Help) => {
                print!("{}", options::HELP);
                Ok(())
            }
            Err(why) => {
                eprintln!("{why}\n\n{}", options::HELP);
                return ExitCode::from(2);
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("claviger-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), Trouble> {
    let mut report = Report::new(machine::describe(&options.dir)?);
    report.print_machine();
    let works = works::chosen(options);
    if !works.is_empty() {
        let stand = Stand::start(options, options.accounts)?;
        works::measure(&works, &stand, options, &mut report);
    }
    if options.wants("memory") {
        report.attempt("memory", |report| measures::memory(options, report));
    }
    if options.wants("idle") {
        report.attempt("idle", |report| measures::idle(options, report));
    }
    if options.wants("ssh") {
        report.attempt("ssh", |report| ssh::measure(options, report));
    }
    if options.wants("events") {
        report.attempt("events", |report| events::measure(options, report));
    }
    if options.wants("checkouts") {
        report.attempt("checkouts", |report| checkouts::measure(options, report));
    }
    if options.names("rotate") {
        report.attempt("rotate", |report| rotate::measure(options, report));
    }
    if options.wants("million") {
        report.attempt("million", |report| measures::million(options, report));
    }
    report.print();
    if let Some(path) = &options.json {
        std::fs::write(path, report.json(options))?;
    }
    Ok(())
}
