//! Any bytes are read or refused, without a panic.
#![no_main]
#![expect(dead_code, reason = "each target uses its part of the bodies")]

use libfuzzer_sys::fuzz_target;

#[path = "../../xmlrpc-codec/tests/bodies/mod.rs"]
mod bodies;

fuzz_target!(|input: &[u8]| bodies::decode(input));
