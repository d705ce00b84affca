//! The arguments of handlers, and the answers where they are not to be had.

use std::io::Read;

use rhost_sdk::prelude::*;
use rhost_sdk::{InputError, testing};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Note {
    text: String,
    stars: Option<u8>,
}

#[post("/json")]
fn json(Json(note): Json<Note>) -> Json<Note> {
    Json(note)
}

#[post("/maybe")]
fn maybe(note: Option<Json<Note>>) -> Option<Json<Note>> {
    note
}

#[post("/form")]
fn form(Form(note): Form<Note>) -> String {
    format!("{} {:?}", note.text, note.stars)
}

#[get("/query")]
fn query(query: Query<Note>) -> String {
    format!("{} {:?}", query.0.text, query.0.stars)
}

#[post("/text")]
fn text(text: String) -> String {
    text
}

#[post("/octets")]
fn octets(octets: Vec<u8>) -> String {
    octets.len().to_string()
}

#[post("/small")]
fn small(Limited(note): Limited<16, Json<Note>>) -> Json<Note> {
    note
}

#[post("/lines")]
fn lines(body: Body) -> Result<String> {
    let lines: Vec<String> = body.lines().collect::<Result<_, _>>()?;
    Ok(lines.join("|"))
}

#[post("/reader")]
fn reader(mut body: Body) -> Result<String> {
    let mut text = String::new();
    body.read_to_string(&mut text)?;
    Ok(text)
}

#[post("/twice")]
fn twice(_first: Body, _second: String) {}

#[post("/mine")]
fn mine(text: std::result::Result<String, Rejection>) -> std::result::Result<String, Rejection> {
    text.or_else(|rejection| match rejection.status() {
        Status::BAD_REQUEST => Ok("not text".into()),
        _ => Err(rejection),
    })
}

#[get("/whole")]
fn whole(request: &Request, headers: &Headers) -> String {
    format!(
        "{} {} {:?}",
        request.method(),
        request.query(),
        headers.get("X-One")
    )
}

app!(
    json, maybe, form, query, text, octets, small, lines, reader, twice, mine, whole
);

const NOTE: &str = r#"{"text":"milk","stars":null}"#;

fn post_json(path: &str, body: &str) -> testing::TestRequest {
    testing::post(&APP, path)
        .header("Content-Type", "application/json; charset=utf-8")
        .body(body)
}

#[test]
fn json_is_read() {
    assert_eq!(post_json("/json", NOTE).send().text(), NOTE);
    assert_eq!(post_json("/json", NOTE).send().json::<Note>().text, "milk");
    let problem = testing::post(&APP, "/json").header("content-type", "application/Problem+JSON");
    assert_eq!(problem.body(NOTE).send().status(), 200);
}

#[test]
fn json_needs_its_type_and_its_shape() {
    let answer = testing::post(&APP, "/json").body(NOTE).send();
    assert_eq!(answer.status(), 415);
    assert_eq!(
        answer.text(),
        "The request's body must be application/json\n"
    );
    let answer = post_json("/json", r#"{"secret":"#).send();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.text(), "The JSON document is malformed\n");
    assert_eq!(post_json("/json", r#"{"text":7}"#).send().status(), 400);
}

#[test]
fn what_may_be_absent_is_none() {
    assert_eq!(testing::post(&APP, "/maybe").send().status(), 404);
    assert_eq!(post_json("/maybe", NOTE).send().text(), NOTE);
    assert_eq!(post_json("/maybe", "{").send().status(), 400);
}

#[test]
fn queries_and_forms_are_decoded() {
    let answer = testing::get(&APP, "/query?text=a+b%26&stars=5").send();
    assert_eq!(answer.text(), "a b& Some(5)");
    assert_eq!(testing::get(&APP, "/query").send().status(), 400);
    let form = testing::post(&APP, "/form").body("text=caf%C3%A9");
    assert_eq!(form.clone().send().status(), 415);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.send().text(), "café None");
}

#[test]
fn whole_bodies_are_bounded() {
    assert_eq!(
        testing::post(&APP, "/octets")
            .body(vec![0; 2 << 20])
            .send()
            .text(),
        "2097152"
    );
    assert_eq!(
        testing::post(&APP, "/octets")
            .body(vec![0; (2 << 20) + 1])
            .send()
            .status(),
        413
    );
    let blocks = std::iter::repeat_n([0; 65536], 33);
    assert_eq!(
        testing::post(&APP, "/octets")
            .blocks(blocks)
            .send()
            .status(),
        413
    );
    assert_eq!(post_json("/small", NOTE).send().status(), 413);
    assert_eq!(post_json("/small", r#"{"text":"a"}"#).send().status(), 200);
}

#[test]
fn text_is_utf8() {
    assert_eq!(
        testing::post(&APP, "/text")
            .blocks([&b"\xc3"[..], b"\xa9"])
            .send()
            .text(),
        "é"
    );
    assert_eq!(
        testing::post(&APP, "/text").body(b"\xff").send().status(),
        400
    );
    assert_eq!(
        testing::post(&APP, "/mine").body(b"\xff").send().text(),
        "not text"
    );
}

#[test]
fn bodies_that_do_not_arrive_are_the_clients_fault() {
    for (error, status) in [
        (InputError::Incomplete, 400),
        (InputError::TooLarge(9), 413),
        (InputError::TimedOut, 408),
    ] {
        for path in ["/text", "/lines", "/reader"] {
            let answer = testing::post(&APP, path)
                .blocks(["a"])
                .breaks_off(error)
                .send();
            assert_eq!(answer.status(), status, "{path}");
        }
    }
}

#[test]
fn lines_cross_blocks() {
    let answer = testing::post(&APP, "/lines")
        .blocks(["a\nb", "c\r\n", "d"])
        .send();
    assert_eq!(answer.text(), "a|bc|d");
}

#[test]
fn a_body_is_taken_once() {
    let answer = testing::post(&APP, "/twice").body("x").send();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text(), "Internal Server Error\n");
}

#[test]
fn the_parts_are_there() {
    let answer = testing::get(&APP, "/whole?a=b")
        .header("X-One", "1")
        .header("x_one", "2")
        .send();
    assert_eq!(answer.text(), "GET a=b Some(\"1\")");
}
