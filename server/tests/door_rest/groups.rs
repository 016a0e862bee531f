//! Groups of resources: listed, filled, shown within lists.

use claviger::domain::{Level, Role};
use claviger::vault::{GranteeName, NewGroup};
use serde_json::{Value, json};

use crate::house::{App, House};

/// A group of resources; its id.
async fn group(house: &House, name: &str) -> u64 {
    let new = NewGroup {
        name: name.to_owned(),
        description: format!("all {name}"),
    };
    let operator = house.operator().await;
    let made = house.vault.add_resource_group(&new, &operator).await;
    made.unwrap().id.0
}

async fn share(house: &House, group: &str, app: &App) {
    let operator = house.operator().await;
    house
        .vault
        .share_resource_group(group, app.login.as_str(), Level::View, &operator)
        .await
        .unwrap();
}

fn names(answer: &Value) -> Vec<&str> {
    let rows = answer["operation"]["Details"].as_array();
    let rows = rows.map(Vec::as_slice).unwrap_or_default().iter();
    rows.map(|row| row["RESOURCE NAME"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn groups_are_listed_whole_to_administrators_and_what_is_shared_to_others() {
    let house = House::open().await;
    let (admin, app) = (
        house.admin().await,
        house.app("app", Role::PasswordUser).await,
    );
    let (first, second) = (group(&house, "linux").await, group(&house, "web").await);
    share(&house, "web", &app).await;

    let mut boss = house.talk(&admin).await;
    let all = boss.get("/resourcegroup").await.json();
    let page = json!({"STARTINDEX": 1, "LIMIT": 1});
    let part = boss.say("GET", "/resourcegroup", &page).await.json();
    let some = house.talk(&app).await.get("/resourcegroup").await.json();

    let row = |id: u64, name: &str| {
        json!({
            "resourceGroupId": id.to_string(),
            "resourceGroupName": name,
            "resourceGroupDescription": format!("all {name}"),
        })
    };
    let operation = &all["operation"];
    assert_eq!(operation["name"], "GET RESOURCE GROUPS");
    assert_eq!(
        operation["result"]["message"],
        "Resource groups fetched successfully"
    );
    assert_eq!(
        operation["Details"],
        json!([row(first, "linux"), row(second, "web")])
    );
    assert_eq!(operation["totalRows"], 2);
    assert_eq!(part["operation"]["Details"], json!([row(second, "web")]));
    assert_eq!(part["operation"]["totalRows"], 2);
    assert_eq!(some["operation"]["Details"], json!([row(second, "web")]));
    assert_eq!(some["operation"]["totalRows"], 1);
}

#[tokio::test]
async fn resources_are_put_into_a_group_each_by_itself() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let mine = house.shared("db1", &app, Level::Manage).await;
    let seen = house.shared("db2", &app, Level::View).await;
    let id = group(&house, "databases").await;
    let mut talk = house.talk(&app).await;
    let path = format!("/resourcegroup/{id}/associateResources");
    let put = |ids: Value| json!({"RESOURCEIDS": ids});

    let some = talk
        .post(&path, put(json!([mine.resource.0, seen.resource.0])))
        .await
        .json();
    let again = talk.post(&path, put(json!([mine.resource.0]))).await.json();
    let none = talk.post(&path, put(json!([seen.resource.0]))).await.told();
    let nowhere = talk
        .post(
            "/resourcegroup/99/associateResources",
            put(json!([mine.resource.0])),
        )
        .await
        .told();
    let empty = talk.post(&path, json!({})).await.told();
    let odd = talk.post(&path, put(json!(["db1"]))).await.told();

    let (db1, db2) = (mine.resource.to_string(), seen.resource.to_string());
    assert_eq!(
        some,
        json!({"operation": {
            "name": "ASSOCIATE RESOURCES",
            "result": {"status": "Success", "message": "Resource(s) associated successfully"},
            "Details": [
                {db1.as_str(): {"STATUS": "Resource associated successfully"}},
                {db2.as_str(): {"STATUS": "You are not allowed to do this."}},
            ],
        }})
    );
    assert_eq!(
        again["operation"]["Details"],
        json!([{db1: {"STATUS": "Resource is associated already"}}])
    );
    assert_eq!((none.2.as_str(), none.4.as_str()), ("Failed", "3"));
    assert_eq!(nowhere.3, "There is no such resource group.");
    assert_eq!(empty.3, "Invalid argument: RESOURCEIDS is missing.");
    assert_eq!(odd.3, "Invalid argument: RESOURCEIDS: one is no number.");
}

#[tokio::test]
async fn the_groups_of_a_resource_are_told_to_whoever_manages_it() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let mine = house.shared("db1", &app, Level::Manage).await;
    let seen = house.shared("db2", &app, Level::View).await;
    let id = group(&house, "databases").await;
    let operator = house.operator().await;
    house
        .vault
        .associate("db1", "databases", &operator)
        .await
        .unwrap();
    let mut talk = house.talk(&app).await;
    let path = |resource: u64| format!("/resources/{resource}/associatedGroups");

    let told = talk.get(&path(mine.resource.0)).await.json();
    let seen = talk.get(&path(seen.resource.0)).await.told();
    let missing = talk.get(&path(999)).await.told();

    assert_eq!(
        told,
        json!({"operation": {
            "name": "GET ASSOCIATED GROUPS",
            "result": {"status": "Success", "message": "Associated groups fetched successfully"},
            "totalRows": 1,
            "Details": {
                "RESOURCE ID": mine.resource.to_string(),
                "RESOURCE NAME": "db1",
                "ASSOCIATED GROUPS": [{"GROUP ID": id.to_string(), "GROUP NAME": "databases"}],
            },
        }})
    );
    assert_eq!(seen.4, "3");
    assert_eq!(missing.4, "2");
}

#[tokio::test]
async fn a_resource_is_made_and_edited_into_a_group_or_not_at_all() {
    let house = House::open().await;
    let (boss, app) = (
        house.app("deploy", Role::PasswordAdministrator).await,
        house.app("app", Role::PasswordUser).await,
    );
    group(&house, "web").await;
    share(&house, "web", &app).await;
    let mut talk = house.talk(&boss).await;
    let new = |name: &str, group: &str| {
        json!({"RESOURCENAME": name, "ACCOUNTNAME": "root", "PASSWORD": "Some-Pass1!word",
               "RESOURCEGROUPNAME": group})
    };

    let made = talk.post("/resources", new("www1", "web")).await.told();
    let default = talk.post("/resources", new("www2", "Default")).await.told();
    let nowhere = talk.post("/resources", new("www3", "nowhere")).await.told();
    let before = house.talk(&app).await.get("/resources").await.json();
    let id = talk.details("/resources/resourcename/www2").await["RESOURCEID"].clone();
    let path = format!("/resources/{}", id.as_str().unwrap());
    let into = json!({"RESOURCEGROUPNAME": "web"});
    let edited = [
        talk.put(&path, into.clone()).await.told().2,
        talk.put(&path, into).await.told().2,
    ];
    let lost = json!({"RESOURCEGROUPNAME": "nowhere", "LOCATION": "cellar"});
    let lost = talk.put(&path, lost).await.told();
    let after = house.talk(&app).await.get("/resources").await.json();
    let shown = talk.details(&format!("{path}/accounts")).await;

    assert_eq!(
        (made.2.as_str(), default.2.as_str()),
        ("Success", "Success")
    );
    assert_eq!(nowhere.3, "There is no such resource group.");
    assert_eq!(names(&before), ["www1"]);
    assert_eq!(edited, ["Success", "Success"]);
    assert_eq!(lost.3, "There is no such resource group.");
    assert_eq!(shown["LOCATION"], "", "nothing of it was done");
    assert_eq!(names(&after), ["www1", "www2"]);
    let missing = talk.get("/resources/resourcename/www3").await.told();
    assert_eq!(missing.4, "2", "it was not made");
}

#[tokio::test]
async fn lists_are_of_one_group_or_of_kinds_where_that_is_asked() {
    let house = House::open().await;
    let (admin, app) = (
        house.admin().await,
        house.app("app", Role::PasswordUser).await,
    );
    let mut ids = Vec::new();
    for name in ["db1", "db2", "db3"] {
        ids.push(house.shared(name, &app, Level::View).await.resource.0);
    }
    let (known, foreign) = (group(&house, "known").await, group(&house, "foreign").await);
    let operator = house.operator().await;
    for (resource, group) in [("db1", "known"), ("db3", "known"), ("db2", "foreign")] {
        let put = house.vault.associate(resource, group, &operator);
        put.await.unwrap();
    }
    share(&house, "known", &app).await;
    let (mut boss, mut talk) = (house.talk(&admin).await, house.talk(&app).await);
    let of = |id: u64| json!({"GROUPID": id});
    let kind = |word: &str| json!({"VIEWTYPE": word});

    let mine = talk.say("GET", "/resources", &of(known)).await.json();
    let searched = json!({"GROUPID": known, "SEARCHVALUE": "db3"});
    let searched = talk.say("GET", "/resources", &searched).await.json();
    let hidden = talk.say("GET", "/resources", &of(foreign)).await.told();
    let unknown = talk.say("GET", "/resources", &of(99)).await.told();
    let all = boss.say("GET", "/resources", &of(foreign)).await.json();
    let ssh = talk
        .say("GET", "/resources", &kind("LINUXSSHPASSWORD"))
        .await;
    let rdp = talk
        .say("GET", "/resources", &kind("WINDOWSRDPPASSWORD"))
        .await;
    let accounts = |id: u64| format!("/resources/{id}/accounts");
    let inside = talk.say("GET", &accounts(ids[0]), &of(known)).await;
    let outside = talk.say("GET", &accounts(ids[1]), &of(known)).await;

    assert_eq!(names(&mine), ["db1", "db3"]);
    assert_eq!(mine["operation"]["totalRows"], 2);
    assert_eq!(names(&searched), ["db3"]);
    assert_eq!(
        hidden, unknown,
        "what is not shared is as what is not there"
    );
    assert_eq!(hidden.3, "There is no such resource group.");
    assert_eq!(names(&all), ["db2"]);
    assert_eq!(ssh.json()["operation"]["totalRows"], 3);
    assert_eq!(rdp.json()["operation"]["totalRows"], 0);
    assert_eq!(inside.told().2, "Success");
    assert_eq!(outside.told().3, "There is no such resource in this group.");
}

#[tokio::test]
async fn anybody_may_ask_whether_the_server_is_ready_and_learns_no_more() {
    let house = House::open().await;
    let before = house.trail(10).await.len();

    let answer = house
        .connect()
        .await
        .ask("GET", "/restapi/json/v1/ping", &[], b"")
        .await;
    let verb = house
        .connect()
        .await
        .ask("POST", "/restapi/json/v1/ping", &[], b"")
        .await;

    assert_eq!(
        answer.json(),
        json!({"operation": {
            "name": "PING",
            "result": {"status": "Success", "message": "The server is ready"},
        }})
    );
    assert_eq!(verb.status, 405);
    assert_eq!(house.trail(10).await.len(), before, "nothing was decided");
}

#[tokio::test]
async fn a_group_is_shared_with_by_a_group_of_users_too() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let id = group(&house, "web").await;
    house.resource("www1", "Some-Pass1!word").await;
    let operator = house.operator().await;
    let users = NewGroup {
        name: "ops".to_owned(),
        ..NewGroup::default()
    };
    let vault = &house.vault;
    vault.add_group(&users, &operator).await.unwrap();
    vault
        .add_member("ops", &app.login, &operator)
        .await
        .unwrap();
    vault.associate("www1", "web", &operator).await.unwrap();
    let with = GranteeName::Group("ops");
    let shared = vault.share_resource_group("web", with, Level::View, &operator);
    shared.await.unwrap();

    let listed = house.talk(&app).await.get("/resourcegroup").await.json();
    let inside = json!({"GROUPID": id});
    let mut talk = house.talk(&app).await;
    let inside = talk.say("GET", "/resources", &inside).await.json();

    assert_eq!(listed["operation"]["totalRows"], 1);
    assert_eq!(names(&inside), ["www1"]);
}
