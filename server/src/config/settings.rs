//! Every section and setting of `claviger.toml`.

use serde::{Deserialize, Serialize};

use crate::config::section::section;
use crate::config::{Count, Listen, Place, Size, Span, Text};

section! {
    /// The door for applications: XML-RPC over mutual TLS.
    XmlrpcDoor {
        /// The address and port it listens on; port 0 picks a free one, `off` closes the door.
        /// To be reached from other machines: "0.0.0.0:7070", or `[::]:7070` for IPv6 too.
        listen: Listen = Listen::On(std::net::SocketAddr::from(([127, 0, 0, 1], 7070)));
        /// The longest request body.
        max_body: Size = Size::from_mib(1);
        /// Whether a request body may come compressed with gzip.
        gzip: bool = true;
        /// What a compressed body may unpack to at most.
        max_unpacked: Size = Size::from_mib(1);
        /// How many times its own size a compressed body may unpack to at most.
        max_unpack_ratio: Count = Count::new(100);
        /// Memory for all request bodies of more than 64KiB at once; whoever comes after waits.
        body_memory: Size = Size::from_mib(64);
        /// The longest request line and headers together; at least 8KiB.
        max_header: Size = Size::from_kib(16);
        /// The most header lines of a request.
        max_headers: Count = Count::new(64);
        /// How deep arrays and structs may stand in each other.
        max_depth: Count = Count::new(32);
        /// The most values in a request, members of arrays and structs included.
        max_values: Count = Count::new(10_000);
        /// The longest single text in a request: a string, a name, a number, base64.
        max_text: Size = Size::from_kib(256);
        /// The most calls in one system.multicall.
        max_multicall: Count = Count::new(100);
        /// The most connections at once.
        max_connections: Count = Count::new(10_000);
        /// The most connections at once from one address.
        max_connections_per_address: Count = Count::new(1_000);
        /// The most connections that may wait in the operating system to be accepted.
        backlog: Count = Count::new(1_024);
        /// How long a TLS handshake may take.
        handshake_timeout: Span = Span::from_secs(10);
        /// How long the headers of a request may take, from their first byte.
        header_timeout: Span = Span::from_secs(10);
        /// How long the body of a request may take.
        body_timeout: Span = Span::from_secs(30);
        /// How long a client may take to read its answer.
        answer_timeout: Span = Span::from_secs(30);
        /// How long the rest of a refused request is still read, so that its sender sees why.
        linger_timeout: Span = Span::from_secs(2);
        /// How long a connection may stay open between two requests.
        idle_timeout: Span = Span::from_secs(120);
    }
}

section! {
    /// The door for scripts: the REST API over TLS, with tokens in place of certificates.
    RestDoor {
        /// The address and port it listens on; port 0 picks a free one, `off` closes the door.
        /// To be reached from other machines: "0.0.0.0:7272", or `[::]:7272` for IPv6 too.
        listen: Listen = Listen::On(std::net::SocketAddr::from(([127, 0, 0, 1], 7272)));
        /// Whether a token may come in the URL, where proxies and shell histories keep it. Clients
        /// of the original do that; where none of yours does, say false.
        token_in_url: bool = true;
        /// Whether the native admin API is offered here, too, below /api/v1/: to persons who sign in
        /// with name, password and code, and to programs with a token, each by its own rights.
        native_api: bool = true;
        /// How many requests a minute without a token that counts are answered and written into
        /// the audit trail, from one address. Beyond it they are answered 429; tokens that count
        /// are let in all the same.
        max_strangers: Count = Count::new(60);
        /// The most rows in one answer.
        max_rows: Count = Count::new(10_000);
        /// The longest request body.
        max_body: Size = Size::from_mib(1);
        /// Whether a request body may come compressed with gzip.
        gzip: bool = true;
        /// What a compressed body may unpack to at most.
        max_unpacked: Size = Size::from_mib(1);
        /// How many times its own size a compressed body may unpack to at most.
        max_unpack_ratio: Count = Count::new(100);
        /// Memory for all request bodies of more than 64KiB at once; whoever comes after waits.
        body_memory: Size = Size::from_mib(64);
        /// The longest request line, query included, and headers together; at least 8KiB.
        max_header: Size = Size::from_kib(16);
        /// The most header lines of a request.
        max_headers: Count = Count::new(64);
        /// The most parameters in a query or a body.
        max_parameters: Count = Count::new(32);
        /// How deep lists and objects may stand in each other; never more than 128.
        max_depth: Count = Count::new(32);
        /// The most values in INPUT_DATA, members of lists and objects included.
        max_values: Count = Count::new(10_000);
        /// The longest single text in INPUT_DATA, or parameter.
        max_text: Size = Size::from_kib(256);
        /// The most connections at once.
        max_connections: Count = Count::new(10_000);
        /// The most connections at once from one address.
        max_connections_per_address: Count = Count::new(1_000);
        /// The most connections that may wait in the operating system to be accepted.
        backlog: Count = Count::new(1_024);
        /// How long a TLS handshake may take.
        handshake_timeout: Span = Span::from_secs(10);
        /// How long the headers of a request may take, from their first byte.
        header_timeout: Span = Span::from_secs(10);
        /// How long the body of a request may take.
        body_timeout: Span = Span::from_secs(30);
        /// How long a request may take to be answered, and a client to read its answer.
        answer_timeout: Span = Span::from_secs(30);
        /// How long the rest of a refused request is still read, so that its sender sees why.
        linger_timeout: Span = Span::from_secs(2);
        /// How long a connection may stay open between two requests.
        idle_timeout: Span = Span::from_secs(120);
    }
}

section! {
    /// The door for scripts that have an SSH client: one command a channel, with keys in place of
    /// certificates.
    SshDoor {
        /// The address and port it listens on; port 0 picks a free one, `off` closes the door.
        /// To be reached from other machines: "0.0.0.0:5522", or `[::]:5522` for IPv6 too.
        listen: Listen = Listen::On(std::net::SocketAddr::from(([127, 0, 0, 1], 5522)));
        /// The host key, in OpenSSH's format, readable by its owner only; made when it is missing.
        host_key: Place = Place::beside("ssh_host_ed25519_key");
        /// What ends a password or a message: "lf", or "crlf" for callers that cut two signs off.
        line_end: LineEnd = LineEnd::Lf;
        /// Whether errors are written to standard output, for callers that look for ERROR there.
        errors_to_stdout: bool = false;
        /// The longest command.
        max_command: Size = Size::from_kib(32);
        /// The longest answer.
        max_output: Size = Size::from_mib(1);
        /// How much a client may send before it has logged in.
        max_login_input: Size = Size::from_kib(32);
        /// How much a client may send between two commands, and with one: pings, junk, input that
        /// nobody reads.
        max_idle_input: Size = Size::from_kib(256);
        /// How often a client may try to log in on one connection.
        max_attempts: Count = Count::new(6);
        /// How long a refused attempt to log in takes at least.
        refusal_time: Span = Span::from_millis(500);
        /// How many refused log-ins a minute are written into the audit trail one by one, from one
        /// address. Beyond it they are counted, and the trail is told once a minute how many there
        /// were; keys that count are let in all the same.
        max_strangers: Count = Count::new(60);
        /// The most connections at once on which nobody has logged in. Beyond it the network (/24,
        /// or /64 of IPv6) that has most of them loses its oldest.
        max_half_open: Count = Count::new(2_000);
        /// The most of them from one network. Beyond it this network loses its oldest, so that nobody
        /// closes the door to an address that it shares; half of max_connections_per_address at
        /// most, whatever this says.
        max_half_open_per_network: Count = Count::new(600);
        /// The most commands on one connection; then its client has to connect again.
        max_commands: Count = Count::new(1_000);
        /// The most channels at once on one connection.
        max_channels: Count = Count::new(10);
        /// The most connections at once.
        max_connections: Count = Count::new(4_000);
        /// The most connections at once from one address.
        max_connections_per_address: Count = Count::new(1_200);
        /// The most connections that may wait in the operating system to be accepted.
        backlog: Count = Count::new(1_024);
        /// How long a client may take from its connection until it has logged in.
        login_timeout: Span = Span::from_secs(20);
        /// How long a command may take to be answered.
        answer_timeout: Span = Span::from_secs(120);
        /// How long a connection may stay open between two commands, whatever is sent meanwhile,
        /// and how long a client may take to read its answer.
        idle_timeout: Span = Span::from_secs(120);
        /// How long a client may take to hang up once the server is stopping, or has sent it away.
        linger_timeout: Span = Span::from_secs(2);
    }
}

section! {
    /// The door for programs that speak A2A: a client certificate and an API key over TLS, and the
    /// service that registers them.
    A2aDoor {
        /// The address and port it listens on; port 0 picks a free one, `off` closes the door.
        /// To be reached from other machines: "0.0.0.0:8443", or `[::]:8443` for IPv6 too.
        listen: Listen = Listen::On(std::net::SocketAddr::from(([127, 0, 0, 1], 8443)));
        /// How many requests a minute without a certificate, key or token that counts are answered
        /// and written into the audit trail, from one address. Beyond it they are answered 429;
        /// trusted certificates with keys that are known, and tokens, are let in all the same.
        max_strangers: Count = Count::new(60);
        /// The longest request body.
        max_body: Size = Size::from_mib(1);
        /// Whether a request body may come compressed with gzip.
        gzip: bool = true;
        /// What a compressed body may unpack to at most.
        max_unpacked: Size = Size::from_mib(1);
        /// How many times its own size a compressed body may unpack to at most.
        max_unpack_ratio: Count = Count::new(100);
        /// Memory for all request bodies of more than 64KiB at once; whoever comes after waits.
        body_memory: Size = Size::from_mib(64);
        /// The longest request line, query included, and headers together; at least 8KiB.
        max_header: Size = Size::from_kib(16);
        /// The most header lines of a request.
        max_headers: Count = Count::new(64);
        /// The most API keys in one request, of a program that listens for changes of many.
        max_keys: Count = Count::new(64);
        /// The most connections that listen for changes, or were negotiated for that.
        max_listeners: Count = Count::new(4_096);
        /// The most of them that are one certificate's.
        max_listeners_per_certificate: Count = Count::new(2_048);
        /// The most connections that one certificate has negotiated and does not listen over yet.
        max_negotiated: Count = Count::new(64);
        /// How long a negotiated connection waits to be taken, and hands to be shaken over it.
        negotiated_timeout: Span = Span::from_secs(15);
        /// How often whoever listens is told that the server is there, and is asked again who it
        /// is.
        ping: Span = Span::from_secs(15);
        /// How long whoever listens by WebSocket, and has answered a ping, may be silent.
        silence_timeout: Span = Span::from_secs(60);
        /// How long whoever listens by server-sent events, which need not answer anything, may be
        /// silent until it is asked to come again.
        feed_timeout: Span = Span::from_secs(3_600);
        /// The most connections at once.
        max_connections: Count = Count::new(5_000);
        /// The most connections at once from one address.
        max_connections_per_address: Count = Count::new(1_000);
        /// The most connections that may wait in the operating system to be accepted.
        backlog: Count = Count::new(1_024);
        /// How long a TLS handshake may take.
        handshake_timeout: Span = Span::from_secs(10);
        /// How long the headers of a request may take, from their first byte.
        header_timeout: Span = Span::from_secs(10);
        /// How long the body of a request may take.
        body_timeout: Span = Span::from_secs(30);
        /// How long a request may take to be answered, and a client to read its answer.
        answer_timeout: Span = Span::from_secs(30);
        /// How long the rest of a refused request is still read, so that its sender sees why.
        linger_timeout: Span = Span::from_secs(2);
        /// How long a connection may stay open between two requests.
        idle_timeout: Span = Span::from_secs(120);
    }
}

/// What ends a line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// A line feed, as everywhere but on Windows.
    Lf,
    /// A carriage return before it.
    Crlf,
}

section! {
    /// Health and metrics for the machines that watch this one: plain HTTP, no secrets, but names
    /// and numbers that strangers need not know. Keep it off the public network.
    Health {
        /// The address and port for GET /health and GET /metrics; `off` closes it (the admin
        /// socket answers both, too).
        listen: Listen = Listen::Off;
        /// The most connections at once.
        max_connections: Count = Count::new(64);
    }
}

section! {
    /// The native API on the Unix socket admin.sock, for the operator on this machine.
    Admin {
        /// The longest request body; an import comes in batches below this.
        max_body: Size = Size::from_mib(8);
        /// The most connections at once.
        max_connections: Count = Count::new(64);
        /// How long the headers or the body of a request may take.
        read_timeout: Span = Span::from_secs(30);
        /// How long whoever asked may leave a backup, an export or a followed trail unread before
        /// it is broken off.
        answer_timeout: Span = Span::from_secs(60);
        /// The most rows in one page of a list.
        max_page: Count = Count::new(1_000);
        /// The most resources in one batch of an import.
        max_batch: Count = Count::new(1_000);
    }
}

section! {
    /// Where the sealed rows are kept.
    Store {
        /// The engine: "redb", or "sled" (see ARCHITECTURE.md for what that costs).
        /// It cannot be changed under existing data: export, `init` anew, import.
        engine: Engine = Engine::Redb;
        /// Memory for the engine's cache.
        cache: Size = Size::from_mib(16);
        /// How much is written to redb's journal (store.journal, filled beforehand) before the file
        /// itself is brought up to date. A larger one makes changes faster and the start after
        /// a crash slower.
        journal: Size = Size::from_mib(4);
        /// How many allowed retrievals are remembered (who, what, where; the password sealed), so
        /// that the next ones are found faster; about 600 bytes each.
        remembered: Count = Count::new(32_768);
        /// The most changes that may wait for the disk; beyond it callers are told to come again.
        queue: Count = Count::new(1_024);
        /// The longest that a change waits for others, so that they share a flush; never longer than
        /// two flushes take, and not at all where only a few are about.
        company: Span = Span::from_millis(1);
        /// How long a change may wait for its turn.
        max_wait: Span = Span::from_secs(10);
        /// How long the disk may take to write it.
        disk_timeout: Span = Span::from_secs(60);
        /// How long closing may take when the server stops.
        close_timeout: Span = Span::from_secs(30);
        /// How long changes may wait while a backup reads all rows. With sled only: redb lets
        /// both go on.
        backup_pause: Span = Span::from_secs(60);
    }
}

/// The program that keeps the rows on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The default: ACID, synced, a stable file format.
    Redb,
    /// The other embedded choice.
    Sled,
}

section! {
    /// The audit trail: append-only, chained by keyed hashes, on disk before any password leaves.
    Audit {
        /// How long one file of it grows before the next is begun.
        segment: Size = Size::from_mib(16);
        /// The most records that may wait for the disk; beyond it requests are refused.
        queue: Count = Count::new(4_096);
        /// The longest that a record waits for others, so that they share a flush; never longer than
        /// two flushes take, and not at all where only a few are about.
        company: Span = Span::from_millis(1);
        /// How long a record may take to be on disk; then its request is refused and health is red.
        max_wait: Span = Span::from_secs(10);
        /// How often a disk that was full or failed is tried again where nobody asks meanwhile.
        retry: Span = Span::from_secs(1);
        /// The longest text of a record, such as a reason, at most 4KiB; what is longer is cut and
        /// ends with `…`.
        max_text: Size = Size::from_kib(2);
    }
}

section! {
    /// The master key: it wraps the keys that seal everything else, so it should not lie beside
    /// them for ever.
    MasterKey {
        /// Where it comes from: "file", "passphrase" (derived by Argon2id), "credential" (of
        /// systemd, LoadCredential= or LoadCredentialEncrypted=) or "command" (prints it, for
        /// instance from a KMS, TPM or HSM).
        source: KeySource = KeySource::File;
        /// For "file": the key file, readable by its owner only.
        file: Place = Place::beside("master.key");
        /// For "passphrase": the file it is read from; without one, it is the systemd credential
        /// named below.
        passphrase_file: Option<Place> = None, such as "\"/run/keys/claviger\"";
        /// For "credential", and for "passphrase" without a file: the credential's name.
        credential: Text = credential_name();
        /// For "command": the program and its arguments; it prints the key: 64 hexadecimal digits.
        command: Option<Vec<Text>> = None, such as "[\"/usr/local/bin/unwrap-key\", \"claviger\"]";
        /// For "command": how long it may take.
        command_timeout: Span = Span::from_secs(30);
    }
}

fn credential_name() -> Text {
    #[expect(clippy::unwrap_used, reason = "a fixed text that is not empty")]
    "claviger-master-key".parse().unwrap()
}

/// Where the master key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// A file.
    File,
    /// A passphrase.
    Passphrase,
    /// A credential that systemd hands over.
    Credential,
    /// A program that prints it.
    Command,
}

section! {
    /// The log, on standard error: for operators. It may be lost; the audit trail may not.
    Log {
        /// "text", or "json" for one object a line.
        format: LogFormat = LogFormat::Text;
        /// "error", "warn", "info", "debug" or "trace".
        level: LogLevel = LogLevel::Info;
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What needs somebody.
    Error,
    /// What may need somebody, and all above.
    Warn,
    /// What happens, and all above.
    Info,
    /// What helps to find a fault, and all above.
    Debug,
    /// Everything.
    Trace,
}

section! {
    /// What concerns the server as a whole.
    Limits {
        /// How many threads do TLS and requests. Unless it is said here, one less than there are
        /// cores, and at least one: the rest is for the threads that write the audit trail and
        /// the store.
        workers: Option<Count> = None, such as "4";
        /// How long requests under way may take to end after SIGTERM.
        drain_timeout: Span = Span::from_secs(20);
        /// How long the look-up of an API user's host name may take.
        lookup_timeout: Span = Span::from_secs(2);
        /// How often check-outs and requests whose time is up are looked for. They end on time
        /// anyway; this is when a password that changes after its check-in changes.
        expiry_sweep: Span = Span::from_secs(5);
        /// The most accounts whose time of last access waits in memory to be written; beyond it, those
        /// of further accounts are in the audit trail alone.
        access_times: Count = Count::new(65_536);
        /// Memory for lists that are kept so that a page of a million costs what a page costs, and
        /// for the texts that are searched. Where a list takes more, `list_rows` rows are read.
        list_memory: Size = Size::from_mib(256);
        /// How long a list that nobody asks for stays in memory.
        list_idle: Span = Span::from_secs(900);
        /// The most rows that are read one after the other for one page.
        list_rows: Count = Count::new(100_000);
    }
}

section! {
    /// Passwords that are changed on their targets: machines, databases, directories.
    Reset {
        /// Networks that targets may be in although they are this machine, link-local, or where
        /// clouds tell machines their secrets. Every other address may be a target's.
        allow: Option<Vec<Text>> = None, such as "[\"127.0.0.0/8\"]";
        /// How long one conversation with a target may take. A reset has two or three of them.
        timeout: Span = Span::from_secs(10);
        /// How long a reset waits for another one of the same account.
        wait: Span = Span::from_secs(20);
        /// How long a target may still do what it was told after the line was cut; until then the
        /// new password is kept beside the one in force.
        grace: Span = Span::from_secs(60);
        /// After what time an unclear outcome, or a change that failed, is looked at again; each
        /// further time doubles it.
        retry: Span = Span::from_secs(30);
        /// The longest that doubles to.
        longest_retry: Span = Span::from_secs(3_600);
        /// How often it is looked what is to be settled or is due.
        sweep: Span = Span::from_secs(15);
        /// How many passwords are changed at once by rotation, and how many settled beside them. A
        /// host that does not answer is left alone for `retry`, so that it holds no other one up.
        at_once: Count = Count::new(4);
        /// How many logins a target may refuse of one account, whoever had them tried, before no
        /// reset has another one tried: targets lock accounts out, and nobody is to guess there.
        attempts: Count = Count::new(5);
        /// For how long, from the first of them on. A login that succeeds ends it.
        attempts_span: Span = Span::from_secs(900);
    }
}

section! {
    /// High availability.
    Ha {
        /// "primary", or "secondary": answers retrievals and refuses every change.
        mode: HaMode = HaMode::Primary;
    }
}

/// What this server is to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HaMode {
    /// It answers everything.
    Primary,
    /// It answers retrievals only.
    Secondary,
}
