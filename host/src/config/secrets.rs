//! Secrets: where they come from. Their values are never in the file.

use super::document::Table;
use super::kind::{Kind, anchored};
use super::problem::{Problems, explain};
use super::value;
use crate::regular_file;
use crate::settings::Secret;
use std::path::{Path, PathBuf};
use toml::de::DeValue;

/// Where the value of a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file, without the line feed that may be at its end.
    File(PathBuf),
    /// In a variable of this process.
    Variable(String),
}

impl SecretSource {
    /// The file, if it is in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            SecretSource::File(path) => Some(path),
            SecretSource::Variable(_) => None,
        }
    }

    /// The value as it is now. Fails with why there is none, and what to do.
    pub fn reveal(&self) -> Result<Secret, String> {
        let value = match self {
            SecretSource::File(path) => {
                let text =
                    regular_file::read_text(path, regular_file::SECRET).map_err(|error| {
                        let why = match error.kind() {
                            std::io::ErrorKind::InvalidData => {
                                "it is not UTF-8, which a variable has to be".into()
                            }
                            _ => explain(&error),
                        };
                        format!("{}: {why}", path.display())
                    })?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                text.strip_suffix('\r').unwrap_or(text).to_owned()
            }
            SecretSource::Variable(name) => std::env::var(name).map_err(|_| {
                format!("the variable `{name}` is not set; set it for this process")
            })?,
        };
        match value.contains('\0') {
            true => Err("it has a NUL, which no variable has; take it out".into()),
            false => Ok(Secret::new(value)),
        }
    }
}

/// The secrets of an app, whose table they are in.
pub(super) fn read(
    table: &Table<'_>,
    at: &str,
    problems: &mut Problems,
) -> Vec<(String, SecretSource)> {
    let mut secrets = Vec::new();
    for entry in table.entries("secrets", at, &Kind::Secrets.expected(), problems) {
        let at = format!("{at}.{}", entry.name);
        if let Err(expected) = value::variable(&entry.name) {
            problems.error(Some(entry.line), at, expected);
            continue;
        }
        match source(entry.value, table.base()) {
            Ok(source) => secrets.push((entry.name, source)),
            Err(expected) => problems.error(Some(entry.line), at, expected),
        }
    }
    secrets
}

fn source(value: &DeValue<'_>, base: &Path) -> Result<SecretSource, &'static str> {
    // No error repeats what stands there: it may be the secret itself.
    const EXPECTED: &str = "expected { file = \"PATH\" } or { env = \"NAME\" }";
    let DeValue::Table(table) = value else {
        return Err("a secret is not written here; give { file = \"PATH\" } or { env = \"NAME\" }");
    };
    let mut entries = table.iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else {
        return Err(EXPECTED);
    };
    match (key.get_ref().as_ref(), value.get_ref()) {
        ("file", DeValue::String(path)) if !path.is_empty() => {
            Ok(SecretSource::File(anchored(path, base).into()))
        }
        ("env", DeValue::String(name)) if value::variable(name).is_ok() => {
            Ok(SecretSource::Variable(name.clone().into_owned()))
        }
        _ => Err(EXPECTED),
    }
}
