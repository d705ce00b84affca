//! Tails: `{rest..}` takes what is left of a path.

use rhost_sdk::prelude::*;
use rhost_sdk::testing;

#[get("/files/{path..}")]
fn file(path: &str) -> String {
    format!("file {path}")
}

#[put("/files/{path..}")]
fn store(path: String, body: Vec<u8>) -> String {
    format!("{path} of {}", body.len())
}

#[get("/files/{name}")]
fn named<'r>(headers: &'r Headers, name: &'r str) -> String {
    assert!(headers.is_empty());
    format!("named {name}")
}

#[get("/files/readme")]
fn readme() -> &'static str {
    "readme"
}

#[get("/files/{name}/versions/{number}")]
fn version(name: String, number: u8) -> String {
    format!("{name} {number}")
}

#[delete("/numbers/{number..}")]
fn number(number: u32) -> String {
    number.to_string()
}

#[post("/{rest..}")]
fn rest(rest: String) -> String {
    format!("rest {rest}")
}

app!(rest, file, store, named, readme, version, number);

#[track_caller]
fn is(method: &str, target: &str, text: &str) {
    let answer = testing::request(&APP, method, target).send();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text(), text);
}

#[track_caller]
fn status(method: &str, target: &str, status: u16, allow: Option<&str>) {
    let answer = testing::request(&APP, method, target).send();
    assert_eq!(answer.status(), status);
    assert_eq!(answer.header("allow"), allow);
}

#[test]
fn takes_the_rest_with_its_slashes() {
    is("GET", "/files/a/b.txt", "file a/b.txt");
    is("GET", "/files/a/", "file a/");
    is("GET", "/files//", "file /");
    is("GET", "/files//a", "file /a");
    is("GET", "/files/a%2F%20b", "file a/ b");
    is("PUT", "/files/a", "a of 0");
    is("POST", "/x/y/z", "rest x/y/z");
    is("POST", "//", "rest /");
    is("DELETE", "/numbers/7", "7");
}

#[test]
fn takes_something() {
    // Only `/{rest..}` fits.
    status("GET", "/files/", 405, Some("POST, OPTIONS"));
    status("DELETE", "/numbers/", 405, Some("POST, OPTIONS"));
    status("PUT", "/files", 405, Some("POST, OPTIONS"));
    status("POST", "/", 404, None);
    status("OPTIONS", "/", 404, None);
    // Mounted, and asked for at the mount itself.
    let answer = testing::post(&APP, "/shop")
        .environ(|environ| environ.path_info.clear())
        .send();
    assert_eq!(answer.status(), 404);
}

#[test]
fn comes_after_literals_and_parameters() {
    is("GET", "/files/readme", "readme");
    is("GET", "/files/a", "named a");
    is("GET", "/files/a/versions/3", "a 3");
    // Where these lead nowhere, the tail is tried.
    is("GET", "/files/readme/", "file readme/");
    is("GET", "/files/readme/x", "file readme/x");
    is("GET", "/files/a/versions", "file a/versions");
    is("POST", "/files/readme", "rest files/readme");
    // A parameter that fits ends the search.
    status("GET", "/files/a/versions/300", 404, None);
}

#[test]
fn is_read_as_its_type() {
    status("DELETE", "/numbers/7/", 404, None);
    status("DELETE", "/numbers/seven", 404, None);
    status("GET", "/files/a/%FF", 404, None);
}

#[test]
fn its_methods_count() {
    let all = "GET, HEAD, POST, PUT, OPTIONS";
    status("PATCH", "/files/a/b", 405, Some(all));
    status("OPTIONS", "/files/a/b", 204, Some(all));
    status("GET", "/x", 405, Some("POST, OPTIONS"));
    let answer = testing::head(&APP, "/files/a/b").send();
    assert_eq!(answer.blocks(), [b"file a/b"]);
    assert!(answer.body().is_empty());
}
