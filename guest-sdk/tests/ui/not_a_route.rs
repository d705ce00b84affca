use rhost_sdk::prelude::*;

#[get("/")]
fn index() {}

fn plain() {}

app!(index, plain);

fn main() {}
