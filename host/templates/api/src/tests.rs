use super::APP;
use rhost_sdk::testing::{self, Answer};
use serde_json::{Value, json};

fn quote(order: &Value) -> Answer {
    testing::post(&APP, "/quotes")
        .header("content-type", "application/json")
        .body(order.to_string())
        .send()
}

#[test]
fn the_catalogue_can_be_filtered() {
    let all: Vec<Value> = testing::get(&APP, "/products").send().json();
    assert_eq!(all.len(), 2);
    let cheap: Value = testing::get(&APP, "/products?below=2000").send().json();
    assert_eq!(cheap, json!([{"id": 2, "name": "Rake", "cents": 1990}]));
}

#[test]
fn a_product_is_found_by_its_id() {
    let spade: Value = testing::get(&APP, "/products/1").send().json();
    assert_eq!(spade["name"], "Spade");
}

#[test]
fn what_is_not_there_is_a_problem() {
    for path in ["/products/7", "/products/x", "/nowhere"] {
        let answer = testing::get(&APP, path).send();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
}

#[test]
fn an_order_has_a_price() {
    let answer = quote(&json!({"product": 2, "pieces": 3}));
    assert_eq!(answer.json::<Value>()["cents"], 5970);
}

#[test]
fn every_field_to_blame_is_named() {
    let answer = quote(&json!({"product": 9, "pieces": 0}));
    assert_eq!(answer.status(), 422);
    assert_eq!(
        answer.json::<Value>()["errors"],
        json!({"pieces": "must be from 1 to 1000", "product": "must be one of the catalogue"})
    );
    let answer = quote(&json!({"product": 1}));
    assert_eq!(answer.status(), 400);
    assert_eq!(
        answer.json::<Value>()["errors"]["pieces"],
        json!("is missing")
    );
}

#[test]
fn a_query_that_does_not_fit_is_a_problem() {
    let answer = testing::get(&APP, "/products?below=much").send();
    assert_eq!(answer.status(), 400);
    assert!(answer.json::<Value>()["errors"]["below"].is_string());
}
