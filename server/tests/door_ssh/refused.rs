//! What is no command is refused with one line, and opens nothing.

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelOpenFailure, cipher, kex, mac};

use crate::house::{Client, House, PASSWORD, Wish, done, failed, listen};

const RETRIEVE: &str = "RETRIEVE --resource=db1 --account=root";

async fn channel(client: &Client) -> Channel<Msg> {
    client.handle.channel_open_session().await.unwrap()
}

/// Whether the request that was made last was granted.
async fn granted(channel: &mut Channel<Msg>) -> bool {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return true,
            Some(ChannelMsg::Failure) | None => return false,
            Some(_) => {}
        }
    }
}

#[tokio::test]
async fn there_is_no_shell_and_no_subsystem() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    let shell = channel(&client).await;
    shell.request_shell(true).await.unwrap();
    let sftp = channel(&client).await;
    sftp.request_subsystem(true, "sftp").await.unwrap();

    let no_shell = "ERROR: There is no shell here: give a command, such as HELP.\n";
    assert_eq!(listen(shell).await, failed(2, no_shell));
    let no_sftp =
        "ERROR: There is no sftp and no other subsystem here: give a command, such as HELP.\n";
    assert_eq!(listen(sftp).await, failed(2, no_sftp));
}

#[tokio::test]
async fn scp_and_other_programs_are_no_commands() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    for program in [
        "scp -t /etc",
        "rsync --server",
        "/bin/sh -c id",
        "internal-sftp",
    ] {
        let said = client.run(program).await;
        let line = "ERROR: there is no such command: there are RETRIEVE, RESET_LOCAL, RESET_REMOTE, CREATE, LIST, HELP\n";
        assert_eq!(said, failed(2, line), "{program}");
    }
}

#[tokio::test]
async fn a_terminal_an_agent_and_x11_are_refused_and_the_command_is_done() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    let mut one = channel(&client).await;
    one.request_pty(true, "xterm", 80, 24, 0, 0, &[])
        .await
        .unwrap();
    assert!(!granted(&mut one).await);
    one.agent_forward(true).await.unwrap();
    assert!(!granted(&mut one).await);
    one.request_x11(true, false, "MIT-MAGIC-COOKIE-1", "00", 0)
        .await
        .unwrap();
    assert!(!granted(&mut one).await);
    one.exec(true, RETRIEVE).await.unwrap();

    assert_eq!(listen(one).await, done(&format!("{PASSWORD}\n")));
}

#[tokio::test]
async fn variables_are_passed_over_with_one_line() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    let mut one = channel(&client).await;
    one.set_env(true, "LC_ALL", "C").await.unwrap();
    assert!(!granted(&mut one).await);
    one.set_env(false, "LD_PRELOAD", "/x").await.unwrap();
    one.set_env(false, "PATH", "/x").await.unwrap();
    one.exec(true, RETRIEVE).await.unwrap();
    let said = listen(one).await;

    assert_eq!(said.out, format!("{PASSWORD}\n"));
    assert_eq!(
        said.err,
        "Environment variables are not taken here, and passed over.\n"
    );
    assert_eq!(said.exit, Some(0));
}

#[tokio::test]
async fn nothing_is_forwarded_in_either_direction() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;
    let handle = &client.handle;

    let direct = handle
        .channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 9)
        .await;
    let local = handle.channel_open_direct_streamlocal("/run/x").await;
    let x11 = handle.channel_open_x11("127.0.0.1", 9).await;
    for opened in [direct, local, x11] {
        let refused = opened.err();
        assert!(
            matches!(
                refused,
                Some(russh::Error::ChannelOpenFailure(
                    ChannelOpenFailure::AdministrativelyProhibited
                ))
            ),
            "{refused:?}"
        );
    }
    assert!(handle.tcpip_forward("127.0.0.1", 0).await.is_err());
    assert!(handle.streamlocal_forward("/run/x").await.is_err());
    assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
}

#[tokio::test]
async fn a_channel_takes_one_command() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    let one = channel(&client).await;
    one.exec(true, RETRIEVE).await.unwrap();
    one.exec(true, RETRIEVE).await.unwrap();

    assert_eq!(listen(one).await, done(&format!("{PASSWORD}\n")));
    assert_eq!(house.trail().await.len(), 1);
}

#[tokio::test]
async fn sha_1_cbc_and_old_exchanges_are_not_spoken() {
    let house = House::open().await;
    let usual = russh::Preferred::DEFAULT;

    for (what, preferred) in [
        (
            "kex",
            russh::Preferred {
                kex: (&[kex::DH_G14_SHA1, kex::DH_G1_SHA1]).into(),
                ..usual.clone()
            },
        ),
        (
            "group 14",
            russh::Preferred {
                kex: (&[kex::DH_G14_SHA256]).into(),
                ..usual.clone()
            },
        ),
        (
            "cipher",
            russh::Preferred {
                cipher: (&[cipher::AES_256_CBC, cipher::AES_128_CBC]).into(),
                ..usual.clone()
            },
        ),
        (
            "mac",
            russh::Preferred {
                cipher: (&[cipher::AES_256_CTR]).into(),
                mac: (&[mac::HMAC_SHA1, mac::HMAC_SHA1_ETM]).into(),
                ..usual.clone()
            },
        ),
    ] {
        assert!(house.connect_by(preferred).await.is_err(), "{what}");
    }
    let quantum = russh::Preferred {
        kex: (&[kex::MLKEM768X25519_SHA256]).into(),
        ..usual
    };
    assert!(house.connect_by(quantum).await.is_ok());
}
