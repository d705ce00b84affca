#![allow(unused_variables, dead_code)]

use rhost_sdk::prelude::*;

#[get("users")]
fn relative() {}

#[get("/users/{id")]
fn unclosed(id: u32) {}

#[get("/users/{}")]
fn nameless() {}

#[get("/{id}/{id}")]
fn repeated(id: u32) {}

#[get("/user-{id}")]
fn middle(id: u32) {}

#[get("/users?page={page}")]
fn query(page: u32) {}

#[get("/{rest..}/more")]
fn early(rest: String) {}

#[get("/{rest..}/{rest..}")]
fn two_tails(rest: String) {}

#[get("/{name}/{name..}")]
fn tail_again(name: String) {}

#[get("/files/{path..}")]
fn unbound(name: String) {}

#[get]
fn bare() {}

fn main() {}
