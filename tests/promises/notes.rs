//! The example `notes` does what its README says: over plain HTTP here, and in a
//! browser in [`pages`].

mod pages;

use futures_util::future::join_all;
use http::Request;
use rhost_tests::{Answer, Server, Test};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const JSON: &str = "application/json";

async fn serve(data: &Path) -> Server {
    Test::serving("notes")
        .dir(data, "/data", false)
        .env("SECRET_KEY", KEY)
        .start()
        .await
}

/// A program that has signed in.
struct Program<'s> {
    server: &'s Server,
    cookie: String,
}

impl<'s> Program<'s> {
    async fn signed_in(server: &'s Server, name: &str) -> Self {
        let mut program = Program {
            server,
            cookie: String::new(),
        };
        let answer = program
            .send("POST", "/session", json!({ "name": name }), &[])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.field("set-cookie");
        assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
        program.cookie = cookie.split(';').next().unwrap().to_owned();
        program
    }

    async fn send(&self, method: &str, path: &str, body: Value, fields: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", JSON)
            .header("cookie", &self.cookie);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        match body {
            Value::Null => self.server.request(request, "").await,
            body => {
                let request = request.header("content-type", JSON);
                self.server.request(request, body.to_string()).await
            }
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null, &[]).await
    }

    async fn save(&self, title: &str) -> String {
        let note = json!({ "title": title, "text": "a\nb" });
        let answer = self.send("POST", "/notes", note, &[]).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.field("location").to_owned()
    }
}

fn document(answer: &Answer) -> Value {
    let kind = answer.field("content-type");
    assert!(matches!(kind, JSON | "application/problem+json"), "{kind}");
    serde_json::from_slice(&answer.body).expect("it is JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_lent_is_said() {
    let home = tempfile::tempdir().unwrap();
    let nothing = Test::serving("notes").get("/").await;
    let no_key = Test::serving("notes").dir(home.path(), "/data", false);
    let no_key = no_key.get("/notes").await;
    let short = Test::serving("notes").dir(home.path(), "/data", false);
    let short = short.env("SECRET_KEY", "short").get("/").await;
    let no_directory = Test::serving("notes").env("SECRET_KEY", KEY).get("/").await;
    for (answer, directory, key) in [
        (nothing, true, true),
        (no_key, false, true),
        (short, false, true),
        (no_directory, true, false),
    ] {
        let text = answer.text();
        assert_eq!(answer.status, 503, "{text}");
        let missing = text.split("<ul id=\"missing\">").nth(1).unwrap();
        let missing = missing.split("</ul>").next().unwrap();
        assert_eq!(missing.contains("--dir ./data:/data"), directory, "{text}");
        assert_eq!(missing.contains("--env SECRET_KEY="), key, "{text}");
        assert!(text.contains("rhost serve examples/notes --dir ./data:/data --env SECRET_KEY="));
    }
    let request = Request::get("/").header("accept", JSON);
    let answer = Test::serving("notes").request(request, "").await;
    let detail = document(&answer)["detail"].to_string();
    assert!(
        detail.contains("--dir") && detail.contains("--env"),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_written_is_said() {
    let home = tempfile::tempdir().unwrap();
    let server = Test::serving("notes")
        .dir(home.path(), "/data", true)
        .env("SECRET_KEY", KEY)
        .start()
        .await;
    let answer = server.get("/").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.text().contains("lend it without `:ro`"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_write_change_and_delete_notes() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let ada = Program::signed_in(&server, "Ada").await;
    let path = ada.save("Milk").await;

    let answer = ada.get(&path).await;
    let note = document(&answer);
    assert_eq!(
        (note["title"].as_str(), note["revision"].as_u64()),
        (Some("Milk"), Some(1))
    );
    let tag = answer.field("etag").to_owned();
    let again = [("if-none-match", tag.as_str())];
    let answer = ada.send("GET", &path, Value::Null, &again).await;
    assert_eq!((answer.status, answer.body.len()), (304, 0));

    let change = json!({ "title": "Bread", "text": "" });
    let seen = [("if-match", tag.as_str())];
    let answer = ada.send("PUT", &path, change.clone(), &seen).await;
    assert_eq!(
        (answer.status, document(&answer)["revision"].as_u64()),
        (200, Some(2))
    );
    // Who has seen the first revision alone changes nothing, and deletes nothing.
    for (method, body) in [("PUT", change.clone()), ("DELETE", Value::Null)] {
        assert_eq!(ada.send(method, &path, body, &seen).await.status, 412);
    }
    let notes = document(&ada.get("/notes").await);
    assert_eq!(notes["notes"].as_array().unwrap().len(), 1);
    assert_eq!(notes["notes"][0]["title"], "Bread");

    // A notebook is its owner's alone.
    let bob = Program::signed_in(&server, "Bob").await;
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(bob.send("PUT", &path, change, &[]).await.status, 404);

    assert_eq!(
        ada.send("DELETE", &path, Value::Null, &[]).await.status,
        204
    );
    let gone = ada.get(&path).await;
    assert_eq!(
        (gone.status, document(&gone)["status"].as_u64()),
        (404, Some(404))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_not_valid_is_told_field_by_field() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let ada = Program::signed_in(&server, "Ada").await;
    let long = "x".repeat(20_001);
    for (path, body, field) in [
        ("/session", json!({ "name": "a/b" }), "name"),
        ("/session", json!({}), "name"),
        ("/notes", json!({ "title": " ", "text": "x" }), "title"),
        ("/notes", json!({ "title": "x", "text": long }), "text"),
    ] {
        let answer = ada.send("POST", path, body, &[]).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        let errors = &document(&answer)["errors"];
        assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
        assert_eq!(errors[0]["field"], field);
    }
    let answer = ada.send("POST", "/notes", json!({ "title": 7 }), &[]).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains("title: is invalid"),
        "{}",
        answer.text()
    );
    assert_eq!(document(&ada.get("/notes").await)["notes"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_changes_at_once_none_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let ada = Program::signed_in(&server, "Ada").await;
    let path = ada.save("0").await;
    let changes = (0..24).map(|number| {
        let change = json!({ "title": number.to_string(), "text": "x".repeat(8000) });
        let (ada, path) = (&ada, &path);
        async move { ada.send("PUT", path, change, &[]).await.status }
    });
    let statuses = join_all(changes).await;
    let saved = statuses.iter().filter(|status| **status == 200).count();
    let refused = statuses.iter().filter(|status| **status == 409).count();
    assert_eq!(saved + refused, 24, "{statuses:?}");
    // Each that was told it was saved is a revision, whole.
    let note = document(&ada.get(&path).await);
    assert_eq!(note["revision"].as_u64(), Some(saved as u64 + 1));
    assert_eq!(note["text"].as_str().map(str::len), Some(8000));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_visit_is_counted_also_over_a_restart() {
    let home = tempfile::tempdir().unwrap();
    for round in 1..=2 {
        let server = serve(home.path()).await;
        let visits = (0..40).map(|_| async { server.get("/").await.status });
        let statuses = join_all(visits).await;
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        let request = Request::get("/").header("accept", JSON);
        let answer = server.request(request, "").await;
        assert_eq!(document(&answer)["visits"], 40 * round);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_was_made_up_is_nobodys() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let mut ada = Program::signed_in(&server, "Ada").await;
    assert_eq!(ada.get("/notes").await.status, 200);
    let end = ada.cookie.pop();
    ada.cookie.push(if end == Some('A') { 'B' } else { 'A' });
    let forged = ada.cookie.clone();
    for cookie in [forged.as_str(), "session=eyJuYW1lIjoiQWRhIn0", ""] {
        ada.cookie = cookie.to_owned();
        let answer = ada.get("/notes").await;
        assert_eq!(
            (answer.status, document(&answer)["status"].as_u64()),
            (401, Some(401))
        );
        let page = Request::get("/notes").header("cookie", cookie);
        let answer = server.request(page, "").await;
        assert_eq!((answer.status, answer.field("location")), (303, "/"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_sites_page_sends_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let ada = Program::signed_in(&server, "Ada").await;
    let note = json!({ "title": "x", "text": "" });
    for fields in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "http://test")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://test.evil.example")],
    ] {
        for path in ["/notes", "/session"] {
            let answer = ada.send("POST", path, note.clone(), fields).await;
            assert_eq!(answer.status, 403, "{fields:?}");
        }
    }
    assert_eq!(document(&ada.get("/notes").await)["notes"], json!([]));
    for fields in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("origin", "http://test")],
    ] {
        let answer = ada.send("POST", "/notes", note.clone(), fields).await;
        assert_eq!(answer.status, 201, "{fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_was_sent() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let ada = Program::signed_in(&server, "Ada").await;
    let path = format!("{}/attachment", ada.save("Cat").await);
    let octets: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    let mut form =
        b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../<cat>.html\"\r\n\
        content-type: text/html\r\n\r\n"
            .to_vec();
    form.extend_from_slice(&octets);
    form.extend_from_slice(b"\r\n--x--\r\n");
    let post = || {
        Request::post(&path)
            .header("cookie", &ada.cookie)
            .header("content-type", "multipart/form-data; boundary=x")
    };
    let answer = server.request(post(), form.clone()).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let answer = ada.get(&path).await;
    assert_eq!(answer.body, octets);
    assert_eq!(answer.field("content-type"), "application/octet-stream");
    assert_eq!(
        answer.field("content-disposition"),
        "attachment; filename=\"<cat>.html\""
    );
    let part = ada
        .send("GET", &path, Value::Null, &[("range", "bytes=1-3")])
        .await;
    assert_eq!((part.status, &part.body[..]), (206, &[1, 2, 3][..]));

    // One that breaks off, one that is too large and one that is none change nothing.
    form.truncate(200_000);
    assert_eq!(server.request(post(), form.clone()).await.status, 400);
    form.resize(6 << 20, b'.');
    assert_eq!(server.request(post(), form).await.status, 413);
    assert_eq!(server.request(post(), "--x--\r\n").await.status, 422);
    assert_eq!(ada.get(&path).await.body, octets);
    let mut left = Vec::new();
    files(home.path(), &mut left);
    let kept = left.iter().filter(|name| name.ends_with(".attachment"));
    assert_eq!(kept.count(), 1, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_mounted_anywhere() {
    let home = tempfile::tempdir().unwrap();
    let server = Test::serving("notes")
        .dir(home.path(), "/data", false)
        .env("SECRET_KEY", KEY)
        .mount("/desk")
        .start()
        .await;
    let answer = server.get("/desk/").await;
    assert!(
        answer.text().contains("action=\"/desk/session\""),
        "{}",
        answer.text()
    );
    assert_eq!(server.get("/desk/notes").await.field("location"), "/desk/");
}

fn files(directory: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, names),
            false => names.push(path.display().to_string()),
        }
    }
}
