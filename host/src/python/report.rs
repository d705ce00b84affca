//! What the part of a build that runs in Python has to say.

use serde::Deserialize;
use std::path::PathBuf;

/// How the build went, as `build.py` of the adapter writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Why it failed, and what to do.
    pub error: Option<String>,
    /// Where, if that says more.
    pub traceback: Option<String>,
    /// How many modules the import loaded.
    pub imported: usize,
    /// The requests that were made.
    pub warm_up: Vec<Asked>,
    /// Random generators that were made once for all requests, by name.
    pub generators: Vec<String>,
    /// The program's own modules, by their files.
    pub files: Vec<PathBuf>,
}

/// A request that was made while the program was built.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// As `GET /`.
    pub request: String,
    /// The status of the answer, if it began.
    pub status: Option<u16>,
    /// The modules that it loaded.
    pub modules: Vec<String>,
    /// The exception that it ended with.
    pub error: Option<String>,
}

impl Report {
    /// What the developer should know of a build that succeeded, in lines.
    pub fn lines(&self, program: &str) -> Vec<String> {
        let mut lines = vec![format!("{program}: {} modules imported", self.imported)];
        for asked in &self.warm_up {
            let more = match asked.modules.len() {
                0 => String::new(),
                more => format!(", and imported {more} more"),
            };
            let line = match (&asked.error, asked.status) {
                (Some(error), _) => format!(
                    "{program}: the warm-up {} failed{more}: {error}; choose others with `warm-up` under \
                     [tool.rhost], or none: []",
                    asked.request
                ),
                (None, Some(status)) => {
                    format!(
                        "{program}: the warm-up {} was answered {status}{more}",
                        asked.request
                    )
                }
                (None, None) => continue,
            };
            lines.push(line.replace('\n', " "));
        }
        for generator in &self.generators {
            lines.push(format!(
                "{program}: {generator} is a random.Random that was made once, so every request begins with the \
                 same numbers; use random.SystemRandom, or make it in the request"
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_build() {
        let report: Report = serde_json::from_str(
            r#"{"imported": 40, "generators": ["a.rng"], "seconds": 1, "warm_up": [
                {"request": "GET /", "status": 200, "modules": ["idna", "x"]},
                {"request": "GET /x", "status": null, "modules": [], "error": "KeyError: 'X'"}]}"#,
        )
        .unwrap();
        let lines = report.lines("shop");
        assert_eq!(lines[0], "shop: 40 modules imported");
        assert_eq!(
            lines[1],
            "shop: the warm-up GET / was answered 200, and imported 2 more"
        );
        assert!(lines[2].contains("GET /x failed: KeyError: 'X'") && lines[2].ends_with("[]"));
        assert!(lines[3].contains("a.rng") && lines[3].contains("SystemRandom"));
        assert_eq!(lines.len(), 4);
    }
}
