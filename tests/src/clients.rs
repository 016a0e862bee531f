//! The clients that users have already: curl and Python.

use std::path::Path;
use std::process::Command;

use crate::Identity;
use crate::process::{Ran, run, run_with_input};

/// `curl` showing `identity` to a server signed by `ca`; it posts `body` to `url`.
///
/// Standard output is the body; the exit status is curl's own.
#[track_caller]
pub fn curl(url: &str, ca: &Path, identity: Option<&Identity>, body: &[u8]) -> Ran {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--noproxy",
        "*",
    ]);
    command.arg("--cacert").arg(ca);
    if let Some(identity) = identity {
        command
            .arg("--cert")
            .arg(&identity.cert)
            .arg("--key")
            .arg(&identity.key);
    }
    command.args([
        "--header",
        "Content-Type: text/xml",
        "--data-binary",
        "@-",
        url,
    ]);
    run_with_input(&mut command, body)
}

/// Python's `xmlrpc.client` with an SSL context of `identity`, trusting `ca`.
///
/// `script` sees `server` (a `ServerProxy` of `url`), `xmlrpc`, `json` and `sys`, and prints what
/// the test wants to see.
#[track_caller]
pub fn python(url: &str, ca: &Path, identity: &Identity, script: &str) -> Ran {
    let prelude = "import json, ssl, sys, xmlrpc.client\n\
                   url, ca, cert, key = sys.argv[1:5]\n\
                   context = ssl.create_default_context(cafile=ca)\n\
                   context.load_cert_chain(cert, key)\n\
                   server = xmlrpc.client.ServerProxy(url, context=context, allow_none=True)\n";
    let mut command = Command::new("python3");
    command
        .arg("-c")
        .arg(format!("{prelude}{script}"))
        .arg(url)
        .arg(ca);
    command.arg(&identity.cert).arg(&identity.key);
    command.env_remove("https_proxy").env_remove("HTTPS_PROXY");
    run(&mut command)
}
