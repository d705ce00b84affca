//! `--watch`: makes the app again when what it is made from has changed, and puts
//! it in the place of the last one.

use super::deploy::{Component, Deployer};
use super::error::Error;
use rhost::development::Live;
use rhost::package::BuildError;
use rhost::tenant::Site;
use rhost::watch::Watch;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// One app under the hands of its developer.
pub struct Rebuild {
    pub deployer: Deployer,
    pub site: Arc<Site>,
    pub live: Live,
    pub quiet: bool,
}

/// Whether another change to the source can mend it.
pub fn is_mendable(error: &Error) -> bool {
    matches!(
        error,
        Error::Load { .. }
            | Error::Python(_)
            | Error::Read { .. }
            | Error::Build(BuildError::Cargo { .. } | BuildError::NoComponent(_))
    )
}

/// What the browser shows of it.
pub fn said(error: &Error) -> String {
    match error {
        Error::Build(BuildError::Cargo { said, .. }) => said.clone(),
        Error::Python(error) => match error.details() {
            Some(details) => format!("{details}\n{error}"),
            None => error.to_string(),
        },
        error => error.to_string(),
    }
}

impl Rebuild {
    /// Goes on as long as the process, beginning with `last`, which is what is
    /// being served.
    pub fn run(self, mut watch: Watch, mut last: Option<Component>) {
        loop {
            let changed = match watch.wait() {
                Ok(changed) => changed,
                Err(error) => {
                    eprintln!("rhost: {error}; changes are no longer noticed, start again");
                    return;
                }
            };
            let start = Instant::now();
            if !self.quiet {
                eprintln!("rhost: {} changed", shown(&changed));
            }
            match self.deployer.component().and_then(|component| {
                let same = last.as_ref().is_some_and(|last| component.is(last));
                self.put(&component, same).map(|()| component)
            }) {
                Ok(component) => {
                    if !self.quiet {
                        let seconds = start.elapsed().as_secs_f64();
                        eprintln!(
                            "rhost: {} is up to date again, after {seconds:.1} s",
                            component.name()
                        );
                    }
                    last = Some(component);
                }
                Err(error) => {
                    let rest = match self.site.app() {
                        Some(_) => "; the last version that did is served on",
                        None => "",
                    };
                    self.live.failed(&said(&error));
                    eprintln!("rhost: {error}{rest}");
                }
            }
        }
    }

    /// Puts `component` in the place of what is served, which may be the `same`.
    fn put(&self, component: &Component, same: bool) -> Result<(), Error> {
        if !same {
            let app = self.deployer.app(component, self.site.app().as_deref())?;
            self.site.replace(app);
        }
        if !same || self.live.broken().is_some() {
            self.live.built();
        }
        Ok(())
    }
}

/// A path as somebody in this directory would write it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let short = here
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    short.as_deref().unwrap_or(path).display().to_string()
}
