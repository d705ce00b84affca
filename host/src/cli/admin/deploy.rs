//! `rhost deploy`: a component to a server that runs.

use super::super::parse::{env, mount};
use super::upload::{Shown, Upload};
use super::{Error, ServerArgs, places, print, print_json, text};
use bytes::Bytes;
use clap::Args;
use http::{HeaderName, HeaderValue};
use rhost::config::value;
use rhost::failure::Octets;
use rhost::load::recognise;
use rhost::python::bundle;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// `rhost deploy`.
#[derive(Debug, Args)]
pub struct Deploy {
    /// A component
    component: PathBuf,

    /// The app that it is to be a version of [default: as the file is called]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,

    /// Host that the app has, shop.example, or *.shop.example for all below; may be repeated
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,

    /// Path under which it is mounted (its script-name)
    #[arg(long, value_name = "/PREFIX", value_parser = mount)]
    mount: Option<String>,

    /// Whose app it is: a name from the file's [tenants]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Environment variable for it, beside those that it had; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = env)]
    env: Vec<(String, String)>,

    /// Any other key of an app in rhost.toml, as memory=64MiB; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, Value)>,

    /// Key that is no longer to be set, as cpu or env.GREETING; may be repeated
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,

    /// Say nothing but what goes wrong
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// Deploys, and says what is served then.
pub fn deploy(args: &Deploy) -> Result<(), Error> {
    let path = &args.component;
    let name = match &args.app {
        Some(name) => name.clone(),
        None => named(path),
    };
    value::name(&name).map_err(|expected| Error::Usage(format!("--app {name}: {expected}")))?;
    let client = args.server.client()?;
    if path.is_dir() {
        let text = format!(
            "{path} is a directory; build it first: rhost deploy $(rhost build -q {path}) --app {name}",
            path = path.display()
        );
        return Err(Error::Usage(text));
    }
    let file = std::fs::read(path).map_err(|error| Error::Read {
        path: path.clone(),
        error,
    })?;
    recognise(&file).map_err(|error| Error::Load {
        path: path.clone(),
        error,
    })?;
    let octets = file.len() as u64;
    if !args.quiet && !args.json {
        eprintln!(
            "rhost: deploying {} ({}) as {name}",
            path.display(),
            Octets(octets)
        );
        if !bundle::beside(path).is_empty() {
            eprintln!(
                "rhost: {} beside it is not deployed: what the program imports late, or opens, it will not find; lend it \
                 on the server, or serve it from a file (docs/python.md, \"To deploy\")",
                bundle::place(path).display()
            );
        }
    }
    let settings = HeaderValue::try_from(ascii(&Value::from(args.settings())));
    let wrong = |_| Error::Usage("the settings are not text; take out what is not".into());
    let settings = (
        HeaderName::from_static("rhost-settings"),
        settings.map_err(wrong)?,
    );
    let shown = Shown::new(octets);
    let body = Upload::of(Bytes::from(file)).showing(shown.clone());
    let answer = client.upload(&format!("/v1/apps/{name}/versions"), settings, body);
    shown.end();
    let app = answer?;
    let takes_all = app["hosts"].as_array().is_some_and(Vec::is_empty);
    if takes_all && !args.quiet && !args.json {
        eprintln!(
            "rhost: {name} has no host of its own, and answers for every one that no other app has; give it one with --host"
        );
    }
    match (args.json, args.quiet) {
        (true, _) => print_json(&app),
        (_, true) => {}
        _ => {
            let state = match &*text(&app["state"]) {
                "disabled" => "is there, and disabled: `rhost app enable` has it served".to_owned(),
                _ => format!("is served at {}", places(&app)),
            };
            print(&format!(
                "{name}: version {} {state}\n",
                text(&app["version"])
            ));
        }
    }
    Ok(())
}

impl Deploy {
    /// What is to be changed of the settings, as a JSON merge patch (RFC 7396).
    fn settings(&self) -> Map<String, Value> {
        let mut patch = Map::new();
        let mut put = |name: &str, value: Value| drop(patch.insert(name.to_owned(), value));
        if !self.host.is_empty() {
            put("hosts", json!(self.host));
        }
        if let Some(mount) = &self.mount {
            put("mount", json!(if mount.is_empty() { "/" } else { mount }));
        }
        if let Some(tenant) = &self.tenant {
            put("tenant", json!(tenant));
        }
        for (name, value) in &self.set {
            put(name, value.clone());
        }
        for (name, value) in &self.env {
            let env = patch.entry("env").or_insert_with(|| json!({}));
            env[name] = json!(value);
        }
        for name in &self.unset {
            match name.split_once('.') {
                None => drop(patch.insert(name.clone(), Value::Null)),
                Some((table, name)) => {
                    let inner = patch.entry(table).or_insert_with(|| json!({}));
                    inner[name] = Value::Null;
                }
            }
        }
        patch
    }
}

/// `KEY=VALUE`, the value as it would stand in the file; quotes may be left out.
fn setting(text: &str) -> Result<(String, Value), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => (name.trim(), value.trim()),
        _ => return Err("expected KEY=VALUE, as memory=64MiB".into()),
    };
    let parsed = toml::from_str::<Map<String, Value>>(&format!("value = {value}"));
    let parsed = parsed.ok().and_then(|mut table| match table.len() {
        1 => table.remove("value"),
        _ => None,
    });
    Ok((name.to_owned(), parsed.unwrap_or_else(|| json!(value))))
}

fn named(path: &Path) -> String {
    let stem = path.file_stem();
    stem.map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// JSON in ASCII, as a field has to be.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c.is_ascii() {
            true => text.push(c),
            false => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    text += &format!("\\u{unit:04x}");
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_what_the_file_would_say_without_quotes() {
        for (text, value) in [
            ("memory=64MiB", json!("64MiB")),
            ("queue=5", json!(5)),
            ("hosts=[\"a\", \"b\"]", json!(["a", "b"])),
            ("mount=/x", json!("/x")),
            ("cpu=\"2s\"", json!("2s")),
            ("x=1\ny = 2", json!("1\ny = 2")),
            ("x=", json!("")),
        ] {
            assert_eq!(setting(text).unwrap().1, value, "{text}");
        }
        assert!(setting("memory").is_err() && setting("=1").is_err());
    }

    #[test]
    fn a_field_is_ascii() {
        let value = json!({ "é": "\u{1f600}\n" });
        let text = ascii(&value);
        assert!(text.is_ascii() && HeaderValue::try_from(&text).is_ok());
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
