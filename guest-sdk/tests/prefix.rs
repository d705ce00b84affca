//! Routes below a prefix.

use rhost_sdk::prelude::*;
use rhost_sdk::testing;

#[get("/")]
fn index() -> &'static str {
    "index"
}

#[get("/{page}/{number}")]
fn page(page: &str, number: u32) -> String {
    format!("page {page} {number}")
}

mod admin {
    use rhost_sdk::prelude::*;

    #[get("/")]
    pub fn index() -> &'static str {
        "admin"
    }

    #[get("/{name}/{id}")]
    pub fn show(id: u32, name: &str) -> String {
        format!("{name} {id}")
    }

    #[route("/files/{path..}", methods = [GET, DELETE])]
    pub fn file(method: Method, path: &str) -> String {
        format!("{method} {path}")
    }

    #[post("/{id}")]
    pub fn report(id: u8) -> String {
        format!("report {id}")
    }
}

app!(
    "/admin" => [
        admin::file,
        "/reports/été" => [admin::report, admin::index],
        admin::index,
        admin::show,
    ],
    index,
    "/other" => [admin::file],
    page,
);

#[track_caller]
fn is(method: &str, target: &str, text: &str) {
    let answer = testing::request(&APP, method, target).send();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text(), text);
}

#[track_caller]
fn allow(method: &str, target: &str, status: u16, methods: Option<&str>) {
    let answer = testing::request(&APP, method, target).send();
    assert_eq!(answer.status(), status);
    assert_eq!(answer.header("allow"), methods);
}

#[test]
fn a_prefix_stands_before_each_pattern() {
    is("GET", "/", "index");
    is("GET", "/admin/", "admin");
    is("GET", "/admin/reports/%C3%A9t%C3%A9/", "admin");
    allow("GET", "/admin", 404, None);
    allow("GET", "/other/", 404, None);
}

#[test]
fn parameters_are_counted_below_the_prefix() {
    is("GET", "/admin/users/7", "users 7");
    is("POST", "/admin/reports/%C3%A9t%C3%A9/7", "report 7");
    allow("POST", "/admin/reports/%C3%A9t%C3%A9/256", 404, None);
    is("DELETE", "/admin/files/a/b", "DELETE a/b");
    is("GET", "/other/files/a/b", "GET a/b");
    is("GET", "/pages/7", "page pages 7");
}

#[test]
fn the_whole_site_is_one_table() {
    // `/admin/files/{path..}` and `/{page}/{number}`.
    is("GET", "/admin/files/7", "GET 7");
    is("GET", "/admin/7", "page admin 7");
    allow(
        "PUT",
        "/admin/files/7",
        405,
        Some("GET, HEAD, DELETE, OPTIONS"),
    );
    allow("OPTIONS", "/admin/", 204, Some("GET, HEAD, OPTIONS"));
    let head = testing::head(&APP, "/admin/").send();
    assert_eq!(head.blocks(), [b"admin"]);
}
