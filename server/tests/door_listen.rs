//! The accept loop over true sockets: what it lets through, what it refuses, and when it gives up.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

#[path = "door_listen/long.rs"]
mod long;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use claviger::doors::{
    Closer, Crowd, CrowdSettings, Limits, ListenSettings, Listener, Meter, Peer, Protocol,
};
use futures_util::stream::unfold;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A protocol that does what a path says.
#[derive(Debug, Default)]
struct Toy {
    entered: Notify,
    released: Arc<Notify>,
}

impl Protocol for Toy {
    type Session = Peer;
    type Body = Body;

    fn open(&self, peer: Peer) -> Peer {
        peer
    }

    async fn answer(&self, peer: &Peer, request: Request<Incoming>) -> Response<Body> {
        let text = match request.uri().path() {
            "/peer" => peer.address().to_string(),
            "/large" => "x".repeat(64 * 1024 * 1024),
            "/refuse" => return refused(),
            "/long" => return unending(Arc::clone(&self.released)),
            "/switch" => return switching(),
            "/wait" => {
                self.entered.notify_one();
                self.released.notified().await;
                "waited".to_owned()
            }
            _ => match request.into_body().collect().await {
                Ok(body) => format!("{} bytes", body.to_bytes().len()),
                Err(error) => error.to_string(),
            },
        };
        Response::new(Body::from(text))
    }

    /// Says everything again.
    async fn switched(
        &self,
        _: &Peer,
        (mut wire, early): (impl AsyncRead + AsyncWrite + Unpin + Send, Bytes),
    ) {
        let mut piece = early.to_vec();
        loop {
            if wire.write_all(&piece).await.is_err() || wire.flush().await.is_err() {
                return;
            }
            piece = vec![0; 4096];
            match wire.read(&mut piece).await {
                Ok(read) if read > 0 => piece.truncate(read),
                Ok(_) | Err(_) => return,
            }
        }
    }
}

fn refused() -> Response<Body> {
    let mut response = Response::new(Body::from("refused"));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}

/// An answer that begins, and ends when it is released.
fn unending(released: Arc<Notify>) -> Response<Body> {
    let pieces = unfold(0, move |sent| {
        let released = Arc::clone(&released);
        async move {
            if sent == 1 {
                released.notified().await;
            }
            let piece = ["begun", "ended"].get(sent)?;
            Some((Ok::<_, std::convert::Infallible>(*piece), sent + 1))
        }
    });
    Response::new(Body::from_stream(pieces))
}

fn switching() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "toy".parse().unwrap());
    response
}

/// A door that is open, and what closes it.
struct Open {
    address: SocketAddr,
    toy: Arc<Toy>,
    meter: Arc<Meter>,
    closer: Closer,
    served: JoinHandle<()>,
}

fn open(limits: Limits, crowd: CrowdSettings) -> Open {
    let meter = Arc::new(Meter::new());
    let settings = ListenSettings {
        limits,
        ..ListenSettings::default()
    };
    let listener = Listener::bind(&settings, Crowd::new(crowd), meter.door("toy")).unwrap();
    let (address, toy, closer) = (listener.address(), Arc::new(Toy::default()), Closer::new());
    let served = tokio::spawn(listener.serve_plain(Arc::clone(&toy), closer.closing()));
    Open {
        address,
        toy,
        meter,
        closer,
        served,
    }
}

fn open_with(limits: Limits) -> Open {
    open(limits, CrowdSettings::default())
}

impl Open {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `text` and reads until the server closes.
    async fn say(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }

    /// The value of the metric that has all of `words`.
    fn metric(&self, words: &[&str]) -> Option<f64> {
        let text = self.meter.to_text().unwrap();
        let line = text
            .lines()
            .find(|line| words.iter().all(|word| line.contains(word)))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes));
    read.await.expect("the server closes in time").unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads one answer with a length.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "closed in the middle of {text:?}");
        text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
}

fn post(fields: &str, body: &str) -> String {
    let length = body.len();
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
}

const CLOSE: &str = "Connection: close\r\n";

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let door = open_with(Limits::default());
    let mut stream = door.connect().await;

    for length in [0, 1, 5000] {
        stream
            .write_all(post("", &"x".repeat(length)).as_bytes())
            .await
            .unwrap();
        assert!(
            answer(&mut stream)
                .await
                .ends_with(&format!("\r\n\r\n{length} bytes"))
        );
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let door = open_with(Limits::default());

    let said = door
        .say(&[post("", "a"), post("", "ab"), post(CLOSE, "abc")].concat())
        .await;

    let lengths: Vec<_> = said
        .lines()
        .filter(|line| line.contains(" bytes"))
        .collect();
    assert_eq!(lengths.len(), 3, "{said}");
    assert!(said.ends_with("3 bytes"));
}

#[tokio::test]
async fn a_chunked_body_is_read() {
    let door = open_with(Limits::default());
    let head =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

    let said = door
        .say(&format!(
            "{head}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"
        ))
        .await;

    assert!(said.ends_with("\r\n\r\n5 bytes"), "{said}");
}

#[tokio::test]
async fn whoever_expects_to_be_told_to_continue_is_told_so() {
    let door = open_with(Limits::default());
    let mut stream = door.connect().await;
    let request = post("Expect: 100-continue\r\nConnection: close\r\n", "abc");
    let (head, body) = request.split_at(request.len() - 3);

    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();

    assert!(rest(&mut stream).await.ends_with("3 bytes"));
}

#[tokio::test]
async fn a_request_whose_length_is_said_twice_is_answered_400_and_the_last() {
    let door = open_with(Limits::default());
    let next = post("", "smuggled");
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: +4\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\nContent-Length: 4\r\n",
        "Content-Length : 4\r\n",
    ] {
        let said = door
            .say(&format!(
                "POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n0\r\n\r\n{next}"
            ))
            .await;

        assert_status(&said, 400);
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{fields:?}: {said}");
    }
}

#[tokio::test]
async fn the_second_of_two_pipelined_requests_is_watched_too() {
    let door = open_with(Limits::default());
    let bad = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";

    let said = door.say(&format!("{}{bad}", post("", "abc"))).await;

    assert_eq!(
        said.matches("HTTP/1.1 400 ").count(),
        said.matches("HTTP/1.1 ").count(),
        "{said}"
    );
}

#[tokio::test]
async fn a_request_names_one_host_and_what_it_names_does_not_matter() {
    let door = open_with(Limits::default());

    assert_status(
        &door
            .say("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            .await,
        400,
    );
    assert_status(
        &door
            .say("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            .await,
        400,
    );
    let said = door
        .say("GET / HTTP/1.1\r\nHost: evil.example:1\r\nConnection: close\r\n\r\n")
        .await;
    assert_status(&said, 200);
    assert!(
        door.say("GET / HTTP/1.0\r\n\r\n")
            .await
            .starts_with("HTTP/1.0 200 ")
    );
}

#[tokio::test]
async fn no_header_says_where_a_peer_comes_from() {
    let door = open_with(Limits::default());
    let said = door
        .say(
            "GET /peer HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n\
             Forwarded: for=192.0.2.1\r\nConnection: close\r\n\r\n",
        )
        .await;

    assert!(said.ends_with("\r\n\r\n127.0.0.1"), "{said}");
}

#[tokio::test]
async fn a_proxy_protocol_line_is_no_request() {
    let door = open_with(Limits::default());

    let said = door
        .say("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /peer HTTP/1.1\r\n\r\n")
        .await;

    assert_status(&said, 400);
}

#[tokio::test]
async fn a_head_has_its_limits() {
    let door = open_with(Limits {
        header_bytes: 8192,
        headers: 10,
        ..Limits::default()
    });
    let field = |bytes: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n{CLOSE}\r\n",
            "x".repeat(bytes)
        )
    };
    let many = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{CLOSE}{}\r\n",
            "X: y\r\n".repeat(count - 2)
        )
    };

    assert_status(&door.say(&field(8000)).await, 200);
    assert_status(&door.say(&field(9000)).await, 431);
    assert_status(&door.say(&many(10)).await, 200);
    assert_status(&door.say(&many(11)).await, 431);
}

#[tokio::test]
async fn no_request_at_all_is_answered_400() {
    let door = open_with(Limits::default());

    for text in [
        "\0\0\0\0\r\n\r\n",
        "hello\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /\0 HTTP/1.1\r\n\r\n",
    ] {
        assert_status(&door.say(text).await, 400);
    }
}

#[tokio::test]
async fn a_head_that_trickles_is_answered_408() {
    let door = open_with(Limits {
        header: Duration::from_millis(100),
        ..Limits::default()
    });
    let start = Instant::now();

    let said = door.say("POST / HTTP/1.1\r\nHost").await;

    assert_status(&said, 408);
    assert!(start.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn an_idle_connection_is_closed_without_a_word() {
    let door = open_with(Limits {
        idle: Duration::from_millis(100),
        ..Limits::default()
    });

    assert_eq!(door.say("").await, "");
    let said = door.say(&post("", "abc")).await;
    assert!(said.ends_with("3 bytes"), "{said}");
}

#[tokio::test]
async fn a_peer_that_takes_no_answer_is_cut() {
    let door = open_with(Limits {
        write: Duration::from_millis(100),
        linger: Duration::from_millis(100),
        ..Limits::default()
    });
    let mut stream = door.connect().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();

    // Closing is seen by writing: reading would take the answer after all.
    let until = Instant::now() + Duration::from_secs(20);
    while stream.write_all(b"\r\n").await.is_ok() {
        assert!(Instant::now() < until, "never cut");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_refused_peer_that_goes_on_sending_sees_why() {
    let door = open_with(Limits::default());
    let stream = door.connect().await;
    let (mut from, mut to) = stream.into_split();
    let sending = tokio::spawn(async move {
        let length = 8 * 1024 * 1024;
        let head = format!("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        to.write_all(head.as_bytes()).await?;
        to.write_all(&vec![b'x'; length]).await
    });

    let mut said = Vec::new();
    from.read_to_end(&mut said).await.unwrap();

    assert_status(&String::from_utf8(said).unwrap(), 413);
    sending.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_address_gets_its_share_of_connections_and_no_more() {
    let crowd = CrowdSettings {
        all: 10,
        per_address: 2,
    };
    let door = open(Limits::default(), crowd);
    let mut first = door.connect().await;
    first.write_all(post("", "a").as_bytes()).await.unwrap();
    answer(&mut first).await;
    let mut second = door.connect().await;
    second.write_all(post("", "a").as_bytes()).await.unwrap();
    answer(&mut second).await;

    let mut third = door.connect().await;
    assert_eq!(third.read(&mut [0; 1]).await.unwrap(), 0, "closed at once");
    assert_eq!(
        door.metric(&["connections_refused_total", "cap=\"address\""]),
        Some(1.0)
    );

    drop(first);
    let until = Instant::now() + Duration::from_secs(20);
    while door.metric(&["claviger_connections{"]) == Some(2.0) {
        assert!(Instant::now() < until, "the place is never given back");
        tokio::task::yield_now().await;
    }
    assert!(door.say(&post(CLOSE, "abc")).await.ends_with("3 bytes"));
}

#[tokio::test]
async fn closing_lets_the_answer_under_way_out_and_nobody_in() {
    let door = open_with(Limits::default());
    let mut idle = door.connect().await;
    idle.write_all(post("", "a").as_bytes()).await.unwrap();
    answer(&mut idle).await;
    let mut busy = door.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    door.toy.entered.notified().await;

    door.closer.close();

    assert_eq!(rest(&mut idle).await, "");
    door.toy.released.notify_one();
    let said = rest(&mut busy).await;
    assert!(
        said.contains("connection: close") && said.ends_with("waited"),
        "{said}"
    );
    door.served.await.unwrap();
    assert!(TcpStream::connect(door.address).await.is_err());
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let door = open_with(Limits {
        drain: Duration::from_millis(50),
        ..Limits::default()
    });
    let mut stuck = door.connect().await;
    stuck
        .write_all(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    door.toy.entered.notified().await;

    door.closer.close();
    door.served.await.unwrap();

    assert_eq!(stuck.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_in_the_error() {
    let door = open_with(Limits::default());
    let meter = Meter::new();

    let settings = ListenSettings::at(door.address);
    let crowd = Crowd::new(CrowdSettings::default());
    let error = Listener::bind(&settings, crowd, meter.door("second")).unwrap_err();

    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on {} (Address already in use (os error 98)): stop what listens there, \
             or name another address",
            door.address
        )
    );
}
