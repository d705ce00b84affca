//! The file as it is understood: every key with the value that holds, and where that
//! comes from. Of secrets only where they are is shown; their values are not even
//! read.

use super::app::AppPlan;
use super::document::{Given, given_as};
use super::kind::{Key, Kind};
use super::secrets::SecretSource;
use super::{Config, catalogue};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Where a value comes from.
enum Origin {
    /// A line of the key's own table.
    Line(usize),
    /// A line of `[defaults]`.
    Defaults(usize),
    /// Nobody said anything.
    Default,
}

/// What holds for a key; none if it is in words.
struct Effective {
    key: &'static Key,
    value: Option<Value>,
    origin: Origin,
}

impl Config {
    /// As TOML, which read again says the same.
    pub fn show(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "# {}, and what holds where it says nothing.",
            self.path.display()
        );
        section(
            &mut text,
            "server",
            &effective(catalogue::SERVER, &self.server, &[]),
        );
        for (name, tenant) in &self.tenants {
            let keys = effective(catalogue::TENANT, &tenant.given, &[]);
            section(&mut text, &format!("tenants.{}", quoted_name(name)), &keys);
        }
        for app in &self.apps {
            let keys = self.of_app(app);
            section(
                &mut text,
                &format!("apps.{}", quoted_name(&app.name)),
                &keys,
            );
        }
        text
    }

    /// As JSON: for each table and key its `value`, and `from` where that is.
    pub fn show_json(&self) -> Value {
        let tenants = self.tenants.iter().map(|(name, tenant)| {
            let keys = effective(catalogue::TENANT, &tenant.given, &[]);
            (name.clone(), object(&keys))
        });
        let apps = self.apps.iter();
        let apps = apps.map(|app| (app.name.clone(), object(&self.of_app(app))));
        json!({
            "file": self.path.display().to_string(),
            "server": object(&effective(catalogue::SERVER, &self.server, &[])),
            "tenants": tenants.collect::<Map<_, _>>(),
            "apps": apps.collect::<Map<_, _>>(),
        })
    }

    fn of_app(&self, app: &AppPlan) -> Vec<Effective> {
        let mut keys = effective(catalogue::APP, &app.given, &self.defaults);
        for key in &mut keys {
            key.value = match key.key.kind {
                Kind::Variables if !app.settings.env.is_empty() => {
                    let env = app.settings.env.iter();
                    Some(
                        env.map(|(name, value)| (name.clone(), json!(value)))
                            .collect(),
                    )
                }
                Kind::Secrets if !app.secrets.is_empty() => {
                    let secrets = app.secrets.iter();
                    Some(
                        secrets
                            .map(|(name, source)| (name.clone(), shown(source)))
                            .collect(),
                    )
                }
                Kind::Variables | Kind::Secrets => None,
                Kind::Mount => Some(json!(format!("{}/", app.settings.mount))),
                _ => key.value.take(),
            };
        }
        keys
    }
}

/// Where a secret is.
fn shown(source: &SecretSource) -> Value {
    match source {
        SecretSource::File(path) => json!({ "file": path.display().to_string() }),
        SecretSource::Variable(name) => json!({ "env": name }),
    }
}

fn effective(keys: &'static [Key], given: &[Given], defaults: &[Given]) -> Vec<Effective> {
    let one = |key: &'static Key| {
        let found = given_as(given, key.name).map(|given| (given, Origin::Line(given.line)));
        let found = found.or_else(|| {
            given_as(defaults, key.name).map(|given| (given, Origin::Defaults(given.line)))
        });
        let (value, origin) = match found {
            Some((given, origin)) => (Some(value(key, &given.texts)), origin),
            None => (default(key), Origin::Default),
        };
        Effective { key, value, origin }
    };
    keys.iter().map(one).collect()
}

/// Texts as JSON has them.
fn value(key: &Key, texts: &[String]) -> Value {
    let one = |text: &String| match key.kind {
        Kind::Switch => json!(text == "true"),
        Kind::Ratio => match text.parse::<f64>() {
            Ok(number) => json!(number),
            Err(_) => json!(text),
        },
        Kind::Count(..) | Kind::Choice(_) => match text.parse::<u64>() {
            Ok(number) => json!(number),
            Err(_) => json!(text),
        },
        _ => json!(text),
    };
    match (key.is_list, texts) {
        (false, [text]) => one(text),
        _ => texts.iter().map(one).collect(),
    }
}

/// A default as JSON has it; none if it is in words.
pub(super) fn default(key: &Key) -> Option<Value> {
    // What is quoted, a number, or a word of logic is the same in both.
    serde_json::from_str(key.default).ok()
}

fn object(keys: &[Effective]) -> Value {
    let one = |key: &Effective| {
        let from = match key.origin {
            Origin::Line(line) => json!({ "line": line }),
            Origin::Defaults(line) => json!({ "line": line, "table": "defaults" }),
            Origin::Default => json!("default"),
        };
        let mut shown = json!({ "value": key.value, "from": from });
        if key.value.is_none() {
            shown["default"] = json!(key.key.default.trim_matches(['(', ')']));
        }
        (key.key.name.to_owned(), shown)
    };
    Value::Object(keys.iter().map(one).collect())
}

fn section(text: &mut String, name: &str, keys: &[Effective]) {
    let _ = writeln!(text, "\n[{name}]");
    for Effective { key, value, origin } in keys {
        let from = match origin {
            Origin::Line(line) => format!("line {line}"),
            Origin::Defaults(line) => format!("[defaults], line {line}"),
            Origin::Default => "default".into(),
        };
        let _ = match value {
            Some(value) => writeln!(text, "{} = {}  # {from}", key.name, toml(value)),
            None => writeln!(
                text,
                "# {}: {}",
                key.name,
                key.default.trim_matches(['(', ')'])
            ),
        };
    }
}

/// The keys of a table as TOML writes them, each in a line.
pub fn toml_of(keys: &Map<String, Value>) -> String {
    let one =
        |(name, value): (&String, &Value)| format!("{} = {}\n", quoted_name(name), toml(value));
    keys.iter().map(one).collect()
}

/// A value as TOML writes it, in a line.
fn toml(value: &Value) -> String {
    match value {
        Value::String(text) => toml_edit::Value::from(text.as_str())
            .to_string()
            .trim()
            .to_owned(),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(toml).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(values) => {
            let one = |(name, value): (&String, &Value)| {
                format!("{} = {}", quoted_name(name), toml(value))
            };
            let values: Vec<_> = values.iter().map(one).collect();
            format!("{{ {} }}", values.join(", "))
        }
        value => value.to_string(),
    }
}

/// A name as a key of TOML.
fn quoted_name(name: &str) -> String {
    let is_bare = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.to_owned(),
        false => toml(&json!(name)),
    }
}
