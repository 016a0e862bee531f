//! Commands that take their time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use claviger::domain::{Level, Role};
use claviger::vault::{Resolve, ResolveError};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::house::{App, Client, House, PASSWORD, Wish, done, failed, listen};

const RETRIEVE: &str = "RETRIEVE --resource=db1 --account=root";
const PATIENCE: Duration = Duration::from_secs(20);

/// A name server that answers as often as it was told to.
#[derive(Debug)]
struct Names {
    asked: Notify,
    answers: Semaphore,
}

#[async_trait::async_trait]
impl Resolve for Names {
    async fn addresses(&self, _name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        self.asked.notify_one();
        self.answers.acquire().await.unwrap().forget();
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

/// A session of a user whose host has a name, and whose next command waits for the name server.
async fn waiting(mut wish: Wish) -> (House, Arc<Names>, Client) {
    let names = Arc::new(Names {
        asked: Notify::new(),
        answers: Semaphore::new(1),
    });
    wish.resolver = names.clone();
    let house = House::open_as(wish).await;
    let operator = house.operator().await;
    let app: App = house
        .app_at("app@app.example", Role::PasswordUser, 1, &operator)
        .await;
    house.shared("db1", &app, Level::View).await;
    let client = house.enter(&app).await;
    names.asked.notified().await;
    // Whoever is known has to be looked for again.
    house.app("other", Role::PasswordUser, 2).await;
    (house, names, client)
}

#[tokio::test]
async fn a_command_that_is_under_way_is_answered_before_the_door_closes() {
    let (mut house, names, client) = waiting(Wish::default()).await;
    let channel = client.handle.channel_open_session().await.unwrap();
    channel.exec(true, RETRIEVE).await.unwrap();
    names.asked.notified().await;

    let door = house.address;
    let answered = async {
        while TcpStream::connect(door).await.is_ok() {}
        names.answers.add_permits(1);
        listen(channel).await
    };
    let (said, ()) = tokio::join!(answered, house.close());

    assert_eq!(said, done(&format!("{PASSWORD}\n")));
    assert_eq!(house.trail().await.len(), 1);
}

#[tokio::test]
async fn a_command_that_is_not_finished_in_time_is_answered_with_5() {
    let wish = Wish::with(|settings| settings.answer = Duration::from_millis(200));
    let (house, names, client) = waiting(wish).await;

    let late = timeout(PATIENCE, client.run(RETRIEVE)).await.unwrap();

    let words = "ERROR: The server did not finish in time, and may have done it.\n";
    assert_eq!(late, failed(5, words));
    assert_eq!(house.trail().await.len(), 0, "nothing was decided");
    names.answers.add_permits(1);
    assert_eq!(client.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));
}
