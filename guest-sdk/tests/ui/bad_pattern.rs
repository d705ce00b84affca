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

#[get]
fn bare() {}

fn main() {}
