//! Each operation of the API, asked by everybody who can ask: without a token, with one
//! that is none, with another tenant's, with the tenant's own, with one for all, and on the
//! socket. What each is for is one of its own tenant's.

use super::admin::{Admin, Asked};
use super::{Home, answer, greeting};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;

/// Who asks, in the order of the columns below.
const WHO: [&str; 6] = ["nobody", "bad", "other", "acme", "all", "socket"];

/// What is asked of app `shop`, which is acme's; what each is answered, and with which
/// words when those say more than the number.
struct Row {
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
    answers: [u16; 6],
    /// What the owner is told, if anything.
    says: &'static str,
}

const fn row(
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
    answers: [u16; 6],
    says: &'static str,
) -> Row {
    Row {
        operation,
        method,
        path,
        body,
        answers,
        says,
    }
}

/// In this order, as the last ones leave nothing to ask for.
const ROWS: [Row; 13] = [
    row(
        "describe",
        "GET",
        "/v1/openapi.json",
        "",
        [200; 6],
        "openapi",
    ),
    row(
        "listApps",
        "GET",
        "/v1/apps",
        "",
        [401, 401, 200, 200, 200, 200],
        "shop",
    ),
    row(
        "showApp",
        "GET",
        "/v1/apps/shop",
        "",
        [401, 401, 404, 200, 200, 200],
        "shop.test",
    ),
    row(
        "deploy",
        "POST",
        "/v1/apps/shop/versions",
        "",
        [401, 401, 409, 400, 400, 400],
        "there is no component",
    ),
    row(
        "top",
        "GET",
        "/v1/top",
        "",
        [401, 401, 200, 200, 200, 200],
        "shop",
    ),
    row(
        "rollBack",
        "POST",
        "/v1/apps/shop/rollback",
        "{\"version\": 99}",
        [401, 401, 404, 404, 404, 404],
        "has no version 99",
    ),
    row(
        "disableApp",
        "POST",
        "/v1/apps/shop/disable",
        "",
        [401, 401, 404, 200, 200, 200],
        "disabled",
    ),
    row(
        "enableApp",
        "POST",
        "/v1/apps/shop/enable",
        "",
        [401, 401, 404, 200, 200, 200],
        "serving",
    ),
    row(
        "logs",
        "GET",
        "/v1/apps/shop/logs",
        "",
        [401, 401, 404, 200, 200, 200],
        "",
    ),
    row(
        "listTokens",
        "GET",
        "/v1/tokens",
        "",
        [401, 401, 403, 403, 200, 200],
        "is not for tokens",
    ),
    row(
        "makeToken",
        "POST",
        "/v1/tokens",
        "{}",
        [401, 401, 403, 403, 422, 422],
        "is not for tokens",
    ),
    row(
        "revokeToken",
        "DELETE",
        "/v1/tokens/00",
        "",
        [401, 401, 403, 403, 404, 404],
        "is not for tokens",
    ),
    row(
        "deleteApp",
        "DELETE",
        "/v1/apps/shop",
        "",
        [401, 401, 404, 200, 404, 404],
        "deleted",
    ),
];

#[test]
fn each_operation_is_for_whom_it_is() {
    let home = Home::new();
    home.write("rhost.toml", "[tenants.acme]\n[tenants.other]\n");
    let serving = home.serve(&["-c", "rhost.toml", "--admin", "127.0.0.1:0"]);
    let admin = Admin::of(&serving);
    let tokens = [
        None,
        Some("rhost_none".to_owned()),
        Some(home.token("other")),
        Some(home.token("acme")),
        Some(home.done(&["token", "create"]).trim_end().to_owned()),
        None,
    ];
    home.component("first");
    let lend = [
        "deploy",
        "first.wasm",
        "--app",
        "shop",
        "--host",
        "shop.test",
    ];
    home.done(&[&lend[..], &["--tenant", "acme"]].concat());
    home.deploy("free", "other");
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert_eq!(greeting(&serving, "free"), "Hello, other!");
    let ask = |who: usize, method: &str, path: &str, body: &str| {
        let mut asked = Asked::new(method, path).body(body.as_bytes());
        if let Some(token) = &tokens[who] {
            asked = asked.token(token);
        }
        match WHO[who] {
            "socket" => {
                let mut stream = UnixStream::connect(home.path("state/admin.sock")).unwrap();
                let length = body.len();
                let head = format!(
                    "{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                stream.write_all(head.as_bytes()).unwrap();
                answer(&mut stream)
            }
            _ => admin.ask(&asked),
        }
    };
    // None is forgotten that the description has.
    let described: Value = serde_json::from_str(&ask(4, "GET", "/v1/openapi.json", "").1).unwrap();
    let mut operations = BTreeSet::new();
    for item in described["paths"].as_object().unwrap().values() {
        let item = item.as_object().unwrap().iter();
        let ids = item.filter_map(|(_, operation)| operation["operationId"].as_str());
        operations.extend(ids.map(str::to_owned));
    }
    let known: BTreeSet<String> = ROWS.iter().map(|row| row.operation.to_owned()).collect();
    assert_eq!(operations, known, "each operation has its row");
    for row in ROWS {
        for (who, expected) in row.answers.into_iter().enumerate() {
            let (status, said) = ask(who, row.method, row.path, row.body);
            let at = format!("{} by {}: {said}", row.operation, WHO[who]);
            assert_eq!(status, expected, "{at}");
            match WHO[who] {
                "nobody" | "bad" | "other" if row.operation != "describe" => {
                    assert!(!said.contains("shop.test"), "{at}");
                }
                "acme" => {
                    assert!(said.contains(row.says), "{at}");
                    assert!(!said.contains("free"), "{at}");
                }
                _ => {}
            }
            // An app that is no tenant's is no tenant's to see.
            if row.path.contains("shop") && ["other", "acme"].contains(&WHO[who]) {
                let path = row.path.replace("shop", "free");
                let (status, said) = ask(who, row.method, &path, row.body);
                assert!(
                    [404, 409].contains(&status),
                    "{path} by {}: {said}",
                    WHO[who]
                );
            }
        }
    }
    assert_eq!(greeting(&serving, "free"), "Hello, other!");
    assert_eq!(greeting(&serving, "shop"), "421");
}

/// A token for all is not what is left when somebody forgot to say whose it is.
#[test]
fn a_token_for_all_is_asked_for_in_so_many_words() {
    let home = Home::new();
    home.write("rhost.toml", "[tenants.acme]\n");
    let _serving = home.serve(&["-c", "rhost.toml"]);
    let ask = |body: &str| {
        let length = body.len();
        home.ask(&format!(
            "POST /v1/tokens HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    for body in [
        "{\"tenant\": null}",
        "{\"tenant\": null, \"note\": \"CI\"}",
        "{\"note\": \"CI\"}",
        "{}",
        "",
        "{\"all\": false}",
        "{\"tenant\": \"acme\", \"all\": true}",
        "{\"tenant\": \"\"}",
        "{\"tenant\": \"nobody\"}",
    ] {
        let (status, said) = ask(body);
        assert_eq!(status, 422, "{body}: {said}");
        assert!(said.contains("\"error\""), "{said}");
    }
    for body in [
        "null",
        "[]",
        "{\"tenant\": [\"acme\"]}",
        "{\"all\": \"true\"}",
        "{\"al\": true}",
    ] {
        assert_eq!(ask(body).0, 400, "{body}");
    }
    assert!(home.done(&["token", "list"]).is_empty());
    assert_eq!(ask("{\"tenant\": \"acme\"}").0, 201);
    assert_eq!(ask("{\"all\": true, \"note\": \"mine\"}").0, 201);
    let listed = home.done(&["token", "list"]);
    assert!(
        listed.contains("(all)") && listed.contains("acme"),
        "{listed}"
    );
}

/// Over TCP what tenants used is told to who has a token for it, and nothing is told to a
/// page of another site.
#[test]
fn metrics_are_told_to_whom_they_concern() {
    let home = Home::new();
    home.write("rhost.toml", "[tenants.acme]\n[tenants.other]\n");
    let flags = ["-c", "rhost.toml", "--admin", "127.0.0.1:0"];
    let serving = home.serve(&flags);
    let tenants = ["acme", "other"];
    home.deploy_of(&tenants);
    for tenant in tenants {
        assert_eq!(greeting(&serving, tenant), "Hello, first!");
    }
    home.deploy("free", "other");
    assert_eq!(greeting(&serving, "free"), "Hello, other!");
    let metrics = || Asked::get("/metrics");
    let seen = |(status, text): (u16, String)| {
        assert_eq!(status, 200, "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
        let has = |what: &str| text.contains(what);
        [
            has("rhost_connections_open"),
            has("app=\"free\""),
            has("tenant=\"acme\""),
            has("tenant=\"other\""),
        ]
    };
    let admin = Admin::of(&serving);
    let (acme, all) = (home.token("acme"), home.done(&["token", "create"]));
    let all = all.trim_end();
    assert_eq!(seen(admin.ask(&metrics())), [true, true, false, false]);
    assert_eq!(seen(admin.ask(&metrics().token(all))), [true; 4]);
    assert_eq!(
        seen(admin.ask(&metrics().token(&acme))),
        [false, false, true, false]
    );
    assert_eq!(admin.ask(&metrics().token("rhost_none")).0, 401);
    for host in ["localhost:1", "127.0.0.1", "[::1]:9", "metrics.localhost"] {
        assert_eq!(admin.ask(&metrics().host(host)).0, 200, "{host}");
    }
    for host in [
        "evil.test",
        "127.0.0.1.evil.test:9000",
        "10.0.0.1",
        "0.0.0.0",
    ] {
        let (status, said) = admin.ask(&metrics().host(host));
        assert_eq!(status, 421, "{host}: {said}");
        assert!(!said.contains("rhost_"), "{said}");
    }
    let absolute = Asked::get("http://evil.test/metrics");
    assert_eq!(admin.ask(&absolute).0, 421);
    // A browser does not know the token.
    assert_eq!(
        seen(admin.ask(&metrics().host("proxy.test").token(all))),
        [true; 4]
    );
    let local = home.ask("GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(seen(local), [true; 4]);
    drop(serving.stop());
    // Unless the operator says so.
    let serving = home.serve(&[&flags[..], &["--metrics-public"]].concat());
    for app in ["acme", "other", "free"] {
        let _ = greeting(&serving, app);
    }
    let admin = Admin::of(&serving);
    assert_eq!(seen(admin.ask(&metrics())), [true; 4]);
    assert_eq!(admin.ask(&metrics().host("evil.test")).0, 421);
    drop(serving.stop());
    // A server of one app has no tokens, and shows it to this machine only.
    let _ = fs::remove_dir_all(home.path("state"));
    let serving =
        crate::serving::Serving::start(home.command(), &["first.wasm", "--admin", "127.0.0.1:0"]);
    assert!(serving.get("/").ends_with("Hello, first!\n"));
    let admin = Admin::of(&serving);
    let (status, text) = admin.ask(&metrics());
    assert!(status == 200 && text.contains("app=\"first\""), "{text}");
    for path in ["/metrics", "/v1/top"] {
        assert_eq!(admin.ask(&Asked::get(path)).0, 200, "{path}");
        assert_eq!(
            admin.ask(&Asked::get(path).host("evil.test")).0,
            421,
            "{path}"
        );
    }
}
