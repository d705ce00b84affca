#![allow(dead_code, unused_imports)]

use rhost_sdk::prelude::*;

#[get("/")]
pub fn index() {}

mod parameter {
    use super::index;
    rhost_sdk::app!("/api/{tenant}" => [index]);
}

mod tail {
    use super::index;
    rhost_sdk::app!("/api/{rest..}" => [index]);
}

mod slash {
    use super::index;
    rhost_sdk::app!("/api/" => [index]);
}

mod relative {
    use super::index;
    rhost_sdk::app!("api" => [index]);
}

mod root {
    use super::index;
    rhost_sdk::app!("/" => [index]);
}

mod query {
    use super::index;
    rhost_sdk::app!("/api?a" => [index]);
}

mod empty {
    use super::index;
    rhost_sdk::app!("/api" => []);
}

mod bare {
    use super::index;
    rhost_sdk::app!("/api");
}

mod one {
    use super::index;
    rhost_sdk::app!("/api" => index);
}

mod inner {
    use super::index;
    rhost_sdk::app!("/api" => [index, "/{x}" => [index]]);
}

mod name {
    use super::index;
    rhost_sdk::app!(admin => [index]);
}

fn main() {}
