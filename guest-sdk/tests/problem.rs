//! Errors as problem documents (RFC 9457).

use std::collections::HashMap;
use std::io;

use rhost_sdk::gateway::InputError;
use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer};
use serde_json::{Value, json};

#[get("/blank")]
fn blank() -> Problem {
    Problem::new(Status::NOT_FOUND)
}

#[get("/unregistered")]
fn unregistered() -> Problem {
    Problem::new(Status::new(499))
}

#[get("/full")]
fn full() -> Result<(), Problem> {
    let problem = Problem::new(Status::FORBIDDEN)
        .with("balance", 30)
        .kind("https://example.com/probs/out-of-credit")
        .title("You do not have enough credit.")
        .detail("Your current balance is 30, but that costs 50.")
        .instance("/account/12345/msgs/abc")
        .with("balance", 31)
        .with("accounts", ["/account/12345"]);
    Err(problem)
}

#[post("/echo")]
fn echo(body: Result<String, Rejection>) -> Result<(), Problem> {
    Err(Problem::new(Status::BAD_REQUEST).detail(body?))
}

#[get("/reserved")]
fn reserved() -> Problem {
    Problem::new(Status::CONFLICT)
        .with("status", 200)
        .with("type", "x")
        .with("title", "x")
        .with("detail", "x")
        .with("instance", "x")
        .with("Status", 1)
}

#[get("/unspeakable")]
fn unspeakable() -> Problem {
    // A key of JSON is text.
    let value = HashMap::from([(vec![1], 2)]);
    Problem::new(Status::CONFLICT)
        .with("map", value)
        .with("left", 1)
}

#[get("/any/{which}")]
fn any(which: String) -> Result<(), Problem> {
    match which.as_str() {
        "parse" => _ = "seven".parse::<u32>()?,
        "io" => Err(io::Error::other("the password is 12345"))?,
        "error" => Err(Error::new(Status::CONFLICT, "It is taken").because("row 7"))?,
        "rejection" => Err(Rejection::new(Status::GONE, "It was there"))?,
        _ => return Err(Problem::new(Status::NOT_FOUND).because("no such case")),
    }
    Ok(())
}

app!(blank, unregistered, full, echo, reserved, unspeakable, any);

fn get(path: &str) -> Answer {
    testing::get(&APP, path).send()
}

#[test]
fn a_problem_is_a_document() {
    for (path, expected) in [
        ("/blank", json!({"title": "Not Found", "status": 404})),
        ("/unregistered", json!({"status": 499})),
        (
            "/full",
            json!({
                "type": "https://example.com/probs/out-of-credit",
                "title": "You do not have enough credit.",
                "status": 403,
                "detail": "Your current balance is 30, but that costs 50.",
                "instance": "/account/12345/msgs/abc",
                "balance": 31,
                "accounts": ["/account/12345"],
            }),
        ),
        (
            "/reserved",
            json!({"title": "Conflict", "status": 409, "Status": 1}),
        ),
        (
            "/unspeakable",
            json!({"title": "Conflict", "status": 409, "left": 1}),
        ),
    ] {
        let answer = get(path);
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.json::<Value>(), expected);
        assert_eq!(answer.status().code(), expected["status"]);
    }
}

#[test]
fn no_member_is_there_twice() {
    for path in ["/full", "/reserved"] {
        let text = get(path).text();
        for name in ["\"type\"", "\"title\"", "\"status\"", "\"balance\""] {
            assert!(text.matches(name).count() <= 1, "{text}");
        }
    }
}

#[test]
fn what_a_client_sent_stays_text() {
    let body = "\",\"status\":200,\"x\":\"\\\n\u{0}\u{2028}</script>";
    let answer = testing::post(&APP, "/echo").body(body).send();
    let document: Value = answer.json();
    assert_eq!(
        document,
        json!({"title": "Bad Request", "status": 400, "detail": body})
    );
}

#[test]
fn every_error_becomes_a_problem() {
    for (path, status, detail) in [
        ("/any/parse", 500, None),
        ("/any/io", 500, None),
        ("/any/error", 409, Some("It is taken")),
        ("/any/rejection", 410, Some("It was there")),
        ("/any/else", 404, None),
    ] {
        let answer = get(path);
        assert_eq!(answer.status(), status);
        let document: Value = answer.json();
        assert_eq!(document["status"], status);
        assert_eq!(
            document.get("detail").and_then(Value::as_str),
            detail,
            "{path}"
        );
        // The cause is the log's alone.
        assert!(!answer.text().contains("12345") && !answer.text().contains("row 7"));
    }
    let answer = testing::post(&APP, "/echo")
        .breaks_off(InputError::TimedOut)
        .send();
    assert_eq!(answer.status(), 408);
    assert_eq!(
        answer.json::<Value>()["detail"],
        "The request's body did not arrive in time"
    );
}
