//! A line to a true target that is cut anywhere.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::postgres::{connector, postgres, psql};
use crate::scene::{scene, target};

/// Passes bytes on to `to`; the next connection is cut after so many of the target's bytes.
struct Proxy {
    port: u16,
    cut_after: Arc<AtomicUsize>,
}

impl Proxy {
    fn to(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut_after = Arc::new(AtomicUsize::new(usize::MAX));
        let cut = cut_after.clone();
        // Ends with the test program: nobody connects any more then.
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).unwrap();
                let most = cut.swap(usize::MAX, Ordering::SeqCst);
                pass(
                    near.try_clone().unwrap(),
                    far.try_clone().unwrap(),
                    usize::MAX,
                );
                pass(far, near, most);
            }
        });
        Self { port, cut_after }
    }

    fn cut_next_after(&self, bytes: usize) {
        self.cut_after.store(bytes, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut most: usize) {
    std::thread::spawn(move || {
        let mut room = [0; 512];
        while let Ok(count @ 1..) = from.read(&mut room) {
            let passed = count.min(most);
            most -= passed;
            let some = room.get(..passed).unwrap_or_default();
            if to.write_all(some).is_err() || most == 0 {
                break;
            }
        }
        let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

#[tokio::test]
async fn wherever_the_line_is_cut_the_vault_knows_a_password_that_logs_in() {
    let Some(postgres) =
        postgres("wherever_the_line_is_cut_the_vault_knows_a_password_that_logs_in")
    else {
        return;
    };
    assert!(psql(&postgres, "CREATE ROLE app LOGIN PASSWORD 'old'"));
    let proxy = Proxy::to(postgres.port);
    let scene = scene("app", "old").await;
    scene.reach(&target(connector(), proxy.port)).await;
    let mut outcomes = (0, 0);

    for step in 0..40 {
        proxy.cut_next_after(1 + step * 64);
        match scene.change("app", &format!("n3w-s3cret-{step}")).await {
            Ok(()) => outcomes.0 += 1,
            Err(_) => outcomes.1 += 1,
        }
        proxy.cut_next_after(usize::MAX);
        scene.house.clock.pass(Duration::from_secs(600));
        scene.house.vault.heal(true).await.unwrap();

        assert!(scene.opens("app").await, "{step}");
        assert_eq!(scene.pending().await, 0, "{step}");
    }

    assert!(outcomes.0 > 0 && outcomes.1 > 0, "{outcomes:?}");
}
