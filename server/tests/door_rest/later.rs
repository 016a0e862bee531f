//! What came after the manual, and real clients call.

use claviger::domain::{Level, Material, Role, SecretBytes};
use claviger::vault::{AccountEdit, NewAccount};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::house::{House, PASSWORD};

#[tokio::test]
async fn names_lead_to_ids() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db 1", &app, Level::View).await;
    let mut talk = house.talk(&app).await;
    let (resource, account) = (made.resource.to_string(), made.account.to_string());

    let both = "/resources/getResourceIdAccountId?RESOURCENAME=db%201&ACCOUNTNAME=root";
    let both = talk.get(both).await.json();
    let one = talk.get("/resources/resourcename/db%201").await.json();
    let half = talk
        .get("/resources/getResourceIdAccountId?RESOURCENAME=db1")
        .await
        .told();

    let operation = &both["operation"];
    assert_eq!(operation["name"], "GET_RESOURCEACCOUNTID");
    assert_eq!(
        operation["result"]["message"],
        "Resource ID and account ID fetched successfully for the given resource name and account \
         name."
    );
    assert_eq!(
        operation["Details"],
        json!({"RESOURCEID": resource, "ACCOUNTID": account})
    );
    let ids = json!({"RESOURCEID": resource, "RESOURCE ID": resource});
    assert_eq!(one["operation"]["Details"], ids);
    assert_eq!(half.3, "Invalid argument: ACCOUNTNAME is missing.");
}

#[tokio::test]
async fn an_account_comes_in_full_with_its_password_or_why_not() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let mut talk = house.talk(&app).await;
    let path = format!(
        "/resources/getResourceAccountDetails?RESOURCEID={}&ACCOUNTID={}",
        made.resource, made.account
    );
    let inner = |details: &Value, key: &str| -> Value {
        serde_json::from_str(details[key].as_str().unwrap()).unwrap()
    };

    let open = talk.details(&path).await;
    let operator = house.operator().await;
    house
        .vault
        .set_setting("reason-required", "true", &operator)
        .await
        .unwrap();
    let closed = talk.details(&path).await;
    let data = "%7B%22operation%22%3A%7B%22Details%22%3A%7B%22REASON%22%3A%22why%22%7D%7D%7D";
    let reasoned = talk.details(&format!("{path}&INPUT_DATA={data}")).await;

    assert_eq!(inner(&open, "ACCOUNTDETAILS")["PASSWORD"], PASSWORD);
    assert_eq!(inner(&open, "RESOURCEDETAILS")["RESOURCE NAME"], "db1");
    let account = inner(&closed, "ACCOUNTDETAILS");
    assert_eq!(account["PASSWORD_REASON"], "A reason must be given.");
    assert_eq!(account["PASSWORD"], Value::Null);
    assert_eq!(inner(&reasoned, "ACCOUNTDETAILS")["PASSWORD"], PASSWORD);
}

#[tokio::test]
async fn accounts_are_added_each_by_itself() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let made = house.shared("db1", &app, Level::Manage).await;
    let mut talk = house.talk(&app).await;
    let path = format!("/resources/{}/accounts", made.resource);
    let list = |names: &[&str]| {
        let list: Vec<Value> = names
            .iter()
            .map(|name| json!({"ACCOUNTNAME": name, "PASSWORD": "Some-Pass1!word", "NOTES": "n"}))
            .collect();
        json!({"ACCOUNTLIST": list})
    };

    let two = talk.post(&path, list(&["app", "root"])).await.json();
    let none = talk.post(&path, list(&["root"])).await.told();
    let empty = talk.post(&path, json!({"ACCOUNTLIST": []})).await.told();

    assert_eq!(
        two,
        json!({"operation": {
            "name": "ADD ACCOUNTS",
            "result": {"status": "Success", "message": "Account(s) added successfully"},
            "Details": [
                {"app": {"STATUS": "Account added successfully"}},
                {"root": {"STATUS": "There already is an account with this name."}},
            ],
        }})
    );
    assert_eq!((none.2.as_str(), none.4.as_str()), ("Failed", "7"));
    assert_eq!(empty.3, "Invalid argument: ACCOUNTLIST is missing.");
    let listed = talk.details(&path).await;
    assert_eq!(listed["ACCOUNT LIST"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_resource_and_an_account_are_edited_and_the_account_deleted() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let made = house.shared("db1", &app, Level::Manage).await;
    let mut talk = house.talk(&app).await;
    let resource = format!("/resources/{}", made.resource);
    let account = format!("{resource}/accounts/{}", made.account);

    let edit = json!({
        "RESOURCENAME": "db2", "LOCATION": "Rack 7", "DOMAINNAME": "CORP", "RESOURCEURL": "",
    });
    let edited = talk.put(&resource, edit).await.told();
    let edit = json!({"ACCOUNTNAME": "admin", "NOTES": "new", "ACCOUNTPASSWORDPOLICY": "Low"});
    let renamed = talk.put(&account, edit).await.told();
    let noted = talk.put(&account, json!({"NOTES": ""})).await.told();
    let unknown = json!({"ACCOUNTPASSWORDPOLICY": "Nowhere"});
    let unknown = talk.put(&account, unknown).await.told();
    let listed = talk.details(&format!("{resource}/accounts")).await;
    let deleted = talk.delete(&account).await.told();

    assert_eq!(
        (edited.1.as_str(), edited.3.as_str()),
        ("EDIT RESOURCE", "Resource  modified successfully.")
    );
    assert_eq!(
        (renamed.1.as_str(), renamed.3.as_str()),
        ("EDIT ACCOUNT", "Account admin modified successfully")
    );
    assert_eq!(noted.3, "Account admin modified successfully");
    assert_eq!(unknown.3, "There is no such policy.");
    assert_eq!(listed["RESOURCE NAME"], "db2");
    assert_eq!(listed["LOCATION"], "Rack 7");
    assert_eq!(listed["DOMAIN NAME"], "CORP");
    assert_eq!(listed["ACCOUNT LIST"][0]["ACCOUNT PASSWORD POLICY"], "Low");
    assert_eq!(listed["ACCOUNT LIST"][0]["ACCOUNT_DESCRIPTION"], "");
    assert_eq!(
        (deleted.1.as_str(), deleted.2.as_str()),
        ("DELETE ACCOUNT", "Success")
    );
}

#[tokio::test]
async fn a_share_is_given_widened_and_taken_back() {
    let house = House::open().await;
    let owner = house.app("deploy", Role::PasswordAdministrator).await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &owner, Level::Manage).await;
    let (mut owner, mut talk) = (house.talk(&owner).await, house.talk(&app).await);
    let account = format!("/resources/{}/accounts/{}", made.resource, made.account);
    let password = format!("{account}/password");
    let share = |access: &str| json!({"ACCESSTYPE": access, "USERID": app.id.to_string()});

    let mut codes = Vec::new();
    for access in ["view", "modify", "fullaccess", "revoke"] {
        let done = owner.put(&format!("{account}/share"), share(access)).await;
        assert_eq!(done.told().2, "Success", "{access}");
        let change = json!({"NEWPASSWORD": format!("Next-{access}-1x")});
        codes.push(talk.put(&password, change).await.told().4);
    }
    let odd = owner
        .put(&format!("{account}/share"), share("all"))
        .await
        .told();
    let nobody = json!({"ACCESSTYPE": "view", "USERID": "999"});
    let nobody = owner.put(&format!("{account}/share"), nobody).await.told();

    assert_eq!(codes, ["3", "", "", "2"]);
    assert_eq!(odd.4, "7");
    assert_eq!(nobody.3, "There is no such user.");
}

#[tokio::test]
async fn an_api_user_is_created_with_a_token_that_works() {
    let house = House::open().await;
    let admin = house.admin().await;
    let mut talk = house.talk(&admin).await;
    let new = json!({
        "USERNAME": "build", "HOSTNAME": "127.0.0.1", "ISAPIUSER": "true", "FULLNAME": "Builder",
        "ROLE": "Password User", "RESTAPIACCESS": "true", "EXPIRYDATE": "NeverExpires",
    });

    let made = talk.post("/user", new.clone()).await.json();
    let again = talk.post("/user", new).await.told();
    let details = &made["operation"]["Details"];
    let token = format!("AUTHTOKEN: {}", details["AUTHTOKEN"].as_str().unwrap());
    let target = "/restapi/json/v1/resources";
    let listed = house
        .connect()
        .await
        .ask("GET", target, &[&token], b"")
        .await
        .told();
    let id = talk
        .details("/user/getUserId?USERNAME=build@127.0.0.1")
        .await;
    let locked = talk
        .say("PUT", "/user/lock?USERNAME=build@127.0.0.1", &Value::Null)
        .await
        .told();
    let out = house
        .connect()
        .await
        .ask("GET", target, &[&token], b"")
        .await
        .told();
    let open = talk
        .say("PUT", "/user/unlock?USERNAME=build@127.0.0.1", &Value::Null)
        .await
        .told();
    let renewed = talk
        .put(
            "/user/regenerateAuthtoken",
            json!({"USERNAME": "build@127.0.0.1"}),
        )
        .await
        .json();
    let old = house
        .connect()
        .await
        .ask("GET", target, &[&token], b"")
        .await
        .told();
    let gone = talk
        .delete(&format!("/user/{}", details["USERID"].as_str().unwrap()))
        .await
        .told();
    let missing = talk
        .get("/user/getUserId?USERNAME=build@127.0.0.1")
        .await
        .told();

    assert_eq!(again.3, "There already is a user with this name.");
    assert_eq!(listed.2, "Success");
    assert_eq!(id["USERID"], details["USERID"]);
    assert_eq!(
        (locked.2.as_str(), out.2.as_str(), open.2.as_str()),
        ("Success", "Failed", "Success")
    );
    let renewed = renewed["operation"]["Details"]["AUTHTOKEN"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(format!("AUTHTOKEN: {renewed}"), token);
    assert_eq!(old.2, "Failed", "the other one is taken back");
    assert_eq!(gone.2, "Success");
    assert_eq!(missing.3, "There is no such user.");
}

#[tokio::test]
async fn what_is_not_offered_is_refused_rather_than_left_out() {
    let house = House::open().await;
    let admin = house.admin().await;
    let mut talk = house.talk(&admin).await;
    let made = house.resource("db1", PASSWORD).await;
    let person = |more: Value| {
        let mut all = json!({"USERNAME": "jason", "PASSWORD": "Pa55w0Rd123"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let answers = [
        talk.post("/user", person(json!({"ROLE": "King"}))).await,
        talk.post("/user", person(json!({"EXPIRYDATE": "tomorrow"})))
            .await,
        talk.post("/user", json!({"USERNAME": "jason"})).await,
        talk.get("/passwords/generate?POLICY=Nowhere").await,
        talk.get("/audit?DURATION=EVER").await,
        talk.post(
            &format!("/accounts/{}/requestpassword", made.account),
            json!({"ACCESS": "soon"}),
        )
        .await,
        talk.post("/resources", json!({"RESOURCENAME": "x"})).await,
    ];

    for answer in answers {
        let (status, name, result, message, code) = answer.told();
        assert_eq!(
            (status, result.as_str(), code.as_str()),
            (200, "Failed", "7"),
            "{name}: {message}"
        );
    }
}

#[tokio::test]
async fn a_password_is_generated_by_policy() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let mut talk = house.talk(&app).await;

    let named = talk.get("/passwords/generate?POLICY=Strong").await.json();
    let data = "%7B%22operation%22%3A%7B%22Details%22%3A%7B%22POLICY%22%3A%22Low%22%7D%7D%7D";
    let low = talk
        .details(&format!("/passwords/generate?INPUT_DATA={data}"))
        .await;
    let other = talk.details("/passwords/generate").await;

    let first = named["operation"]["Details"]["PASSWORD"].as_str().unwrap();
    assert!(first.len() >= 8);
    assert_ne!(other["PASSWORD"], first);
    assert!(low["PASSWORD"].as_str().unwrap().len() >= 5);
}

#[tokio::test]
async fn the_trail_is_told_to_administrators_of_the_organisation() {
    let house = House::open().await;
    let admin = house.admin().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let path = format!(
        "/resources/{}/accounts/{}/password",
        made.resource, made.account
    );
    house.talk(&app).await.get(&path).await;
    let mut talk = house.talk(&admin).await;

    let newest = talk
        .get("/audit?AUDITTYPE=Resource&LIMIT=1&STARTINDEX=0&DURATION=TODAY")
        .await;
    let json = newest.json();

    let operation = &json["operation"];
    assert_eq!(operation["name"], "GET_AUDIT");
    assert_eq!(
        operation["result"]["message"],
        "Audits fetched successfully."
    );
    assert_eq!(operation["totalRows"], 1);
    let entry = &operation["Details"][0];
    for (key, value) in [
        ("Resource Name", "db1"),
        ("User Account", "root"),
        ("Operation Type", "retrieve"),
        ("Operated by", "app@127.0.0.1"),
        ("Client Type", "rest"),
        ("IP Address", "127.0.0.1"),
        ("Status", "allowed"),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }
    assert!(entry["TIME"].as_str().unwrap().parse::<i64>().is_ok());
    assert_eq!(entry["Resource ID"], made.resource.to_string());
    assert_eq!(entry["User Account ID"], made.account.to_string());
}

#[tokio::test]
async fn the_other_path_names_its_operation() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let mut wire = house.connect().await;
    let token = format!("AUTHTOKEN: {}", app.token);
    let target = |name: &str| format!("/api/json/request?OPERATION_NAME={name}");
    let body = format!(
        "INPUT_DATA={{operation:{{Details:{{PASSWDID:{}}}}}}}",
        made.account
    );

    let listed = wire
        .ask("POST", &target("GET_RESOURCES"), &[&token], b"")
        .await
        .told();
    let password = wire
        .ask("POST", &target("GET_PASSWORD"), &[&token], body.as_bytes())
        .await;
    let unknown = wire
        .ask("POST", &target("DELETE_ALL"), &[&token], b"")
        .await
        .told();

    assert_eq!(
        (listed.1.as_str(), listed.2.as_str()),
        ("GET RESOURCES", "Success")
    );
    assert_eq!(
        password.json()["operation"]["Details"]["PASSWORD"],
        PASSWORD
    );
    assert_eq!((unknown.1.as_str(), unknown.4.as_str()), ("REQUEST", "7"));
}

#[tokio::test]
async fn resource_types_are_told() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let mut talk = house.talk(&app).await;

    let all = talk.details("/resources/resourcetypes").await;
    let data = "%7Boperation%3A%7BDetails%3A%7BRESOURCETYPE_CONTAINING%3A%5B%22sql%22%5D%7D%7D%7D";
    let some = talk
        .details(&format!("/resources/resourcetypes?INPUT_DATA={data}"))
        .await;

    assert!(all.as_array().unwrap().len() > 10);
    assert_eq!(some.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn custom_fields_and_policies_of_both_come_with_a_new_resource() {
    let house = House::open().await;
    let app = house.app("deploy", Role::PasswordAdministrator).await;
    let mut talk = house.talk(&app).await;
    let field = |label: &str| json!([{"CUSTOMLABEL": label, "CUSTOMVALUE": "YES"}]);

    let created = talk
        .post(
            "/resources",
            json!({
                "RESOURCENAME": "db1", "ACCOUNTNAME": "root", "RESOURCETYPE": "", "PASSWORD": "",
                "OWNERNAME": "admin", "RESOURCEGROUPNAME": "default",
                "RESOURCEPASSWORDPOLICY": "Medium", "ACCOUNTPASSWORDPOLICY": "Strong",
                "RESOURCECUSTOMFIELD": field("A"), "ACCOUNTCUSTOMFIELD": field("B"),
            }),
        )
        .await
        .json();
    let details = &created["operation"]["Details"];
    let resource = details["RESOURCEID"].as_str().unwrap();
    let listed = talk
        .details(&format!("/resources/{resource}/accounts"))
        .await;

    assert!(
        details["PASSWORD"].as_str().unwrap().len() >= 8,
        "it was generated"
    );
    assert_eq!(listed["RESOURCE TYPE"], "Others");
    assert_eq!(listed["RESOURCE PASSWORD POLICY"], "Medium");
    assert_eq!(listed["RESOURCE OWNER"], "deploy@127.0.0.1");
    assert_eq!(listed["CUSTOM FIELD"][0]["CUSTOMFIELDLABEL"], "A");
    let account = &listed["ACCOUNT LIST"][0];
    assert_eq!(account["ACCOUNT PASSWORD POLICY"], "Strong");
    assert_eq!(account["CUSTOM FIELD"][0]["CUSTOMFIELDLABEL"], "B");
}

#[tokio::test]
async fn lists_come_in_pages_and_are_searched() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    for number in 0..7 {
        house
            .shared(&format!("db{number}"), &app, Level::View)
            .await;
    }
    house.resource("db8-of-others", PASSWORD).await;
    let mut talk = house.talk(&app).await;

    let page = json!({"STARTINDEX": "2", "LIMIT": 3});
    let page = talk.say("GET", "/resources", &page).await.json();
    let hit =
        json!({"SEARCHTYPE": "RESOURCE", "SEARCHCOLUMN": "RESOURCENAME", "SEARCHVALUE": "DB3"});
    let hit = talk.say("GET", "/resources", &hit).await.json();
    let by_account =
        json!({"SEARCHTYPE": "ACCOUNT", "SEARCHCOLUMN": "LOGINNAME", "SEARCHVALUE": "oo"});
    let by_account = talk.say("GET", "/resources", &by_account).await.json();
    let miss = json!({"SEARCHVALUE": "of-others"});
    let miss = talk.say("GET", "/resources", &miss).await.json();
    let mut codes = Vec::new();
    for odd in [
        json!({"SEARCHVALUE": "x", "SEARCHCOLUMN": "PASSWORD"}),
        json!({"SEARCHVALUE": "x", "SEARCHTYPE": "USER"}),
        json!({"STARTINDEX": "-1"}),
        json!({"LIMIT": "many"}),
        json!({"VIEWTYPE": "FAVOURITEPASSWORD"}),
    ] {
        codes.push(talk.say("GET", "/resources", &odd).await.told().4);
    }

    let names = |answer: &Value| -> Vec<String> {
        let rows = answer["operation"]["Details"].as_array().unwrap().iter();
        rows.map(|row| row["RESOURCE NAME"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&page), ["db2", "db3", "db4"]);
    assert_eq!(page["operation"]["totalRows"], 7);
    assert_eq!(names(&hit), ["db3"]);
    assert_eq!(hit["operation"]["totalRows"], 1);
    assert_eq!(by_account["operation"]["totalRows"], 7);
    assert_eq!(miss["operation"]["totalRows"], 0);
    assert_eq!(miss["operation"].get("Details"), None);
    assert_eq!(codes, ["7"; 5]);
}

#[tokio::test]
async fn a_file_is_handed_over_as_it_was_kept() {
    let house = House::open().await;
    let app = house.app("app", Role::PasswordUser).await;
    let made = house.shared("db1", &app, Level::View).await;
    let content = b"\x00\xff not text".to_vec();
    let bytes = SecretBytes::new(Zeroizing::new(content.clone()));
    let file = Material::file("server key.p12", bytes).unwrap();
    let new = NewAccount {
        resource: made.resource.into(),
        account: "keystore",
        more: AccountEdit::default(),
    };
    let operator = house.operator().await;
    let id = house.vault.add_account_with(&new, file, &operator).await;
    let path = format!("/resources/{}/accounts/{}", made.resource, id.unwrap());
    let mut talk = house.talk(&app).await;

    let answer = talk.get(&format!("{path}/downloadfile")).await;
    let password = talk.get(&format!("{path}/password")).await.told();
    let other = format!(
        "/resources/{}/accounts/{}/downloadfile",
        made.resource, made.account
    );
    let other = talk.get(&other).await.told();
    let details = talk.get(&path).await.told();

    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, content.as_slice())
    );
    assert_eq!(
        answer.field("content-type"),
        Some("application/octet-stream")
    );
    let name = "attachment; filename=\"server_key.p12\"";
    assert_eq!(answer.field("content-disposition"), Some(name));
    assert_eq!((password.2.as_str(), password.4.as_str()), ("Failed", "7"));
    assert_eq!((other.1.as_str(), other.4.as_str()), ("DOWNLOAD FILE", "7"));
    assert_eq!(details.2, "Success");
}
