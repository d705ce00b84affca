//! Cookies that come back, and those that are set.

use std::time::Duration;

use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer, TestRequest};

#[get("/all")]
fn all(cookies: Cookies<'_>) -> String {
    let pairs: Vec<_> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("|")
}

#[get("/count")]
fn count(cookies: Cookies<'_>) -> String {
    cookies.get_all("a").count().to_string()
}

#[get("/first")]
fn first(cookies: Cookies<'_>) -> Option<String> {
    cookies.get("a").map(String::from)
}

#[get("/plain")]
fn plain() -> (Cookie, &'static str) {
    (Cookie::new("a", "b"), "")
}

#[get("/odd")]
fn odd() -> (Cookie, ()) {
    (Cookie::new("a", "x; Domain=.org\r\n\"é%,\\"), ())
}

#[get("/both")]
fn both() -> (Cookie, ([Cookie; 1], Response)) {
    let inner = Response::new(Status::OK)
        .header("set-cookie", "raw=1")
        .cookie(Cookie::new("x", "1"));
    (Cookie::new("z", "3"), ([Cookie::new("y", "2")], inner))
}

#[get("/all-set")]
fn all_set() -> Response {
    let cookie = Cookie::new("a", "b")
        .path("/x;y z")
        .secure(true)
        .http_only(false)
        .same_site(SameSite::Strict)
        .max_age(Duration::MAX);
    Response::new(Status::OK).cookie(cookie)
}

#[get("/everywhere")]
fn everywhere() -> (Cookie, ()) {
    (Cookie::new("a", "b").same_site(SameSite::None), ())
}

#[get("/gone")]
fn gone() -> (Cookie, ()) {
    (Cookie::removal("a"), ())
}

#[get("/bad")]
fn bad(cookies: Cookies<'_>) -> (Cookie, &'static str) {
    let name = cookies.get("name").map(String::from).unwrap_or_default();
    (Cookie::new(name, "b"), "secret")
}

app!(
    all, count, first, plain, odd, both, all_set, everywhere, gone, bad
);

fn get(path: &str) -> TestRequest {
    testing::get(&APP, path)
}

fn set(answer: &Answer) -> Vec<String> {
    answer
        .headers()
        .filter(|(name, _)| *name == "set-cookie")
        .map(|(_, value)| String::from_utf8(value.to_vec()).unwrap())
        .collect()
}

#[test]
fn every_field_is_read_in_order() {
    let answer = get("/all")
        .header("cookie", "a=1; b=2;c=3")
        .header("x", "d=4")
        .header("Cookie", "A=5; a = 6 ")
        .send();
    assert_eq!(answer.text(), "a=1|b=2|c=3|A=5|a=6");
}

#[test]
fn what_is_no_cookie_is_passed_over() {
    for (field, cookies) in [
        (&b""[..], ""),
        (b";;; ;", ""),
        (b"a", ""),
        (b"=1; a=", "a="),
        (b"a=b=c", "a=b=c"),
        (b"a=\"b c\"; d=\"; e=\"\"", "a=b c|d=\"|e="),
        (
            b"a=%C3%A9%20; b=%zz%; c=%ff; \xff=1; d=\xc3\xa9",
            "a=\u{e9} |b=%zz%|d=\u{e9}",
        ),
        (b"%5F_Host-a=1", "%5F_Host-a=1"),
    ] {
        assert_eq!(get("/all").header("cookie", field).send().text(), cookies);
    }
    assert_eq!(get("/first").send().status(), 404);
}

#[test]
fn the_first_of_a_name_comes_from_the_longest_path() {
    let answer = get("/first").header("cookie", "a=inner; a=outer").send();
    assert_eq!(answer.text(), "inner");
}

#[test]
fn so_many_are_looked_at() {
    let many = "a=1; ".repeat(100_000);
    assert_eq!(get("/count").header("cookie", many).send().text(), "256");
}

#[test]
fn a_cookie_is_safe_unless_it_says_otherwise() {
    let plain = get("/plain");
    assert_eq!(
        set(&plain.clone().send()),
        ["a=b; HttpOnly; SameSite=Lax; Path=/"]
    );
    let mounted = plain.environ(|environ| {
        environ.script_name = "/shop".into();
        environ.url_scheme = "https".into();
    });
    assert_eq!(
        set(&mounted.send()),
        ["a=b; HttpOnly; SameSite=Lax; Secure; Path=/shop"]
    );
    assert_eq!(
        set(&get("/all-set").send()),
        ["a=b; SameSite=Strict; Secure; Path=/x%3By%20z; Max-Age=9223372036854775807"]
    );
    assert_eq!(
        set(&get("/everywhere").send()),
        ["a=b; HttpOnly; SameSite=None; Secure; Path=/"]
    );
    assert_eq!(
        set(&get("/gone").send()),
        ["a=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"]
    );
}

#[test]
fn a_value_comes_back_as_it_was() {
    let set = set(&get("/odd").send());
    assert_eq!(
        set,
        ["a=x%3B%20Domain=.org%0D%0A%22%C3%A9%25%2C%5C; HttpOnly; SameSite=Lax; Path=/"]
    );
    let pair = set[0].split(';').next().unwrap();
    let answer = get("/first").header("cookie", pair).send();
    assert_eq!(answer.text(), "x; Domain=.org\r\n\"\u{e9}%,\\");
}

#[test]
fn cookies_stay_beside_one_another() {
    let names: Vec<_> = set(&get("/both").send())
        .iter()
        .map(|cookie| cookie[..3].to_owned())
        .collect();
    assert_eq!(names, ["raw", "x=1", "y=2", "z=3"]);
}

#[test]
fn a_name_is_a_token() {
    for name in ["", "a%20b", "a%3Bb", "%C3%A9", "a%0D%0Ax"] {
        let answer = get("/bad").header("cookie", format!("name={name}")).send();
        assert_eq!(answer.status(), 500, "{name}");
        assert_eq!(answer.text(), "Internal Server Error\n");
        assert!(set(&answer).is_empty());
    }
    let answer = get("/bad").header("cookie", "name=__Host-id").send();
    assert!(set(&answer)[0].starts_with("__Host-id=b;"));
}
