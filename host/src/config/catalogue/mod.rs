//! All keys of the file. A flag of `rhost serve` and its key have the same name and
//! the same default.

mod app;
mod server;

pub use app::{APP, DEFAULTS, TENANT};
pub use server::SERVER;

use super::kind::{Key, Kind};

/// The tables of the file, and what each is for.
pub const TABLES: [(&str, &str); 4] = [
    (
        "server",
        "The process: where it listens, and what holds for every connection",
    ),
    (
        "defaults",
        "What holds for each app that does not say otherwise",
    ),
    ("tenants", "Those whose apps share the process, by name"),
    ("apps", "The apps, by name"),
];

/// A key of one value; or of several.
const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key {
        name,
        kind,
        is_list: false,
        default,
        help,
    }
}

const fn list(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key {
        name,
        kind,
        is_list: true,
        default,
        help,
    }
}

/// The key of this name among `keys`.
pub fn named(keys: &'static [Key], name: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.name == name)
}
