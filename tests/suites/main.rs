//! Test suites of others. They are fetched when they are needed, and never part
//! of this repository. Where they cannot be fetched, a test says so and passes,
//! unless `RHOST_REQUIRE_SUITES=1` is set.

mod corpus;
mod fetch;
mod fronts;
mod gunicorn;
mod httpwg;
mod triage;
