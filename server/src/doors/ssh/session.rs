//! What a client may ask of its connection: to log in with a key, and one command a channel.
//!
//! russh has an answer of its own to whatever is not answered here, and not always a refusal:
//! everything that opens something or lets somebody in is therefore said.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session as Wire,
    VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty};

use crate::doors::ssh::Ssh;
use crate::doors::ssh::answer::{Answer, Exit};
use crate::doors::ssh::guest::Guest;
use crate::doors::ssh::login::acceptable;

/// A connection's handler.
#[derive(Debug)]
pub(super) struct Session {
    ssh: Arc<Ssh>,
    guest: Arc<Guest>,
    channels: HashMap<ChannelId, Stage>,
    /// Answered and ended, but the client has not made room for all of it: russh keeps the rest.
    unread: Vec<ChannelId>,
    /// How many channels there have been.
    opened: usize,
}

/// How far a channel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stage {
    /// Its one command has come.
    used: bool,
    /// It was told that variables are not taken.
    told: bool,
}

type Done = Result<(), russh::Error>;

impl Session {
    pub(super) fn new(ssh: Arc<Ssh>, guest: Arc<Guest>) -> Self {
        Self {
            ssh,
            guest,
            channels: HashMap::new(),
            unread: Vec::new(),
            opened: 0,
        }
    }

    /// Notes what it calls itself, and says no.
    fn reject(&self, login: &str) -> Auth {
        self.guest.tries(login);
        let methods: &[MethodKind] = &[MethodKind::PublicKey];
        Auth::Reject {
            proceed_with_methods: Some(MethodSet::from(methods)),
            partial_success: false,
        }
    }

    /// Whether a connection has all the channels that it may, those with unread answers included.
    fn is_full(&mut self, is_unread: impl Fn(ChannelId) -> bool) -> bool {
        self.unread.retain(|channel| is_unread(*channel));
        self.channels.len() + self.unread.len() >= self.ssh.settings.channels
    }

    /// Takes the one command of a channel; `false` where it has come already, or nothing is done
    /// for this client any more.
    fn take(&mut self, channel: ChannelId) -> bool {
        if self.guest.is_away() {
            return false;
        }
        let stage = self.channels.get_mut(&channel);
        stage.is_some_and(|stage| !std::mem::replace(&mut stage.used, true))
    }

    /// Writes an answer, and ends the channel.
    fn give(&mut self, channel: ChannelId, mut answer: Answer, wire: &mut Wire) -> Done {
        // Behind packets that wait to be encrypted, russh would copy a password into their buffer,
        // which nobody wipes.
        wire.flush()?;
        if let Some(mut line) = answer.error.take() {
            line.push_str(self.ssh.settings.line_end.as_str());
            if self.ssh.settings.errors_to_stdout {
                answer.lines.extend_from_slice(line.as_bytes());
            } else {
                wire.extended_data(channel, STDERR, line.into_bytes())?;
            }
        }
        if !answer.lines.is_empty() {
            wire.data(channel, Bytes::from_owner(answer.lines))?;
        }
        wire.exit_status_request(channel, answer.exit as u32)?;
        wire.eof(channel)?;
        self.channels.remove(&channel);
        if wire.has_pending_data(channel) {
            self.unread.push(channel);
        }
        wire.close(channel)
    }

    /// Answers a request that is no command with one line: clients that fail a request print no
    /// words of ours.
    fn turn_down(&mut self, channel: ChannelId, why: &str, wire: &mut Wire) -> Done {
        if !self.take(channel) {
            return wire.channel_failure(channel);
        }
        wire.channel_success(channel)?;
        self.give(channel, Answer::failed(Exit::Usage, why), wire)
    }
}

impl Handler for Session {
    type Error = russh::Error;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, russh::Error> {
        Ok(self.reject(user))
    }

    async fn auth_password(&mut self, user: &str, _: &str) -> Result<Auth, russh::Error> {
        Ok(self.reject(user))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        _response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        Ok(self.reject(user))
    }

    async fn auth_openssh_certificate(
        &mut self,
        user: &str,
        _certificate: &russh::keys::Certificate,
    ) -> Result<Auth, russh::Error> {
        Ok(self.reject(user))
    }

    /// Any key of an accepted kind may go on to prove itself, whoever has it: an answer that
    /// depended on whose it is would tell strangers which names and keys there are. Nothing is let
    /// in here.
    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        let refused = self.reject(user);
        let acceptable = acceptable(offer.public_key, offer.algorithm).is_some();
        Ok(if acceptable { Auth::Accept } else { refused })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        let refused = self.reject(user);
        let Some(blob) = acceptable(key.public_key, key.algorithm) else {
            return Ok(refused);
        };
        if !self.ssh.let_in(&self.guest, user, blob).await {
            return Ok(refused);
        }
        self.guest.budget().refill(self.ssh.settings.idle_input);
        self.guest.rest();
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        wire: &mut Wire,
    ) -> Done {
        // Each packet has its price: an answer of a megabyte must not come byte by byte.
        if channel.writable_packet_size().await < LEAST_PACKET {
            reply.reject(prohibited(SMALL_PACKETS)).await;
            return Ok(());
        }
        let is_full = self.is_full(|channel| wire.has_pending_data(channel));
        // russh keeps a little of every channel that it closes, as long as the connection stands.
        if self.opened >= self.ssh.settings.commands || is_full {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        self.opened += 1;
        self.channels.insert(channel.id(), Stage::default());
        reply.accept().await;
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host: &str,
        _port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _wire: &mut Wire,
    ) -> Done {
        reply.reject(forwarding()).await;
        Ok(())
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _path: &str,
        reply: ChannelOpenHandle,
        _wire: &mut Wire,
    ) -> Done {
        reply.reject(forwarding()).await;
        Ok(())
    }

    async fn channel_open_forwarded_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host: &str,
        _port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _wire: &mut Wire,
    ) -> Done {
        reply.reject(forwarding()).await;
        Ok(())
    }

    async fn channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _wire: &mut Wire,
    ) -> Done {
        reply.reject(forwarding()).await;
        Ok(())
    }

    /// Nothing is opened from here: it could only make the packets of a channel smaller.
    async fn channel_open_confirmation(
        &mut self,
        _channel: ChannelId,
        _packet: u32,
        _window: u32,
        _wire: &mut Wire,
    ) -> Done {
        Err(russh::Error::Inconsistent)
    }

    async fn channel_close(&mut self, channel: ChannelId, _wire: &mut Wire) -> Done {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn exec_request(&mut self, channel: ChannelId, data: &[u8], wire: &mut Wire) -> Done {
        if !self.take(channel) {
            return wire.channel_failure(channel);
        }
        wire.channel_success(channel)?;
        self.guest.begin(self.ssh.settings.idle_input);
        let (answer, stays) = self.ssh.answer(&self.guest, data).await;
        let given = self.give(channel, answer, wire);
        if stays {
            self.guest.rest();
        } else {
            self.guest.send_away();
        }
        given
    }

    async fn shell_request(&mut self, channel: ChannelId, wire: &mut Wire) -> Done {
        self.turn_down(channel, NO_SHELL, wire)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        wire: &mut Wire,
    ) -> Done {
        self.turn_down(channel, NO_SUBSYSTEM, wire)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        wire: &mut Wire,
    ) -> Done {
        wire.channel_failure(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        wire: &mut Wire,
    ) -> Done {
        wire.channel_failure(channel)
    }

    async fn agent_request(
        &mut self,
        _channel: ChannelId,
        _wire: &mut Wire,
    ) -> Result<bool, russh::Error> {
        Ok(false)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        _value: &str,
        wire: &mut Wire,
    ) -> Done {
        wire.channel_failure(channel)?;
        // What stock clients send unasked is passed over in silence: scripts read these lines.
        let unasked = name == "LANG" || name == "COLORTERM" || name.starts_with("LC_");
        let stage = self.channels.get_mut(&channel);
        match stage.filter(|stage| !unasked && !stage.told && !stage.used) {
            Some(stage) => stage.told = true,
            None => return Ok(()),
        }
        let line = format!("{NO_VARIABLES}{}", self.ssh.settings.line_end.as_str());
        wire.extended_data(channel, STDERR, line.into_bytes())
    }

    async fn tcpip_forward(
        &mut self,
        _address: &str,
        _port: &mut u32,
        _wire: &mut Wire,
    ) -> Result<bool, russh::Error> {
        Ok(false)
    }

    async fn streamlocal_forward(
        &mut self,
        _path: &str,
        _wire: &mut Wire,
    ) -> Result<bool, russh::Error> {
        Ok(false)
    }
}

fn forwarding() -> ChannelOpenFailure {
    prohibited("nothing is forwarded here")
}

fn prohibited(why: &str) -> ChannelOpenFailure {
    ChannelOpenFailure::Other {
        code: ADMINISTRATIVELY_PROHIBITED,
        reason: why.to_owned(),
    }
}

/// Bytes of a packet and of a channel's first window; clients have tens of thousands.
const LEAST_PACKET: usize = 512;
const SMALL_PACKETS: &str = "packets and windows have 512 bytes at least";

/// RFC 4254 §5.1.
const ADMINISTRATIVELY_PROHIBITED: u32 = 1;
/// RFC 4254 §5.2.
const STDERR: u32 = 1;
const NO_SHELL: &str = "There is no shell here: give a command, such as HELP.";
const NO_SUBSYSTEM: &str =
    "There is no sftp and no other subsystem here: give a command, such as HELP.";
const NO_VARIABLES: &str = "Environment variables are not taken here, and passed over.";
