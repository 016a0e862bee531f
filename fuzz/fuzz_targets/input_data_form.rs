//! Any form is read or refused, without a panic; a raw document means what it means alone.
#![no_main]
#![expect(dead_code, reason = "each target uses its part of the bodies")]

use libfuzzer_sys::fuzz_target;

#[path = "../../input-data/tests/bodies/mod.rs"]
mod bodies;

fuzz_target!(|input: &[u8]| bodies::form(input));
