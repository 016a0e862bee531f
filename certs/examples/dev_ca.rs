//! Makes a small CA, a server's and a client's certificate for trying things out.
//!
//! ```sh
//! cargo run -p claviger-certs --example dev_ca -- DIR billing vault.example localhost 127.0.0.1
//! ```
//!
//! The files: `ca.pem`, `ca.key`, `server.crt`, `server.key`, `billing.crt`, `billing.key` and
//! `billing.p12` (password `changeit`). Keys are readable by their owner only.
#![expect(clippy::print_stdout, reason = "a program talks to whoever runs it")]

use std::{
    env,
    error::Error,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use certs::{
    CertificateAuthority, CommonName, Identity, Term, UnixTime, certificate_pem, write_pkcs12,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(place), Some(client)) = (arguments.next(), arguments.next()) else {
        return Err("usage: dev_ca DIR CLIENT [HOST]...".into());
    };
    let mut hosts: Vec<String> = arguments.collect();
    if hosts.is_empty() {
        hosts.push("localhost".to_owned());
    }
    let place = PathBuf::from(place);
    fs::create_dir_all(&place)?;
    let now = i64::try_from(UnixTime::now().as_secs())?;
    let term = Term { now, days: 365 };

    let authority = CertificateAuthority::create("Development CA", now)?;
    fs::write(place.join("ca.pem"), authority.certificate_pem())?;
    secret(&place.join("ca.key"), authority.expose_key_pem().as_bytes())?;
    write(&place, "server", &authority.issue_server(&hosts, term)?)?;

    let name = CommonName::parse(&client)?;
    let identity = authority.issue_client(&name, None, term)?;
    // A common name may hold what a path must not.
    let file: String = client
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    write(&place, &file, &identity)?;
    let keystore = write_pkcs12(&identity, "changeit", &client)?;
    secret(&place.join(format!("{file}.p12")), &keystore)?;

    println!("{} holds ca.pem, server.* and {file}.*", place.display());
    Ok(())
}

fn write(place: &Path, name: &str, identity: &Identity) -> Result<(), Box<dyn Error>> {
    let certificate = certificate_pem(identity.certificate());
    fs::write(place.join(format!("{name}.crt")), certificate)?;
    let key = identity.key().expose_pem();
    secret(&place.join(format!("{name}.key")), key.as_bytes())
}

/// Never overwrites: a key that somebody uses is not lost by a second run.
fn secret(path: &Path, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    Ok(())
}
