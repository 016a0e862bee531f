//! The agent's socket: in a folder that is its owner's alone, for its owner alone.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::program::trouble::Trouble;

/// The socket's file; removed when this is dropped, unless it is another one by then.
pub(super) struct Place {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    /// Listens on `path`. A socket that nobody answers on any more makes room.
    pub(super) async fn make(path: &Path) -> Result<(Self, UnixListener), Trouble> {
        let failed = |source| Trouble::Socket {
            path: path.to_owned(),
            source,
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        own(folder).map_err(failed)?;
        make_room(path).await.map_err(failed)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        let place = Self {
            path: path.to_owned(),
            file: fs::symlink_metadata(path)
                .map(|data| which(&data))
                .map_err(failed)?,
        };
        // Nobody else could enter the folder in between.
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok((place, listener))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let there = fs::symlink_metadata(&self.path).map(|data| which(&data));
        if there.is_ok_and(|there| there == self.file) {
            // Where it is gone already, all is as it should be.
            let _gone = fs::remove_file(&self.path);
        }
    }
}

/// What tells a file from all others.
fn which(data: &fs::Metadata) -> (u64, u64) {
    (data.dev(), data.ino())
}

/// Makes the folder, or checks that it is this user's alone.
fn own(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let data = fs::metadata(folder)?;
    if !data.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let ours = data.uid() == rustix::process::geteuid().as_raw();
    if !ours || data.permissions().mode() & 0o077 != 0 {
        let words = "its folder must be this user's alone (mode 0700)";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    Ok(())
}

/// Removes a socket that nobody answers on; nothing else is removed.
async fn make_room(path: &Path) -> io::Result<()> {
    let Ok(data) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !data.file_type().is_socket() {
        let words = "something that is no socket is there already";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
    }
    match UnixStream::connect(path).await {
        Ok(_) => {
            let words = "another agent answers there";
            Err(io::Error::new(io::ErrorKind::AddrInUse, words))
        }
        // Nothing else says so: an agent that is busy, too, cannot be connected to.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => {
            let words = format!("whether another agent listens there is not known: {error}");
            Err(io::Error::new(error.kind(), words))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(path: &Path) -> String {
        match Place::make(path).await {
            Ok(_) => panic!("it listens"),
            Err(trouble) => trouble.in_full(),
        }
    }

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_goes_with_the_agent() {
        let outside = tempfile::tempdir().unwrap();
        let path = outside.path().join("agent/sock");

        let (place, _listener) = Place::make(&path).await.unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert!(told(&path).await.contains("another agent answers"));
        drop(place);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_dead_socket_makes_room_and_a_file_does_not() {
        let outside = tempfile::tempdir().unwrap();
        let path = outside.path().join("agent/sock");
        drop(Place::make(&path).await.unwrap());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());

        assert!(Place::make(&path).await.is_ok());

        fs::write(&path, "mine").unwrap();
        assert!(told(&path).await.contains("no socket"));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[tokio::test]
    async fn a_socket_that_only_cannot_be_connected_to_is_not_taken_for_dead() {
        let outside = tempfile::tempdir().unwrap();
        let path = outside.path().join("agent/sock");
        drop(Place::make(&path).await.unwrap());
        // It lives, and streams do not reach it.
        let _alive = std::os::unix::net::UnixDatagram::bind(&path).unwrap();

        let told = told(&path).await;

        assert!(told.contains("is not known"), "{told}");
        assert!(path.exists());
    }

    #[tokio::test]
    async fn a_folder_that_others_may_enter_is_refused() {
        let outside = tempfile::tempdir().unwrap();
        fs::set_permissions(outside.path(), Permissions::from_mode(0o710)).unwrap();

        let told = told(&outside.path().join("sock")).await;

        assert!(told.contains("0700"), "{told}");
    }
}
