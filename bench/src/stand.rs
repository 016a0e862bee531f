//! All peers, up at once, so that they can be measured in turns.

use std::fs;
use std::path::Path;

use crate::options::{Options, root};
use crate::peers::certificates::Certificates;
use crate::peers::claviger::Claviger;
use crate::peers::{Peer, Process, bare, openbao};
use crate::trouble::Trouble;

/// The peers that came up. Dropping it ends them all.
pub struct Stand {
    /// In the order of their turns: ours first.
    pub peers: Vec<Peer>,
    _processes: Vec<Process>,
}

impl Stand {
    /// Starts ours and those that are not left out. One that does not come up is named and left
    /// out; the others are measured all the same.
    ///
    /// # Errors
    /// When not even the directories and certificates can be made.
    pub fn start(options: &Options, accounts: u64) -> Result<Self, Trouble> {
        let dir = &options.dir.join("stand");
        if dir.exists() {
            fs::remove_dir_all(dir)?;
        }
        let certificates = Certificates::make(&dir.join("certificates"))?;
        let mut stand = Self {
            peers: Vec::new(),
            _processes: Vec::new(),
        };
        if options.with("claviger") {
            stand.add("claviger", ours(options, dir, accounts));
        }
        if options.with("bare") {
            stand.add("bare", bare::start(dir, &certificates).map(alone));
        }
        if options.with("openbao") {
            eprintln!("openbao: installing if need be, filling with {accounts} secrets …");
            let tools = root().join("target");
            let started = openbao::start(&tools, &dir.join("openbao"), &certificates, accounts);
            stand.add("openbao", started);
        }
        Ok(stand)
    }

    fn add(&mut self, name: &str, started: Result<(Process, Vec<Peer>), Trouble>) {
        match started {
            Ok((process, peers)) => {
                self._processes.push(process);
                self.peers.extend(peers);
            }
            Err(why) => eprintln!("{name} is not measured: {why}"),
        }
    }
}

fn ours(options: &Options, dir: &Path, accounts: u64) -> Result<(Process, Vec<Peer>), Trouble> {
    eprintln!("claviger: building, filling with {accounts} accounts …");
    let program = Claviger::program(root(), options.claviger.as_deref())?;
    let claviger = Claviger::init(&program, &dir.join("claviger"))?;
    let running = claviger.serve()?;
    claviger.populate(&running.process, accounts)?;
    let mut peers = vec![
        claviger.peer(&running, accounts),
        claviger.rest_peer(&running, accounts)?,
    ];
    if options.wants("a2a-8") || options.wants("a2a-32") {
        peers.push(claviger.a2a_peer(&running, accounts)?);
    }
    Ok((running.process, peers))
}

fn alone((process, peer): (Process, Peer)) -> (Process, Vec<Peer>) {
    (process, vec![peer])
}
