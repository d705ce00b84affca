use rhost_sdk::prelude::*;

#[get("/")]
pub fn index() {}

fn verdict(_: &Request) -> bool {
    true
}

fn page(_: &Request) -> &'static str {
    "sorry"
}

fn answer(_: &Request, response: &Response) -> Status {
    response.status()
}

app!(
    index,
    before = [verdict],
    after = [answer],
    internal_error = page,
);

fn main() {}
