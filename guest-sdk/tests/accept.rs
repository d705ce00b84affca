//! Which answer a client would rather have.

use rhost_sdk::prelude::*;
use rhost_sdk::testing;

const OFFERS: [&str; 3] = ["text/html; charset=utf-8", "application/json", "text/csv"];

#[get("/")]
fn prefers(accept: Accept<'_>) -> String {
    accept.prefers(&OFFERS).unwrap_or("none").into()
}

#[get("/none")]
fn none(accept: Accept<'_>) -> Option<&'static str> {
    accept.prefers(&[])
}

#[get("/choose")]
fn choose(accept: Accept<'_>) -> std::result::Result<&'static str, Rejection> {
    accept.choose(&OFFERS)
}

app!(prefers, none, choose);

fn prefer(fields: &[&[u8]]) -> String {
    fields
        .iter()
        .fold(testing::get(&APP, "/"), |request, field| {
            request.header("accept", field)
        })
        .send()
        .text()
}

#[test]
fn the_heaviest_wins_and_then_the_first() {
    for (accept, offer) in [
        ("application/json", OFFERS[1]),
        ("APPLICATION/Json", OFFERS[1]),
        ("text/csv, application/json", OFFERS[1]),
        ("text/csv, application/json;q=0.999", OFFERS[2]),
        ("text/html;q=0.1,application/json ; Q=0.2", OFFERS[1]),
        ("*/*", OFFERS[0]),
        ("*/*;q=0.001", OFFERS[0]),
        ("application/*, */*;q=0.1", OFFERS[1]),
        ("image/png", "none"),
        ("*/*;q=0", "none"),
        ("text/html;q=0, */*", OFFERS[1]),
        ("text/*;q=0.5, text/csv;q=0.9, */*;q=0.1", OFFERS[2]),
        ("*/*, text/*;q=0, application/json;q=0.1", OFFERS[1]),
        (
            "text/html;charset=\"UTF-8\";q=0, text/html, text/csv;q=0.5",
            OFFERS[2],
        ),
        ("text/html;level=1, text/csv;q=0.1", OFFERS[2]),
        ("text/csv;q=0.5;ext=1, application/json;q=0.4", OFFERS[2]),
        ("a/b;c=\",text/csv;\\\",\", application/json", OFFERS[1]),
    ] {
        assert_eq!(prefer(&[accept.as_bytes()]), offer, "{accept}");
    }
}

#[test]
fn fields_are_one_list() {
    assert_eq!(
        prefer(&[b"text/csv;q=0.2", b"application/json;q=0.3"]),
        OFFERS[1]
    );
}

#[test]
fn who_says_nothing_takes_all() {
    assert_eq!(prefer(&[]), OFFERS[0]);
    for accept in [
        &b""[..],
        b" , ,",
        b"\xff",
        b"html",
        b"/",
        b"text/",
        b"text/csv;q=2",
        b"text/csv;q=1.001",
        b"text/csv;q=0.0001",
        b"text/csv;q=.5",
        b"text/csv;q=-1",
        b"text/csv;q=",
        b"text/csv;q",
        b"text/csv;q=0.+1",
    ] {
        assert_eq!(prefer(&[accept]), OFFERS[0], "{}", accept.escape_ascii());
    }
    assert_eq!(prefer(&[b"\"text/csv, application/json"]), "none");
    assert_eq!(prefer(&[b"*/csv"]), "none");
    assert_eq!(testing::get(&APP, "/none").send().status(), 404);
}

#[test]
fn so_many_ranges_are_looked_at() {
    let many = "a/b,".repeat(63);
    assert_eq!(prefer(&[format!("{many}text/csv").as_bytes()]), OFFERS[2]);
    assert_eq!(prefer(&[format!("{many}a/b,text/csv").as_bytes()]), "none");
}

#[test]
fn nothing_to_fall_back_on_is_a_406() {
    let request = testing::get(&APP, "/choose");
    let answer = request.clone().header("accept", "image/*").send();
    assert_eq!(answer.status(), 406);
    assert_eq!(answer.text(), "Not Acceptable\n");
    assert_eq!(
        request.header("accept", "text/csv").send().text(),
        "text/csv"
    );
}
