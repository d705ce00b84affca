use rhost_sdk::prelude::*;

#[get("/users/{id}")]
fn show(id: u32) -> String {
    id.to_string()
}

#[get("/users/{name}")]
fn by_name(name: String) -> String {
    name
}

#[put("/users/{id}")]
fn replace(id: u32) -> String {
    id.to_string()
}

app!(show, replace, by_name);

fn main() {}
