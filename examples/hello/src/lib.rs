//! Greetings, and a JSON document of a known size.

use rhost_sdk::prelude::*;
use serde::Serialize;

app!(index, hello, json);

#[get("/")]
fn index() -> &'static str {
    "Hello, world!\n"
}

#[get("/hello/{name}")]
fn hello(name: String) -> String {
    format!("Hello, {name}!\n")
}

/// Serialized on every request, as an answer of an API would be.
#[get("/json")]
fn json() -> Json<&'static Catalogue> {
    Json(&CATALOGUE)
}

#[derive(Serialize)]
struct Catalogue {
    title: &'static str,
    currency: &'static str,
    items: [Item; 12],
}

#[derive(Serialize)]
struct Item {
    id: u32,
    name: &'static str,
    cents: u32,
    in_stock: bool,
    tags: [&'static str; 2],
}

const fn item(
    id: u32,
    name: &'static str,
    cents: u32,
    in_stock: bool,
    tags: [&'static str; 2],
) -> Item {
    Item {
        id,
        name,
        cents,
        in_stock,
        tags,
    }
}

static CATALOGUE: Catalogue = Catalogue {
    title: "Tools",
    currency: "EUR",
    items: [
        item(1001, "Spade", 3490, true, ["digging", "steel"]),
        item(1002, "Fork", 3290, true, ["digging", "steel"]),
        item(1003, "Rake", 1990, true, ["soil", "ash"]),
        item(1004, "Hoe", 1790, false, ["soil", "ash"]),
        item(1005, "Trowel", 890, true, ["planting", "steel"]),
        item(1006, "Dibber", 690, true, ["planting", "ash"]),
        item(1007, "Shears", 2490, false, ["pruning", "steel"]),
        item(1008, "Barrow", 8990, true, ["carrying", "steel"]),
        item(1009, "Can", 1590, true, ["watering", "zinc"]),
        item(1010, "Beans", 290, true, ["seeds", "annual"]),
        item(1011, "Marrow", 310, true, ["seeds", "annual"]),
        item(1012, "Thyme", 250, false, ["seeds", "hardy"]),
    ],
};

#[cfg(test)]
mod tests {
    use super::APP;
    use rhost_sdk::testing;

    #[test]
    fn greets() {
        let answer = testing::get(&APP, "/").send();
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(answer.text(), "Hello, world!\n");
    }

    #[test]
    fn greets_by_name() {
        assert_eq!(
            testing::get(&APP, "/hello/Zo%C3%AB").send().text(),
            "Hello, Zoë!\n"
        );
        assert_eq!(testing::get(&APP, "/hello/%FF").send().status(), 404);
    }

    #[test]
    fn the_document_is_1024_octets() {
        let answer = testing::get(&APP, "/json").send();
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.body().len(), 1024);
    }
}
