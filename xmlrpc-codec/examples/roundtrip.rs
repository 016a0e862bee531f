//! A call on its way to a server, and the answer on its way back.
//!
//! Run it with `cargo run -p xmlrpc-codec --example roundtrip`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use xmlrpc_codec::{
    Call, FaultCode, Limits, Response, Struct, decode_call, decode_response, encode_call,
    encode_response,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let call = Call::new("weather.report")
        .with("Łódź")
        .with(Struct::new().with("days", 3));
    let sent = encode_call(&call)?;
    println!("the client sends\n  {}\n", String::from_utf8_lossy(&sent));

    let answer = answer_to(&sent);
    let sent_back = encode_response(&answer)?;
    println!(
        "the server answers\n  {}\n",
        String::from_utf8_lossy(&sent_back)
    );

    match decode_response(&sent_back, Some("utf-8"), &Limits::default())?.into_result() {
        Ok(value) => println!("the client reads {:?}", value.into_string()?),
        Err(fault) => println!("the client is refused: {fault}"),
    }
    let broken = answer_to(b"<methodCall><methodName>weather.report</methodCall>");
    println!("and a broken call is answered with {broken:?}");
    Ok(())
}

/// What a server does with the bytes of a request.
fn answer_to(bytes: &[u8]) -> Response {
    match decode_call(bytes, Some("utf-8"), &Limits::default()) {
        Ok(call) if call.method == "weather.report" => Response::value("sunny"),
        Ok(_) => Response::fault(FaultCode::MethodNotFound, "no such method"),
        Err(error) => Response::fault(error.fault_code(), error.to_string()),
    }
}
