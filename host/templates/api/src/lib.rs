//! A catalogue and its prices, as JSON; errors are problem documents (RFC 9457).

use std::collections::BTreeMap;

use rhost_sdk::extract::Problems;
use rhost_sdk::prelude::*;
use serde::{Deserialize, Serialize};

app!(list, show, quote, not_found = nothing);

#[derive(Clone, Copy, Serialize)]
struct Product {
    id: u32,
    name: &'static str,
    cents: u32,
}

/// Every request starts from here: what it changes is gone when it ends.
const PRODUCTS: &[Product] = &[
    Product {
        id: 1,
        name: "Spade",
        cents: 3490,
    },
    Product {
        id: 2,
        name: "Rake",
        cents: 1990,
    },
];

/// `/products?below=2000`: those that cost less.
#[derive(Deserialize)]
struct Filter {
    below: Option<u32>,
}

#[get("/products")]
fn list(filter: Result<Query<Filter>, Rejection>) -> Result<Json<Vec<Product>>, Problem> {
    let Query(Filter { below }) = filter.map_err(refuse)?;
    let below = below.unwrap_or(u32::MAX);
    let products = PRODUCTS.iter().filter(|product| product.cents < below);
    Ok(Json(products.copied().collect()))
}

#[get("/products/{id}")]
fn show(id: u32) -> Result<Json<Product>, Problem> {
    find(id).map(Json).ok_or(Problem::new(Status::NOT_FOUND))
}

#[derive(Deserialize)]
struct Order {
    product: u32,
    pieces: u32,
}

impl Validate for Order {
    fn validate(&self, problems: &mut Problems) {
        if !(1..=1000).contains(&self.pieces) {
            problems.add("pieces", "must be from 1 to 1000");
        }
        if find(self.product).is_none() {
            problems.add("product", "must be one of the catalogue");
        }
    }
}

#[derive(Serialize)]
struct Quote {
    product: u32,
    cents: u32,
}

#[post("/quotes")]
fn quote(order: Result<Valid<Json<Order>>, Rejection>) -> Result<Json<Quote>, Problem> {
    let Valid(Json(order)) = order.map_err(refuse)?;
    let product = find(order.product).ok_or(Problem::new(Status::NOT_FOUND))?;
    Ok(Json(Quote {
        product: product.id,
        cents: product.cents * order.pieces,
    }))
}

fn find(id: u32) -> Option<Product> {
    PRODUCTS.iter().find(|product| product.id == id).copied()
}

/// A rejected argument as a problem, with a member for the fields to blame.
fn refuse(rejection: Rejection) -> Problem {
    let fields = rejection.problems();
    let errors: BTreeMap<_, _> = fields
        .map(|(field, text)| (field.to_owned(), text))
        .collect();
    let text = rejection.text();
    let problem = Problem::from(rejection).detail(text);
    match errors.is_empty() {
        true => problem,
        false => problem.with("errors", errors),
    }
}

/// The answer for every path that has no route.
fn nothing(_: &Request) -> Problem {
    Problem::new(Status::NOT_FOUND)
}

#[cfg(test)]
mod tests;
