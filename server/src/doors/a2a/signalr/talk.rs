//! The hub's JSON protocol, version 1: records of JSON, each with a record separator behind it. What
//! comes in leads to what goes out; nothing here reads or writes.

use serde::{Deserialize, Serialize};

/// One side of a conversation: the server's.
#[derive(Debug)]
pub(super) struct Talk {
    /// The beginning of a record whose end has not come yet.
    begun: Vec<u8>,
    open: bool,
    longest: usize,
}

/// What follows from what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// This is said, if it is anything, and the conversation goes on.
    Goes(String),
    /// This is said, and the conversation is over.
    Ends(String),
}

#[derive(Deserialize)]
struct Handshake {
    protocol: String,
    version: u32,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: u32,
    #[serde(rename = "invocationId", default)]
    invocation: Option<String>,
}

/// A message of ours; its members come in the order of the protocol's own examples.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ours<'a, T> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<[&'a T; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_reconnect: Option<bool>,
}

impl Talk {
    /// One that waits for the hand-shake; records have at most `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            begun: Vec::new(),
            open: false,
            longest,
        }
    }

    /// Whether hands were shaken.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Hears what the other side says, in whatever pieces it comes.
    pub(super) fn hear(&mut self, mut bytes: &[u8]) -> Then {
        let mut said = String::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == END) {
            let (record, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.begun.len() + record.len() > self.longest {
                return Then::Ends(said + &self.farewell(TOO_LONG));
            }
            self.begun.extend_from_slice(record);
            let record = std::mem::take(&mut self.begun);
            match self.record(&record) {
                Then::Goes(answer) => said.push_str(&answer),
                Then::Ends(last) => return Then::Ends(said + &last),
            }
        }
        if self.begun.len() + bytes.len() > self.longest {
            return Then::Ends(said + &self.farewell(TOO_LONG));
        }
        self.begun.extend_from_slice(bytes);
        Then::Goes(said)
    }

    /// What is said at the end, `why` it is one.
    pub(super) fn farewell(&self, why: &str) -> String {
        record(&Ours::<()> {
            kind: self.open.then_some(CLOSE),
            error: Some(why),
            ..Ours::default()
        })
    }

    /// What is said at an end that is no fault: whoever listened may come again at once.
    pub(super) fn pause(&self) -> String {
        if !self.open {
            return self.farewell("The server stops.");
        }
        record(&Ours::<()> {
            kind: Some(CLOSE),
            allow_reconnect: Some(true),
            ..Ours::default()
        })
    }

    fn record(&mut self, text: &[u8]) -> Then {
        match self.open {
            true => self.message(text),
            false => self.shake_hands(text),
        }
    }

    fn shake_hands(&mut self, text: &[u8]) -> Then {
        let Ok(hand) = serde_json::from_slice::<Handshake>(text) else {
            return Then::Ends(self.farewell("The hand-shake is none."));
        };
        if !hand.protocol.eq_ignore_ascii_case("json") {
            return Then::Ends(self.farewell("The protocol is not supported; json is."));
        }
        if hand.version != 1 {
            return Then::Ends(self.farewell("The version is not supported; 1 is."));
        }
        self.open = true;
        Then::Goes(record(&Ours::<()>::default()))
    }

    fn message(&self, text: &[u8]) -> Then {
        let Ok(message) = serde_json::from_slice::<Message>(text) else {
            return Then::Ends(self.farewell("A message is none."));
        };
        match (message.kind, message.invocation) {
            (CLOSE, _) => Then::Ends(String::new()),
            (INVOCATION | STREAM_INVOCATION, Some(id)) => Then::Goes(record(&Ours::<()> {
                kind: Some(COMPLETION),
                invocation_id: Some(id),
                error: Some("There is no such method: this hub only tells."),
                ..Ours::default()
            })),
            _ => Then::Goes(String::new()),
        }
    }
}

/// That the server is still there.
pub(super) fn ping() -> String {
    record(&Ours::<()> {
        kind: Some(PING),
        ..Ours::default()
    })
}

/// A call of the client's method `target` with one argument.
pub(super) fn call<T: Serialize + Default>(target: &str, argument: &T) -> String {
    record(&Ours {
        kind: Some(INVOCATION),
        target: Some(target),
        arguments: Some([argument]),
        ..Ours::default()
    })
}

fn record<T: Serialize>(message: &Ours<'_, T>) -> String {
    // Nothing in it can fail to be JSON.
    let mut text = serde_json::to_string(message).unwrap_or_default();
    text.push(char::from(END));
    text
}

/// Behind every record.
const END: u8 = 0x1e;
const INVOCATION: u32 = 1;
const COMPLETION: u32 = 3;
const STREAM_INVOCATION: u32 = 4;
const PING: u32 = 6;
const CLOSE: u32 = 7;
/// The most bytes of a record.
pub(super) const LONGEST: usize = 4096;
const TOO_LONG: &str = "A message is too long.";

#[cfg(test)]
mod tests {
    use super::*;

    const HAND: &[u8] = b"{\"protocol\":\"json\",\"version\":1}\x1e";

    fn open() -> Talk {
        let mut talk = Talk::new(256);
        assert_eq!(talk.hear(HAND), Then::Goes("{}\u{1e}".to_owned()));
        talk
    }

    #[test]
    fn hands_are_shaken_in_whatever_pieces_they_come() {
        let mut talk = Talk::new(256);

        for byte in HAND.split_last().unwrap().1 {
            assert_eq!(talk.hear(&[*byte]), Then::Goes(String::new()));
            assert!(!talk.is_open());
        }

        assert_eq!(talk.hear(b"\x1e"), Then::Goes("{}\u{1e}".to_owned()));
        assert!(talk.is_open());
    }

    #[test]
    fn other_protocols_and_versions_are_refused() {
        for hand in [
            "{\"protocol\":\"messagepack\",\"version\":1}\u{1e}",
            "{\"protocol\":\"json\",\"version\":0}\u{1e}",
            "{\"protocol\":\"json\",\"version\":2}\u{1e}",
            "{\"type\":6}\u{1e}",
            "\u{1e}",
            "nothing\u{1e}",
        ] {
            let mut talk = Talk::new(256);
            let then = talk.hear(hand.as_bytes());
            assert!(
                matches!(&then, Then::Ends(said) if said.starts_with("{\"error\":\"")),
                "{hand}: {then:?}"
            );
            assert!(!talk.is_open());
        }
    }

    #[test]
    fn what_comes_behind_the_hand_shake_is_heard_too() {
        let mut talk = Talk::new(256);
        let both = [HAND, b"{\"type\":6}\x1e{\"type\":7}\x1e{\"type\":6}\x1e"].concat();

        assert_eq!(talk.hear(&both), Then::Ends("{}\u{1e}".to_owned()));
    }

    #[test]
    fn a_call_is_answered_that_there_is_nothing_to_call() {
        let mut talk = open();

        let with_id =
            "{\"type\":1,\"invocationId\":\"a\\\"7\",\"target\":\"X\",\"arguments\":[]}\u{1e}";
        let Then::Goes(said) = talk.hear(with_id.as_bytes()) else {
            panic!("it ends");
        };
        assert!(said.starts_with("{\"type\":3,\"invocationId\":\"a\\\"7\",\"error\":"));
        let without = b"{\"type\":1,\"target\":\"X\",\"arguments\":[]}\x1e";
        assert_eq!(talk.hear(without), Then::Goes(String::new()));
    }

    #[test]
    fn no_record_is_kept_that_is_too_long() {
        let long = vec![b' '; 257];

        assert!(matches!(open().hear(&long), Then::Ends(_)));
        assert!(matches!(Talk::new(256).hear(&long), Then::Ends(_)));
        let mut talk = open();
        assert_eq!(talk.hear(&long[..200]), Then::Goes(String::new()));
        assert!(matches!(
            talk.hear(&[&long[..57], b"\x1e"].concat()),
            Then::Ends(_)
        ));
    }

    #[test]
    fn what_the_server_says_is_spelled_as_clients_expect_it() {
        assert_eq!(ping(), "{\"type\":6}\u{1e}");
        let pause = "{\"type\":7,\"allowReconnect\":true}\u{1e}";
        assert_eq!(open().pause(), pause);
        let called = "{\"type\":1,\"target\":\"Tell\",\"arguments\":[7]}\u{1e}";
        assert_eq!(call("Tell", &7), called);
    }

    #[test]
    fn garbage_ends_an_open_conversation() {
        let then = open().hear(b"{}\x1e");

        let said = "{\"type\":7,\"error\":\"A message is none.\"}\u{1e}".to_owned();
        assert_eq!(then, Then::Ends(said));
    }
}
