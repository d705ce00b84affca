//! [`Template`]: what a project begins as.

use super::sdk::{Sdk, add};
use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};
use toml_edit::DocumentMut;

/// A directory for each template, called as it is.
static DIRECTORIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// All there are; the first is the one for who does not choose.
pub const TEMPLATES: &[Template] = &[
    Template {
        name: "site",
        summary: "HTML pages from templates, a form, a style sheet",
        next: "rhost serve --watch",
    },
    Template {
        name: "api",
        summary: "JSON with typed arguments, validation, problem documents",
        next: "rhost serve --watch",
    },
    Template {
        name: "stream",
        summary: "server-sent events, and a body sent while it is made",
        next: "rhost serve --watch",
    },
    Template {
        name: "python",
        summary: "a WSGI application, with its tests",
        next: "rhost serve --watch",
    },
];

/// What a project begins as.
///
/// In its files whose names end in `.in`, which is cut off, these are replaced:
/// `@name@` by the project's name, `@sdk@` by what a manifest says of the SDK,
/// and `@note@` by what there is to say of the SDK to a reader. One with `@sdk@`
/// in its Cargo.toml.in has the SDK's source added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// Its name, and that of its directory in `templates`.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// What to run in a new project to see it.
    pub next: &'static str,
}

impl Template {
    /// The one called `name`.
    pub fn named(name: &str) -> Option<Template> {
        TEMPLATES.iter().find(|it| it.name == name).copied()
    }

    /// The files of a project called `name`: where each goes, and what is in it.
    pub(super) fn files(&self, name: &str, sdk: &Sdk) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        if let Some(dir) = DIRECTORIES.get_dir(self.name) {
            add(&mut files, dir, Path::new(""));
        }
        let mut needs_sdk = false;
        for (path, content) in &mut files {
            if path.extension().is_some_and(|extension| extension == "in") {
                path.set_extension("");
                let text = String::from_utf8_lossy(content);
                needs_sdk |= text.contains("@sdk@");
                *content = text
                    .replace("@name@", name)
                    .replace("@sdk@", &sdk.requirement())
                    .replace("@note@", sdk.note())
                    .into_bytes();
            }
        }
        if needs_sdk {
            files.extend(sdk.files());
        }
        files
    }
}

/// The names of what the manifest among `files` depends on.
pub(super) fn dependencies(files: &[(PathBuf, Vec<u8>)]) -> Vec<String> {
    let manifest = files
        .iter()
        .find(|(path, _)| path == Path::new("Cargo.toml"));
    let manifest: Option<DocumentMut> =
        manifest.and_then(|(_, content)| std::str::from_utf8(content).ok()?.parse().ok());
    let tables = ["dependencies", "dev-dependencies"];
    tables
        .iter()
        .filter_map(|table| manifest.as_ref()?.get(table)?.as_table_like())
        .flat_map(|table| table.iter().map(|(name, _)| name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_is_a_template_and_the_other_way_round() {
        let mut directories: Vec<_> = DIRECTORIES
            .dirs()
            .filter_map(|dir| dir.path().to_str())
            .collect();
        let mut names: Vec<_> = TEMPLATES.iter().map(|it| it.name).collect();
        directories.sort_unstable();
        names.sort_unstable();
        assert_eq!(directories, names);
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for template in TEMPLATES {
            for (path, content) in template.files("my-shop", &Sdk::Vendored) {
                let text = String::from_utf8_lossy(&content);
                let place = ["@name@", "@sdk@", "@note@"]
                    .iter()
                    .find(|it| text.contains(*it));
                assert!(
                    place.is_none() || path.starts_with("vendor"),
                    "{} {place:?}",
                    path.display()
                );
                assert!(path.extension().is_none_or(|extension| extension != "in"));
            }
        }
    }

    #[test]
    fn dependencies_are_known() {
        let site = Template::named("site").unwrap();
        let found = dependencies(&site.files("x", &Sdk::Vendored));
        assert!(
            found.contains(&"askama".into()) && found.contains(&"rhost-sdk".into()),
            "{found:?}"
        );
    }
}
