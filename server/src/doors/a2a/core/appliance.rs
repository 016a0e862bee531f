//! The appliance: its time, and whether the A2A service runs.

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method};
use serde::Serialize;

use crate::doors::a2a::Asked;
use crate::doors::a2a::core::{nothing_there, times};
use crate::doors::a2a::reply::{Refusal, Reply, ok};
use crate::vault::{Caller, SettingView};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SystemTime {
    system_time: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoginMessage {
    message: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    is_running: bool,
    start_mode: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    service_port: u16,
    trusted_tls_termination_subnet: Option<&'static str>,
}

/// Answers what is below `/service/appliance`.
pub(super) async fn answer(asked: &Asked<'_>, path: &[&str]) -> Reply {
    match (path, &asked.method) {
        (["systemtime"], &Method::GET) => time(asked).await,
        (["a2aservice", "status"], &Method::GET) => status(asked).await,
        (["a2aservice", "enable"], &Method::POST) => switch(true, asked).await,
        (["a2aservice", "disable"], &Method::POST) => switch(false, asked).await,
        (["a2aservice", "config"], &Method::GET) => config(asked).await,
        (["a2aservice", "config"], &Method::PUT) => {
            administrator(asked).await?;
            Err(Refusal::invalid(IN_THE_FILE))
        }
        _ => Err(nothing_there()),
    }
}

async fn time(asked: &Asked<'_>) -> Reply {
    let now = times::to_text(asked.door.vault.now());
    with_time_left(&SystemTime { system_time: now }, asked).await
}

/// What is to be read before a log-in, which is nothing: clients ask for it to learn how long their
/// token counts.
pub(super) async fn message(asked: &Asked<'_>) -> Reply {
    match asked.method {
        Method::GET => with_time_left(&LoginMessage { message: "" }, asked).await,
        _ => Err(nothing_there()),
    }
}

/// An answer for anybody; for whoever shows a token, with the minutes that it has left.
async fn with_time_left(content: &impl Serialize, asked: &Asked<'_>) -> Reply {
    let mut response = ok(content);
    if asked.headers.contains_key(AUTHORIZATION) {
        let caller = asked.guest.by_bearer(asked).await?;
        let left = caller.until().0.saturating_sub(asked.door.vault.now().0) / 60_000;
        response.headers_mut().insert(LEFT, HeaderValue::from(left));
    }
    Ok(response)
}

async fn status(asked: &Asked<'_>) -> Reply {
    let (_, settings) = administrator(asked).await?;
    let running = settings
        .iter()
        .any(|view| view.name == RUNS && view.value == "true");
    Ok(ok(&told(running)))
}

async fn switch(on: bool, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let value = if on { "true" } else { "false" };
    let done = asked.door.vault.set_setting(RUNS, value, &caller).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(ok(&told(on)))
}

async fn config(asked: &Asked<'_>) -> Reply {
    administrator(asked).await?;
    Ok(ok(&Config {
        service_port: asked.door.settings.port,
        trusted_tls_termination_subnet: None,
    }))
}

/// Whoever may read the settings, and what they are.
async fn administrator(asked: &Asked<'_>) -> Result<(Caller, Vec<SettingView>), Refusal> {
    let caller = asked.guest.by_bearer(asked).await?;
    let settings = asked.door.vault.settings(&caller).await;
    let settings = settings.map_err(|error| asked.refused(error))?;
    Ok((caller, settings))
}

fn told(running: bool) -> Status {
    Status {
        is_running: running,
        start_mode: if running { "Automatic" } else { "Disabled" },
    }
}

const LEFT: HeaderName = HeaderName::from_static("x-tokenlifetimeremaining");
/// The setting by which the service runs.
const RUNS: &str = "a2a-service";
const IN_THE_FILE: &str = "The port is set in the server's configuration file, section \
                           [doors.a2a], and no forwarded address is believed.";
