//! Many connections to the admin listener, of one token or of nobody: what others ask is
//! answered.

use super::admin::{Admin, Asked};
use super::{Home, greeting};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// More than anybody may have.
const MANY: usize = 40;

/// A server of two tenants, each with an app.
fn serve(home: &Home) -> (crate::serving::Serving, Admin) {
    home.write(
        "rhost.toml",
        "[tenants.acme]\n[tenants.other]\nfollowers = 2\nuploads = 1\n",
    );
    let serving = home.serve(&["-c", "rhost.toml", "--admin", "127.0.0.1:0"]);
    home.deploy_of(&["acme", "other"]);
    let admin = Admin::of(&serving);
    (serving, admin)
}

/// Until the other end closes it; how many bytes came.
fn until_closed(stream: &mut TcpStream) -> usize {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => rest.len(),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => rest.len(),
        Err(error) => panic!("it is not closed: {error}"),
    }
}

#[test]
fn whoever_keeps_silent_keeps_nobody_from_health() {
    let home = Home::new();
    let (_serving, admin) = serve(&home);
    let token = home.done(&["token", "create"]);
    // Some say nothing, some half a request, some ask for more than they take.
    let mut silent: Vec<TcpStream> = (0..600)
        .map(|number| {
            let mut stream = admin.connect();
            let half: &[u8] = match number % 3 {
                0 => b"",
                1 => b"GET /live HTTP/1.1\r\nhost: loc",
                _ => {
                    b"POST /v1/apps/acme/versions HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n"
                }
            };
            let _ = stream.write_all(half);
            stream
        })
        .collect();
    for path in ["/live", "/ready", "/metrics"] {
        assert_eq!(admin.ask(&Asked::get(path)).0, 200, "{path}");
    }
    assert_eq!(
        admin.ask(&Asked::get("/v1/apps").token(token.trim_end())).0,
        200
    );
    assert!(home.done(&["apps"]).contains("acme"));
    // Those that were there first were closed for others, and the last by its time-out.
    until_closed(&mut silent[0]);
    until_closed(silent.last_mut().unwrap());
}

#[test]
fn one_tenants_followers_take_no_places_of_others() {
    let home = Home::new();
    let (serving, admin) = serve(&home);
    let [acme, other] = ["acme", "other"].map(|tenant| home.token(tenant));
    let follow = |app: &str, token: &str| admin.begin(&Asked::follow(app).token(token), 0);
    let followed: Vec<_> = (0..MANY).map(|_| follow("acme", &acme)).collect();
    let so_many = |status| {
        followed
            .iter()
            .filter(|(_, found)| *found == status)
            .count()
    };
    assert_eq!((so_many(200), so_many(429)), (8, MANY - 8));
    // Its own other requests go on, and so do those of all others.
    assert_eq!(admin.ask(&Asked::get("/v1/apps").token(&acme)).0, 200);
    let of_other: Vec<_> = (0..3).map(|_| follow("other", &other)).collect();
    let statuses: Vec<u16> = of_other.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    let (status, said) = admin.ask(&Asked::follow("acme").token(&acme));
    assert_eq!(status, 429, "{said}");
    assert!(said.contains("tenant `acme`, which may have 8"), "{said}");
    home.deploy("mine", "other");
    assert_eq!(greeting(&serving, "mine"), "Hello, other!");
    assert_eq!(admin.ask(&Asked::get("/live")).0, 200);
    // Those that leave make room.
    drop(followed);
    assert!((0..1000).any(|_| follow("acme", &acme).1 == 200));
}

/// Nor does a token for all, from whoever is on the socket or has another one.
#[test]
fn one_tokens_followers_take_no_places_of_the_operator() {
    let home = Home::new();
    let (serving, admin) = serve(&home);
    let [one, other] = ["one", "other"].map(|note| {
        let token = home.done(&["token", "create", "--note", note]);
        token.trim_end().to_owned()
    });
    let follow = |token: &str| admin.begin(&Asked::follow("acme").token(token), 0);
    let followed: Vec<_> = (0..MANY).map(|_| follow(&one)).collect();
    let so_many = |status| {
        followed
            .iter()
            .filter(|(_, found)| *found == status)
            .count()
    };
    assert_eq!((so_many(200), so_many(429)), (16, MANY - 16));
    let stalled = Asked::deploy("acme")
        .with("expect: 100-continue")
        .token(&one);
    let stalled: Vec<_> = (0..MANY).map(|_| admin.begin(&stalled, 100_000)).collect();
    assert_eq!(stalled.iter().filter(|(_, found)| *found == 100).count(), 8);
    assert_eq!(follow(&other).1, 200);
    home.deploy("mine", "other");
    assert_eq!(greeting(&serving, "mine"), "Hello, other!");
}

#[test]
fn one_tenants_stalled_uploads_take_no_places_of_others() {
    let home = Home::new();
    let (serving, admin) = serve(&home);
    let [acme, other] = ["acme", "other"].map(|tenant| home.token(tenant));
    let upload = |app: &str, token: &str| {
        let asked = Asked::deploy(app).with("expect: 100-continue").token(token);
        admin.begin(&asked, 100_000)
    };
    let mut stalled: Vec<_> = (0..MANY).map(|_| upload("acme", &acme)).collect();
    let so_many = |status| stalled.iter().filter(|(_, found)| *found == status).count();
    assert_eq!((so_many(100), so_many(429)), (4, MANY - 4));
    assert_eq!(upload("other", &other).1, 100);
    home.deploy("mine", "other");
    assert_eq!(greeting(&serving, "mine"), "Hello, other!");
    // Bodies that do not come hold other requests of the tenant's no longer than that.
    let rollback = Asked::new("POST", "/v1/apps/acme/rollback").with("expect: 100-continue");
    let rollback = rollback.token(&acme);
    let held: Vec<_> = (0..4).map(|_| admin.begin(&rollback, 1000)).collect();
    assert!(held.iter().all(|(_, status)| *status == 100));
    let (status, said) = admin.ask(&Asked::get("/v1/apps").token(&acme));
    assert_eq!(status, 429, "{said}");
    assert_eq!(admin.ask(&Asked::get("/v1/apps").token(&other)).0, 200);
    drop(held);
    // They are given up, and their places are free.
    stalled.retain(|(_, status)| *status == 100);
    for (stream, _) in &mut stalled {
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(
            said.contains("HTTP/1.1 408 ") && said.contains("too slowly"),
            "{said}"
        );
    }
    assert!((0..1000).any(|_| upload("acme", &acme).1 == 100));
}

/// A byte now and then is no progress.
#[test]
fn an_upload_that_trickles_is_given_up() {
    let home = Home::new();
    let (_serving, admin) = serve(&home);
    let acme = home.token("acme");
    let (mut stream, status) = admin.begin(
        &Asked::deploy("acme")
            .with("expect: 100-continue")
            .token(&acme),
        100_000,
    );
    assert_eq!(status, 100);
    let mut writing = stream.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        // As slowly as one does that is to hold a place for long.
        while writing.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.contains("HTTP/1.1 408 ") && said.contains("too slowly"),
        "{said}"
    );
    drop(stream);
    trickle.join().unwrap();
}

#[test]
fn what_a_token_holds_ends_when_it_is_revoked() {
    let home = Home::new();
    let (serving, admin) = serve(&home);
    let acme = home.token("acme");
    let (mut followed, status) = admin.begin(&Asked::follow("acme").token(&acme), 0);
    assert_eq!(status, 200);
    let upload = Asked::deploy("acme")
        .with("expect: 100-continue")
        .token(&acme);
    let (mut uploaded, status) = admin.begin(&upload, 100);
    assert_eq!(status, 100);
    let listed = home.done(&["token", "list"]);
    let id = listed
        .lines()
        .nth(1)
        .and_then(|line| line.split(' ').next());
    home.done(&["token", "revoke", id.unwrap()]);
    until_closed(&mut followed);
    let mut said = String::new();
    uploaded.read_to_string(&mut said).unwrap();
    assert!(said.contains("HTTP/1.1 401 "), "{said}");
    assert_eq!(admin.ask(&Asked::follow("acme").token(&acme)).0, 401);
    assert_eq!(greeting(&serving, "acme"), "Hello, first!");
}

/// Who had an app sees none of its lines once it is another's.
#[test]
fn a_followed_log_ends_when_its_app_is_anothers() {
    let home = Home::new();
    let (serving, admin) = serve(&home);
    let acme = home.token("acme");
    let (mut followed, status) = admin.begin(&Asked::follow("acme").token(&acme), 0);
    assert_eq!(status, 200);
    home.done(&[
        "deploy",
        "first.wasm",
        "--app",
        "acme",
        "--tenant",
        "other",
        "--set",
        "max-response-body=1",
    ]);
    assert_eq!(greeting(&serving, "acme"), "500");
    let mut rest = String::new();
    followed.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("max-response-body"), "{rest}");
    assert!(home.done(&["logs", "acme"]).contains("max-response-body"));
}
