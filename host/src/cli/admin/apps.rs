//! `rhost apps`, `rhost app` and `rhost rollback`.

use super::table::table;
use super::{Error, ServerArgs, places, print, print_json, text};
use clap::{Args, Subcommand};
use http::Method;
use rhost::failure::Octets;
use serde_json::{Value, json};
use std::fmt::Write;

/// `rhost apps`.
#[derive(Debug, Args)]
pub struct Apps {
    /// Print them as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// `rhost app`.
#[derive(Debug, Subcommand)]
pub enum App {
    /// Show an app: its settings, and the versions that are kept
    #[command(after_help = "\
Examples:
  rhost app show shop
  rhost app show shop --json | jq .settings")]
    Show(One),

    /// Serve an app no longer, and keep it with its hosts
    #[command(after_help = "\
Examples:
  rhost app disable shop")]
    Disable(One),

    /// Serve an app again that was disabled
    #[command(after_help = "\
Examples:
  rhost app enable shop")]
    Enable(One),

    /// Forget an app, with all its versions
    #[command(after_help = "\
Examples:
  rhost app delete shop                         it cannot be taken back; `disable` can")]
    Delete(One),
}

/// Which app.
#[derive(Debug, Args)]
pub struct One {
    /// What it is called
    name: String,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// `rhost rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// What the app is called
    name: String,

    /// The version to serve again [default: the one before]
    version: Option<u32>,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// Lists all apps.
pub fn apps(args: &Apps) -> Result<(), Error> {
    let answer = args.server.client()?.ask(Method::GET, "/v1/apps")?;
    if args.json {
        print_json(&answer);
        return Ok(());
    }
    let apps = answer["apps"].as_array().map_or(&[][..], Vec::as_slice);
    if apps.is_empty() {
        eprintln!("rhost: there is no app yet; `rhost deploy app.wasm --app NAME` makes one");
        return Ok(());
    }
    let row = |app: &Value| {
        let version = match &*text(&app["source"]) {
            "file" => "file".to_owned(),
            _ => text(&app["version"]),
        };
        let place = match app["why"].is_null() {
            true => places(app),
            false => text(&app["why"]),
        };
        [&app["app"], &app["state"]]
            .map(text)
            .into_iter()
            .chain([version, text(&app["tenant"]), place])
            .collect()
    };
    let rows: Vec<Vec<String>> = apps.iter().map(row).collect();
    print(&table(
        &["APP", "STATE", "VERSION", "TENANT", "WHERE"],
        &rows,
    ));
    Ok(())
}

/// Does what is asked for with one app.
pub fn app(command: &App) -> Result<(), Error> {
    let (one, method, action) = match command {
        App::Show(one) => (one, Method::GET, ""),
        App::Disable(one) => (one, Method::POST, "/disable"),
        App::Enable(one) => (one, Method::POST, "/enable"),
        App::Delete(one) => (one, Method::DELETE, ""),
    };
    let path = format!("/v1/apps/{}{action}", named(&one.name)?);
    let answer = one.server.client()?.ask(method, &path)?;
    let name = &one.name;
    match command {
        _ if one.json => print_json(&answer),
        App::Show(_) => print(&shown(&answer)),
        App::Disable(_) => print(&format!("{name} is disabled\n")),
        App::Enable(_) => print(&format!("{name} is served at {}\n", places(&answer))),
        App::Delete(_) => print(&format!("{name} is deleted\n")),
    }
    Ok(())
}

/// Goes back to another version.
pub fn rollback(args: &Rollback) -> Result<(), Error> {
    let path = format!("/v1/apps/{}/rollback", named(&args.name)?);
    let body = match args.version {
        Some(version) => json!({ "version": version }),
        None => json!({}),
    };
    let answer = args.server.client()?.tell(&path, &body)?;
    if args.json {
        print_json(&answer);
        return Ok(());
    }
    let state = match &*text(&answer["state"]) {
        "disabled" => "is chosen, and the app is disabled".to_owned(),
        _ => format!("is served at {}", places(&answer)),
    };
    print(&format!(
        "{}: version {} {state}\n",
        args.name,
        text(&answer["version"])
    ));
    Ok(())
}

/// A name that may stand in a path.
pub(super) fn named(name: &str) -> Result<&str, Error> {
    let right = rhost::config::value::name(name);
    right.map_err(|expected| Error::Usage(format!("{name}: {expected}")))?;
    Ok(name)
}

fn shown(app: &Value) -> String {
    let mut page = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(page, "{name:<10}{value}");
        }
    };
    line("app", text(&app["app"]));
    line("state", text(&app["state"]));
    line("why", text(&app["why"]));
    line("source", text(&app["source"]));
    line("tenant", text(&app["tenant"]));
    line("where", places(app));
    for (name, value) in app["settings"].as_object().into_iter().flatten() {
        line(
            "setting",
            format!("{name} = {}", text(&Value::from(value.to_string()))),
        );
    }
    let versions = app["versions"].as_array().map_or(&[][..], Vec::as_slice);
    if versions.is_empty() {
        return page;
    }
    let row = |version: &Value| {
        let current = if version["current"] == true {
            "served"
        } else {
            ""
        };
        let octets = version["octets"].as_u64().unwrap_or_default();
        let mut component = text(&version["component"]);
        component.truncate(12);
        vec![
            text(&version["version"]),
            text(&version["deployed"]),
            Octets(octets).to_string(),
            component,
            current.into(),
        ]
    };
    let rows: Vec<Vec<String>> = versions.iter().map(row).collect();
    page.push('\n');
    page + &table(&["VERSION", "DEPLOYED", "SIZE", "SHA-256", ""], &rows)
}
