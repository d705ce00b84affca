//! `-c`: the file's `[server]` as the flags that say the same, so that both go one
//! way. A flag that is there beside the file wins over the file's key.

use super::super::config;
use super::super::flags::Serve;
use super::super::{Cli, Command};
use super::error::Error;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, Parser};
use rhost::config::{Config, Given, Kind, catalogue};
use std::ffi::OsString;
use std::path::Path;

/// Flags that choose certificates; any of them replaces all of the file's.
const CERTIFICATES: [&str; 3] = ["tls-cert", "tls-key", "tls-self-signed"];

/// A file, and what holds for the process when it is served.
pub struct Configured {
    pub args: Serve,
    pub config: Config,
}

/// Reads the file at `path`; `matches` are those of the command line that named it.
pub fn read(path: &Path, matches: &ArgMatches) -> Result<Configured, Error> {
    let is_given = |name: &str| {
        let id = name.replace('-', "_");
        let known = matches.ids().any(|known| known.as_str() == id);
        known && matches.value_source(&id) == Some(ValueSource::CommandLine)
    };
    let of_apps = catalogue::APP.iter().map(|key| key.name);
    for name in of_apps.chain(["stack", "cgi", "chdir"]) {
        if is_given(name) {
            return Err(Error::OfOneApp(format!("--{name}")));
        }
    }
    if is_given("app") {
        return Err(Error::OfOneApp("an app".into()));
    }
    let config = Config::read_beside(path, is_given("state"))
        .map_err(|problems| config::Error::tell(path.to_owned(), &problems))?;
    config::tell(&config.warnings);
    let command = Cli::command();
    let serve = command.find_subcommand("serve").expect("it is there");
    let certificates_are_given = CERTIFICATES.into_iter().any(is_given);
    let mut line: Vec<OsString> = vec!["rhost".into(), "serve".into()];
    for given in &config.server {
        let name = given.key.name;
        let is_replaced = certificates_are_given && CERTIFICATES.contains(&name);
        if !is_given(name) && !is_replaced {
            line.extend(flags(serve, given));
        }
    }
    // The command's name comes first, then the subcommand's, which has all flags.
    line.extend(std::env::args_os().skip(2));
    match Cli::parse_from(line).command {
        Command::Serve(args) => Ok(Configured {
            args: *args,
            config,
        }),
        _ => unreachable!("it begins with `serve`"),
    }
}

/// What is served where there is no file but a state directory: what is deployed.
pub fn without_file(args: Serve, matches: &ArgMatches) -> Result<Configured, Error> {
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let of_apps = catalogue::APP.iter().map(|key| key.name.replace('-', "_"));
    let known = |id: &String| matches.ids().any(|known| known.as_str() == id);
    let flags = of_apps
        .filter(known)
        .chain(["stack".into(), "cgi".into(), "chdir".into()]);
    for id in flags {
        if is_given(&id) {
            return Err(Error::BesideState(format!("--{}", id.replace('_', "-"))));
        }
    }
    if is_given("app") {
        return Err(Error::BesideState("an app".into()));
    }
    Ok(Configured {
        args,
        config: Config::of_no_file(),
    })
}

/// The flags that say what `given` does; none for what only the file has.
fn flags(serve: &clap::Command, given: &Given) -> Vec<OsString> {
    let name = given.key.name;
    let Some(flag) = serve
        .get_arguments()
        .find(|flag| flag.get_long() == Some(name))
    else {
        return Vec::new();
    };
    // What holds anyhow is left out: some flags cannot be by themselves.
    if given.is_default() {
        return Vec::new();
    }
    let takes_value = flag.get_action().takes_values();
    let one = |text: &String| match (given.key.kind, takes_value, text.as_str()) {
        (Kind::Switch, true, "true") => Some(format!("--{name}=on")),
        (Kind::Switch, true, _) => Some(format!("--{name}=off")),
        (Kind::Switch, false, text) => (text == "true").then(|| format!("--{name}")),
        (_, _, text) => Some(format!("--{name}={text}")),
    };
    given
        .texts
        .iter()
        .filter_map(one)
        .map(OsString::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rhost::config::Key;

    fn serve() -> clap::Command {
        let mut cli = Cli::command();
        cli.build();
        cli.find_subcommand("serve").expect("it is there").clone()
    }

    /// What only the command line says: which file, and how an app is built.
    const FLAGS_ONLY: [&str; 6] = ["config", "stack", "cgi", "chdir", "help", "version"];
    /// What only the file says.
    const KEYS_ONLY: [&str; 6] = [
        "unknown-host",
        "memory-budget",
        "component",
        "tenant",
        "hosts",
        "secrets",
    ];

    fn keys() -> impl Iterator<Item = &'static Key> {
        catalogue::SERVER.iter().chain(catalogue::APP)
    }

    #[test]
    fn each_flag_has_its_key_and_each_key_its_flag() {
        let serve = serve();
        let flags: Vec<&str> = serve
            .get_arguments()
            .filter_map(|flag| flag.get_long())
            .collect();
        for flag in &flags {
            let has_key = keys().any(|key| key.name == *flag);
            assert_ne!(has_key, FLAGS_ONLY.contains(flag), "--{flag}");
        }
        for key in keys() {
            let has_flag = flags.contains(&key.name);
            assert_ne!(has_flag, KEYS_ONLY.contains(&key.name), "{}", key.name);
        }
    }

    #[test]
    fn a_flag_and_its_key_have_the_same_default() {
        for flag in serve().get_arguments() {
            let Some(key) = keys().find(|key| Some(key.name) == flag.get_long()) else {
                continue;
            };
            let default = match flag.get_default_values() {
                [default] => default.to_string_lossy().into_owned(),
                _ => continue,
            };
            let shown = match (key.kind, default.as_str()) {
                (Kind::Switch, "on") => "true",
                (Kind::Switch, "off") => "false",
                (Kind::Mount, "") => "/",
                (_, default) => default,
            };
            assert_eq!(key.default.trim_matches('"'), shown, "{}", key.name);
        }
    }

    /// What the file takes the flag takes, and what the one refuses the other does.
    #[test]
    fn a_flag_and_its_key_take_the_same_values() {
        let values = [
            "0",
            "1",
            "9",
            "10",
            "255",
            "256",
            "1MiB",
            "2MiB",
            "64KiB",
            "65534",
            "65535",
            "65536",
            "10000",
            "10001",
            "2GiB",
            "10s",
            "0s",
            "much",
            "",
            "600",
            "999",
            "text",
            "json",
            "combined",
            "127.0.0.1:0",
            "0.0.0.0:80",
            "unix:a",
            "10.0.0.0/8",
            "forwarded",
            "/x",
            "a:/b",
            "4294967295",
            "4294967296",
        ];
        for key in keys().filter(|key| !KEYS_ONLY.contains(&key.name)) {
            if matches!(key.kind, Kind::Switch | Kind::Path | Kind::Variables) {
                continue;
            }
            for value in values {
                let table = match catalogue::SERVER.contains(key) {
                    true => format!("[server]\ntrusted-proxy = \"10.0.0.1\"\n{} = ", key.name),
                    false => format!("[apps.a]\ncomponent = \"a\"\n{} = ", key.name),
                };
                if key.name == "trusted-proxy" {
                    continue;
                }
                let after = match key.name {
                    "reuse-for" => "reuse = 2\n",
                    _ => "",
                };
                let written = match key.kind {
                    Kind::Count(..) if value.parse::<u64>().is_ok() => value.to_owned(),
                    _ => format!("{value:?}"),
                };
                let text = format!("{table}{written}\n{after}");
                let problems = Config::parse(Path::new("f"), &text).unwrap_err();
                // What else is wrong with the file is not about its third line.
                let in_file = problems.iter().all(|problem| {
                    problem.line != Some(3) || problem.text.contains("no such file")
                });
                let flag = format!("--{}={value}", key.name);
                let mut line = vec!["rhost", "serve", "--trusted-proxy=10.0.0.1", &flag];
                line.extend((key.name == "reuse-for").then_some("--reuse=2"));
                let by_flag = Cli::try_parse_from(line).is_ok();
                assert_eq!(in_file, by_flag, "{} = {written}: {problems:?}", key.name);
            }
        }
    }
}
