//! What must hold for any bytes: run by the fuzz targets with bytes that a fuzzer found, and by
//! the tests with bytes that chance found.

use xmlrpc_codec::{
    Call, Charset, DecodeError, Limits, Response, decode_call, decode_response, encode_call_in,
    encode_response_in,
};

/// Charsets a header may name; the first byte of the input chooses.
const HEADERS: [Option<&str>; 6] = [
    None,
    Some("utf-8"),
    Some("utf-16"),
    Some("iso-8859-1"),
    Some("us-ascii"),
    Some("koi8-r"),
];

const CHARSETS: [Charset; 6] = [
    Charset::Utf8,
    Charset::Utf16,
    Charset::Utf16Le,
    Charset::Utf16Be,
    Charset::Latin1,
    Charset::Ascii,
];

/// Reading ends without a panic, and an error points into the message.
pub(crate) fn decode(input: &[u8]) {
    let (header, message) = split(input);
    let limits = Limits::default();
    for result in [
        decode_call(message, header, &limits).map(drop),
        decode_response(message, header, &limits).map(drop),
    ] {
        if let Err(error) = result {
            points_into(&error, message);
        }
    }
}

/// What can be read can be written in every charset, and reads back as the same.
pub(crate) fn round_trip(input: &[u8]) {
    let (header, message) = split(input);
    if let Ok(call) = decode_call(message, header, &Limits::default()) {
        call_comes_back(&call);
    }
    if let Ok(response) = decode_response(message, header, &Limits::default()) {
        response_comes_back(&response);
    }
}

/// The call is the same after writing and reading.
pub(crate) fn call_comes_back(call: &Call) {
    for charset in CHARSETS {
        let bytes = encode_call_in(call, charset).expect("a call that was read can be written");
        let again = decode_call(&bytes, Some(charset.name()), &generous());
        assert_eq!(again.as_ref(), Ok(call), "{charset:?}");
        assert_eq!(
            decode_call(&bytes, None, &generous()).as_ref(),
            Ok(call),
            "{charset:?}"
        );
    }
}

/// The answer is the same after writing and reading.
pub(crate) fn response_comes_back(response: &Response) {
    for charset in CHARSETS {
        let bytes = encode_response_in(response, charset).expect("what was read can be written");
        let again = decode_response(&bytes, Some(charset.name()), &generous());
        assert_eq!(again.as_ref(), Ok(response), "{charset:?}");
    }
}

fn points_into(error: &DecodeError, message: &[u8]) {
    assert!(
        error.position.offset <= message.len(),
        "{error} in {} bytes",
        message.len()
    );
    assert!(
        error.position.line >= 1 && error.position.column >= 1,
        "{error}"
    );
}

fn split(input: &[u8]) -> (Option<&'static str>, &[u8]) {
    match input.split_first() {
        Some((first, message)) => (HEADERS[usize::from(*first) % HEADERS.len()], message),
        None => (None, input),
    }
}

/// Written out, a message may be longer than it came.
fn generous() -> Limits {
    Limits {
        bytes: usize::MAX,
        values: usize::MAX,
        text: usize::MAX,
        ..Limits::default()
    }
}
