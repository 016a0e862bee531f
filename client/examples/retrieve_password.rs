//! Retrieves a password, as an application does when it starts.
//!
//! ```text
//! cargo run -p claviger-client --example retrieve_password -- JAVA_API.conf db-1 root [REASON [TICKET]]
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{env, error::Error};

use claviger_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [conf, resource, account, rest @ ..] = arguments.as_slice() else {
        return Err(
            "usage: retrieve_password JAVA_API.conf RESOURCE ACCOUNT [REASON [TICKET]]".into(),
        );
    };
    let client = Client::from_java_conf(conf)?;

    let mut request = client.retrieve_password(resource, account);
    if let Some(reason) = rest.first() {
        request = request.reason(reason);
    }
    if let Some(ticket) = rest.get(1) {
        request = request.ticket(ticket);
    }
    match request.send().await {
        // An application would hand it to its database here, and print nothing.
        Ok(password) => println!("{}", password.expose()),
        Err(error) if error.is_refused() => println!("there is no such account for you"),
        Err(error) if error.is_policy() => println!("say more: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
