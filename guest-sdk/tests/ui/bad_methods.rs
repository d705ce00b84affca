#![allow(dead_code)]

use rhost_sdk::prelude::*;

#[route("/", methods = [GET, BREW])]
fn unknown() {}

#[route("/", methods = [get])]
fn lower() {}

#[route("/", methods = [])]
fn none() {}

#[route("/", methods = [GET, POST, GET])]
fn twice() {}

#[route("/")]
fn unlisted() {}

#[route("/", method = [GET])]
fn misspelt() {}

#[route("/", methods = GET)]
fn bare() {}

#[route("/", methods = [GET], 7)]
fn more() {}

#[route("users", methods = [GET])]
fn relative() {}

fn main() {}
