//! The file as TOML, and its tables as they are read.

use super::catalogue;
use super::kind::{Key, closest};
use super::problem::Problems;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Entries of a table of variables or secrets, at most: each start of the app hands them
/// all over.
const ENTRIES: usize = 1000;

/// A key that is there, with its value.
#[derive(Debug, Clone)]
pub struct Given {
    /// The key.
    pub key: &'static Key,
    /// Its value as a flag would have it, or each of a list. Empty for a table, which
    /// has a reader of its own.
    pub texts: Vec<String>,
    /// Its line.
    pub line: usize,
}

impl Given {
    /// Whether it says what would be so anyhow, and so asks for nothing.
    pub fn is_default(&self) -> bool {
        self.texts == [self.key.default.trim_matches('"')]
    }

    /// Its value, if it is no list.
    pub(super) fn text(&self) -> &str {
        self.texts.first().map_or("", String::as_str)
    }
}

/// The value of the key called `name`, if it is there.
pub(super) fn text_of<'a>(given: &'a [Given], name: &str) -> Option<&'a str> {
    given_as(given, name).map(Given::text)
}

/// The key called `name`, if it is there.
pub(super) fn given_as<'a>(given: &'a [Given], name: &str) -> Option<&'a Given> {
    given.iter().find(|given| given.key.name == name)
}

/// A file that was parsed, as far as it could be.
pub(super) struct Document<'a> {
    root: Spanned<DeTable<'a>>,
    /// What paths in it are taken from.
    base: PathBuf,
}

/// A table of it.
pub(super) struct Table<'a> {
    table: &'a DeTable<'a>,
    base: &'a Path,
}

impl<'a> Document<'a> {
    /// Parses all of it; what is no TOML is a problem for each place.
    pub(super) fn parse(path: &Path, text: &'a str, problems: &mut Problems) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map(|span| problems.line(&span));
            problems.error(
                line,
                "",
                format!("not TOML: {}", error.message().replace('\n', "; ")),
            );
        }
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        if base.to_str().is_none() {
            problems.error(
                None,
                "",
                "its directory has a name that is not UTF-8; move it to another",
            );
        }
        Document { root, base }
    }

    pub(super) fn root(&self) -> Table<'_> {
        Table {
            table: self.root.get_ref(),
            base: &self.base,
        }
    }
}

impl<'a> Table<'a> {
    /// Says which keys are none of `names`.
    pub(super) fn expect_only(&self, names: &[&str], problems: &mut Problems) {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if !names.contains(&name) {
                let line = problems.line(&key.span());
                problems.error_of(Some(line), name, || {
                    unknown(name, "", names.iter().copied())
                });
            }
        }
    }

    /// The table called `name`, if it is there and is one.
    pub(super) fn table(&self, name: &str, problems: &mut Problems) -> Option<Table<'a>> {
        let (key, value) = self.entry(name)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Table {
                table,
                base: self.base,
            }),
            _ => {
                let line = problems.line(&key);
                problems.error(Some(line), name, format!("expected a table, as [{name}]"));
                None
            }
        }
    }

    /// All tables in this one, each with its name and line, in the order of lines.
    /// `kind` is what they are.
    pub(super) fn named_tables(
        &self,
        kind: &str,
        problems: &mut Problems,
    ) -> Vec<(String, usize, Table<'a>)> {
        let mut tables = Vec::new();
        for (key, value) in self.table {
            let name: &str = key.get_ref();
            let line = problems.line(&key.span());
            let at = format!("{kind}s.{name}");
            if let Err(expected) = super::value::name(name) {
                problems.error(Some(line), at, expected);
                continue;
            }
            match value.get_ref() {
                DeValue::Table(table) => {
                    let base = self.base;
                    tables.push((name.to_owned(), line, Table { table, base }));
                }
                _ => problems.error(
                    Some(line),
                    &at,
                    format!("expected a table for each {kind}, as [{at}]"),
                ),
            }
        }
        tables.sort_by_key(|(_, line, _)| *line);
        tables
    }

    /// The keys of the table called `of` that are there and right, in the order of
    /// lines.
    pub(super) fn keys(
        &self,
        of: &str,
        keys: &'static [Key],
        problems: &mut Problems,
    ) -> Vec<Given> {
        let of = of.trim_matches(['[', ']']);
        let mut given = Vec::new();
        for (name, value) in self.table {
            let line = problems.line(&name.span());
            let name: &str = name.get_ref();
            let at = format!("{of}.{name}");
            let Some(key) = catalogue::named(keys, name) else {
                let names = keys.iter().map(|key| key.name);
                problems.error_of(Some(line), at, || unknown(name, of, names));
                continue;
            };
            if is_table(key) {
                given.push(Given {
                    key,
                    texts: Vec::new(),
                    line,
                });
                continue;
            }
            let mut texts = Vec::new();
            let mut read = |value: &Spanned<DeValue<'_>>| match key.read(value.get_ref(), self.base)
            {
                Ok(text) => texts.push(text),
                Err(expected) => {
                    let line = problems.line(&value.span());
                    problems.error(Some(line), &at, expected);
                }
            };
            match value.get_ref() {
                DeValue::Array(values) if key.is_list => values.iter().for_each(&mut read),
                DeValue::Array(_) => {
                    let expected = format!("{}, and only one", key.kind.expected());
                    problems.error(Some(line), at, expected);
                    continue;
                }
                _ => read(value),
            }
            given.push(Given { key, texts, line });
        }
        // What is wrong is told; what is left is not to be taken for a value.
        given.retain(|given| is_table(given.key) || given.key.is_list || !given.texts.is_empty());
        given.sort_by_key(|given| given.line);
        given
    }

    /// The names and values of the table called `name`, in the order of lines; nothing
    /// if it is not there, or has too many.
    pub(super) fn entries(
        &self,
        name: &str,
        at: &str,
        expected: &str,
        problems: &mut Problems,
    ) -> Vec<Entry<'a>> {
        let Some((span, value)) = self.entry(name) else {
            return Vec::new();
        };
        let DeValue::Table(table) = value.get_ref() else {
            let line = problems.line(&span);
            problems.error(Some(line), at, expected);
            return Vec::new();
        };
        if table.len() > ENTRIES {
            let line = problems.line(&span);
            let count = table.len();
            let text = format!("there are {count} in it, and {ENTRIES} at most; take some out");
            problems.error(Some(line), at, text);
            return Vec::new();
        }
        let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            Entry {
                name: name.to_string(),
                line: problems.line(&key.span()),
                value: value.get_ref(),
            }
        };
        let mut entries: Vec<_> = table.iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.line);
        entries
    }

    /// Whether there is a key of this name, right or wrong.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// What paths in it are taken from.
    pub(super) fn base(&self) -> &Path {
        self.base
    }

    fn entry(&self, name: &str) -> Option<(Range<usize>, &'a Spanned<DeValue<'a>>)> {
        let (key, value) = self.table.get_key_value(name)?;
        Some((key.span(), value))
    }
}

/// A name of a table, with what it stands for.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) value: &'a DeValue<'a>,
}

fn is_table(key: &Key) -> bool {
    use super::Kind::{Secrets, Variables};
    matches!(key.kind, Variables | Secrets)
}

/// What to say of a key that is not known, in a table that has `names`.
fn unknown<'a>(name: &str, of: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(meant) = closest(name, names.clone()) {
        return format!("unknown key; did you mean `{meant}`?");
    }
    let table = of.split('.').next().unwrap_or_default();
    let elsewhere = [
        ("server", "[server]", catalogue::SERVER),
        ("apps", "an app, [apps.NAME]", catalogue::APP),
        ("defaults", "[defaults]", catalogue::DEFAULTS),
        ("tenants", "a tenant, [tenants.NAME]", catalogue::TENANT),
    ];
    let place = elsewhere
        .into_iter()
        .find(|(other, _, keys)| *other != table && catalogue::named(keys, name).is_some());
    match place {
        Some((_, place, _)) => format!("it is a key of {place}; move it there"),
        None => format!(
            "unknown key; there are {}",
            names.collect::<Vec<_>>().join(", ")
        ),
    }
}
