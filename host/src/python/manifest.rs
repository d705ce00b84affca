//! What a pyproject.toml says to rhost.

use super::PythonError;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::io;
use std::path::Path;

/// The table `[tool.rhost]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The application, as `wsgi_app:app`.
    pub app: Option<String>,
    /// A CGI script, or a directory of them, below the manifest's.
    pub cgi: Option<String>,
    /// Files and directories below the manifest's that are no part of the program.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Directories to import from, below the manifest's.
    #[serde(default)]
    pub path: Vec<String>,
    /// What is done while the program is built: requests, as `/` or `POST /x`, and
    /// functions of its own, as `shop.warm:fill`.
    #[serde(default, deserialize_with = "warm_up")]
    pub warm_up: Option<Vec<String>>,
}

/// One warm-up, or a list of them.
fn warm_up<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "expected a request, as \"/\", or a list of them"
    )]
    enum Given {
        One(String),
        Many(Vec<String>),
    }
    let all = match Given::deserialize(value)? {
        Given::One(one) => vec![one],
        Given::Many(many) => many,
    };
    match all.iter().find(|what| !what.contains(['/', ':'])) {
        Some(odd) => Err(D::Error::custom(format!(
            "`{odd}` is no warm-up: it is a request, as \"/\" or \"POST /x\", or a function, as \"shop.warm:fill\""
        ))),
        None => Ok(Some(all)),
    }
}

/// What of a pyproject.toml is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `[tool.rhost]`; none if there is no such table.
    pub settings: Option<Settings>,
    /// `dependencies` of `[project]`.
    pub dependencies: Vec<String>,
    /// Whether poetry's own table has dependencies instead, which pip does not read.
    pub is_poetrys: bool,
}

#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    project: ProjectTable,
    #[serde(default)]
    tool: Tools,
}

#[derive(Default, Deserialize)]
struct ProjectTable {
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Tools {
    rhost: Option<Settings>,
    poetry: Option<Poetry>,
}

#[derive(Deserialize)]
struct Poetry {
    dependencies: Option<toml::Table>,
}

impl Manifest {
    /// Reads the manifest in `dir`; none if there is none.
    pub fn read(dir: &Path) -> Result<Option<Self>, PythonError> {
        let path = dir.join("pyproject.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PythonError::file(path)(error)),
        };
        Manifest::parse(&text, &path).map(Some)
    }

    /// What the manifest at `path` says.
    pub fn parse(text: &str, path: &Path) -> Result<Self, PythonError> {
        let file: File = toml::from_str(text).map_err(|error| PythonError::Manifest {
            path: path.to_owned(),
            line: error
                .span()
                .map(|span| 1 + text[..span.start].matches('\n').count()),
            problem: error.message().replace('\n', " "),
        })?;
        Ok(Manifest {
            settings: file.tool.rhost,
            is_poetrys: file.project.dependencies.is_empty()
                && file.tool.poetry.is_some_and(|it| it.dependencies.is_some()),
            dependencies: file.project.dependencies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Manifest, PythonError> {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("pyproject.toml"), text).unwrap();
        Manifest::read(home.path()).map(|manifest| manifest.expect("it is there"))
    }

    #[test]
    fn what_concerns_rhost() {
        let manifest = read(
            "[project]\nname = \"x\"\ndependencies = [\"flask\"]\n[tool.black]\nx = 1\n\
             [tool.rhost]\napp = \"a:b\"\nwarm-up = []\npath = [\"src\"]\n",
        );
        let manifest = manifest.unwrap();
        assert_eq!(manifest.dependencies, ["flask"]);
        let settings = manifest.settings.unwrap();
        assert_eq!(settings.app.as_deref(), Some("a:b"));
        assert_eq!(settings.warm_up, Some(vec![]));
        assert_eq!(settings.path, ["src"]);
        let one = read("[tool.rhost]\ncgi = \"cgi-bin\"\nwarm-up = \"warm:fill\"\n");
        let settings = one.unwrap().settings.unwrap();
        assert_eq!(settings.cgi.as_deref(), Some("cgi-bin"));
        assert_eq!(settings.warm_up, Some(vec!["warm:fill".into()]));
        assert_eq!(read("[tool.other]\n").unwrap(), Manifest::default());
    }

    #[test]
    fn mistakes_are_named_by_line() {
        for (text, line, word) in [
            (
                "[tool.rhost]\napp = \"a:b\"\nwarm-up = [\"/\", \"fill\"]\n",
                ":3: ",
                "`fill` is no warm-up",
            ),
            ("[tool.rhost]\nwarm-up = 7\n", ":2: ", "expected a request"),
            ("[tool.rhost]\napp = \"a:b\"\napps = 1\n", ":3: ", "apps"),
            ("[tool.rhost]\napp = 7\n", ":2: ", "string"),
            ("[tool.rhost\n", ":1: ", "]"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(line) && said.contains(word), "{said}");
            assert!(!said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn none_where_there_is_no_file() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(home.path()).unwrap(), None);
    }
}
