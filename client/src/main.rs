//! `claviger-client`: asks Claviger for passwords from scripts. See `claviger-client --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    claviger_client::program::main()
}
