#![allow(unused_variables, dead_code)]

use rhost_sdk::prelude::*;

struct Site;

impl Site {
    #[get("/")]
    fn method(&self) {}
}

#[get("/wait")]
async fn wait() {}

#[get("/{id}")]
fn generic<T: std::str::FromStr>(id: T) {}

#[get("/danger")]
unsafe fn danger() {}

fn main() {}
