//! Whatever is in rhost.toml, each fault is told in a line and with its own, and what
//! has none can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhost::config::Config;
use std::path::Path;

/// Beside it is a file, `exe`, so that an app may have a component.
const PATH: &str = "/proc/self/rhost.toml";

fuzz_target!(|text: &str| {
    match Config::parse(Path::new(PATH), text) {
        Ok(config) => {
            assert!(!config.apps.is_empty());
            assert!(!config.show().is_empty() && config.show_json().is_object());
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                // An empty text has one line.
                let lines = 1..=text.split('\n').count();
                assert!(
                    problem.line.is_none_or(|line| lines.contains(&line)),
                    "{problem}"
                );
                assert!(!problem.text.contains('\n'), "{problem}");
            }
        }
    }
});
