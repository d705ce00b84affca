//! What one feature makes survives what another does with it.

use rhost_sdk::prelude::*;
use rhost_sdk::testing;

app!(part, missing, not_found = page);

#[get("/part")]
fn part(conditions: Conditions<'_>) -> Response {
    conditions.ranged().respond(ETag::strong("1"), || {
        (Cookie::new("seen", "1"), "0123456789")
    })
}

#[get("/missing")]
fn missing() -> Option<String> {
    None
}

fn page(request: &Request) -> (Cookie, Html<String>) {
    let path = String::from_utf8_lossy(request.path()).into_owned();
    (
        Cookie::new("lost", "1"),
        Html(format!("<h1>No {path}</h1>")),
    )
}

#[test]
fn a_part_of_a_body_still_sets_its_cookies() {
    let answer = testing::get(&APP, "/part")
        .header("range", "bytes=2-4")
        .send();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.text(), "234");
    assert!(answer.header("set-cookie").unwrap().starts_with("seen=1"));
}

#[test]
fn a_page_of_the_sites_sets_its_own() {
    let answer = testing::get(&APP, "/missing").send();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.text(), "<h1>No /missing</h1>");
    assert!(answer.header("set-cookie").unwrap().starts_with("lost=1"));
}
