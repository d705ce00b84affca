use rhost_sdk::prelude::*;

#[get("/notes/{id}")]
fn show(id: u32) -> String {
    id.to_string()
}

#[route("/notes/{note}", methods = [PUT, DELETE])]
fn change(note: u32) -> String {
    note.to_string()
}

#[route("/notes/{name}", methods = [POST, DELETE])]
fn other(name: &str) -> String {
    name.into()
}

app!(show, change, other);

fn main() {}
