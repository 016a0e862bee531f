//! The Rust client against the true server, by PEM and by the users' own PKCS#12 file.

use harness::{Openssl, Server, SetUp};

fn administrator(server: &Server, identity: &harness::Identity) {
    server.register(identity, "password-administrator");
}

#[tokio::test]
async fn the_rust_client_does_the_same_by_pem_and_by_pkcs12() {
    let server = Server::start(SetUp::default());
    let pem = server.issue("billing");
    administrator(&server, &pem);
    let openssl = Openssl::new();
    let own = openssl.self_signed("shipping");
    administrator(&server, &own);
    server
        .claviger(&["cert", "import", &own.cert.to_string_lossy()])
        .ok();
    let address = server.xmlrpc();
    let builder = || {
        claviger_client::Client::builder()
            .server(address.ip().to_string(), address.port())
            .ca_file(server.ca())
    };
    let by_pem = builder()
        .identity_files(&pem.cert, &pem.key)
        .build()
        .unwrap();
    let p12 = own.p12.as_ref().unwrap();
    let by_p12 = builder()
        .pkcs12_file(p12, own.p12_password.clone())
        .build()
        .unwrap();

    for (client, resource) in [(by_pem, "db1"), (by_p12, "db2")] {
        let made = client
            .create_resource(resource, "Linux", "root")
            .send()
            .await
            .unwrap();
        let made = made.expect("it was generated");
        let first = client
            .retrieve_password(resource, "root")
            .send()
            .await
            .unwrap();
        assert_eq!(first.expose(), made.expose());
        let given = claviger_client::Secret::from("Given-1".to_owned());
        let none = client
            .change_password(resource, "root")
            .to(given)
            .send()
            .await
            .unwrap();
        assert!(none.is_none());
        let second = client
            .retrieve_password(resource, "root")
            .reason("why")
            .send()
            .await
            .unwrap();
        assert_eq!(second.expose(), "Given-1");
        let refusal = client
            .retrieve_password("nothing", "root")
            .send()
            .await
            .unwrap_err();
        assert!(refusal.is_refused(), "{refusal}");
    }
}

#[tokio::test]
async fn the_password_that_was_generated_for_a_pkcs12_file_opens_it() {
    let server = Server::start(SetUp::default());
    let out = server.outside().join("shop");
    let out_word = out.to_string_lossy().into_owned();
    let issued = server
        .claviger(&["cert", "issue", "shop", "--out", &out_word])
        .ok();
    let user = ["user", "add", "shop@127.0.0.1", "--api", "--role"];
    let cert = out.join("shop.crt").to_string_lossy().into_owned();
    server
        .claviger(&[&user[..], &["password-administrator", "--cert", &cert]].concat())
        .ok();
    let text = std::fs::read_to_string(out.join("shop.p12.password")).unwrap();
    let password = text.trim_end();
    let address = server.xmlrpc();

    let client = claviger_client::Client::builder()
        .server(address.ip().to_string(), address.port())
        .ca_file(out.join("ca.pem"))
        .pkcs12_file(out.join("shop.p12"), password.to_owned())
        .build()
        .unwrap();

    let made = client.create_resource("db", "Linux", "root").send().await;
    assert!(made.unwrap().is_some());
    assert!(!format!("{issued}").contains(password), "{issued}");
}
