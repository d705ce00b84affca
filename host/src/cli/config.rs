//! `rhost config`: what a file says, before anything is done about it.

use clap::{Args, Subcommand};
use rhost::config::{Config, FILE, Level, Problem, schema};
use std::io::{self, Write};
use std::path::PathBuf;

/// `rhost config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what is wrong with a file, all of it
    #[command(after_help = "\
Examples:
  rhost config check                            rhost.toml in this directory
  rhost config check -c /etc/rhost.toml && systemctl reload rhost

It looks at what the file names: components, directories, secrets. Nothing is compiled or run.
A file without apps is right for a server that has others deployed (--state); there is a warning.
Exit status: 0 nothing is wrong, or nothing but warnings; 2 there are errors.")]
    Check(File),

    /// Show what holds, for each key, and where that comes from; of secrets only where they are
    #[command(after_help = "\
Examples:
  rhost config show
  rhost config show --json | jq '.apps.shop.memory'")]
    Show(Show),

    /// Print the file's JSON schema, for editors
    #[command(after_help = "\
Examples:
  rhost config schema > rhost.schema.json       and as the first line of the file:
  #:schema ./rhost.schema.json                  for Taplo, Even Better TOML and Tombi")]
    Schema,
}

/// Which file.
#[derive(Debug, Args)]
pub struct File {
    /// The file
    #[arg(short, long, value_name = "FILE", default_value = FILE)]
    config: PathBuf,
}

/// `rhost config show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    file: File,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}; nothing is done with it until that is mended", path.display(), counted(*errors))]
pub struct Error {
    /// The file.
    path: PathBuf,
    /// How many errors were told.
    errors: usize,
}

impl Error {
    /// Tells all problems of the file at `path`, a line each.
    pub fn tell(path: PathBuf, problems: &[Problem]) -> Self {
        tell(problems);
        let errors = problems
            .iter()
            .filter(|problem| problem.level == Level::Error);
        Error {
            errors: errors.count(),
            path,
        }
    }
}

/// Tells each of `problems` on standard error.
pub fn tell(problems: &[Problem]) {
    for problem in problems {
        eprintln!("rhost: {problem}");
    }
}

/// Does what is asked for.
pub fn run(command: ConfigCommand) -> Result<(), Error> {
    match command {
        ConfigCommand::Check(File { config: path }) => {
            let config = read(path)?;
            tell(&config.warnings);
            let looked = config.look_into_components();
            looked.map_err(|problems| Error::tell(config.path.clone(), &problems))?;
            let apps = match config.apps.len() {
                0 => "no app".to_owned(),
                1 => "1 app".to_owned(),
                apps => format!("{apps} apps"),
            };
            print(&format!("{}: {apps}, no errors\n", config.path.display()));
        }
        ConfigCommand::Show(Show { file, json }) => {
            let config = read(file.config)?;
            tell(&config.warnings);
            print(&match json {
                true => {
                    serde_json::to_string_pretty(&config.show_json()).expect("names are strings")
                        + "\n"
                }
                false => config.show(),
            });
        }
        ConfigCommand::Schema => {
            print(&(serde_json::to_string_pretty(&schema()).expect("names are strings") + "\n"));
        }
    }
    Ok(())
}

/// The file at `path`. It may have no apps: whether it is served beside those that are
/// deployed, the flags of `serve` say.
fn read(path: PathBuf) -> Result<Config, Error> {
    let mut config = match Config::read_beside(&path, true) {
        Ok(config) => config,
        Err(problems) => return Err(Error::tell(path, &problems)),
    };
    let has_state = config.server.iter().any(|given| given.key.name == "state");
    if config.apps.is_empty() && !has_state {
        config.warnings.push(Problem {
            level: Level::Warning,
            path,
            line: None,
            key: "apps".into(),
            text: "there is no app; serve it with --state DIR, or add one, as [apps.shop]".into(),
        });
    }
    Ok(config)
}

fn counted(errors: usize) -> String {
    match errors {
        1 => "1 error".into(),
        errors => format!("{errors} errors"),
    }
}

/// Whoever reads it may stop before its end.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
