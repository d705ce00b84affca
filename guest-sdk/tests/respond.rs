//! What handlers answer with, and what becomes of it on its way to the server.

use std::io::{self, Write};

use rhost_sdk::gateway::{Failure, OutputError};
use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer};

#[get("/html")]
fn html() -> Html<String> {
    Html("<p>".into())
}

#[get("/octets")]
fn octets() -> &'static [u8] {
    b"\0\xff"
}

#[get("/nothing")]
fn nothing() {}

#[get("/status")]
fn status() -> Status {
    Status::ACCEPTED
}

#[get("/fields")]
fn fields() -> (Status, [(&'static str, &'static str); 3], &'static str) {
    let fields = [
        ("Content-Type", "text/css"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ];
    (Status::CREATED, fields, "p{}")
}

#[get("/fields-alone")]
fn fields_alone() -> ([(&'static str, String); 1], String) {
    ([("etag", format!("{:?}", 7))], "seven".into())
}

#[post("/form")]
fn form() -> Redirect {
    Redirect::see_other(format!("/notes/{}", 7))
}

#[get("/absent")]
fn absent() -> Option<&'static str> {
    None
}

#[get("/fails")]
fn fails() -> Result<String> {
    Ok("seven".parse::<u32>()?.to_string())
}

#[get("/refuses")]
fn refuses() -> Result<()> {
    Err(Error::new(Status::CONFLICT, "It is taken"))
}

#[get("/inject")]
fn inject() -> ([(&'static str, String); 2], &'static str) {
    (
        [
            ("x-fine", "1".into()),
            ("x-user", "a\r\nset-cookie: b".into()),
        ],
        "secret",
    )
}

#[get("/hop")]
fn hop() -> ([(&'static str, &'static str); 1], ()) {
    ([("Connection", "close")], ())
}

#[get("/interim")]
fn interim() -> Status {
    Status::new(100)
}

#[get("/lines")]
fn lines() -> Stream {
    Stream::new("text/plain", |out| {
        write!(out, "{}-{}", 1, 2)?;
        out.write_all(b"")?;
        out.write_all(b"three")
    })
}

#[get("/blocks")]
fn blocks() -> Stream {
    Stream::blocks("text/plain", ["a", "b", "c"]).length(3)
}

#[get("/broken")]
fn broken() -> (Status, Stream) {
    let stream = Stream::new("text/plain", |out| {
        out.send(b"a")?;
        Err(io::Error::other("the source is gone"))
    });
    (Status::ACCEPTED, stream)
}

#[get("/stubborn")]
fn stubborn() -> Stream {
    Stream::new("text/plain", |out| {
        for _ in 0..9 {
            let _ = out.send(b"a");
        }
        Ok(())
    })
}

#[get("/built")]
fn built() -> Response {
    Response::new(Status::OK)
        .header("x", "1")
        .header("x", "2")
        .body(vec![b'!'])
}

app!(
    html,
    octets,
    nothing,
    status,
    fields,
    fields_alone,
    form,
    absent,
    fails,
    refuses,
    inject,
    hop,
    interim,
    lines,
    blocks,
    broken,
    stubborn,
    built,
);

fn get(path: &str) -> Answer {
    testing::get(&APP, path).send()
}

#[test]
fn values_have_their_types() {
    for (path, kind, body) in [
        ("/html", "text/html; charset=utf-8", &b"<p>"[..]),
        ("/octets", "application/octet-stream", b"\0\xff"),
        ("/fields-alone", "text/plain; charset=utf-8", b"seven"),
    ] {
        let answer = get(path);
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.body(), body);
    }
}

#[test]
fn values_have_their_status() {
    for (path, status) in [("/nothing", 204), ("/status", 202)] {
        let answer = get(path);
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers().count(), 0);
        assert!(answer.blocks().is_empty());
    }
    assert_eq!(get("/absent").status(), 404);
    let answer = testing::post(&APP, "/form").send();
    assert_eq!(
        (answer.status().code(), answer.header("location")),
        (303, Some("/notes/7"))
    );
}

#[test]
fn fields_replace_those_of_the_body() {
    let answer = get("/fields");
    assert_eq!(answer.status(), 201);
    let fields: Vec<_> = answer.headers().collect();
    assert_eq!(
        fields,
        [
            ("content-type", &b"text/css"[..]),
            ("set-cookie", b"a=1"),
            ("set-cookie", b"b=2")
        ]
    );
    assert_eq!(get("/fields-alone").header("etag"), Some("7"));
    assert_eq!(
        get("/built")
            .headers()
            .filter(|(name, _)| *name == "x")
            .count(),
        2
    );
}

#[test]
fn errors_keep_their_cause() {
    let answer = get("/fails");
    assert_eq!(
        (answer.status().code(), answer.text().as_str()),
        (500, "Internal Server Error\n")
    );
    let answer = get("/refuses");
    assert_eq!(
        (answer.status().code(), answer.text().as_str()),
        (409, "It is taken\n")
    );
}

#[test]
fn a_refused_response_is_a_500_with_its_exception() {
    for (path, message) in [
        (
            "/inject",
            "the field `x-user` of the response was refused: its value holds a control character",
        ),
        (
            "/hop",
            "the field `Connection` of the response was refused: it belongs to the connection, and thus to the server",
        ),
        (
            "/interim",
            "the status 100 of the response is not from 200 to 599",
        ),
    ] {
        let answer = get(path);
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.text(), "Internal Server Error\n");
        assert_eq!(
            answer
                .exception()
                .map(|exception| exception.message.as_str()),
            Some(message)
        );
        assert!(answer.header("x-fine").is_none());
    }
}

#[test]
fn each_write_is_a_block() {
    assert_eq!(get("/lines").blocks(), [&b"1-2"[..], b"three"]);
    assert_eq!(get("/blocks").text(), "abc");
    assert_eq!(get("/blocks").header("content-length"), Some("3"));
}

#[test]
fn a_stream_of_known_length_is_not_made_for_head() {
    assert!(testing::head(&APP, "/blocks").send().blocks().is_empty());
    assert_eq!(testing::head(&APP, "/lines").send().blocks().len(), 2);
}

#[test]
fn a_stream_that_fails_is_cut() {
    let answer = get("/broken");
    assert_eq!((answer.status().code(), answer.text().as_str()), (202, "a"));
    let Some(Failure::Exception(exception)) = answer.failure() else {
        panic!("{:?}", answer.failure())
    };
    assert_eq!(exception.message, "the source is gone");
}

#[test]
fn a_client_that_left_is_reported_even_by_a_stream_that_goes_on() {
    let answer = testing::get(&APP, "/stubborn").hangs_up_after(2).send();
    assert_eq!(answer.blocks().len(), 2);
    assert_eq!(
        answer.failure(),
        Some(&Failure::Output(OutputError::Closed))
    );
    let answer = testing::get(&APP, "/html").hangs_up_after(0).send();
    assert_eq!(
        answer.failure(),
        Some(&Failure::Output(OutputError::Closed))
    );
}
