//! What reading a call and writing its answer costs.
#![expect(clippy::unwrap_used, reason = "a bench may fail by panicking")]

use divan::{Bencher, black_box};
use xmlrpc_codec::{
    Call, Limits, Response, Struct, decode_call, decode_response, encode_call, encode_response,
};

fn main() {
    divan::main();
}

fn retrieve() -> Call {
    Call::new("retrievePassword")
        .with("db-1.example.org")
        .with("root")
        .with("nightly backup")
}

fn answer() -> Response {
    let members = Struct::new()
        .with("resultCode", 0)
        .with("message", "SUCCESS");
    Response::value(members.with("password", "8hG$k2<pQz&7vLw!xR4n"))
}

#[divan::bench]
fn decode_retrieve_call(bencher: Bencher<'_, '_>) {
    let (bytes, limits) = (encode_call(&retrieve()).unwrap(), Limits::default());
    bencher.bench_local(|| decode_call(black_box(&bytes), Some("utf-8"), &limits).unwrap());
}

#[divan::bench]
fn encode_retrieve_call(bencher: Bencher<'_, '_>) {
    let call = retrieve();
    bencher.bench_local(|| encode_call(black_box(&call)).unwrap());
}

#[divan::bench]
fn encode_retrieve_answer(bencher: Bencher<'_, '_>) {
    let response = answer();
    bencher.bench_local(|| encode_response(black_box(&response)).unwrap());
}

#[divan::bench]
fn decode_retrieve_answer(bencher: Bencher<'_, '_>) {
    let (bytes, limits) = (encode_response(&answer()).unwrap(), Limits::default());
    bencher.bench_local(|| decode_response(black_box(&bytes), None, &limits).unwrap());
}

#[divan::bench]
fn decode_array_of_1000_strings(bencher: Bencher<'_, '_>) {
    let call = Call::new("m").with(vec!["a text of usual length"; 1000]);
    let (bytes, limits) = (encode_call(&call).unwrap(), Limits::default());
    bencher.bench_local(|| decode_call(black_box(&bytes), None, &limits).unwrap());
}
