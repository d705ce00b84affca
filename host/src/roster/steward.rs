//! Who makes the changes that are asked for: all of them, one after the other.

use super::pace::{Changing, Pace};
use super::refused::{Refused, Why};
use super::{NotServed, Roster};
use crate::app::App;
use crate::compiler::Payer;
use crate::config::Config;
use crate::deployment::{Changes, Trial};
use crate::load::recognise;
use crate::regular_file;
use crate::settings::ApiQuota;
use crate::store::{Components, Digest, Scope, StoreError, Tokens, Upload, Uploaded};
use crate::tails::Tails;
use crate::tenant::Site;
use serde_json::{Map, Value, json};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Bytes of a file that tell whether it is a component.
const HEAD: u64 = 1 << 10;

/// Changes what is served. Clones change the same. Each function takes as long as it
/// takes: a component may have to be compiled, and another change to be made first.
#[derive(Clone)]
pub struct Steward(Arc<Inner>);

struct Inner {
    roster: Mutex<Roster>,
    trial: Trial,
    tails: Tails,
    pace: Pace,
    /// None where nothing is deployed.
    kept: Option<Kept>,
}

/// What of the store is there without waiting for a change to be made.
struct Kept {
    components: Components,
    tokens: Tokens,
}

impl Steward {
    /// One for `roster`, which tries what is to be deployed by `trial`.
    pub fn new(roster: Roster, trial: Trial) -> Self {
        let kept = roster.store().ok().map(|store| Kept {
            components: store.components().clone(),
            tokens: store.tokens().clone(),
        });
        Steward(Arc::new(Inner {
            tails: roster.tails.clone(),
            roster: Mutex::new(roster),
            trial,
            pace: Pace::default(),
            kept,
        }))
    }

    /// Requests are answered by `site` from here on.
    pub fn serve_on(&self, site: &Arc<Site>) {
        self.roster().serve_on(site);
    }

    /// What is served, for one to look at.
    pub fn with_config<T>(&self, look: impl FnOnce(&Config) -> T) -> T {
        look(self.roster().config())
    }

    /// [`Roster::reload`] with the file that `read` returns, if `fits` lets it follow the
    /// one that is served. Others are not held up while it is read and compiled.
    pub fn reload<P, E: From<NotServed>>(
        &self,
        read: impl FnOnce() -> Result<Config, E>,
        fits: impl Fn(&Config, &Config) -> Result<(), E>,
        progress: impl Fn(String) -> P + Sync,
    ) -> Result<Changes, E> {
        let file = read()?;
        fits(self.roster().config(), &file)?;
        let surveyor = self.roster().surveyor()?;
        let survey = surveyor.survey(file, progress);
        Ok(self.roster().reload(survey)?)
    }

    /// Leaves the store to another process. From here on nothing is changed.
    pub fn leave(&self) {
        self.roster().leave();
    }

    /// Takes the store back.
    pub fn take_back(&self) -> Result<(), StoreError> {
        self.roster().take_back()
    }

    /// The tokens that are good.
    pub fn tokens(&self) -> Option<&Tokens> {
        self.0.kept.as_ref().map(|kept| &kept.tokens)
    }

    /// The last lines of apps.
    pub fn tails(&self) -> &Tails {
        &self.0.tails
    }

    /// Begins to take a component.
    pub fn upload(&self) -> Result<Upload, Refused> {
        let Some(kept) = &self.0.kept else {
            // Says why not.
            self.roster().store()?;
            return Err(Refused::new(Why::NotNow, "ask again in a moment"));
        };
        kept.components
            .upload()
            .map_err(|error| refused_by_disk(&error))
    }

    /// Begins a change for somebody with `scope`. It is to be held until that is made.
    /// Fails if the tenant makes as many as it may.
    pub fn begin(&self, scope: &Scope) -> Result<Changing, Refused> {
        let Scope::Tenant(tenant) = scope else {
            return Ok(self.0.pace.operators());
        };
        let quotas = self.roster().quotas(tenant);
        self.0.pace.begin(tenant, &quotas, Instant::now())
    }

    /// Whether somebody with `scope` may deploy the app called `name` with `patch` for
    /// its settings, so far as that can be told without its component.
    pub fn check(
        &self,
        scope: &Scope,
        name: &str,
        patch: &Map<String, Value>,
    ) -> Result<(), Refused> {
        self.roster().draft(scope, name, patch).map(drop)
    }

    /// Tries `component`, keeps it, and serves it as the app called `name`.
    pub fn deploy(
        &self,
        scope: &Scope,
        name: &str,
        patch: &Map<String, Value>,
        component: Uploaded,
    ) -> Result<Value, Refused> {
        let (mut draft, payer) = {
            let roster = self.roster();
            let draft = roster.draft(scope, name, patch)?;
            roster.room_for(scope, &draft, &component)?;
            (draft, payer(&roster, scope))
        };
        draft.look(&self.path())?;
        let (path, digest) = (component.path(), component.digest);
        // What is no component does not wait for its turn to be told so.
        let head = regular_file::read_head(path, HEAD);
        recognise(&head.map_err(|error| refused_by_disk(&error))?)?;
        // Others are not held up while it is compiled. As long as it is in memory nobody
        // has to do it again.
        let read = || uploaded(path, &digest);
        let _tried = self.0.trial.run(&draft.plan, digest, &payer, read)?;
        let octets = component.octets;
        if let Some(kept) = &self.0.kept {
            let synced = kept.components.sync(&component);
            synced.map_err(|error| refused_by_disk(&error))?;
        }
        let mut roster = self.roster();
        let version = roster.deploy(scope, name, patch, &draft.plan, component)?;
        let (mut shown, app) = (roster.shown(name)?, roster.app(name));
        drop(roster);
        load(name, app);
        shown["version"] = version.number.into();
        shown["octets"] = octets.into();
        Ok(shown)
    }

    /// Serves another version of the app called `name` that was deployed before: the
    /// one of this number, or the one before.
    pub fn roll_back(
        &self,
        scope: &Scope,
        name: &str,
        number: Option<u32>,
    ) -> Result<Value, Refused> {
        let roster = self.roster();
        let (version, mut draft) = roster.draft_of_version(scope, name, number)?;
        let path = roster.store()?.components().path(&version.component);
        let payer = payer(&roster, scope);
        drop(roster);
        draft.look(&self.path())?;
        let digest = version.component;
        check_intact(&path, &digest)?;
        let read = || intact(&path, &digest);
        let _tried = self.0.trial.run(&draft.plan, digest, &payer, read)?;
        let mut roster = self.roster();
        roster.roll_back(scope, name, &version, &draft.plan)?;
        let (shown, app) = (roster.shown(name)?, roster.app(name));
        drop(roster);
        load(name, app);
        Ok(shown)
    }

    /// Says whether the app called `name` is to be served.
    pub fn enable(&self, scope: &Scope, name: &str, is_enabled: bool) -> Result<Value, Refused> {
        let mut looked = None;
        if is_enabled {
            let draft = self.roster().draft_to_enable(scope, name, is_enabled)?;
            if let Some((_, mut draft)) = draft {
                draft.look(&self.path())?;
                looked = Some(draft.plan);
            }
        }
        let mut roster = self.roster();
        roster.enable(scope, name, is_enabled, looked.as_ref())?;
        roster.shown(name)
    }

    /// Forgets the app called `name`, with its versions.
    pub fn delete(&self, scope: &Scope, name: &str) -> Result<(), Refused> {
        self.roster().delete(scope, name)
    }

    /// All apps that somebody with `scope` sees.
    pub fn list(&self, scope: &Scope) -> Vec<Value> {
        self.roster().list(scope)
    }

    /// The app called `name`, with its versions and settings.
    pub fn show(&self, scope: &Scope, name: &str) -> Result<Value, Refused> {
        self.roster().show(scope, name)
    }

    /// Fails unless somebody with `scope` sees an app called `name`.
    pub fn sees(&self, scope: &Scope, name: &str) -> Result<(), Refused> {
        self.roster().sees(scope, name)
    }

    /// What somebody with `scope` may ask at a time.
    pub fn quota(&self, scope: &Scope) -> ApiQuota {
        let roster = self.roster();
        let plan = match scope {
            Scope::All => None,
            Scope::Tenant(tenant) => roster.config().tenants.get(tenant),
        };
        plan.map_or_else(ApiQuota::default, |plan| plan.settings.api)
    }

    /// Makes a token for one tenant, or for all.
    pub fn make_token(&self, scope: &Scope, note: &str) -> Result<Value, Refused> {
        let roster = self.roster();
        let store = roster.store()?;
        let tenant = match scope {
            Scope::All => None,
            Scope::Tenant(tenant) if roster.config().tenants.contains_key(tenant) => Some(tenant),
            Scope::Tenant(tenant) => {
                let text =
                    format!("there is no tenant `{tenant}`; add [tenants.{tenant}] to the file");
                return Err(Refused::new(Why::Wrong, text));
            }
        };
        let (id, secret) = store.make_token(scope, note)?;
        tracing::info!("token {id} is made");
        Ok(json!({ "id": id, "tenant": tenant, "note": note, "token": secret }))
    }

    /// Makes the token called `id` worthless.
    pub fn revoke_token(&self, id: &str) -> Result<(), Refused> {
        self.roster().store()?.revoke_token(id)?;
        tracing::info!("token {id} is revoked");
        Ok(())
    }

    /// Where the file is.
    fn path(&self) -> PathBuf {
        self.roster().config().path.clone()
    }

    /// Held for as long as it takes to make one change, and to write it down: nobody reads
    /// what a setting names, uploads or compiles under it.
    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.0.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// On whose account somebody with `scope` has components compiled.
fn payer(roster: &Roster, scope: &Scope) -> Payer {
    match scope {
        Scope::All => Payer::operator(),
        Scope::Tenant(tenant) => roster.config().payer(Some(tenant)),
    }
}

/// Loads the app called `name` before anybody asks for it: it was tried just now. If its
/// last version could not be loaded, that is forgotten with this.
fn load(name: &str, app: Option<Arc<App>>) {
    if let Some(app) = app
        && let Err(error) = app.load_now()
    {
        tracing::error!("app `{name}` cannot be loaded: {error}");
    }
}

/// The component that was uploaded to `path`, and has this digest.
fn uploaded(path: &Path, digest: &Digest) -> Result<Vec<u8>, Refused> {
    let file = std::fs::read(path).map_err(|error| refused_by_disk(&error))?;
    match Digest::of(&file) == *digest {
        true => Ok(file),
        false => Err(refused_by_disk(&io::Error::other(
            "it is not what was written",
        ))),
    }
}

/// The component of this digest.
fn intact(path: &Path, digest: &Digest) -> Result<Vec<u8>, Refused> {
    let file = regular_file::read(path, regular_file::COMPONENT);
    let why = match file {
        Ok(file) if Digest::of(&file) == *digest => return Ok(file),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    Err(damaged(digest, why))
}

/// Fails if that is not at `path`, which is not held in memory.
fn check_intact(path: &Path, digest: &Digest) -> Result<(), Refused> {
    let found = regular_file::open(path).and_then(|(file, _)| Digest::read(file));
    match found {
        Ok(found) if found == *digest => Ok(()),
        Ok(_) => Err(damaged(digest, None)),
        Err(error) => Err(damaged(digest, Some(error))),
    }
}

fn damaged(digest: &Digest, error: Option<io::Error>) -> Refused {
    let why = error.map_or_else(
        || "it is not what was deployed".to_owned(),
        |error| error.to_string(),
    );
    let text = format!("the component {digest} is damaged ({why}); deploy it again");
    Refused::new(Why::Conflict, text)
}

/// The disk does not take a component.
pub(crate) fn refused_by_disk(error: &io::Error) -> Refused {
    tracing::error!("a component cannot be kept: {error}");
    let text = format!("the component cannot be kept: {error}; see the server's disk");
    Refused::new(Why::Failed, text)
}
