//! What the file names, as far as it can be looked at without running anything.

use super::app::AppPlan;
use super::document::{Given, given_as};
use super::problem::{Problems, explain};
use super::secrets::SecretSource;
use crate::load;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Octets at the beginning of a file that tell what it is.
const HEAD: u64 = 64;

/// Certificates and their keys.
pub(super) fn check_server(given: &[Given], problems: &mut Problems) {
    for name in ["tls-cert", "tls-key", "tls-client-ca", "otlp-ca"] {
        let Some(given) = given_as(given, name) else {
            continue;
        };
        for text in &given.texts {
            let key = format!("server.{name}");
            if let Err(error) = File::open(text) {
                problems.error(
                    Some(given.line),
                    key,
                    format!("{text}: {}", explain(&error)),
                );
            } else if name == "tls-key" {
                private(Path::new(text), given.line, key, problems);
            }
        }
    }
}

/// Components, directories and secrets of each app. A component that several apps
/// have is looked at once.
pub(super) fn check(apps: &[AppPlan], problems: &mut Problems) {
    let mut components: HashMap<&Path, Option<String>> = HashMap::new();
    for app in apps {
        if !app.component.as_os_str().is_empty() {
            let wrong = components
                .entry(&app.component)
                .or_insert_with(|| recognise(&app.component).err());
            if let Some(why) = wrong {
                let text = format!("{}: {why}", app.component.display());
                problems.error(Some(app.line_of("component")), app.key("component"), text);
            }
        }
        for dir in &app.settings.dirs {
            if let Err(error) = fs::read_dir(&dir.host) {
                let text = format!("{}: {}", dir.host.display(), explain(&error));
                problems.error(Some(app.line_of("dir")), app.key("dir"), text);
            }
        }
        for (name, source) in &app.secrets {
            let (line, key) = (app.line_of("secrets"), app.key(&format!("secrets.{name}")));
            match source.reveal() {
                Err(why) => problems.error(Some(line), key, why),
                Ok(_) => {
                    if let SecretSource::File(path) = source {
                        private(path, line, key, problems);
                    }
                }
            }
        }
    }
}

/// Whether the file at `path` begins as a component does.
fn recognise(path: &Path) -> Result<(), String> {
    let open = || {
        let mut head = Vec::new();
        let file = File::open(path)?;
        file.take(HEAD).read_to_end(&mut head)?;
        Ok(head)
    };
    if path.is_dir() {
        return Err("a directory; build it first, and name what `rhost build` prints".into());
    }
    let head = open().map_err(|error| explain(&error))?;
    load::recognise(&head).map_err(|error| error.to_string())
}

/// Warns of a file that others than its owner and group can read.
fn private(path: &Path, line: usize, key: String, problems: &mut Problems) {
    if let Ok(found) = fs::metadata(path)
        && found.mode() & 0o004 != 0
    {
        let text = format!(
            "{} can be read by every user of this machine; chmod 600 it",
            path.display()
        );
        problems.warn(line, key, text);
    }
}
