//! Any command is read or refused, without a panic and without a word of it in the refusal.
#![no_main]
#![expect(dead_code, reason = "the target reads, and does nothing")]

use libfuzzer_sys::fuzz_target;

#[path = "../../server/src/doors/ssh/command.rs"]
mod command;

fuzz_target!(|input: &[u8]| {
    let Err(usage) = command::Command::parse(input) else {
        return;
    };
    assert!(usage.to_string().len() < 400);
});
