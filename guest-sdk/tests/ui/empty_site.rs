rhost_sdk::app!();

fn main() {}
