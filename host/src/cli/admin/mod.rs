//! Commands that ask a server that runs: over its admin listener.

mod apps;
mod client;
mod deploy;
mod logs;
mod table;
mod token;
mod top;
mod upload;

pub use apps::{App, Apps, Rollback, app, apps, rollback};
pub use deploy::{Deploy, deploy};
pub use logs::{Logs, logs};
pub use token::{Token, token};
pub use top::{Top, top};

use clap::Args;
use client::{Client, Server};
use rhost::load::LoadError;
use serde_json::Value;
use std::io::{self, Write};
use std::path::PathBuf;

/// Where a server's admin listener is looked for if no flag says it, and the token for
/// it.
const ADMIN: &str = "RHOST_ADMIN";
const TOKEN: &str = "RHOST_TOKEN";

/// Which server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which server")]
pub struct ServerArgs {
    /// Its admin listener: the path of a Unix socket, or HOST:PORT [default: the variable RHOST_ADMIN]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,

    /// File with the token for it, which it wants over TCP [default: the variable RHOST_TOKEN]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Why a server did not do what was asked. One line each; the last words are what to
/// do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody said which server.
    #[error(
        "which server? Name its admin socket: --admin DIR/admin.sock, of `rhost serve --state DIR`, or set RHOST_ADMIN"
    )]
    NoServer,
    /// What is given on the command line is not right.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is no component.
    #[error("{}: {error}", path.display())]
    Load {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        error: LoadError,
    },
    /// The server is not there.
    #[error(
        "no server is at {server}: {error}; see that it runs, and that --admin is its admin listener"
    )]
    Connect {
        /// Where it was looked for.
        server: String,
        /// What the system said.
        error: io::Error,
    },
    /// The server left before it had answered.
    #[error(
        "the server at {server} did not answer: {error}; see its log, and what it serves now: `rhost apps`"
    )]
    Lost {
        /// Where it is.
        server: String,
        /// What is known of it.
        error: String,
    },
    /// It said no.
    #[error("{0}")]
    Refused(String),
    /// No client can be had.
    #[error("cannot start: {0}")]
    Start(io::Error),
}

impl Error {
    /// Whether the command line is wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::NoServer | Error::Usage(_))
    }
}

impl ServerArgs {
    fn client(&self) -> Result<Client, Error> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let named = self.admin.clone().or_else(|| variable(ADMIN));
        let server: Server = named.ok_or(Error::NoServer)?.parse()?;
        let token = match &self.token_file {
            None => variable(TOKEN),
            Some(path) => {
                let read = std::fs::read_to_string(path);
                Some(read.map_err(|error| Error::Read {
                    path: path.clone(),
                    error,
                })?)
            }
        };
        Client::new(server, token.as_deref().map(str::trim))
    }
}

/// Prints `value` as JSON.
fn print_json(value: &Value) {
    let text = serde_json::to_string_pretty(value).expect("names are strings");
    let text = rhost::printable::json(text);
    print(&(text + "\n"));
}

/// Whoever reads it may stop before its end.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// A field's text; empty if it has none. What a server says is shown without what
/// could move the cursor.
fn text(value: &Value) -> String {
    let mut line = Vec::new();
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    rhost::log::escape_into(&mut line, &text);
    String::from_utf8_lossy(&line).into_owned()
}

/// Where an app is asked for: its hosts with its mount.
fn places(app: &Value) -> String {
    let mount = text(&app["mount"]);
    let hosts: Vec<String> = match app["hosts"].as_array() {
        Some(hosts) if !hosts.is_empty() => hosts.iter().map(text).collect(),
        Some(_) => vec!["*".into()],
        None => return String::new(),
    };
    let places: Vec<String> = hosts.iter().map(|host| format!("{host}{mount}")).collect();
    places.join(" ")
}
