#![allow(unused_variables)]

use rhost_sdk::prelude::*;

#[get("/{text}")]
fn mutable(text: &mut str) -> String {
    text.to_owned()
}

fn main() {}
