//! Whatever is written reads back as the same, in every charset; whatever is read is safe.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]

mod bodies;

use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use xmlrpc_codec::{Base64, Call, DateTime, IntoValue, Response, Struct, Value, encode_call};

/// Any text that XML can carry.
fn text() -> impl Strategy<Value = String> {
    let any_character = any::<char>().prop_filter("not in XML", |it| {
        !matches!(it, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{FFFE}' | '\u{FFFF}')
    });
    let special = prop_oneof![
        Just('\r'),
        Just('\n'),
        Just('\t'),
        Just(' '),
        Just('&'),
        Just('<'),
        Just('>'),
        Just(']'),
        Just('\u{85}'),
        Just('\u{FEFF}'),
        Just('é'),
        Just('😀')
    ];
    vec(prop_oneof![any_character, special], 0..12).prop_map(String::from_iter)
}

fn date_time() -> impl Strategy<Value = DateTime> {
    (
        (0_u16..=9999, 1_u8..=12, 1_u8..=28),
        (0_u8..24, 0_u8..60, 0_u8..=60),
    )
        .prop_map(|(date, time)| DateTime::new(date, time).expect("it exists"))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
        text().prop_map(Value::String),
        any::<f64>()
            .prop_filter("finite", |it| it.is_finite())
            .prop_map(Value::Double),
        date_time().prop_map(Value::DateTime),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Base64(bytes).into_value()),
        Just(Value::Nil),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            btree_map(text(), inner, 0..6).prop_map(|it| Value::Struct(it.into_iter().collect())),
        ]
    })
}

/// A message that was right before some of its bytes changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (call(), vec((any::<usize>(), any::<u8>()), 0..4)).prop_map(|(call, changes)| {
        let mut bytes = encode_call(&call).expect("it can be written");
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.insert(0, 0);
        bytes
    })
}

fn call() -> impl Strategy<Value = Call> {
    ("[A-Za-z0-9_.:/]{1,20}", vec(value(), 0..5))
        .prop_map(|(method, params)| Call { method, params })
}

proptest! {
    #[test]
    fn calls_come_back(call in call()) {
        bodies::call_comes_back(&call);
    }

    #[test]
    fn answers_come_back(value in value()) {
        bodies::response_comes_back(&Response::Value(value));
    }

    #[test]
    fn faults_come_back(code in any::<i32>(), message in text()) {
        bodies::response_comes_back(&Response::fault(code, message));
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in vec(any::<u8>(), 0..200)) {
        bodies::decode(&input);
        bodies::round_trip(&input);
    }

    #[test]
    fn damaged_messages_are_read_or_refused(input in damaged()) {
        bodies::decode(&input);
        bodies::round_trip(&input);
    }
}

#[test]
fn the_order_of_members_is_kept() {
    let members = Struct::new().with("z", 1).with("a", 2).with("m", 3);

    bodies::response_comes_back(&Response::value(members));
}
