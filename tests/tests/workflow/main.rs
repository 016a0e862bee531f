//! The request workflow through the true server: its words, and a history under SIGKILL.

mod answers;
mod history;
mod judge;

use harness::{Server, SetUp};

/// A server with the account `db1/root`, whose password is [`PASSWORD`].
fn furnished(set_up: SetUp) -> Server {
    let server = Server::start(set_up);
    server.resource("db1", "root", PASSWORD);
    server
}

const PASSWORD: &str = "First-Pass1!";
