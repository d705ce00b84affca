use super::APP;
use rhost_sdk::testing::{self, Answer};

fn greet(form: &str) -> Answer {
    testing::post(&APP, "/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
}

#[test]
fn the_page_has_a_form() {
    let answer = testing::get(&APP, "/").send();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().contains("<form"));
}

#[test]
fn a_visitor_is_greeted_and_cannot_write_markup() {
    let page = greet("name=Ada+%3Cb%3E").text();
    assert!(page.contains("Hello, Ada "), "{page}");
    assert!(!page.contains("<b>"), "{page}");
}

#[test]
fn a_name_is_needed() {
    let answer = greet("name=+");
    assert_eq!(answer.status(), 422);
    assert!(answer.text().contains("Please tell your name."));
}

#[test]
fn the_style_sheet_is_served() {
    let answer = testing::get(&APP, "/style.css").send();
    assert_eq!(
        answer.header("content-type"),
        Some("text/css; charset=utf-8")
    );
}

#[test]
fn what_is_not_there_has_a_page_too() {
    let answer = testing::get(&APP, "/nowhere").send();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().contains("/nowhere"));
}
