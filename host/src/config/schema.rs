//! The file's JSON schema, for editors.

use super::catalogue;
use super::kind::{Key, Kind};
use super::show::default;
use serde_json::{Map, Value, json};

/// The schema (JSON Schema, draft 7, which editors of TOML know best).
pub fn schema() -> Value {
    let properties = catalogue::TABLES.map(|(name, help)| {
        let mut table = match name {
            "server" => table(catalogue::SERVER, &[]),
            "defaults" => table(catalogue::DEFAULTS, &[]),
            "tenants" => named(table(catalogue::TENANT, &[])),
            _ => named(table(catalogue::APP, &["component"])),
        };
        table["description"] = json!(help);
        (name.to_owned(), table)
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "rhost.toml",
        "description": "What a process of rhost serves, and how",
        "type": "object",
        "additionalProperties": false,
        "properties": properties.into_iter().collect::<Map<_, _>>(),
    })
}

fn table(keys: &[Key], required: &[&str]) -> Value {
    let properties = keys.iter().map(|key| (key.name.to_owned(), property(key)));
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties.collect::<Map<_, _>>(),
    })
}

/// A table of tables, each by a name of its own.
fn named(table: Value) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" },
        "additionalProperties": table,
    })
}

fn property(key: &Key) -> Value {
    let one = kind(&key.kind);
    let mut property = match key.is_list {
        true => json!({ "anyOf": [{ "type": "array", "items": one }, one] }),
        false => one,
    };
    let mut help = key.help.to_owned();
    match default(key) {
        Some(default) => property["default"] = default,
        None => help += &format!(" {}", key.default.replace('(', "(default: ")),
    }
    property["description"] = json!(help);
    property
}

fn kind(kind: &Kind) -> Value {
    const SIZE: &str = r"^[0-9]+(\.[0-9]+)? ?([KMGTPEkmgtpe]?i?[Bb]?)?$";
    match kind {
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Choice(words) => {
            let numbers = words.iter().filter_map(|word| word.parse::<u64>().ok());
            let numbers: Vec<Value> = numbers.map(|number| json!(number)).collect();
            let words = words.iter().map(|word| json!(word));
            json!({ "enum": words.chain(numbers).collect::<Vec<_>>() })
        }
        Kind::Count(least, u64::MAX) => json!({ "type": "integer", "minimum": least }),
        Kind::Count(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Time => {
            json!({ "type": "string", "pattern": "^[0-9]+ ?[a-z]", "examples": ["50ms", "2s", "1m 30s"] })
        }
        Kind::TimeOrNone => {
            let time = self::kind(&Kind::Time);
            json!({ "anyOf": [time, { "const": "0" }, { "const": 0 }] })
        }
        Kind::Size(least, most) => {
            let mut number = json!({ "type": "integer", "minimum": least });
            if *most != u64::MAX {
                number["maximum"] = json!(most);
            }
            json!({ "anyOf": [{ "type": "string", "pattern": SIZE }, number], "examples": ["64KiB", "1.5GiB"] })
        }
        Kind::Ratio => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Mode => json!({ "type": "string", "pattern": "^[0-7]{1,3}$" }),
        Kind::Mount => json!({ "type": "string", "pattern": "^(/[^?#%]*)?$" }),
        Kind::Dir => json!({ "type": "string", "pattern": "^[^:]+:/" }),
        Kind::Path
        | Kind::Address
        | Kind::AdminAddress
        | Kind::Network
        | Kind::Host
        | Kind::Collector
        | Kind::Name => json!({ "type": "string", "minLength": 1 }),
        Kind::Variables => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Kind::Secrets => {
            let source = |name: &str| {
                json!({
                    "type": "object",
                    "additionalProperties": false,
                    "required": [name],
                    "properties": { name: { "type": "string", "minLength": 1 } },
                })
            };
            json!({
                "type": "object",
                "additionalProperties": { "anyOf": [source("file"), source("env")] },
            })
        }
    }
}
