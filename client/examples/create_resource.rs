//! Creates a resource with an account, its settings in code instead of a file.
//!
//! ```text
//! cargo run -p claviger-client --example create_resource -- HOST CERTIFICATE KEY CA mail-1 Linux root
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error, time::Duration};

use claviger_client::{Client, Code};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [host, certificate, key, ca, resource, kind, account] = arguments.as_slice() else {
        return Err("usage: create_resource HOST CERTIFICATE KEY CA RESOURCE TYPE ACCOUNT".into());
    };
    let client = Client::builder()
        .server(host, 7070)
        .identity_files(certificate, key)
        .ca_file(ca)
        .request_timeout(Duration::from_secs(10))
        .build()?;

    let request = client
        .create_resource(resource, kind, account)
        .notes("made by an example");
    match request.send().await {
        Ok(Some(password)) => println!("{}", password.expose()),
        Ok(None) => println!("created"),
        Err(error) if error.code() == Some(Code::ResourceExists) => println!("it is there already"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
