#![allow(dead_code)]

use rhost_sdk::prelude::*;

#[get("/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a")]
fn alone() {}

mod below {
    use rhost_sdk::prelude::*;

    #[get("/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a")]
    pub fn deep() {}

    app!(deep, "/admin" => [deep]);
}

fn main() {}
