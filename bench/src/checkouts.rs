//! A thousand users who want one password at the same moment: one gets it, all are answered.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use crate::options::{Options, root};
use crate::peers::claviger::Claviger;
use crate::report::{Measure, Report};
use crate::trouble::Trouble;
use crate::works::middle;

const USERS: usize = 1000;
/// How many are made ready at a time.
const AT_ONCE: usize = 32;
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures how long the last of a thousand simultaneous check-outs waits for its answer.
///
/// # Errors
/// When the server cannot be set up, or when not exactly one wins.
pub fn measure(options: &Options, report: &mut Report) -> Result<(), Trouble> {
    let dir = options.dir.join("checkouts");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let program = Claviger::program(root(), options.claviger.as_deref())?;
    let data = dir.join("claviger");
    let claviger = Claviger::init(&program, &data)?;
    let connections = (USERS + 2 * AT_ONCE).to_string();
    claviger.set("admin", "max_connections", &connections)?;
    let _running = claviger.serve()?;
    let resource = ["resource", "add", "db", "--type", "Linux", "--account"];
    claviger.command(&[&resource[..], &["root"]].concat())?;
    claviger.command(&["access-control", "set", "db", "--exclusive"])?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let desk = Desk(data.join("admin.sock"));
        eprintln!("checkouts: {USERS} users ask and are approved …");
        desk.prepare().await?;
        let mut seconds = Vec::new();
        for _ in 0..options.runs {
            let (last, winner) = desk.race().await?;
            seconds.push(last);
            desk.give_back(winner).await?;
        }
        let name = "1000 check-outs at once: the last answer";
        report.measure(Measure::at_most(name, middle(seconds), "s", Some(1.0)));
        Ok(())
    })
}

/// The operator's socket.
#[derive(Clone)]
struct Desk(PathBuf);

impl Desk {
    /// Makes the users, raises a request for each and approves it.
    async fn prepare(&self) -> Result<(), Trouble> {
        let mut tasks = JoinSet::new();
        for first in 0..AT_ONCE {
            let desk = self.clone();
            tasks.spawn(async move {
                for user in (first..USERS).step_by(AT_ONCE) {
                    let new =
                        json!({"login": login(user), "role": "administrator", "scope": "all"});
                    expect(desk.ask("/v1/users", &new).await?, 201)?;
                    desk.request(user).await?;
                }
                Ok::<(), Trouble>(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|_| Trouble::new("a task died"))??;
        }
        Ok(())
    }

    async fn request(&self, user: usize) -> Result<(), Trouble> {
        for path in ["/v1/requests", "/v1/requests/approve"] {
            expect(self.ask(path, &place(user)).await?, 204)?;
        }
        Ok(())
    }

    async fn give_back(&self, winner: usize) -> Result<(), Trouble> {
        expect(self.ask("/v1/requests/checkin", &place(winner)).await?, 204)?;
        self.request(winner).await
    }

    /// All check out at once, over connections that are open already. Seconds until the last answer
    /// is there, and who got it.
    async fn race(&self) -> Result<(f64, usize), Trouble> {
        let mut open = Vec::new();
        for _ in 0..USERS {
            open.push(connect(&self.0).await?);
        }
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for (user, stream) in open.into_iter().enumerate() {
            tasks.spawn(async move {
                let told = exchange(stream, "/v1/requests/checkout", &place(user)).await;
                (user, told)
            });
        }
        let mut winners = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            let (user, told) = ended.map_err(|_| Trouble::new("a task died"))?;
            match told? {
                (204, _) => winners.push(user),
                told => expect(told, 409)?,
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        match winners[..] {
            [winner] => Ok((seconds, winner)),
            _ => Err(Trouble::new(format!("{} hold it", winners.len()))),
        }
    }

    async fn ask(&self, path: &str, body: &Value) -> Result<(u16, String), Trouble> {
        exchange(connect(&self.0).await?, path, body).await
    }
}

async fn connect(socket: &Path) -> Result<UnixStream, Trouble> {
    // The socket's queue is short: whoever finds it full comes again.
    for _ in 0..10_000 {
        match UnixStream::connect(socket).await {
            Err(why) if why.kind() == std::io::ErrorKind::WouldBlock => {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            opened => return Ok(opened?),
        }
    }
    Err(Trouble::new("the operator's socket is full"))
}

async fn exchange(
    mut stream: UnixStream,
    path: &str,
    body: &Value,
) -> Result<(u16, String), Trouble> {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut said = String::new();
    let answered = tokio::time::timeout(PATIENCE, async {
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_string(&mut said).await
    });
    answered
        .await
        .map_err(|_| Trouble::new("no answer in time"))??;
    let status = said.get(9..12).unwrap_or_default().parse()?;
    Ok((status, said))
}

fn expect((status, said): (u16, String), wanted: u16) -> Result<(), Trouble> {
    if status == wanted {
        return Ok(());
    }
    Err(Trouble::new(format!("not {wanted}: {said}")))
}

fn login(user: usize) -> String {
    format!("user{user}@127.0.0.1")
}

fn place(user: usize) -> Value {
    json!({"resource": "db", "account": "root", "user": login(user)})
}
