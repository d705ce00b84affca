//! Conditional requests and ranges, as RFC 9110 has them (sections 13 and 14).

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer};

const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn modified() -> SystemTime {
    // Parts of a second are not the client's to see.
    UNIX_EPOCH + Duration::from_millis(784_111_777_900)
}

fn both() -> (ETag, SystemTime) {
    (ETag::strong("a"), modified())
}

#[get("/both")]
fn show(conditions: Conditions<'_>) -> Response {
    conditions
        .header("cache-control", "max-age=60")
        .header("vary", "accept")
        .respond(both(), || ([("cache-control", "no-store")], "0123456789"))
}

#[put("/both")]
fn change(conditions: Conditions<'_>) -> Response {
    conditions.respond(both(), || Status::NO_CONTENT)
}

#[delete("/both")]
fn remove(conditions: Conditions<'_>) -> Result<()> {
    Ok(conditions.require(both())?)
}

#[get("/weak")]
fn weak(conditions: Conditions<'_>) -> Response {
    conditions
        .ranged()
        .respond(ETag::weak("a"), || "0123456789")
}

#[get("/never")]
fn never(conditions: Conditions<'_>) -> Response {
    conditions.respond(ETag::strong("a"), || -> &'static str {
        panic!("it is not made")
    })
}

#[get("/absent")]
fn absent(conditions: Conditions<'_>) -> Response {
    conditions
        .ranged()
        .header("cache-control", "max-age=60")
        .respond(None::<ETag>, || None::<String>)
}

#[put("/absent")]
fn create(conditions: Conditions<'_>) -> Response {
    conditions.respond(None::<ETag>, || Status::CREATED)
}

#[get("/ranged")]
fn ranged(conditions: Conditions<'_>) -> Response {
    conditions
        .ranged()
        .respond(both(), || "0123456789".to_owned())
}

#[post("/ranged")]
fn ranged_post(conditions: Conditions<'_>) -> Response {
    conditions.ranged().respond(both(), || "0123456789")
}

#[get("/empty")]
fn empty(conditions: Conditions<'_>) -> Response {
    conditions.ranged().respond(both(), || "")
}

#[get("/stream")]
fn stream(conditions: Conditions<'_>) -> Response {
    conditions
        .ranged()
        .respond(both(), || Stream::blocks("text/plain", ["01234", "56789"]))
}

#[get("/part")]
fn part(conditions: Conditions<'_>) -> Response {
    conditions.part(both(), 10, |octets| {
        Cow::from(&"0123456789"[octets.start as usize..octets.end as usize])
    })
}

#[get("/applied")]
fn applied(conditions: Conditions<'_>) -> Response {
    let fields = [
        ("ETag", "\"a\""),
        ("Last-Modified", MODIFIED),
        ("Content-Language", "en"),
        ("Expires", AFTER),
        ("Set-Cookie", "a=1"),
    ];
    conditions.ranged().apply((fields, "0123456789"))
}

#[get("/applied/malformed")]
fn malformed(conditions: Conditions<'_>) -> Response {
    conditions.apply(([("etag", "a"), ("last-modified", "today")], "whole"))
}

#[get("/applied/error")]
fn error(conditions: Conditions<'_>) -> Response {
    conditions.apply((Status::CONFLICT, [("etag", "\"a\"")], "taken"))
}

#[post("/applied")]
fn applied_post(conditions: Conditions<'_>) -> Response {
    conditions.apply(([("etag", "\"a\"")], "done"))
}

app!(
    show,
    change,
    remove,
    weak,
    never,
    absent,
    create,
    ranged,
    ranged_post,
    empty,
    stream,
    part,
    applied,
    malformed,
    error,
    applied_post
);

fn ask(method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    fields
        .iter()
        .fold(
            testing::request(&APP, method, path),
            |request, (name, value)| request.header(name, value),
        )
        .send()
}

fn status(method: &str, path: &str, fields: &[(&str, &str)]) -> u16 {
    ask(method, path, fields).status().code()
}

#[test]
fn each_condition_is_evaluated() {
    for (name, value, read, changed) in [
        ("if-none-match", "\"a\"", 304, 412),
        ("if-none-match", "W/\"a\"", 304, 412),
        ("if-none-match", "\"b\", \"a\"", 304, 412),
        ("if-none-match", "*", 304, 412),
        ("if-none-match", "\"b\"", 200, 204),
        ("if-none-match", "a", 200, 204),
        ("if-none-match", "\"a", 200, 204),
        ("if-none-match", "", 200, 204),
        ("if-none-match", "\"b\", *", 200, 204),
        ("if-match", "\"a\"", 200, 204),
        ("if-match", "\"b\",\"a\"", 200, 204),
        ("if-match", "*", 200, 204),
        ("if-match", "W/\"a\"", 412, 412),
        ("if-match", "\"A\"", 412, 412),
        ("if-match", "a", 412, 412),
        ("if-match", "", 412, 412),
        ("if-modified-since", MODIFIED, 304, 204),
        ("if-modified-since", AFTER, 304, 204),
        ("if-modified-since", BEFORE, 200, 204),
        ("if-modified-since", "yesterday", 200, 204),
        (
            "if-modified-since",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            304,
            204,
        ),
        ("if-unmodified-since", MODIFIED, 200, 204),
        ("if-unmodified-since", AFTER, 200, 204),
        ("if-unmodified-since", BEFORE, 412, 412),
        ("if-unmodified-since", "-1", 200, 204),
    ] {
        let fields = [(name, value)];
        assert_eq!(status("GET", "/both", &fields), read, "{name}: {value}");
        assert_eq!(status("HEAD", "/both", &fields), read, "{name}: {value}");
        assert_eq!(status("PUT", "/both", &fields), changed, "{name}: {value}");
        assert_eq!(
            status("DELETE", "/both", &fields),
            changed,
            "{name}: {value}"
        );
    }
}

#[test]
fn conditions_have_their_precedence() {
    for (fields, expected) in [
        // If-Match before If-Unmodified-Since, which is then ignored.
        (
            [("if-match", "\"a\""), ("if-unmodified-since", BEFORE)],
            200,
        ),
        ([("if-match", "\"b\""), ("if-unmodified-since", AFTER)], 412),
        // If-None-Match before If-Modified-Since, likewise.
        (
            [("if-none-match", "\"b\""), ("if-modified-since", AFTER)],
            200,
        ),
        (
            [("if-none-match", "\"a\""), ("if-modified-since", BEFORE)],
            304,
        ),
        // 412 before 304, and both when they hold.
        ([("if-none-match", "\"a\""), ("if-match", "\"b\"")], 412),
        ([("if-none-match", "\"a\""), ("if-match", "\"a\"")], 304),
        (
            [
                ("if-modified-since", AFTER),
                ("if-unmodified-since", BEFORE),
            ],
            412,
        ),
        // Repeats are one list; a repeated date is none.
        (
            [("if-none-match", "\"b\""), ("if-none-match", "\"a\"")],
            304,
        ),
        (
            [("if-modified-since", AFTER), ("if-modified-since", AFTER)],
            200,
        ),
    ] {
        assert_eq!(status("GET", "/both", &fields), expected, "{fields:?}");
    }
}

#[test]
fn an_answer_names_its_state() {
    let answer = ask("GET", "/both", &[]);
    assert_eq!(answer.text(), "0123456789");
    assert_eq!(answer.header("etag"), Some("\"a\""));
    assert_eq!(answer.header("last-modified"), Some(MODIFIED));
    let caches: Vec<_> = answer
        .headers()
        .filter(|(name, _)| *name == "cache-control")
        .collect();
    assert_eq!(caches, [("cache-control", &b"max-age=60"[..])]);
    assert_eq!(answer.header("accept-ranges"), None);
    // What a change leaves behind is another state.
    assert_eq!(ask("PUT", "/both", &[]).header("etag"), None);
}

#[test]
fn a_304_keeps_what_caches_need_and_no_more() {
    for path in ["/both", "/applied"] {
        let answer = ask("GET", path, &[("if-none-match", "\"a\"")]);
        assert_eq!(answer.status(), 304);
        assert!(answer.blocks().is_empty());
        let mut names: Vec<_> = answer.headers().map(|(name, _)| name.to_owned()).collect();
        names.sort_unstable();
        let expected: &[&str] = match path {
            "/both" => &["cache-control", "etag", "last-modified", "vary"],
            _ => &["etag", "expires", "last-modified", "set-cookie"],
        };
        assert_eq!(names, expected);
    }
    let answer = ask("GET", "/never", &[("if-none-match", "*")]);
    assert_eq!(answer.header("etag"), Some("\"a\""));
    let answer = ask("GET", "/both", &[("if-match", "\"b\"")]);
    assert_eq!(answer.text(), "Precondition Failed\n");
    assert_eq!(answer.header("etag"), None);
}

#[test]
fn what_is_absent_matches_nothing() {
    assert_eq!(status("GET", "/absent", &[("if-match", "*")]), 412);
    assert_eq!(status("GET", "/absent", &[("if-match", "\"a\"")]), 412);
    assert_eq!(status("PUT", "/absent", &[("if-none-match", "*")]), 201);
    assert_eq!(status("PUT", "/absent", &[("if-match", "*")]), 412);
    assert_eq!(status("PUT", "/both", &[("if-none-match", "*")]), 412);
    let answer = ask(
        "GET",
        "/absent",
        &[("if-none-match", "*"), ("range", "bytes=0-1")],
    );
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.header("accept-ranges"), None);
    assert_eq!(answer.header("cache-control"), None);
}

#[test]
fn an_answer_that_is_there_is_judged_by_its_fields() {
    assert_eq!(status("GET", "/applied", &[("if-match", "\"b\"")]), 412);
    assert_eq!(
        status("GET", "/applied", &[("if-modified-since", MODIFIED)]),
        304
    );
    assert_eq!(status("GET", "/applied", &[("range", "bytes=1-2")]), 206);
    for name in ["if-none-match", "if-modified-since"] {
        for value in ["\"a\"", "a", AFTER] {
            assert_eq!(status("GET", "/applied/malformed", &[(name, value)]), 200);
        }
    }
    let star = [("if-match", "\"b\""), ("if-match", "*")];
    assert_eq!(status("GET", "/applied", &star), 412);
    // Not before the answer is known to be a success, nor after a change.
    assert_eq!(
        status("GET", "/applied/error", &[("if-none-match", "\"a\"")]),
        409
    );
    assert_eq!(status("POST", "/applied", &[("if-match", "\"b\"")]), 200);
}

#[test]
fn a_range_is_a_206() {
    for path in ["/ranged", "/part", "/applied"] {
        let answer = ask("GET", path, &[("range", "bytes=2-4")]);
        assert_eq!(answer.status(), 206, "{path}");
        assert_eq!(answer.text(), "234");
        assert_eq!(answer.header("content-range"), Some("bytes 2-4/10"));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert_eq!(answer.header("etag"), Some("\"a\""));
        assert_eq!(answer.header("last-modified"), Some(MODIFIED));
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(ask("GET", path, &[("range", "bytes=-1")]).text(), "9");
        assert_eq!(
            ask("GET", path, &[("range", "bytes=0-")]).text(),
            "0123456789"
        );
    }
    assert_eq!(
        ask("GET", "/part", &[("range", "bytes=8-99")]).header("content-length"),
        Some("2")
    );
}

#[test]
fn a_range_beyond_the_end_is_a_416() {
    for path in ["/ranged", "/part", "/applied"] {
        for range in ["bytes=10-", "bytes=99999999999999999999999999-", "bytes=-0"] {
            let answer = ask("GET", path, &[("range", range)]);
            assert_eq!(answer.status(), 416, "{path} {range}");
            assert_eq!(answer.header("content-range"), Some("bytes */10"));
            assert_eq!(answer.header("etag"), None);
            assert_eq!(answer.text(), "Range Not Satisfiable\n");
        }
    }
    let answer = ask("GET", "/empty", &[("range", "bytes=0-")]);
    assert_eq!(answer.header("content-range"), Some("bytes */0"));
    assert_eq!(status("GET", "/empty", &[("range", "bytes=-1")]), 200);
}

#[test]
fn what_is_no_single_range_gets_the_whole() {
    for (method, path, fields) in [
        ("GET", "/ranged", &[][..]),
        ("GET", "/ranged", &[("range", "bytes=0-1,4-5")]),
        ("GET", "/ranged", &[("range", "bytes=5-1")]),
        ("GET", "/ranged", &[("range", "lines=0-1")]),
        (
            "GET",
            "/ranged",
            &[("range", "bytes=0-1"), ("range", "bytes=0-1")],
        ),
        ("GET", "/part", &[("range", "bytes=0-1,4-5")]),
        ("HEAD", "/part", &[("range", "bytes=0-1")]),
        ("HEAD", "/ranged", &[("range", "bytes=99-")]),
    ] {
        let answer = ask(method, path, fields);
        assert_eq!(answer.status(), 200, "{fields:?}");
        assert_eq!(answer.blocks(), [b"0123456789"]);
        assert_eq!(answer.header("content-range"), None);
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    }
    // A body without an end in sight has no parts, nor has what a change answers.
    for (method, path) in [("GET", "/stream"), ("POST", "/ranged")] {
        let answer = ask(method, path, &[("range", "bytes=0-1")]);
        assert_eq!(
            (answer.status().code(), answer.text().as_str()),
            (200, "0123456789")
        );
        assert_eq!(answer.header("accept-ranges"), None);
    }
}

#[test]
fn a_range_is_only_of_the_state_that_it_names() {
    for (value, expected) in [
        ("\"a\"", 206),
        (MODIFIED, 206),
        ("Sun Nov  6 08:49:37 1994", 206),
        ("W/\"a\"", 200),
        ("\"b\"", 200),
        ("\"a\", \"b\"", 200),
        ("*", 200),
        ("a", 200),
        ("", 200),
        (BEFORE, 200),
        (AFTER, 200),
    ] {
        let fields = [("range", "bytes=0-1"), ("if-range", value)];
        for path in ["/ranged", "/part"] {
            assert_eq!(status("GET", path, &fields), expected, "{value}");
        }
        // A tag that is weak is no reason to add to what is there.
        assert_eq!(status("GET", "/weak", &fields), 200, "{value}");
    }
    let beyond = [("range", "bytes=99-"), ("if-range", "\"b\"")];
    assert_eq!(status("GET", "/ranged", &beyond), 200);
    let twice = [
        ("range", "bytes=0-1"),
        ("if-range", "\"a\""),
        ("if-range", "\"a\""),
    ];
    assert_eq!(status("GET", "/ranged", &twice), 200);
    assert_eq!(status("GET", "/weak", &[("range", "bytes=0-1")]), 206);
    // The other conditions come first.
    let had = [("range", "bytes=99-"), ("if-none-match", "\"a\"")];
    assert_eq!(status("GET", "/ranged", &had), 304);
    let lost = [("range", "bytes=0-1"), ("if-match", "\"b\"")];
    assert_eq!(status("GET", "/part", &lost), 412);
}
