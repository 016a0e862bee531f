//! The sixteen requests of the original's manual, envelope by envelope.

use std::time::Duration;

use claviger::domain::{Level, Role};
use claviger::vault::NewAccessControl;
use serde_json::{Value, json};

use crate::house::{App, House, PASSWORD};

fn success(name: &str, message: &str) -> Value {
    json!({"operation": {"name": name, "result": {"status": "Success", "message": message}}})
}

fn success_with(name: &str, message: &str, details: &Value) -> Value {
    let mut whole = success(name, message);
    whole["operation"]["Details"] = details.clone();
    whole
}

/// A resource under access control that `app` may view, and an approver.
async fn controlled(house: &House) -> (App, App, u64, u64) {
    let app = house.app("app", Role::PasswordUser).await;
    let approver = house.app("chief", Role::PasswordAdministrator).await;
    let made = house.shared("db1", &app, Level::View).await;
    let control = NewAccessControl {
        approvers: vec![approver.login.clone()],
        approver_groups: Vec::new(),
        approvals: 1,
        exclusive: true,
        longest: Duration::from_secs(3600),
        reason: false,
        ticket: false,
        change_after: None,
    };
    house
        .vault
        .set_access_control(("db1", None), &control, &house.operator().await)
        .await
        .unwrap();
    (app, approver, made.resource.0, made.account.0)
}

#[tokio::test]
async fn resources_are_listed_as_in_the_manual() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let mut talk = house.talk(&app).await;

    let none = talk.get("/resources").await;
    let made = house.shared("db1", &app, Level::View).await;
    let one = talk.get("/resources").await;

    let mut empty = success("GET RESOURCES", "Resources fetched successfully");
    empty["operation"]["totalRows"] = json!(0);
    assert_eq!((none.status, none.json()), (200, empty));
    let row = json!([{
        "RESOURCE DESCRIPTION": "",
        "RESOURCE TYPE": "Linux",
        "RESOURCE ID": made.resource.to_string(),
        "RESOURCE NAME": "db1",
        "NOOFACCOUNTS": "1",
    }]);
    let mut listed = success_with("GET RESOURCES", "Resources fetched successfully", &row);
    listed["operation"]["totalRows"] = json!(1);
    assert_eq!((one.status, one.json()), (200, listed));
}

#[tokio::test]
async fn the_accounts_of_a_resource_are_listed_with_it() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let mut talk = house.talk(&app).await;

    let path = format!("/resources/{}/accounts", made.resource);
    let answer = talk.get(&path).await;

    let json = answer.json();
    let operation = &json["operation"];
    assert_eq!(operation["name"], "GET RESOURCE ACCOUNTLIST");
    let message = "Resource details with account list fetched successfully";
    assert_eq!(
        operation["result"],
        json!({"status": "Success", "message": message})
    );
    let details = operation["Details"].as_object().unwrap();
    for (key, value) in [
        ("RESOURCE ID", made.resource.to_string()),
        ("RESOURCE NAME", "db1".to_owned()),
        ("RESOURCE DESCRIPTION", String::new()),
        ("RESOURCE TYPE", "Linux".to_owned()),
        ("DNS NAME", String::new()),
        ("DEPARTMENT", String::new()),
        ("LOCATION", String::new()),
        ("RESOURCE URL", String::new()),
        ("RESOURCE OWNER", "N/A".to_owned()),
        ("DOMAIN NAME", String::new()),
        ("RESOURCE PASSWORD POLICY", "Low".to_owned()),
    ] {
        assert_eq!(details[key], json!(value), "{key}");
    }
    assert!(!details.contains_key("CUSTOM FIELD"), "none is defined");
    let account = &details["ACCOUNT LIST"][0];
    let id = made.account.to_string();
    for (key, value) in [
        ("ACCOUNT ID", id.as_str()),
        ("ACCOUNT NAME", "root"),
        ("PASSWDID", id.as_str()),
        ("PASSWORD STATUS", "****"),
        ("ISFAVPASS", "false"),
        ("ISREASONREQUIRED", "false"),
        ("IS_TICKETID_REQD", "false"),
        ("IS_TICKETID_REQD_MANDATORY", "false"),
        ("IS_TICKETID_REQD_ACW", "false"),
        ("ACCOUNT PASSWORD POLICY", "Low"),
    ] {
        assert_eq!(account[key], value, "{key}");
    }
    assert_eq!(account["AUTOLOGONLIST"], json!([]));
}

#[tokio::test]
async fn an_account_is_told_in_detail() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let mut talk = house.talk(&app).await;

    let path = format!("/resources/{}/accounts/{}", made.resource, made.account);
    let answer = talk.get(&path).await;

    let json = answer.json();
    let operation = &json["operation"];
    assert_eq!(operation["name"], "GET RESOURCE ACCOUNT DETAILS");
    assert_eq!(
        operation["result"]["message"],
        "Account details fetched successfully"
    );
    let details = &operation["Details"];
    for (key, value) in [
        ("DESCRIPTION", "N/A"),
        ("PASSWDID", made.account.to_string().as_str()),
        ("LAST ACCESSED TIME", "N/A"),
        ("EXPIRY STATUS", "Valid"),
        ("COMPLIANT STATUS", "Compliant"),
        ("COMPLIANT REASON", "-"),
        ("PASSWORD STATUS", "****"),
        ("PASSWORD POLICY", "Low"),
    ] {
        assert_eq!(details[key], value, "{key}");
    }
    let modified = details["LAST MODIFIED TIME"].as_str().unwrap();
    assert!(
        modified.ends_with("AM") || modified.ends_with("PM"),
        "{modified}"
    );
}

#[tokio::test]
async fn a_password_is_fetched_and_changed() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::Modify).await;
    let mut talk = house.talk(&app).await;
    let path = format!(
        "/resources/{}/accounts/{}/password",
        made.resource, made.account
    );

    let first = talk.get(&path).await;
    let change = json!({
        "NEWPASSWORD": "Test@12345$x", "RESETTYPE": "LOCAL", "REASON": "Password Expired",
    });
    let changed = talk.put(&path, change).await;
    let second = talk.details(&path).await;
    let generated = talk.put(&path, json!({"RESETTYPE": "LOCAL"})).await.json();
    let third = talk.details(&path).await;

    let fetched = "Password fetched successfully";
    let expected = success_with("GET PASSWORD", fetched, &json!({"PASSWORD": PASSWORD}));
    assert_eq!((first.status, first.json()), (200, expected));
    let expected = success("CHANGE PASSWORD", "Password changed successfully");
    assert_eq!((changed.status, changed.json()), (200, expected));
    assert_eq!(second, json!({"PASSWORD": "Test@12345$x"}));
    assert_eq!(
        generated["operation"]["Details"], third,
        "one that was generated is told"
    );
}

#[tokio::test]
async fn a_remote_reset_without_a_way_changes_nothing() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::Modify).await;
    let mut talk = house.talk(&app).await;
    let path = format!(
        "/resources/{}/accounts/{}/password",
        made.resource, made.account
    );

    let change = json!({"NEWPASSWORD": "Test@12345$x", "RESETTYPE": "REMOTE"});
    let refused = talk.put(&path, change).await.told();
    let odd = talk
        .put(&path, json!({"RESETTYPE": "ELSEWHERE"}))
        .await
        .told();

    assert_eq!(
        (refused.0, refused.2.as_str(), refused.4.as_str()),
        (200, "Failed", "8")
    );
    assert!(
        refused.3.starts_with("Password reset failed: "),
        "{}",
        refused.3
    );
    assert_eq!(
        odd.3,
        "Invalid argument: RESETTYPE is neither LOCAL nor REMOTE."
    );
    assert_eq!(talk.details(&path).await, json!({"PASSWORD": PASSWORD}));
}

#[tokio::test]
async fn a_resource_is_created_found_by_names_and_deleted() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let mut talk = house.talk(&app).await;
    let new = json!({
        "RESOURCENAME": "Windows Server", "ACCOUNTNAME": "Administrator",
        "RESOURCETYPE": "Windows", "PASSWORD": "Test123#@!xy", "NOTES": "Testing API",
        "RESOURCEURL": "http://windowsserver/adminconsole",
        "RESOURCECUSTOMFIELD": [{"CUSTOMLABEL": "Secure Resource", "CUSTOMVALUE": "YES"}],
    });

    let created = talk.post("/resources", new.clone()).await;
    let again = talk.post("/resources", new).await.told();
    let named = "/resources/resourcename/Windows%20Server/accounts/accountname/Administrator";
    let ids = talk.get(named).await.json();
    let resource = ids["operation"]["Details"]["RESOURCEID"]
        .as_str()
        .unwrap()
        .to_owned();
    let account = ids["operation"]["Details"]["ACCOUNTID"]
        .as_str()
        .unwrap()
        .to_owned();
    let password = talk
        .details(&format!(
            "/resources/{resource}/accounts/{account}/password"
        ))
        .await;
    let listed = talk
        .details(&format!("/resources/{resource}/accounts"))
        .await;
    let deleted = talk.delete(&format!("/resources/{resource}")).await;
    let gone = talk.get(named).await.told();

    let message = "Resource Windows Server has been added successfully";
    let expected = success("CREATE RESOURCE", message);
    assert_eq!((created.status, created.json()), (200, expected));
    assert_eq!(
        (again.3.as_str(), again.4.as_str()),
        ("Resource with the given resource name already exists.", "1")
    );
    let message = "Resource id and account id fetched successfully for the given resource name";
    let both = json!({"RESOURCEID": resource, "ACCOUNTID": account});
    assert_eq!(ids, success_with("GET_RESOURCEACCOUNTNAME", message, &both));
    assert_eq!(password, json!({"PASSWORD": "Test123#@!xy"}));
    assert_eq!(listed["RESOURCE URL"], "http://windowsserver/adminconsole");
    assert_eq!(listed["RESOURCE OWNER"], "deploy@127.0.0.1");
    assert_eq!(
        listed["ACCOUNT LIST"][0]["ACCOUNT_DESCRIPTION"],
        "Testing API"
    );
    let field = json!([{
        "CUSTOMFIELDVALUE": "YES", "CUSTOMFIELDTYPE": "Character",
        "CUSTOMFIELDLABEL": "Secure Resource", "CUSTOMFIELDCOLUMNNAME": "COLUMN_CHAR1",
    }]);
    assert_eq!(listed["CUSTOM FIELD"], field);
    let expected = success("DELETE RESOURCE", "Resources deleted successfully.");
    assert_eq!((deleted.status, deleted.json()), (200, expected));
    assert_eq!((gone.2.as_str(), gone.4.as_str()), ("Failed", "2"));
}

#[tokio::test]
async fn the_manuals_post_deletes_only_where_nothing_comes_with_it() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let made = house.shared("db1", &app, Level::Manage).await;
    let mut talk = house.talk(&app).await;
    let path = format!("/resources/{}", made.resource);

    let edited = talk
        .post(&path, json!({"RESOURCENAME": "db2"}))
        .await
        .told();
    let still = talk.get(&format!("{path}/accounts")).await.told();
    let deleted = talk.say("POST", &path, &Value::Null).await;

    assert_eq!((edited.2.as_str(), edited.4.as_str()), ("Failed", "7"));
    assert_eq!(still.2, "Success");
    let expected = success("DELETE RESOURCE", "Resources deleted successfully.");
    assert_eq!(deleted.json(), expected);
}

#[tokio::test]
async fn a_password_is_requested_approved_checked_out_and_in() {
    let house = House::open().await;
    let (app, approver, resource, account) = controlled(&house).await;
    let (mut talk, mut chief) = (house.talk(&app).await, house.talk(&approver).await);
    let below = format!("/accounts/{account}");
    let password = format!("/resources/{resource}/accounts/{account}/password");

    let early = talk.get(&password).await.told();
    let none = chief.get("/accounts/passwordaccessrequests").await.json();
    let asked = talk
        .post(
            &format!("{below}/requestpassword"),
            json!({"REASON": "Testing"}),
        )
        .await;
    let list = chief.get("/accounts/passwordaccessrequests").await.json();
    let requester = list["operation"]["Details"][0]["REQUESTER USERID"]
        .as_str()
        .unwrap();
    let path = format!("{below}/requester/{requester}/approve");
    let approved = chief.say("POST", &path, &Value::Null).await;
    let out = talk
        .post(&format!("{below}/checkout"), json!({"REASON": "N/A"}))
        .await;
    let held = talk.details(&password).await;
    let in_use = chief.get(&password).await.told();
    let back = talk
        .post(&format!("{below}/checkin"), json!({"REASON": "N/A"}))
        .await;
    let late = talk.get(&password).await.told();

    let first = "This password is given out on request only. Request it first.";
    assert_eq!((early.3.as_str(), early.4.as_str()), (first, "13"));
    let fetched = "Password Request fetched successfully";
    let mut empty = success("GET_PASSWORDREQUEST", fetched);
    empty["operation"]["totalRows"] = json!(0);
    assert_eq!(none, empty);
    let waiting = json!({"STATUS": "WAITING FOR APPROVAL / CHECKOUT"});
    let message = "Request to view password have been raised successfully";
    assert_eq!(
        asked.json(),
        success_with("REQUEST_PASSWORD", message, &waiting)
    );
    assert_eq!(list["operation"]["totalRows"], 1);
    let details = &list["operation"]["Details"][0];
    assert_eq!(requester, app.id.to_string());
    assert_eq!(details["REQUESTED BY"], app.login.as_str());
    assert_eq!(details["REQUESTED BY FULLNAME"], "app@127.0.0.1 - API User");
    let entry = &details["PASSWORDREQUESTLIST"][0];
    for (key, value) in [
        ("ACCOUNT ID", account.to_string()),
        ("ACCOUNT NAME", "root".to_owned()),
        ("RESOURCE ID", resource.to_string()),
        ("RESOURCE NAME", "db1".to_owned()),
        ("PASSWD ID", account.to_string()),
        ("STATUS", "WAITING FOR APPROVAL / CHECKOUT".to_owned()),
        ("REASON", "Testing".to_owned()),
    ] {
        assert_eq!(entry[key], json!(value), "{key}");
    }
    let expected = success("ADMIN_REQUEST_APPROVE", "Password Approved successfully");
    assert_eq!(approved.json(), expected);
    let message = "Password have been checked out successfully";
    let holding = json!({"STATUS": "***** [checkIn]"});
    assert_eq!(
        out.json(),
        success_with("REQUEST_CHECKOUT", message, &holding)
    );
    assert_eq!(held, json!({"PASSWORD": PASSWORD}));
    assert_eq!(in_use.2, "Failed");
    let message = "Password have been checked in successfully";
    let free = json!({"STATUS": "[REQUEST]"});
    assert_eq!(back.json(), success_with("REQUEST_CHECKIN", message, &free));
    assert_eq!(late.4, "13");
}

#[tokio::test]
async fn an_approver_rejects_and_takes_back() {
    let house = House::open().await;
    let (app, approver, _, account) = controlled(&house).await;
    let (mut talk, mut chief) = (house.talk(&app).await, house.talk(&approver).await);
    let below = format!("/accounts/{account}");
    let decide = |word: &str| format!("{below}/requester/{}/{word}", app.id);
    let ask = format!("{below}/requestpassword");

    talk.post(&ask, json!({"REASON": "x"})).await;
    let rejected = chief.say("POST", &decide("reject"), &Value::Null).await;
    talk.post(&ask, json!({"REASON": "x"})).await;
    chief.say("POST", &decide("approve"), &Value::Null).await;
    talk.post(&format!("{below}/checkout"), json!({})).await;
    let taken = chief.say("POST", &decide("checkin"), &Value::Null).await;
    let none = chief
        .say("POST", &decide("checkin"), &Value::Null)
        .await
        .told();
    let own = talk
        .say("POST", &decide("approve"), &Value::Null)
        .await
        .told();

    let expected = success("ADMIN_REQUEST_REJECT", "Password Rejected successfully");
    assert_eq!(rejected.json(), expected);
    let message = "Password have been checked in successfully";
    assert_eq!(taken.json(), success("ADMIN_REQUEST_CHECKIN", message));
    assert_eq!((none.2.as_str(), none.4.as_str()), ("Failed", "7"));
    assert_eq!((own.2.as_str(), own.4.as_str()), ("Failed", "3"));
}

#[tokio::test]
async fn a_user_is_created_by_an_administrator_only() {
    let house = House::open().await;
    let admin = house.admin().await;
    let other = house.app("deploy", Role::PasswordAdministrator).await;
    let new = json!({
        "USERNAME": "jason", "FIRSTNAME": "Jason", "LASTNAME": "Thomas",
        "EMAIL": "jason@opmanager.com", "PASSWORD": "Pa55w0Rd123", "POLICY": "Strong",
        "ROLE": "Password Administrator", "ISSUPERADMIN": "false", "DEPARTMENT": "NOC",
        "LOCATION": "Level 10 - South Wing", "ENABLEMOBILEACCESS": "true",
        "LANDLINE_COUNTRYCODE": "+1", "LANDLINE": "925-965-9647", "ENABLETWOFACTOR": "false",
        "PRIMARYCONTACT": "landline",
    });

    let refused = house
        .talk(&other)
        .await
        .post("/user", new.clone())
        .await
        .told();
    let created = house.talk(&admin).await.post("/user", new).await;

    assert_eq!((refused.2.as_str(), refused.4.as_str()), ("Failed", "3"));
    assert_eq!(
        created.json(),
        success("CREATE_USER", "User Created Successfully")
    );
    let operator = house.operator().await;
    let user = house.vault.user("jason", &operator).await.unwrap();
    assert_eq!(user.full_name.as_str(), "Jason Thomas");
    assert_eq!(user.role, Role::PasswordAdministrator);
    assert_eq!(user.location.as_str(), "Level 10 - South Wing");
}

#[tokio::test]
async fn a_password_is_requested_for_later_and_checked_out_in_its_time_only() {
    let house = House::open().await;
    let (app, approver, _, account) = controlled(&house).await;
    let (mut talk, mut chief) = (house.talk(&app).await, house.talk(&approver).await);
    let path = |word: &str| format!("/accounts/{account}/{word}");
    let minutes = |minutes: i64| {
        let at = house.vault.now().0 / 60_000 * 60_000 + minutes * 60_000;
        let at = jiff::Timestamp::from_millisecond(at).unwrap();
        at.strftime("%d/%m/%Y %H:%M").to_string()
    };
    let later = |from: i64, until: i64| json!({"REASON": "r", "ACCESS": "later", "STARTTIME": minutes(from), "ENDTIME": minutes(until)});

    let mut odd = Vec::new();
    for wrong in [
        json!({"ACCESS": "later"}),
        json!({"ACCESS": "later", "STARTTIME": "tomorrow", "ENDTIME": "31/12/2030 10:00"}),
        later(60, 30),
        later(-60, -30),
        later(60, 60 * 24 * 40),
        later(60 * 24 * 400, 60 * 24 * 401),
    ] {
        odd.push(talk.post(&path("requestpassword"), wrong).await.told().4);
    }
    let raised = talk.post(&path("requestpassword"), later(60, 90)).await;
    let listed = chief.details("/accounts/passwordaccessrequests").await;
    let approve = path(&format!("requester/{}/approve", app.id));
    let approved = chief.post(&approve, Value::Null).await.told();
    let early = talk.post(&path("checkout"), Value::Null).await.told();
    house.clock.forward(Duration::from_secs(3600));
    let out = talk.post(&path("checkout"), Value::Null).await.told();
    house.clock.forward(Duration::from_secs(1800));
    let after = talk.post(&path("checkin"), Value::Null).await.told();

    assert_eq!(odd, ["7"; 6]);
    assert_eq!(raised.told().2, "Success");
    let entry = &listed[0]["PASSWORDREQUESTLIST"][0];
    assert!(entry["START_TIME"].is_string() && entry["END_TIMESTAMP"].is_string());
    assert_eq!(approved.2, "Success");
    assert_eq!(
        (early.3.as_str(), early.4.as_str()),
        ("The request is for later. Its time has not come.", "13")
    );
    assert_eq!(out.2, "Success");
    assert_eq!(
        after.3, "There is no such check-out.",
        "its time is up, not the hour"
    );
}

#[tokio::test]
async fn a_request_says_no_more_than_is_kept_of_it() {
    let house = House::open().await;
    let (app, _, _, account) = controlled(&house).await;
    let mut talk = house.talk(&app).await;
    let path = format!("/accounts/{account}/requestpassword");
    let long = "x".repeat(2000);

    let mut told = Vec::new();
    for (reason, ticket) in [(2001, 1), (1, 201)] {
        let body = json!({"REASON": "x".repeat(reason), "TICKETID": "7".repeat(ticket)});
        let answer = talk.post(&path, body).await.told();
        told.push((answer.3, answer.4));
    }
    let fits = json!({"REASON": long, "TICKETID": "7".repeat(200)});
    let raised = talk.post(&path, fits).await.told();

    for ((words, code), what) in told.iter().zip(["reason", "ticket"]) {
        assert!(words.contains(what), "{words}");
        assert_eq!(code, "7");
    }
    assert_eq!(raised.2, "Success", "{}", raised.3);
}
