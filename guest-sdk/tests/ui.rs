//! What must not compile, and what rustc then says.
//!
//! `TRYBUILD=overwrite cargo test -p rhost-sdk --test ui` writes the `.stderr`
//! files anew.

#[test]
fn mistakes_fail_the_build_where_they_stand() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
