//! The other end of `DIR/admin.sock`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::admin::wire::{Page, Problem};
use crate::admin::{socket, with_causes};
use crate::cli::{ApiPath, CliError};

/// A connection to the server on a data directory.
#[derive(Debug)]
pub(crate) struct Client {
    data: PathBuf,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects to the server on `data`.
    ///
    /// # Errors
    /// [`CliError::NoServer`] when none runs there, [`CliError::NoData`] when there is no such
    /// directory, [`CliError::NotYours`] when it is another user's.
    pub(crate) async fn connect(data: &Path) -> Result<Self, CliError> {
        Ok(Self {
            data: data.to_owned(),
            sender: greet(data).await?,
        })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// [`CliError::Refused`] when the server says no, [`CliError::Connection`] when it says
    /// nothing.
    pub(crate) async fn get<T: DeserializeOwned>(&mut self, path: &ApiPath) -> Result<T, CliError> {
        self.ask(Method::GET, path, None::<&()>).await
    }

    /// Sends something and reads the answer.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn send<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &ApiPath,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        self.ask(method, path, Some(body)).await
    }

    /// Sends something whose answer is empty.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn tell(
        &mut self,
        method: Method,
        path: &ApiPath,
        body: Option<&impl Serialize>,
    ) -> Result<(), CliError> {
        let response = self.exchange(method, path, in_json(body)?, JSON).await?;
        whole(response.into_body()).await.map(drop)
    }

    /// Sends lines of JSON and reads the answer.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn send_lines<T: DeserializeOwned>(
        &mut self,
        path: &ApiPath,
        lines: Zeroizing<Vec<u8>>,
    ) -> Result<T, CliError> {
        let body = Bytes::from_owner(lines);
        let response = self.exchange(Method::POST, path, body, LINES).await?;
        parse(&whole(response.into_body()).await?)
    }

    /// Sends something whose answer comes bit by bit.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(crate) async fn stream(
        &mut self,
        method: Method,
        path: &ApiPath,
    ) -> Result<Answer, CliError> {
        let response = self.exchange(method, path, Bytes::new(), JSON).await?;
        Ok(Answer {
            body: response.into_body(),
            rest: BytesMut::new(),
        })
    }

    /// Every row of a list, page after page, each page given to `each` when it is there.
    ///
    /// # Errors
    /// As [`Self::get`], and what `each` says.
    pub(crate) async fn pages<T: DeserializeOwned>(
        &mut self,
        path: &ApiPath,
        each: impl FnMut(Vec<T>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        self.pages_to(path, usize::MAX, each).await
    }

    /// As [`Self::pages`], up to `most` rows.
    ///
    /// # Errors
    /// What the server says, and what `each` does.
    pub(crate) async fn pages_to<T: DeserializeOwned>(
        &mut self,
        path: &ApiPath,
        mut most: usize,
        mut each: impl FnMut(Vec<T>) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let mut after: Option<String> = None;
        loop {
            let page: Page<T> = self
                .get(&path.clone().maybe("after", after.as_deref()))
                .await?;
            let mut items = page.items;
            items.truncate(most);
            most -= items.len();
            each(items)?;
            match page.next {
                Some(next) if most > 0 => after = Some(next),
                _ => return Ok(()),
            }
        }
    }

    async fn ask<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &ApiPath,
        body: Option<&impl Serialize>,
    ) -> Result<T, CliError> {
        let response = self.exchange(method, path, in_json(body)?, JSON).await?;
        parse(&whole(response.into_body()).await?)
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &ApiPath,
        body: Bytes,
        kind: &'static str,
    ) -> Result<hyper::Response<Incoming>, CliError> {
        let request = Request::builder()
            .method(method)
            .uri(path.as_str())
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, kind)
            .header(header::TE, "trailers")
            .body(Full::new(body))
            .map_err(|error| CliError::Failed(error.to_string()))?;
        self.ready().await?;
        let sent = timeout(ANSWER, self.sender.send_request(request)).await;
        let response = sent.map_err(|_| silent())?.map_err(broken)?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    /// Waits until the connection takes a request: hyper refuses one that comes before it is done
    /// with the answer before. A connection that the server closed since, because a person thought
    /// about a question for too long, is opened again.
    async fn ready(&mut self) -> Result<(), CliError> {
        let ready = timeout(ANSWER, self.sender.ready()).await;
        if ready.map_err(|_| silent())?.is_err() {
            self.sender = greet(&self.data).await?;
        }
        Ok(())
    }
}

/// A part of an answer.
#[derive(Debug)]
pub(crate) enum Part {
    /// Some bytes.
    Data(Bytes),
    /// What was said behind the last of them.
    Trailers(HeaderMap),
}

/// An answer that comes bit by bit.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Incoming,
    rest: BytesMut,
}

impl Answer {
    /// The next part; `None` at the end. `patience` is how long the server may say nothing.
    ///
    /// # Errors
    /// [`CliError::Connection`] when the answer broke off.
    pub(crate) async fn part(&mut self, patience: Duration) -> Result<Option<Part>, CliError> {
        let frame = timeout(patience, self.body.frame()).await;
        let Some(frame) = frame.map_err(|_| silent())? else {
            return Ok(None);
        };
        Ok(match frame.map_err(broken)?.into_data() {
            Ok(data) => Some(Part::Data(data)),
            Err(frame) => frame.into_trailers().ok().map(Part::Trailers),
        })
    }

    /// The next bytes; `None` at the end. `patience` is how long the server may say nothing.
    ///
    /// # Errors
    /// [`CliError::Connection`] when the answer broke off.
    pub(crate) async fn chunk(&mut self, patience: Duration) -> Result<Option<Bytes>, CliError> {
        match self.part(patience).await? {
            Some(Part::Data(data)) => Ok(Some(data)),
            // Nothing comes behind trailers.
            Some(Part::Trailers(_)) | None => Ok(None),
        }
    }

    /// The next line of JSON; `None` at the end.
    ///
    /// # Errors
    /// [`CliError::Connection`] when the answer broke off or is none that is understood.
    pub(crate) async fn line<T: DeserializeOwned>(
        &mut self,
        patience: Duration,
    ) -> Result<Option<T>, CliError> {
        loop {
            if let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let line = self.rest.split_to(end + 1);
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return parse(&line).map(Some);
            }
            if self.rest.len() > LINE_LIMIT {
                return Err(CliError::Connection(
                    "it sends a line without an end".to_owned(),
                ));
            }
            match self.chunk(patience).await? {
                Some(data) => self.rest.extend_from_slice(&data),
                None if self.rest.trim_ascii().is_empty() => return Ok(None),
                None => return Err(CliError::Connection("its answer broke off".to_owned())),
            }
        }
    }
}

/// Opens a connection to the server on `data`.
async fn greet(data: &Path) -> Result<SendRequest<Full<Bytes>>, CliError> {
    let stream = open(data).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // Ends with the sender; the process ends soon after.
    tokio::spawn(connection);
    Ok(sender)
}

async fn open(data: &Path) -> Result<UnixStream, CliError> {
    let address = socket::Address::of(data).map_err(|error| unreachable_at(data, &error))?;
    let connected = timeout(CONNECT, UnixStream::connect(address.path())).await;
    connected
        .map_err(|_| silent())?
        .map_err(|error| unreachable_at(data, &error))
}

fn unreachable_at(data: &Path, error: &io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => CliError::NotYours(socket::path(data)),
        io::ErrorKind::NotFound if !data.is_dir() => CliError::NoData(PathBuf::from(data)),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            CliError::NoServer(PathBuf::from(data))
        }
        _ => CliError::Connection(error.to_string()),
    }
}

fn in_json(body: Option<&impl Serialize>) -> Result<Bytes, CliError> {
    let Some(body) = body else {
        return Ok(Bytes::new());
    };
    let text = serde_json::to_vec(body).map_err(|error| CliError::Failed(error.to_string()))?;
    // A password may be in it: wiped when it has been sent.
    Ok(Bytes::from_owner(Zeroizing::new(text)))
}

async fn whole(body: Incoming) -> Result<Bytes, CliError> {
    let limited = Limited::new(body, ANSWER_LIMIT);
    let collected = timeout(ANSWER, limited.collect())
        .await
        .map_err(|_| silent())?;
    collected
        .map(|whole| whole.to_bytes())
        .map_err(|error| CliError::Connection(with_causes(error.as_ref())))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CliError> {
    serde_json::from_slice(bytes).map_err(|error| {
        CliError::Connection(format!(
            "its answer is not understood ({error}): is it another version?"
        ))
    })
}

async fn refusal(response: hyper::Response<Incoming>) -> CliError {
    let status = response.status();
    let body = match whole(response.into_body()).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => CliError::Refused(Box::new(problem)),
        Err(_) if status == StatusCode::SERVICE_UNAVAILABLE => {
            CliError::Connection("it is too busy: try again".to_owned())
        }
        Err(_) => CliError::Connection(format!("it answers {status}")),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "stands where `map_err` hands it over"
)]
fn broken(error: hyper::Error) -> CliError {
    CliError::Connection(with_causes(&error))
}

fn silent() -> CliError {
    CliError::Connection("it says nothing; its log may say why".to_owned())
}

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
/// How long the socket may take to accept.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the server may take for an answer that is not streamed.
const ANSWER: Duration = Duration::from_secs(120);
/// The longest answer that is read as a whole.
const ANSWER_LIMIT: usize = 64 << 20;
/// The longest line of an answer that is streamed.
const LINE_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use hyper::server::conn::http1 as server;
    use hyper::service::service_fn;
    use tempfile::TempDir;
    use tokio::net::UnixListener;

    use super::*;

    /// A server that says 7 to everything; `patient` ones keep a connection for the next question.
    fn seven(patient: bool) -> TempDir {
        let data = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(data.path().join("admin.sock")).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = service_fn(|_| async {
                    let seven = hyper::Response::new(Full::new(Bytes::from_static(b"7")));
                    Ok::<_, Infallible>(seven)
                });
                let mut server = server::Builder::new();
                let serving = server
                    .keep_alive(patient)
                    .serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(serving);
            }
        });
        data
    }

    async fn ask(count: usize, data: &Path) {
        let mut client = Client::connect(data).await.unwrap();
        for _ in 0..count {
            let seven: u8 = client.get(&ApiPath::new("/v1/status")).await.unwrap();
            assert_eq!(seven, 7);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_question_right_behind_an_answer_is_answered() {
        let data = seven(true);

        ask(2000, data.path()).await;
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_is_opened_again() {
        let data = seven(false);

        ask(3, data.path()).await;
    }
}
