//! Claviger.

fn main() {}
