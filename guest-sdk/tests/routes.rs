//! What a site answers, by path and method.

use rhost_sdk::prelude::*;
use rhost_sdk::testing;

mod users {
    use rhost_sdk::prelude::*;

    #[get("/users/{id}")]
    pub fn show(id: u32) -> String {
        format!("user {id}")
    }

    #[get("/users/me")]
    pub fn me() -> &'static str {
        "me"
    }

    #[put("/users/{id}")]
    pub fn rename(id: String, name: String) -> String {
        format!("{id} is {name}")
    }

    #[get("/users/{id}/notes/{note}")]
    pub fn note(note: char, id: i64) -> String {
        format!("{note} of {id}")
    }

    #[get("/users/me/notes/")]
    pub fn notes() -> &'static str {
        "my notes"
    }

    #[head("/users/me/notes/")]
    pub fn peek() -> (Status, [(&'static str, &'static str); 1], ()) {
        (Status::OK, [("x-notes", "7")], ())
    }
}

use users::show;

#[get("/")]
fn index(method: Method) -> &'static str {
    if method == Method::Head {
        "head"
    } else {
        "index"
    }
}

#[options("/own")]
fn own_options() -> &'static str {
    "own"
}

#[post("/own")]
fn own(r#type: Option<Query<Vec<(String, String)>>>) -> String {
    r#type.map_or("none".into(), |Query(pairs)| pairs.len().to_string())
}

#[delete("/{what}/{type}")]
fn remove(what: bool, r#type: f32, environ: &Environ) -> String {
    format!("{what} {type} {}", environ.script_name)
}

// Named lifetimes mean nothing beside the function that declares them.
#[get("/été")]
#[allow(clippy::needless_lifetimes)]
fn summer<'r>(headers: &'r Headers, Limited(body): Limited<4, Vec<u8>>) -> String {
    format!("{} {}", headers.len(), body.len())
}

#[route("/both", methods = [POST, GET, DELETE])]
fn both(method: Method) -> String {
    format!("both {method}")
}

#[head("/both")]
fn both_head() -> (Status, [(&'static str, &'static str); 1], ()) {
    (Status::OK, [("x-both", "head")], ())
}

app!(
    both,
    both_head,
    index,
    show,
    users::me,
    users::rename,
    users::note,
    users::notes,
    users::peek,
    own,
    own_options,
    remove,
    summer,
);

#[track_caller]
fn text(method: &str, target: &str) -> String {
    let answer = testing::request(&APP, method, target).send();
    assert_eq!(answer.status(), 200);
    answer.text()
}

#[track_caller]
fn missing(method: &str, target: &str) {
    let answer = testing::request(&APP, method, target).send();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text(), "Not Found\n");
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
}

#[track_caller]
fn allow(method: &str, target: &str, status: u16, methods: &str) {
    let answer = testing::request(&APP, method, target).send();
    assert_eq!(answer.status(), status);
    assert_eq!(answer.header("allow"), Some(methods));
}

#[test]
fn a_function_is_left_as_it_was() {
    assert_eq!(show(7), "user 7");
    assert_eq!(users::note('a', -1), "a of -1");
}

#[test]
fn finds_by_path() {
    assert_eq!(text("GET", "/"), "index");
    assert_eq!(text("GET", "/users/7"), "user 7");
    assert_eq!(text("GET", "/users/-1/notes/x"), "x of -1");
    assert_eq!(text("DELETE", "/true/1.5"), "true 1.5 ");
    assert_eq!(text("GET", "/%C3%A9t%C3%A9"), "0 0");
}

#[test]
fn a_literal_wins_and_gives_way() {
    assert_eq!(text("GET", "/users/me"), "me");
    // The literal `me` has no PUT, and no note `x` below it.
    let answer = testing::put(&APP, "/users/me").body("Ada").send();
    assert_eq!(answer.text(), "me is Ada");
    assert_eq!(testing::get(&APP, "/users/me/notes/x").send().status(), 404);
    assert_eq!(text("GET", "/users/me/notes/"), "my notes");
}

#[test]
fn what_does_not_fit_is_not_found() {
    missing("GET", "/nothing");
    missing("GET", "/users");
    missing("GET", "/users/");
    missing("GET", "/users/7/");
    missing("GET", "//");
    missing("GET", "/users/7/notes");
    missing("GET", "/users/seven");
    missing("GET", "/users/4294967296");
    missing("GET", "/users/7/notes/long");
    missing("PUT", "/users/%FF");
    missing("GET", "*");
}

#[test]
fn parameters_are_decoded_once() {
    let answer = testing::put(&APP, "/users/a%2520%20%C3%A9")
        .body("x")
        .send();
    assert_eq!(answer.text(), "a%20 é is x");
    // A decoded slash is a slash: the server decodes before the site splits.
    assert_eq!(text("GET", "/users%2F7"), "user 7");
}

#[test]
fn a_mounted_site_answers_at_its_mount() {
    let answer = testing::get(&APP, "/shop")
        .environ(|environ| {
            environ.script_name = "/shop".into();
            environ.path_info.clear();
        })
        .send();
    assert_eq!(answer.text(), "index");
}

#[test]
fn another_method_is_not_allowed() {
    allow("POST", "/", 405, "GET, HEAD, OPTIONS");
    allow("BREW", "/", 405, "GET, HEAD, OPTIONS");
    allow("get", "/", 405, "GET, HEAD, OPTIONS");
    allow("POST", "/users/7/notes/x", 405, "GET, HEAD, OPTIONS");
    // Three patterns fit, and all count.
    allow("POST", "/users/me", 405, "GET, HEAD, PUT, DELETE, OPTIONS");
    missing("BREW", "/nothing");
}

#[test]
fn head_is_answered_by_get() {
    let answer = testing::head(&APP, "/").send();
    assert_eq!(answer.status(), 200);
    assert!(answer.body().is_empty());
    // The server takes Content-Length from the block that it drops.
    assert_eq!(answer.blocks(), [b"head"]);
    let answer = testing::head(&APP, "/users/me/notes/").send();
    assert_eq!(answer.header("x-notes"), Some("7"));
    allow("HEAD", "/own", 405, "POST, OPTIONS");
}

#[test]
fn one_function_answers_several_methods() {
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(text(method, "/both"), format!("both {method}"));
    }
    let answer = testing::head(&APP, "/both").send();
    assert_eq!(answer.header("x-both"), Some("head"));
    let all = "GET, HEAD, POST, DELETE, OPTIONS";
    allow("PUT", "/both", 405, all);
    allow("OPTIONS", "/both", 204, all);
}

#[test]
fn options_name_the_methods() {
    allow(
        "OPTIONS",
        "/users/7",
        204,
        "GET, HEAD, PUT, DELETE, OPTIONS",
    );
    allow("OPTIONS", "*", 204, "GET, HEAD, POST, PUT, DELETE, OPTIONS");
    assert_eq!(text("OPTIONS", "/own"), "own");
    missing("OPTIONS", "/nothing");
}

#[test]
fn raw_names_and_options() {
    assert_eq!(text("POST", "/own"), "none");
    assert_eq!(text("POST", "/own?a=1&b=2"), "2");
    assert_eq!(
        testing::get(&APP, "/%C3%A9t%C3%A9")
            .body("12345")
            .send()
            .status(),
        413
    );
}
