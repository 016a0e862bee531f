//! The SSH door: its host key, its listener, its settings.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::app::files::Room;
use crate::app::folder::check_private;
use crate::app::init::write_private;
use crate::app::{AppError, DataFolder, House};
use crate::config::{self, Config, SshDoor};
use crate::domain::SshFingerprint;
use crate::doors::{
    Crowd, CrowdSettings, HostKey, Limits, LineEnd, ListenSettings, Listener, Meter, Ssh,
    SshSettings,
};

/// The door, open on its address and not served yet.
pub(crate) struct OpenSsh {
    pub(crate) listener: Listener,
    pub(crate) door: Arc<Ssh>,
    pub(crate) host_key: SshFingerprint,
}

/// Opens the door at `address`, with the host key that was made at the first start.
///
/// # Errors
/// [`AppError`] when the key is missing and cannot be made, is not its owner's alone, or is none;
/// or when the address cannot be listened on.
pub(crate) fn open_ssh(
    (folder, config): (&DataFolder, &Config),
    house: &House,
    (address, room): (SocketAddr, Room),
    meter: &Meter,
) -> Result<OpenSsh, AppError> {
    let door = &config.doors.ssh;
    let key = host_key(&door.host_key.within(folder.path()))?;
    let crowd = Crowd::new(CrowdSettings {
        all: room.of(door.max_connections.as_usize()),
        per_address: door.max_connections_per_address.as_usize(),
    });
    let listen = ListenSettings {
        limits: Limits {
            drain: config.limits.drain_timeout.get(),
            ..Limits::default()
        },
        backlog: door.backlog.get(),
        ..ListenSettings::at(address)
    };
    let listener = Listener::bind(&listen, crowd, meter.door(Ssh::NAME))?;
    let door = Ssh::new(house.vault.clone(), settings(config, room), &key, meter);
    Ok(OpenSsh {
        listener,
        door: Arc::new(door),
        host_key: key.fingerprint(),
    })
}

fn settings(config: &Config, room: Room) -> SshSettings {
    let door = &config.doors.ssh;
    SshSettings {
        line_end: match door.line_end {
            config::LineEnd::Lf => LineEnd::Lf,
            config::LineEnd::Crlf => LineEnd::Crlf,
        },
        errors_to_stdout: door.errors_to_stdout,
        command: door.max_command.as_usize(),
        output: door.max_output.as_usize(),
        login_input: door.max_login_input.as_usize(),
        idle_input: door.max_idle_input.as_usize(),
        attempts: door.max_attempts.as_usize(),
        refusal: door.refusal_time.get(),
        strangers: door.max_strangers.get(),
        half_open: room.of(door.max_half_open.as_usize()),
        half_open_of_network: of_network(door),
        channels: door.max_channels.as_usize(),
        commands: door.max_commands.as_usize(),
        login: door.login_timeout.get(),
        answer: door.answer_timeout.get(),
        idle: door.idle_timeout.get(),
        linger: door.linger_timeout.get(),
    }
}

/// Below what an address may have in all: the listener turns away whoever comes beyond that, and
/// would shut out those who mean to log in.
fn of_network(door: &SshDoor) -> usize {
    let half = door.max_connections_per_address.as_usize() / 2;
    door.max_half_open_per_network.as_usize().min(half).max(1)
}

/// The host key at `path`; a new one where there is none.
fn host_key(path: &Path) -> Result<HostKey, AppError> {
    check_private(path)?;
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST));
    match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return new_key(path),
        opened => {
            let file = opened.map_err(AppError::file(path))?;
            let read = file.take(LONGEST as u64).read_to_end(&mut text);
            read.map_err(AppError::file(path))?;
        }
    }
    HostKey::read(&text).ok_or_else(|| {
        let path = path.display();
        AppError::Other(format!(
            "{path} holds no Ed25519 key in OpenSSH's format without a passphrase: put the right \
             one there, or remove it and a new one is made, which clients have to learn"
        ))
    })
}

fn new_key(path: &Path) -> Result<HostKey, AppError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut())
        .map_err(|_| AppError::Other("there are no random numbers".to_owned()))?;
    let key = HostKey::of(&seed);
    let text = key.to_openssh();
    let text = text.ok_or_else(|| AppError::Other("no host key could be made".to_owned()))?;
    write_private(path, text.as_bytes())?;
    Ok(key)
}

/// An Ed25519 key takes 400 bytes.
const LONGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_host_key_is_made_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let first = host_key(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;

        assert_eq!(mode, 0o600);
        assert_eq!(host_key(&path).unwrap().fingerprint(), first.fingerprint());
    }

    #[test]
    fn a_host_key_that_others_may_read_or_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (open, empty) = (dir.path().join("open"), dir.path().join("empty"));
        host_key(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(&empty, "").unwrap();
        fs::set_permissions(&empty, fs::Permissions::from_mode(0o600)).unwrap();

        assert!(matches!(
            host_key(&open),
            Err(AppError::Exposed { mode: 0o600, .. })
        ));
        assert!(matches!(host_key(&empty), Err(AppError::Other(_))));
    }
}
