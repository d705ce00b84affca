//! A program as its file has it, and the session with it.

use crate::client::{Client, Request};
use regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A file of `tests/programs`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The file's name.
    #[serde(skip)]
    pub name: String,
    /// Where its own documentation shows how it is deployed.
    #[expect(dead_code, reason = "it is for people")]
    page: String,
    /// What pip is to install, pinned.
    pub requirements: Vec<String>,
    /// What `rhost serve` is given.
    pub app: String,
    /// More flags of `rhost serve`. The directory `data` is lent to write, as `/data`.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Whether `cargo test` runs it.
    #[serde(default)]
    pub short: bool,
    /// Why it does not pass, in one sentence.
    pub stops: Option<String>,
    /// Its files, by their names.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    step: Vec<Step>,
}

/// A request, and what is asked of its answer. `{name}` stands for what an earlier step took.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Step {
    /// As `GET /path`.
    ask: String,
    /// Fields of a form.
    form: Option<BTreeMap<String, String>>,
    /// Files of a form, by the names of their fields: the file's name, a colon, and what is in it.
    upload: Option<BTreeMap<String, String>>,
    /// A body as it is.
    body: Option<String>,
    /// Header fields.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The status of the answer.
    status: u16,
    /// What is in its head or body, each as a regular expression.
    #[serde(default)]
    has: Vec<String>,
    /// What is taken for later steps: the first group of a regular expression over its body.
    #[serde(default)]
    take: BTreeMap<String, String>,
    /// How often it is asked.
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

impl Program {
    /// All in `dir`, in the order of their names.
    pub fn all(dir: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(dir).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .collect();
        files.sort();
        let read = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap();
            let program = toml::from_str::<Program>(&text);
            let program = program.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            Program { name, ..program }
        };
        files.iter().map(|path| read(path)).collect()
    }

    /// Goes through the session; panics where an answer is another than it is to be.
    pub fn session(&self, addr: &str) {
        let mut client = Client::new(addr);
        let mut taken = BTreeMap::from([("addr".to_owned(), addr.to_owned())]);
        for step in &self.step {
            for _ in 0..step.times {
                step.take(&mut client, &mut taken);
            }
        }
    }
}

impl Step {
    fn take(&self, client: &mut Client, taken: &mut BTreeMap<String, String>) {
        let filled = |text: &str| {
            taken.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
        };
        let all = |map: &BTreeMap<String, String>| -> Vec<(String, String)> {
            let pairs = map.iter();
            pairs
                .map(|(name, value)| (name.clone(), filled(value)))
                .collect()
        };
        let ask = filled(&self.ask);
        let (method, target) = ask.split_once(' ').expect("a method and a target");
        let answer = client.ask(&Request {
            method,
            target,
            headers: all(&self.headers),
            form: self.form.as_ref().map(all),
            files: self.upload.as_ref().map(all),
            body: self.body.as_deref().map(filled),
        });
        assert_eq!(answer.status, self.status, "{ask}: {}", answer.text);
        for wanted in &self.has {
            let wanted = filled(wanted);
            let is_there = Regex::new(&wanted).unwrap().is_match(&answer.text);
            assert!(is_there, "{ask}: no {wanted} in {}", answer.text);
        }
        for (name, pattern) in &self.take {
            let found = Regex::new(pattern).unwrap();
            let found = found.captures(&answer.text);
            let found = found.unwrap_or_else(|| panic!("{ask}: no {pattern} in {}", answer.text));
            taken.insert(name.clone(), found[1].to_owned());
        }
    }
}
