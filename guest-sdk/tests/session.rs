//! Sessions: what is kept, and what is not believed.

use std::time::Duration;

use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer, TestRequest};

#[get("/visits")]
fn visits(session: Session) -> (Session, String) {
    let visits = session.get::<u32>("visits");
    (session, format!("{visits:?}"))
}

#[post("/visit")]
fn visit(mut session: Session) -> Result<(Session, Redirect)> {
    let visits = session.get::<u32>("visits").unwrap_or(0);
    session.insert("visits", visits + 1)?;
    Ok((session, Redirect::see_other("/visits")))
}

#[post("/same")]
fn same(mut session: Session) -> Result<(Session, ())> {
    session.insert("visits", 1)?;
    session.remove("absent");
    Ok((session, ()))
}

#[post("/logout")]
fn logout(mut session: Session) -> (Session, &'static str) {
    session.clear();
    assert!(session.is_empty());
    (session, "bye")
}

#[post("/short")]
fn short(mut session: Session) -> (Session, ()) {
    session.set_lifetime(Duration::ZERO);
    (session, ())
}

#[post("/large")]
fn large(mut session: Session, text: String) -> Result<(Session, &'static str)> {
    session.insert("text", text)?;
    Ok((session, "secret"))
}

#[post("/flash")]
fn flash(mut session: Session) -> (Session, ()) {
    session.flash("one");
    session.flash("two");
    (session, ())
}

#[get("/flashes")]
fn flashes(mut session: Session) -> (Session, String) {
    let flashes = session.take_flashes().join(",");
    (session, flashes)
}

#[get("/fails")]
fn fails(mut session: Session) -> Result<(Session, ())> {
    session.insert("visits", 9)?;
    Err(Error::new(Status::CONFLICT, "no"))
}

#[post("/foreign")]
fn foreign(signer: Signer, text: String) -> (Cookie, ()) {
    (signer.sign("session", text, Duration::from_secs(60)), ())
}

#[post("/other")]
fn other(signer: Signer) -> (Cookie, ()) {
    let cookie = signer.sign("other", r#"{"visits":7}"#, Duration::from_secs(60));
    (cookie, ())
}

app!(
    visits, visit, same, logout, short, large, flash, flashes, fails, foreign, other
);

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

fn keyed(method: &str, path: &str, cookie: &str) -> TestRequest {
    testing::request(&APP, method, path)
        .variable("SECRET_KEY", KEY)
        .header("cookie", cookie)
}

fn send(method: &str, path: &str, cookie: &str) -> Answer {
    keyed(method, path, cookie).send()
}

/// `name=value` of the cookie that was set.
fn kept(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").expect("a cookie is set");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

fn visited() -> String {
    kept(&send("POST", "/visit", ""))
}

#[test]
fn values_last() {
    let answer = send("POST", "/visit", "");
    assert_eq!(answer.status(), 303);
    let cookie = answer.header("set-cookie").unwrap_or_default();
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=1209600"),
        "{cookie}"
    );
    let twice = kept(&send("POST", "/visit", &kept(&answer)));
    let answer = send("GET", "/visits", &twice);
    assert_eq!(answer.text(), "Some(2)");
    assert_eq!(answer.header("vary"), Some("cookie"));
}

#[test]
fn it_is_written_when_it_was_changed() {
    let cookie = visited();
    for (method, path) in [("GET", "/visits"), ("POST", "/same"), ("GET", "/fails")] {
        assert_eq!(
            send(method, path, &cookie).header("set-cookie"),
            None,
            "{path}"
        );
    }
    assert_eq!(send("POST", "/logout", "").header("set-cookie"), None);
    let answer = send("POST", "/logout", &cookie);
    assert_eq!(
        answer.header("set-cookie"),
        Some("session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")
    );
}

#[test]
fn it_ends() {
    let ended = kept(&send("POST", "/short", &visited()));
    assert_eq!(send("GET", "/visits", &ended).text(), "None");
}

#[test]
fn what_was_not_signed_is_not_believed() {
    let cookie = visited();
    let forged = |from: &str, to: &str| cookie.replacen(from, to, 1);
    let elsewhere = kept(&send("POST", "/other", "")).replacen("other=", "session=", 1);
    let deep = format!("session={}.9999999999.AAAA", "W".repeat(4000));
    for cookie in [
        forged("session=e", "session=f"),
        forged(".", ".1"),
        forged(".", ""),
        cookie[..cookie.len() - 1].to_owned(),
        elsewhere,
        deep,
        "session=".into(),
        "session=..".into(),
        "session=\"\"".into(),
        r#"session={"visits":7}"#.into(),
    ] {
        let answer = send("GET", "/visits", &cookie);
        assert_eq!(answer.text(), "None", "{cookie}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    let answer = keyed("GET", "/visits", &cookie)
        .variable("SECRET_KEY", OTHER_KEY)
        .send();
    assert_eq!(answer.text(), "None");
}

#[test]
fn a_foreign_cookie_of_the_name_does_not_hide_it() {
    let cookies = format!("session=of-another-app; {}", visited());
    assert_eq!(send("GET", "/visits", &cookies).text(), "Some(1)");
}

#[test]
fn signed_text_that_is_no_session_is_none() {
    let deep = "[".repeat(2000);
    for text in ["text", "[1]", "{\"visits\":\"x\"}", &deep] {
        let foreign = keyed("POST", "/foreign", "").body(text).send();
        assert_eq!(send("GET", "/visits", &kept(&foreign)).text(), "None");
    }
    let foreign = keyed("POST", "/foreign", "")
        .body("{\"_flashes\":1}")
        .send();
    let answer = send("POST", "/flash", &kept(&foreign));
    assert_eq!(answer.status(), 204);
    assert_eq!(send("GET", "/flashes", &kept(&foreign)).text(), "");
}

#[test]
fn keys_are_replaced() {
    let cookie = visited();
    let answer = keyed("POST", "/visit", &cookie)
        .variable("SECRET_KEY", OTHER_KEY)
        .variable("SECRET_KEY_FALLBACKS", KEY)
        .send();
    let renewed = kept(&answer);
    assert_eq!(send("GET", "/visits", &renewed).text(), "None");
    let answer = keyed("GET", "/visits", &renewed)
        .variable("SECRET_KEY", OTHER_KEY)
        .send();
    assert_eq!(answer.text(), "Some(2)");
}

#[test]
fn without_a_key_it_is_a_500() {
    let without = testing::get(&APP, "/visits");
    let short = without.clone().variable("SECRET_KEY", &KEY[1..]);
    let fallback = keyed("GET", "/visits", "").variable("SECRET_KEY_FALLBACKS", "short");
    for request in [without, short, fallback] {
        let answer = request.send();
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.text(), "Internal Server Error\n");
    }
}

#[test]
fn it_is_as_large_as_a_cookie() {
    let large = |octets| keyed("POST", "/large", "").body("a".repeat(octets)).send();
    let most = (0..4096).rfind(|octets| large(*octets).status() == 200);
    let cookie = kept(&large(most.unwrap()));
    // Base64 grows by up to four octets at once.
    assert!((4092..=4097).contains(&cookie.len()), "{}", cookie.len());
    let answer = large(4096);
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text(), "Internal Server Error\n");
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(send("GET", "/visits", &cookie).status(), 200);
}

#[test]
fn messages_are_shown_once() {
    let cookie = kept(&send("POST", "/flash", ""));
    let answer = send("GET", "/flashes", &cookie);
    assert_eq!(answer.text(), "one,two");
    assert_eq!(kept(&answer), "session=");
}
