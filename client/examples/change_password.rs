//! Changes a password to a generated one, from a program without a runtime.
//!
//! ```text
//! cargo run -p claviger-client --example change_password -- JAVA_API.conf db-1 root [--remote]
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use claviger_client::blocking::Client;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [conf, resource, account, rest @ ..] = arguments.as_slice() else {
        return Err("usage: change_password JAVA_API.conf RESOURCE ACCOUNT [--remote]".into());
    };
    let client = Client::from_java_conf(conf)?;

    let request = client
        .change_password(resource, account)
        .reason("regular change")
        .remote(rest.iter().any(|it| it == "--remote"));
    match request.send() {
        Ok(Some(password)) => println!("{}", password.expose()),
        Ok(None) => println!("changed"),
        Err(error) if error.is_read_only() => println!("the primary is down: try later"),
        Err(error) if error.is_outcome_unknown() => {
            println!("it may have been changed: retrieve it to see ({error})");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
