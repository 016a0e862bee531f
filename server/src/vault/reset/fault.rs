//! Where tests kill the server: in builds with debug assertions only.

/// Ends the process here, without a word to anybody, if the file that the environment names says
/// so.
#[cfg(debug_assertions)]
pub(super) fn fault(step: &str) {
    let file = std::env::var_os("CLAVIGER_FAULT");
    let wanted = file.and_then(|file| std::fs::read_to_string(file).ok());
    if wanted.is_some_and(|wanted| wanted == step) {
        std::process::abort();
    }
}

/// Nothing happens here in release builds.
#[cfg(not(debug_assertions))]
pub(super) fn fault(_step: &str) {}
