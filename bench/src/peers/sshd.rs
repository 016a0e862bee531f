//! OpenSSH's own server, as the same client finds it: a log-in by a key and one request, without a
//! shell.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Process, free_address};
use crate::trouble::Trouble;

const PROGRAM: &str = "/usr/sbin/sshd";
const PATIENCE: Duration = Duration::from_secs(10);

/// One that serves.
pub struct Sshd {
    /// The process; dropping it ends it.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Sshd {
    /// Whether this machine has one.
    pub fn is_there() -> bool {
        Path::new(PROGRAM).exists()
    }

    /// Serves whoever holds the private half of `public`, with the host key at `host_key`.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn serve(dir: &Path, host_key: &Path, public: &Path) -> Result<Self, Trouble> {
        let address = free_address()?;
        let file = dir.join("sshd.conf");
        fs::write(&file, settings(address, host_key, public))?;
        // Root's needs the folder; others have no use for it.
        drop(fs::create_dir_all("/run/sshd"));
        let child = Command::new(PROGRAM)
            .args(["-D", "-e", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.join("sshd.log"))?)
            .spawn()?;
        let process = Process(child);
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > PATIENCE {
                return Err(Trouble::new("sshd did not come up"));
            }
            sleep(Duration::from_millis(10));
        }
        Ok(Self { process, address })
    }
}

/// The exchange of keys is X25519 for both servers: `sntrup761`, which only OpenSSH's would speak,
/// costs its client ten times as much.
fn settings(address: SocketAddr, host_key: &Path, public: &Path) -> String {
    format!(
        "ListenAddress {address}\n\
         HostKey {}\n\
         AuthorizedKeysFile {}\n\
         KexAlgorithms curve25519-sha256\n\
         StrictModes no\n\
         UsePAM no\n\
         UseDNS no\n\
         PermitRootLogin yes\n\
         PidFile none\n\
         LogLevel ERROR\n\
         MaxStartups 1000\n\
         Subsystem sftp internal-sftp\n",
        host_key.display(),
        public.display()
    )
}
