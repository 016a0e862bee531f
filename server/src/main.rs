//! `claviger`: see `claviger --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    claviger::cli::main()
}
