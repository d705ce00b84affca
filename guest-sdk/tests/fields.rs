//! Rejections that name the field.

use std::collections::BTreeMap;

use rhost_sdk::extract::Problems;
use rhost_sdk::prelude::*;
use rhost_sdk::testing;
use serde::Deserialize;

#[derive(Deserialize)]
struct Item {
    count: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    counts: BTreeMap<String, u8>,
}

impl Validate for Order {
    fn validate(&self, problems: &mut Problems) {
        if self.name.is_empty() {
            problems.add("name", "must not be empty");
        }
        for (index, item) in self.items.iter().enumerate() {
            if item.count == 0 {
                problems.add(format!("items[{index}].count"), "must not be 0");
            }
        }
    }
}

#[derive(Deserialize)]
struct Page {
    page: u8,
    of: Option<u8>,
}

impl Validate for Page {
    fn validate(&self, problems: &mut Problems) {
        if self.of.is_some_and(|of| self.page > of) {
            problems.add("page", "must not pass the last one");
        }
    }
}

#[post("/json")]
fn json(Json(order): Json<Order>) -> String {
    format!(
        "{} {} {}",
        order.name,
        order.items.len(),
        order.counts.len()
    )
}

#[post("/valid")]
fn valid(Valid(Json(order)): Valid<Json<Order>>) -> String {
    order.name
}

#[post("/small")]
fn small(Valid(Limited(Json(order))): Valid<Limited<32, Json<Order>>>) -> String {
    order.name
}

#[get("/query")]
fn query(Query(page): Query<Page>) -> String {
    format!("{} {:?}", page.page, page.of)
}

#[get("/maybe")]
fn maybe(page: Option<Valid<Query<Page>>>) -> String {
    page.map(|Valid(Query(page))| page.page)
        .unwrap_or(1)
        .to_string()
}

#[post("/form")]
fn form(Form(page): Form<Page>) -> String {
    page.page.to_string()
}

#[post("/fails")]
fn fails(page: std::result::Result<Json<Page>, Rejection>) -> Result<String> {
    Ok(page?.0.page.to_string())
}

#[post("/told")]
fn told(page: std::result::Result<Json<Page>, Rejection>) -> String {
    match page {
        Ok(_) => "fine".into(),
        Err(rejection) => format!("{:?}", rejection.problems().collect::<Vec<_>>()),
    }
}

app!(json, valid, small, query, maybe, form, fails, told);

fn post(path: &str, kind: &str, body: &str) -> (u16, String) {
    let answer = testing::post(&APP, path)
        .header("content-type", kind)
        .body(body)
        .send();
    (answer.status().code(), answer.text())
}

fn post_json(path: &str, body: &str) -> (u16, String) {
    post(path, "application/json", body)
}

#[test]
fn a_document_that_does_not_fit_names_the_field() {
    for (document, line) in [
        (r#"{}"#, "name: is missing\n"),
        (r#"{"name":7}"#, "name: is invalid\n"),
        (r#"{"name":"a","name":"b"}"#, "name: is there twice\n"),
        (r#"{"name":"a","evil":1}"#, "evil: is not known\n"),
        (
            r#"{"name":"a","items":[{"count":1},{"count":256}]}"#,
            "items[1].count: is invalid\n",
        ),
        (
            r#"{"name":"a","items":[{"count":1},{}]}"#,
            "items[1].count: is missing\n",
        ),
        (
            r#"{"name":"a","counts":{"x\r\ny: z":-1}}"#,
            "counts.x\\r\\ny: z: is invalid\n",
        ),
        (r#"[]"#, ""),
        (r#"7"#, ""),
        (r#"{"name":"a""#, ""),
        (r#"{"name":"a"}}"#, ""),
        (r#""#, ""),
    ] {
        assert_eq!(
            post_json("/json", document),
            (400, format!("The JSON document is malformed\n{line}")),
            "{document}"
        );
    }
    let fits = r#"{"name":"a","items":[{"count":1}],"counts":{"b":1}}"#;
    assert_eq!(post_json("/json", fits), (200, "a 1 1".into()));
}

#[test]
fn a_name_that_the_client_made_up_is_bounded() {
    let problem = |length: usize| {
        let name = "n".repeat(length);
        post_json("/json", &format!(r#"{{"name":"a","{name}":1}}"#)).1
    };
    assert!(problem(100).ends_with("nn: is not known\n"));
    assert_eq!(problem(101), "The JSON document is malformed\n");
    let deep = "[".repeat(100_000);
    let document = format!(r#"{{"name":"a","items":{deep}"#);
    assert_eq!(post_json("/json", &document).0, 400);
}

#[test]
fn queries_and_forms_name_it_too() {
    for (query, line) in [
        ("", "page: is missing\n"),
        ("page=x", "page: is invalid\n"),
        ("page=1&of=-1", "of: is invalid\n"),
        ("page=1&page=2", "page: is there twice\n"),
    ] {
        let answer = testing::get(&APP, &format!("/query?{query}")).send();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.text(), format!("The query is malformed\n{line}"));
        assert_eq!(
            post("/form", "application/x-www-form-urlencoded", query),
            (400, format!("The form is malformed\n{line}"))
        );
    }
    let answer = testing::get(&APP, "/query?page=1&of=2").send();
    assert_eq!(answer.text(), "1 Some(2)");
}

#[test]
fn it_is_named_however_it_is_answered() {
    let document = r#"{"page":"x"}"#;
    assert_eq!(
        post_json("/fails", document),
        (
            400,
            "The JSON document is malformed\npage: is invalid\n".into()
        )
    );
    assert_eq!(
        post_json("/told", document),
        (200, r#"[("page", "is invalid")]"#.into())
    );
}

#[test]
fn a_value_checks_itself() {
    assert_eq!(
        post_json("/valid", r#"{"name":"","items":[{"count":1},{"count":0}]}"#),
        (
            422,
            "Some fields are not valid\nname: must not be empty\nitems[1].count: must not be 0\n"
                .into()
        )
    );
    assert_eq!(post_json("/valid", r#"{"name":"a"}"#), (200, "a".into()));
    assert_eq!(post_json("/valid", r#"{"#).0, 400);
    assert_eq!(post_json("/small", r#"{"name":""}"#).0, 422);
    let long = format!(r#"{{"name":"{}"}}"#, "a".repeat(32));
    assert_eq!(post_json("/small", &long).0, 413);
}

#[test]
fn so_many_problems_are_told() {
    let items = vec![r#"{"count":0}"#; 1000].join(",");
    let (status, text) = post_json("/valid", &format!(r#"{{"name":"a","items":[{items}]}}"#));
    assert_eq!((status, text.lines().count()), (422, 33));
}

#[test]
fn what_may_be_absent_is_checked_where_it_is() {
    let maybe = |query| testing::get(&APP, &format!("/maybe{query}")).send();
    assert_eq!(maybe("").text(), "1");
    assert_eq!(maybe("?page=2&of=3").text(), "2");
    assert_eq!(maybe("?page=4&of=3").status(), 422);
}
