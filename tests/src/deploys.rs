//! The apps of a file, deployed one by one to a server that runs.

use crate::command::Running;
use rhost::deployment::Changes;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// What was deployed last: the settings of each app, by its name.
#[derive(Default)]
pub(crate) struct Deploys(BTreeMap<String, Table>);

impl Deploys {
    /// The file without its apps.
    pub(crate) fn file(&self, text: &str) -> String {
        let mut file = parse(text);
        file.remove("apps");
        file.to_string()
    }

    /// Removes the apps that `text` does not have; returns how many.
    pub(crate) fn remove(&mut self, running: &Running, text: &str) -> usize {
        let apps = apps(text);
        let known = self.0.keys().cloned();
        let gone: Vec<String> = known.filter(|name| !apps.contains_key(name)).collect();
        for name in &gone {
            run(running, &["app", "delete", name]);
            self.0.remove(name);
        }
        gone.len()
    }

    /// Deploys the apps of `text` that were not deployed so before.
    pub(crate) fn deploy(&mut self, running: &Running, text: &str) -> Changes {
        let mut changes = Changes::default();
        for (name, app) in apps(text) {
            let Value::Table(app) = app else {
                panic!("an app is a table: {app}");
            };
            let before = self.0.insert(name.clone(), app.clone());
            match &before {
                Some(before) if *before == app => {
                    changes.kept += 1;
                    continue;
                }
                Some(_) => changes.changed += 1,
                None => changes.added += 1,
            }
            let component = app["component"].as_str().expect("it is a path").to_owned();
            let set = app.iter().filter(|(key, _)| *key != "component");
            let set: Vec<String> = set
                .map(|(key, value)| format!("--set={key}={value}"))
                .collect();
            let gone = before.unwrap_or_default();
            let gone = gone.keys().filter(|key| !app.contains_key(*key));
            let unset: Vec<String> = gone.map(|key| format!("--unset={key}")).collect();
            let mut words = vec!["deploy", &component, "--quiet", "--app", &name];
            words.extend(set.iter().chain(&unset).map(String::as_str));
            run(running, &words);
        }
        changes
    }
}

/// Whether two files have the same apps, as far as they say themselves.
pub(crate) fn have_same_apps(one: &str, other: &str) -> bool {
    let of = |text: &str| text.parse::<Table>().ok();
    match (of(one), of(other)) {
        (Some(one), Some(other)) => {
            one.get("apps") == other.get("apps") && one.get("defaults") == other.get("defaults")
        }
        _ => false,
    }
}

fn apps(text: &str) -> Table {
    match parse(text).remove("apps") {
        Some(Value::Table(apps)) => apps,
        _ => Table::new(),
    }
}

fn run(running: &Running, words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let output = running.run(&words);
    assert!(output.status.success(), "{words:?}: {output:?}");
}

fn parse(text: &str) -> Table {
    text.parse().expect("it is TOML")
}
