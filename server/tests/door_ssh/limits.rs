//! What a connection may cost.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::Duration;

use claviger::doors::CrowdSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::house::{House, PASSWORD, Said, Wish, done, listen};

const RETRIEVE: &str = "RETRIEVE --resource=db1 --account=root";
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads until the server hangs up.
async fn hung_up(mut socket: TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    let ended = timeout(PATIENCE, socket.read_to_end(&mut read)).await;
    // A reset is an end, too.
    let _reset = ended.unwrap();
    read
}

#[tokio::test]
async fn whoever_does_not_log_in_in_time_is_hung_up_on() {
    let wish = Wish::with(|settings| settings.login = Duration::from_millis(300));
    let house = House::open_as(wish).await;
    let silent = TcpStream::connect(house.address).await.unwrap();
    let mut greeted = TcpStream::connect(house.address).await.unwrap();
    greeted.write_all(b"SSH-2.0-x\r\n").await.unwrap();
    let exchanged = house.connect().await;

    assert_eq!(hung_up(silent).await, b"SSH-2.0-Claviger\r\n");
    assert!(hung_up(greeted).await.starts_with(b"SSH-2.0-Claviger\r\n"));
    assert!(exchanged.handle.channel_open_session().await.is_err());
    assert!(house.trail().await.is_empty(), "nobody gave a name");
}

#[tokio::test]
async fn an_endless_banner_is_cut_off() {
    let house = House::open().await;
    let mut socket = TcpStream::connect(house.address).await.unwrap();

    let flood = async {
        let line = [b'x'; 4096];
        while socket.write_all(&line).await.is_ok() {}
    };

    timeout(PATIENCE, flood).await.expect("the server hangs up");
}

#[tokio::test]
async fn a_flood_of_pings_before_the_log_in_is_cut_off() {
    let house = House::open().await;
    let mut socket = TcpStream::connect(house.address).await.unwrap();
    socket.write_all(b"SSH-2.0-x\r\n").await.unwrap();
    // SSH_MSG_PING of OpenSSH, as in CVE-2025-26466, in the clear and before any key exchange.
    let ping = [0, 0, 0, 12, 6, 192, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    let flood = async { while socket.write_all(&ping.repeat(256)).await.is_ok() {} };

    timeout(PATIENCE, flood).await.expect("the server hangs up");
}

#[tokio::test]
async fn a_length_alone_keeps_no_memory_before_the_log_in() {
    let wish = Wish::with(|settings| settings.login = Duration::from_secs(600));
    let house = House::open_as(wish).await;
    let mut socket = TcpStream::connect(house.address).await.unwrap();
    socket.write_all(b"SSH-2.0-x\r\n").await.unwrap();
    // That a packet of 256 KiB follows.
    socket.write_all(&[0, 4, 0, 0]).await.unwrap();

    assert!(hung_up(socket).await.starts_with(b"SSH-2.0-Claviger\r\n"));
}

#[tokio::test]
async fn pings_keep_no_session_open() {
    let wish = Wish::with(|settings| settings.idle = Duration::from_millis(500));
    let (house, app) = House::with_app(wish).await;
    let client = house.enter(&app).await;

    let pinging = async { while client.handle.send_ping().await.is_ok() {} };

    timeout(PATIENCE, pinging)
        .await
        .expect("the server hangs up");
}

#[tokio::test]
async fn a_flood_of_pings_after_the_log_in_is_cut_off() {
    let wish = Wish::with(|settings| settings.idle_input = 64 * 1024);
    let (house, app) = House::with_app(wish).await;
    let client = house.enter(&app).await;

    let flood = async { while client.handle.send_keepalive(false).await.is_ok() {} };

    timeout(PATIENCE, flood).await.expect("the server hangs up");
    assert_eq!(
        house.enter(&app).await.run(RETRIEVE).await,
        done(&format!("{PASSWORD}\n"))
    );
}

#[tokio::test]
async fn each_address_has_its_share_of_connections() {
    let wish = Wish {
        crowd: CrowdSettings {
            all: 100,
            per_address: 2,
        },
        ..Wish::default()
    };
    let house = House::open_as(wish).await;
    let one = house.connect().await;
    let _two = house.connect().await;

    let third = TcpStream::connect(house.address).await.unwrap();
    assert_eq!(hung_up(third).await, b"");
    drop(one);
    let mut tries = 0;
    while house.connect_by(russh::Preferred::DEFAULT).await.is_err() {
        tries += 1;
        assert!(tries < 1000, "a place that was given back is free again");
    }
}

/// A connection from that address, on which the server has said what it is.
async fn half_open(house: &House, from: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(house.address).await.unwrap();
    let mut greeting = [0; 18];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(&greeting, b"SSH-2.0-Claviger\r\n");
    stream
}

#[tokio::test]
async fn half_open_connections_from_four_addresses_keep_nobody_out() {
    let wish = Wish::with(|settings| settings.half_open = 8);
    let (house, app) = House::with_app(wish).await;
    let inside = house.enter(&app).await;
    let mut held = Vec::new();
    for number in 0..40 {
        held.push(half_open(&house, [127, 0, 9, number % 4 + 1]).await);
    }

    let entered = house.enter(&app).await;

    let newest = held.split_off(33);
    for given_up in held {
        assert_eq!(hung_up(given_up).await, b"");
    }
    for client in [inside, entered] {
        assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
    }
    for socket in &newest {
        let nothing = socket.try_read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(nothing, Err(ErrorKind::WouldBlock), "it still waits");
    }
}

#[tokio::test]
async fn half_open_connections_from_one_address_do_not_close_the_door_to_it() {
    let mut wish = Wish::with(|settings| settings.half_open_of_network = 4);
    wish.crowd.per_address = 16;
    let (house, app) = House::with_app(wish).await;
    let inside = house.enter(&app).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(half_open(&house, [127, 0, 0, 1]).await);
        // The server has given up as many, and is done with them.
        if held.len() > 4 {
            assert_eq!(hung_up(held.remove(0)).await, b"");
        }
    }

    let entered = house.enter(&app).await;

    for client in [inside, entered] {
        assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
    }
    assert_eq!(hung_up(held.remove(0)).await, b"");
    for socket in &held {
        let nothing = socket.try_read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(nothing, Err(ErrorKind::WouldBlock), "it still waits");
    }
}

#[tokio::test]
async fn ten_thousand_half_open_connections_keep_nobody_out() {
    let wish = Wish::with(|settings| {
        settings.half_open = 400;
        // Room is made for whoever comes, and not by waiting.
        settings.login = Duration::from_secs(600);
    });
    let (house, app) = House::with_app(wish).await;
    let mut held = VecDeque::new();
    for number in 0..10_000_u16 {
        let [high, low] = (number / 100).to_be_bytes();
        held.push_back(half_open(&house, [127, 9 + high, low, 1]).await);
        // So that the test has files enough: the server has given up as many.
        if held.len() > 1000 {
            held.pop_front();
        }
    }

    let entered = house.enter(&app).await;

    assert_eq!(entered.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
}

#[tokio::test]
async fn attempts_to_log_in_are_counted() {
    let wish = Wish::with(|settings| settings.attempts = 2);
    let (house, app) = House::with_app(wish).await;
    let mut client = house.connect().await;

    for _ in 0..4 {
        assert!(!client.login("nobody", &crate::house::key(6)).await);
    }

    assert!(
        !client.login(&app.name, &app.key).await,
        "it was hung up on"
    );
    assert!(house.trail().await.len() <= 3);
}

#[tokio::test]
async fn channels_and_commands_of_a_connection_are_counted() {
    let wish = Wish::with(|settings| {
        settings.channels = 2;
        settings.commands = 4;
    });
    let (house, app) = House::with_app(wish).await;
    let client = house.enter(&app).await;

    let one = client.handle.channel_open_session().await.unwrap();
    let _two = client.handle.channel_open_session().await.unwrap();
    assert!(
        client.handle.channel_open_session().await.is_err(),
        "two at once"
    );
    one.close().await.unwrap();
    for _ in 0..2 {
        assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
    }
    assert!(
        client.handle.channel_open_session().await.is_err(),
        "four in all"
    );
}

#[tokio::test]
async fn packets_and_windows_have_a_least_size() {
    let (house, app) = House::with_app(Wish::default()).await;
    for (packet, window, fits) in [(512, 512, true), (511, 4096, false), (4096, 511, false)] {
        let config = russh::client::Config {
            maximum_packet_size: packet,
            window_size: window,
            ..russh::client::Config::default()
        };
        let mut client = house.connect_as(config).await.unwrap();
        assert!(client.login(&app.name, &app.key).await);

        let opened = client.handle.channel_open_session().await;

        assert_eq!(opened.is_ok(), fits, "{packet} {window}");
        if fits {
            assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_longer_than_a_window_comes_whole_and_gives_its_channel_back() {
    let wish = Wish::with(|settings| settings.channels = 1);
    let (house, app) = House::with_app(wish).await;
    for name in 0..16 {
        let name = format!("a-resource-with-a-long-name-{name:02}");
        house
            .shared(&name, &app, claviger::domain::Level::View)
            .await;
    }
    let config = russh::client::Config {
        window_size: 512,
        ..russh::client::Config::default()
    };
    let mut client = house.connect_as(config).await.unwrap();
    assert!(client.login(&app.name, &app.key).await);

    for _ in 0..2 {
        let list = client.run("LIST").await;

        assert_eq!((list.out.lines().count(), list.exit), (17, Some(0)));
    }
}

#[tokio::test]
async fn whoever_does_not_read_its_answer_is_hung_up_on() {
    let mut wish = Wish::with(|settings| settings.idle = Duration::from_millis(500));
    wish.crowd.per_address = 1;
    let (house, app) = House::with_app(wish).await;
    for name in 0..64 {
        let name = format!("a-resource-with-a-long-name-{name:02}");
        let level = claviger::domain::Level::View;
        house.shared(&name, &app, level).await;
    }
    // It has room for one message that nobody takes, and so for no answer.
    let config = russh::client::Config {
        window_size: 512,
        channel_buffer_size: 1,
        ..russh::client::Config::default()
    };
    let mut client = house.connect_as(config).await.unwrap();
    assert!(client.login(&app.name, &app.key).await);
    let channel = client.handle.channel_open_session().await.unwrap();
    channel.exec(true, "LIST").await.unwrap();

    let again = async { while house.connect_by(russh::Preferred::DEFAULT).await.is_err() {} };

    timeout(PATIENCE, again).await.expect("its place is free");
}

#[tokio::test]
async fn keys_are_exchanged_anew_between_two_commands_and_before_an_answer() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    for _ in 0..3 {
        client.handle.rekey_soon().await.unwrap();
        assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
    }

    assert_eq!(house.trail().await.len(), 3);
}

#[tokio::test]
async fn whoever_was_sent_away_gets_nothing_more_and_has_to_go() {
    let wish = Wish::with(|settings| settings.linger = Duration::from_millis(500));
    let (house, app) = House::with_app(wish).await;
    let client = house.enter(&app).await;
    let spare = client.handle.channel_open_session().await.unwrap();
    house.lock(&app).await;

    assert_eq!(client.run(RETRIEVE).await.exit, Some(1));
    // It may have been hung up on already.
    let _sent = spare.exec(true, "HELP").await;

    let said = timeout(PATIENCE, listen(spare)).await;
    assert_eq!(said.expect("the server hangs up"), Said::default());
}

#[tokio::test]
async fn a_command_and_an_answer_have_their_lengths() {
    let wish = Wish::with(|settings| {
        settings.command = 64;
        settings.output = 10;
    });
    let (house, app) = House::with_app(wish).await;
    let client = house.enter(&app).await;

    let long = client
        .run(&format!("{RETRIEVE} --reason={}", "x".repeat(64)))
        .await;
    let answer = client.run(RETRIEVE).await;
    let list = client.run("LIST").await;

    assert_eq!(
        (long.exit, long.err.as_str()),
        (Some(2), "ERROR: a command has at most 64 bytes\n")
    );
    assert_eq!(answer.exit, Some(5));
    assert_eq!(answer.out, "");
    assert_eq!(list, done("db1\troot\n"));
}

#[tokio::test]
async fn closing_lets_nobody_in_and_ends_what_is_idle() {
    let (mut house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;
    let half = TcpStream::connect(house.address).await.unwrap();
    assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));

    timeout(PATIENCE, house.close()).await.expect("it closes");

    assert!(client.handle.channel_open_session().await.is_err());
    hung_up(half).await;
    assert!(TcpStream::connect(house.address).await.is_err());
}
