//! What may be changed while requests are served. Each is done whole or not at all:
//! made ready beside what is served, written down, and only then swapped in.

use super::draft::Draft;
use super::merge::Undo;
use super::refused::{Refused, Why};
use super::{Roster, State};
use crate::app::App;
use crate::config::{AppPlan, Origin};
use crate::deployment::{Gathered, Ready};
use crate::store::{Chosen, Scope, Store, StoreError, Uploaded, Version};
use serde_json::{Map, Value};
use std::sync::Arc;

impl Roster {
    /// The store, if this process has it.
    pub(super) fn store(&self) -> Result<&Store, Refused> {
        match &self.state {
            State::Open(store) => Ok(store),
            State::Left(..) => Err(Refused::new(
                Why::NotNow,
                "another process is taking over; ask again in a moment",
            )),
            State::None => Err(Refused::new(
                Why::Missing,
                "this server keeps no deployed apps; start it with --state DIR",
            )),
        }
    }

    /// Requests have to be answered before anything of that is changed.
    fn store_to_change(&self) -> Result<&Store, Refused> {
        match self.site {
            Some(_) => self.store(),
            None => Err(Refused::new(
                Why::NotNow,
                "it is starting; ask again in a moment",
            )),
        }
    }

    /// What the app called `name` is to be with `patch`, for somebody with `scope`.
    pub(super) fn draft(
        &self,
        scope: &Scope,
        name: &str,
        patch: &Map<String, Value>,
    ) -> Result<Draft, Refused> {
        let store = self.store_to_change()?;
        self.is_not_of_file(name)?;
        let before = match store.app(name) {
            Ok(before) => before,
            // Another version is what mends it.
            Err(StoreError::Damaged(_)) if *scope == Scope::All => None,
            Err(error) => return Err(error.into()),
        };
        if before.is_some() && !scope.has(self.tenant_of(name)) {
            return Err(Refused::new(
                Why::Conflict,
                format!("the name `{name}` is another's; take another"),
            ));
        }
        let before = before.as_ref().map(|chosen| &chosen.version);
        Draft::new(&self.whole, scope, name, before, patch)
    }

    /// Serves `component` as the app called `name` from here on. It was tried, and what
    /// it names was `looked` at.
    pub(super) fn deploy(
        &mut self,
        scope: &Scope,
        name: &str,
        patch: &Map<String, Value>,
        looked: &AppPlan,
        component: Uploaded,
    ) -> Result<Version, Refused> {
        // Others may have changed something since it was looked at.
        let draft = self.draft(scope, name, patch)?.with(looked)?;
        draft.fits(&self.whole, scope)?;
        let kept = self.room_for(scope, &draft, &component)?;
        let Draft { mut plan, settings } = draft;
        let store = self.store()?;
        let (digest, octets) = (component.digest, component.octets);
        plan.component = store.components().path(&digest);
        plan.digest = Some(digest);
        let is_enabled = self.is_enabled(name);
        let moves = self.moves(name, &plan);
        store.put(component)?;
        let staged = self.stage(name, plan, is_enabled)?;
        let written = self.store()?.deploy(name, digest, octets, &settings, kept);
        let version = self.settle(staged, written)?;
        if moves {
            self.tails.forget(name);
        }
        let number = version.number;
        if let Some(app) = self
            .whole
            .config
            .apps
            .iter_mut()
            .find(|app| app.name == name)
        {
            app.origin = Origin::Deployed(number);
        }
        let state = if is_enabled {
            "served"
        } else {
            "deployed, and disabled"
        };
        tracing::info!("app `{name}`: version {number} is {state}");
        Ok(version)
    }

    /// The version `number` of the app called `name`, or if there is none the one
    /// before the one that is served; and what it would be.
    pub(super) fn draft_of_version(
        &self,
        scope: &Scope,
        name: &str,
        number: Option<u32>,
    ) -> Result<(Version, Draft), Refused> {
        let current = self.deployed(scope, name)?;
        let mut versions = self.store()?.versions(name)?.into_iter();
        let version = match number {
            Some(number) => versions.find(|version| version.number == number),
            None => versions.find(|version| version.number < current.version.number),
        };
        let Some(version) = version else {
            let text = match number {
                Some(number) => format!("app `{name}` has no version {number}"),
                None => format!(
                    "app `{name}` has no version before {}",
                    current.version.number
                ),
            };
            let text = format!("{text}; `rhost app show {name}` lists those that are kept");
            return Err(Refused::new(Why::Missing, text));
        };
        let draft = Draft::of(&self.whole, scope, name, version.settings.clone())?;
        Ok((version, draft))
    }

    /// Serves a `tried` version of the app called `name` again that was deployed before.
    /// What it names was `looked` at.
    pub(super) fn roll_back(
        &mut self,
        scope: &Scope,
        name: &str,
        tried: &Version,
        looked: &AppPlan,
    ) -> Result<Version, Refused> {
        let number = tried.number;
        let (version, draft) = self.draft_of_version(scope, name, Some(number))?;
        if version != *tried {
            let text = format!("app `{name}` was deleted meanwhile, and deployed again");
            return Err(Refused::new(Why::Conflict, format!("{text}; ask again")));
        }
        let draft = draft.with(looked)?;
        draft.fits(&self.whole, scope)?;
        let plan = self.plan_of(&version, draft)?;
        let moves = self.moves(name, &plan);
        let staged = self.stage(name, plan, self.is_enabled(name))?;
        let written = self.store()?.choose(name, number);
        self.settle(staged, written)?;
        if moves {
            self.tails.forget(name);
        }
        tracing::info!("app `{name}`: version {number} is served again");
        Ok(version)
    }

    /// What the app called `name` would be if it were enabled, or disabled; none if it is
    /// that already.
    pub(super) fn draft_to_enable(
        &self,
        scope: &Scope,
        name: &str,
        is_enabled: bool,
    ) -> Result<Option<(Version, Draft)>, Refused> {
        let Chosen { version, .. } = self.deployed(scope, name)?;
        if is_enabled == self.is_enabled(name) && !self.whole.faults.contains_key(name) {
            return Ok(None);
        }
        let draft = Draft::of(&self.whole, scope, name, version.settings.clone())?;
        Ok(Some((version, draft)))
    }

    /// Says whether the app called `name` is to be served. What it names was `looked` at,
    /// if it is to be.
    pub(super) fn enable(
        &mut self,
        scope: &Scope,
        name: &str,
        is_enabled: bool,
        looked: Option<&AppPlan>,
    ) -> Result<(), Refused> {
        let Some((version, draft)) = self.draft_to_enable(scope, name, is_enabled)? else {
            return Ok(());
        };
        let draft = match looked {
            Some(looked) => draft.with(looked)?,
            // It keeps what it has.
            None => draft.keeping(self.whole.plan(name)),
        };
        draft.fits(&self.whole, scope)?;
        let plan = self.plan_of(&version, draft)?;
        let staged = self.stage(name, plan, is_enabled)?;
        let written = self.store()?.enable(name, is_enabled);
        self.settle(staged, written)?;
        tracing::info!(
            "app `{name}` is {}",
            if is_enabled { "enabled" } else { "disabled" }
        );
        Ok(())
    }

    /// Forgets the app called `name`, with its versions.
    pub(super) fn delete(&mut self, scope: &Scope, name: &str) -> Result<(), Refused> {
        // One that is damaged can be deleted too, and one whose name the file's has.
        self.is_seen(scope, name)?;
        if self.is_not_of_file(name).is_err() {
            return self.delete_beside_file(name);
        }
        let staged = self.make_ready(name, None, None)?;
        let written = self.store()?.delete(name);
        self.settle(staged, written)?;
        self.tails.forget(name);
        tracing::info!("app `{name}` is deleted");
        Ok(())
    }

    /// Forgets the deployed app whose name the file's has, which stays as it is.
    fn delete_beside_file(&mut self, name: &str) -> Result<(), Refused> {
        let fault = self.whole.faults.remove(name);
        // No app is called so: each that is served stays.
        let ready = self.assemble(None, "");
        let deleted = ready.and_then(|ready| {
            self.store()?.delete(name)?;
            Ok(ready)
        });
        match deleted {
            Ok(ready) => {
                self.adopt(ready);
                tracing::info!("app `{name}`, which was deployed beside the file's, is deleted");
                Ok(())
            }
            Err(refused) => {
                let fault = fault.map(|fault| (name.to_owned(), fault));
                self.whole.faults.extend(fault);
                Err(refused)
            }
        }
    }

    /// The deployed app called `name`, which somebody with `scope` may change.
    fn deployed(&self, scope: &Scope, name: &str) -> Result<Chosen, Refused> {
        self.is_seen(scope, name)?;
        // One with a fault may have its name because the file has an app that is called so.
        self.is_not_of_file(name)?;
        match self.store()?.app(name)? {
            Some(chosen) => Ok(chosen),
            None => Err(missing(name)),
        }
    }

    /// Whether the app called `name` is there, is deployed, and is for `scope`.
    fn is_seen(&self, scope: &Scope, name: &str) -> Result<(), Refused> {
        self.store_to_change()?;
        let fault = self.whole.faults.get(name);
        // One of the file may have its name, and be another's.
        if fault.is_some_and(|fault| scope.has(fault.tenant.as_deref())) {
            return Ok(());
        }
        match self.whole.plan(name) {
            Some(plan) if scope.has(plan.tenant.as_deref()) => self.is_not_of_file(name),
            _ => Err(missing(name)),
        }
    }

    fn is_not_of_file(&self, name: &str) -> Result<(), Refused> {
        match self.whole.plan(name) {
            Some(plan) if plan.origin == Origin::File => {
                let path = self.whole.config.path.display();
                let text = format!("app `{name}` is one of {path}; change it there");
                Err(Refused::new(Why::Conflict, text))
            }
            _ => Ok(()),
        }
    }

    /// Whose the app called `name` is, as far as that is known.
    pub(super) fn tenant_of(&self, name: &str) -> Option<&str> {
        self.whole.owner(name).flatten()
    }

    /// Whether the app called `name` is to be served, as the store has it: a fault
    /// changes nothing of that.
    fn is_enabled(&self, name: &str) -> bool {
        match self.whole.faults.get(name) {
            Some(fault) => fault.is_enabled,
            None => !self.whole.disabled.iter().any(|app| app.name == name),
        }
    }

    /// The app called `name`, if it is served.
    pub(super) fn app(&self, name: &str) -> Option<Arc<App>> {
        self.deployment.app(name).cloned()
    }

    /// Whether with `plan` the app called `name` goes to another tenant, who is not to
    /// read its lines.
    fn moves(&self, name: &str, plan: &AppPlan) -> bool {
        let owner = self.whole.owner(name);
        owner.is_some_and(|owner| owner != plan.tenant.as_deref())
    }

    /// The plan of a version that is kept.
    fn plan_of(&self, version: &Version, draft: Draft) -> Result<AppPlan, Refused> {
        let Draft { mut plan, .. } = draft;
        plan.component = self.store()?.components().path(&version.component);
        plan.digest = Some(version.component);
        plan.origin = Origin::Deployed(version.number);
        Ok(plan)
    }

    /// Makes ready what is served with `plan` in the place of the app called `name`; if
    /// it is not enabled, its places are kept for it.
    fn stage(&mut self, name: &str, plan: AppPlan, is_enabled: bool) -> Result<Staged, Refused> {
        match is_enabled {
            true => self.make_ready(name, Some(plan), None),
            false => self.make_ready(name, None, Some(plan)),
        }
    }

    /// Makes ready what is served with `served` in the place of the app called `name`,
    /// or without that, and with its place kept for `disabled`.
    fn make_ready(
        &mut self,
        name: &str,
        served: Option<AppPlan>,
        disabled: Option<AppPlan>,
    ) -> Result<Staged, Refused> {
        let undo = self.whole.exchange(name, served);
        match self.assemble(disabled.as_ref(), name) {
            Ok(ready) => Ok(Staged {
                name: name.to_owned(),
                ready,
                undo,
                disabled,
            }),
            Err(refused) => {
                self.whole.undo(undo);
                Err(refused)
            }
        }
    }

    /// What is there with another app called `name`, or with its place kept for
    /// `disabled`; all others stay as they are.
    fn assemble(&self, disabled: Option<&AppPlan>, name: &str) -> Result<Ready, Refused> {
        let others = self.whole.not_served().filter(|app| app.name != name);
        let kept = others.chain(disabled);
        let (config, none) = (&self.whole.config, Gathered::default());
        let ready = self.deployment.assemble(config, kept, &none, Some(name));
        ready.map_err(|errors| {
            let is_own = errors.iter().any(|error| error.app == name);
            let why = if is_own { Why::Wrong } else { Why::Failed };
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Refused::new(why, errors.join("; and "))
        })
    }

    /// Swaps in what was staged if it is `written` down, and else has all as it was.
    fn settle<T>(&mut self, staged: Staged, written: Result<T, StoreError>) -> Result<T, Refused> {
        let Staged {
            name,
            ready,
            undo,
            disabled,
        } = staged;
        match written {
            Ok(done) => {
                self.adopt(ready);
                self.whole.disabled.retain(|app| app.name != name);
                self.whole.disabled.extend(disabled);
                self.whole.faults.remove(&name);
                Ok(done)
            }
            Err(error) => {
                self.whole.undo(undo);
                Err(error.into())
            }
        }
    }
}

/// A change that is ready, and not made yet.
struct Staged {
    /// What the app is called.
    name: String,
    ready: Ready,
    undo: Undo,
    /// What it is if it is not to be served.
    disabled: Option<AppPlan>,
}

pub(super) fn missing(name: &str) -> Refused {
    let text = format!("there is no app `{name}`; `rhost apps` lists those that there are");
    Refused::new(Why::Missing, text)
}
