//! What the file names, as far as it can be looked at without running anything.

use super::Config;
use super::app::{AppPlan, Found, Origin};
use super::document::{Given, given_as};
use super::problem::{Problem, Problems, explain};
use super::secrets::SecretSource;
use crate::load::{self, LoadError, Needs};
use crate::regular_file;
use crate::tls::{self, CertificateFiles, Certificates};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Octets at the beginning of a file that tell what it is.
const HEAD: u64 = 64;

/// Certificates, their keys, and who signs those of others.
pub(super) fn check_server(given: &[Given], problems: &mut Problems) {
    let has_tls = ["tls-cert", "tls-self-signed"]
        .iter()
        .any(|name| given_as(given, name).is_some());
    for name in ["tls-client-ca", "otlp-ca"] {
        // One that does nothing is told of already.
        if name == "tls-client-ca" && !has_tls {
            continue;
        }
        if let Some(given) = given_as(given, name)
            && let Err(error) = tls::check_authorities(Path::new(given.text()))
        {
            problems.error(
                Some(given.line),
                format!("server.{name}"),
                error.to_string(),
            );
        }
    }
    let (Some(certificates), Some(keys)) =
        (given_as(given, "tls-cert"), given_as(given, "tls-key"))
    else {
        return;
    };
    if given_as(given, "tls-self-signed").is_some() {
        return;
    }
    for (certificate, key) in certificates.texts.iter().zip(&keys.texts) {
        let files = CertificateFiles {
            certificate: certificate.into(),
            key: key.into(),
        };
        if let Err(error) = Certificates::read(vec![files]) {
            let (given, name) = match error.path() == Some(Path::new(key)) {
                true => (keys, "server.tls-key"),
                false => (certificates, "server.tls-cert"),
            };
            problems.error(Some(given.line), name, error.to_string());
        } else {
            private(Path::new(key), keys.line, "server.tls-key".into(), problems);
        }
    }
    if certificates.texts.len() == keys.texts.len() {
        let pairs = certificates.texts.iter().zip(&keys.texts);
        let files = pairs.map(|(certificate, key)| CertificateFiles {
            certificate: certificate.into(),
            key: key.into(),
        });
        let read = Certificates::read(files.collect());
        for warning in read.iter().flat_map(Certificates::warnings) {
            problems.warn(certificates.line, "server.tls-cert", warning);
        }
    }
}

impl AppPlan {
    /// Looks at what it names of the host: directories and secrets. Whether it may name
    /// them, the caller knows; a file system may take its time, so that nobody waits for
    /// a lock that is held meanwhile.
    ///
    /// Fails with all that is wrong.
    pub fn look(&mut self, config: &Path) -> Result<(), Vec<Problem>> {
        let mut problems = Problems::of(config);
        self.find(&mut problems);
        problems.warnings_or_all().map(drop)
    }

    fn find(&mut self, problems: &mut Problems) {
        let mut found = Found::default();
        for dir in &self.settings.dirs {
            let there = fs::read_dir(&dir.host).and_then(|_| dir.host.canonicalize());
            match there {
                Ok(path) => found.dirs.push(path),
                Err(error) => {
                    let text = format!("{}: {}", dir.host.display(), explain(&error));
                    problems.error(Some(self.line_of("dir")), self.key("dir"), text);
                    // Those after it keep their places.
                    found.dirs.push(dir.host.clone());
                }
            }
        }
        for (name, source) in &self.secrets {
            let (line, key) = (
                self.line_of("secrets"),
                self.key(&format!("secrets.{name}")),
            );
            match source.reveal() {
                Err(why) => problems.error(Some(line), key, why),
                Ok(secret) => {
                    found.secrets.push((name.clone(), secret));
                    if let SecretSource::File(path) = source {
                        private(path, line, key, problems);
                    }
                }
            }
        }
        self.found = found;
    }
}

/// What a component needs, or why it is none.
type Recognised = Result<Needs, String>;

/// Looks at components, directories and secrets of each app. A component that several
/// apps have is looked at once.
pub(super) fn look(apps: &mut [AppPlan], problems: &mut Problems) {
    let mut components: HashMap<PathBuf, Recognised> = HashMap::new();
    for app in apps {
        if !app.component.as_os_str().is_empty() {
            let found = components.entry(app.component.clone());
            match found.or_insert_with(|| recognise(&app.component)) {
                Err(why) => {
                    let text = format!("{}: {why}", app.component.display());
                    problems.error(Some(app.line_of("component")), app.key("component"), text);
                }
                Ok(needs) => {
                    if let Err(short) = needs.fit(&app.settings.limits) {
                        let key = match short {
                            LoadError::Table(..) => "table-elements",
                            _ => "memory",
                        };
                        let text = format!("{}: {short}", app.component.display());
                        problems.error(Some(app.line_of(key)), app.key(key), text);
                    }
                }
            }
        }
        app.find(problems);
    }
}

impl Config {
    /// Looks into the components of its apps, as far as that goes without compiling them. Who
    /// serves them finds the same when they are loaded.
    ///
    /// Fails with all that would not load.
    pub fn look_into_components(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Problems::of(&self.path);
        let mut known: HashMap<&Path, Result<(), String>> = HashMap::new();
        for app in self.apps.iter().filter(|app| app.origin == Origin::File) {
            let path = app.component.as_path();
            if let Err(why) = known.entry(path).or_insert_with(|| look_into(path)) {
                let text = format!("{}: {why}", path.display());
                problems.error(Some(app.line_of("component")), app.key("component"), text);
            }
        }
        problems.warnings_or_all().map(drop)
    }
}

fn look_into(path: &Path) -> Result<(), String> {
    let file = regular_file::read(path, regular_file::COMPONENT);
    let file = file.map_err(|error| explain(&error))?;
    load::look(&file).map_err(|error| error.to_string())
}

/// What the component at `path` starts with. Fails if the file does not begin as a component
/// does.
fn recognise(path: &Path) -> Recognised {
    if path.is_dir() {
        return Err("a directory; build it first, and name what `rhost build` prints".into());
    }
    let head = regular_file::read_head(path, HEAD).map_err(|error| explain(&error))?;
    load::recognise(&head).map_err(|error| error.to_string())?;
    let file = regular_file::read(path, regular_file::COMPONENT);
    let file = file.map_err(|error| explain(&error))?;
    Ok(Needs::of(&file))
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
