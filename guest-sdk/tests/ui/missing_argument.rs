use rhost_sdk::prelude::*;

#[get("/users/{id}")]
fn show(name: String) -> String {
    name
}

app!(show);

fn main() {}
