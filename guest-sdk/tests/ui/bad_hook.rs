#![allow(dead_code, unused_imports)]

use rhost_sdk::prelude::*;

#[get("/")]
pub fn index() {}

pub fn before(_request: &Request) {}

mod unknown {
    use super::*;
    app!(index, teardown = [before]);
}

mod twice {
    use super::*;
    app!(index, before = [before], before = [before]);
}

mod one {
    use super::*;
    app!(index, before = before);
}

mod list {
    use super::*;
    app!(index, not_found = [before]);
}

mod below {
    use super::*;
    app!("/a" => [index, before = [before]]);
}

mod alone {
    use super::*;
    app!(before = [before]);
}

mod path {
    use super::*;
    app!(index, before::x = [before]);
}

fn main() {}
