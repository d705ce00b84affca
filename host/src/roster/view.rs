//! What is shown of apps, as JSON.

use super::changes::missing;
use super::refused::{Refused, Why};
use super::{Roster, State, draft};
use crate::config::{AppPlan, Origin};
use crate::routing::Host;
use crate::store::{Scope, StoreError, Version};
use serde_json::{Value, json};

impl Roster {
    /// All apps that somebody with `scope` sees, by their names.
    pub(super) fn list(&self, scope: &Scope) -> Vec<Value> {
        let served = self.whole.config.apps.iter().map(|app| (app, "serving"));
        let disabled = self.whole.disabled.iter().map(|app| (app, "disabled"));
        let sees = |(app, _): &(&AppPlan, _)| scope.has(app.tenant.as_deref());
        let seen = served.chain(disabled).filter(sees);
        let mut all: Vec<(&str, Value)> = seen
            .map(|(app, state)| (&*app.name, shown(app, state)))
            .collect();
        for (name, fault) in &self.whole.faults {
            if scope.has(fault.tenant.as_deref()) {
                let app = json!({
                    "app": name,
                    "tenant": fault.tenant,
                    "source": "deployed",
                    "state": "faulty",
                    "why": fault.why,
                });
                all.push((name, app));
            }
        }
        all.sort_by_key(|(name, _)| *name);
        all.into_iter().map(|(_, app)| app).collect()
    }

    /// The app called `name`, with its versions and settings.
    pub(super) fn show(&self, scope: &Scope, name: &str) -> Result<Value, Refused> {
        let all = self.list(scope);
        let found = all.into_iter().find(|app| app["app"] == name);
        let mut app = found.ok_or_else(|| missing(name))?;
        if app["source"] == "deployed" && !matches!(self.state, State::None) {
            let store = self.store()?;
            let current = match store.app(name) {
                Ok(current) => current.map(|chosen| chosen.version),
                Err(StoreError::Damaged(_)) => None,
                Err(error) => return Err(error.into()),
            };
            if let Some(version) = &current {
                app["settings"] = Value::from(draft::read(&version.settings)?);
            }
            let current = current.map(|version| version.number);
            let versions = store.versions(name)?;
            let versions = versions.iter().map(|version| numbered(version, current));
            app["versions"] = versions.collect();
        }
        Ok(app)
    }

    /// Fails unless somebody with `scope` sees an app called `name`.
    pub(super) fn sees(&self, scope: &Scope, name: &str) -> Result<(), Refused> {
        match self.whole.owner(name) {
            Some(owner) if scope.has(owner) => Ok(()),
            _ => Err(missing(name)),
        }
    }

    /// The app called `name` after a change of it.
    pub(super) fn shown(&self, name: &str) -> Result<Value, Refused> {
        let gone = || Refused::new(Why::Failed, format!("app `{name}` is gone"));
        let is_enabled = !self.whole.disabled.iter().any(|app| app.name == name);
        let state = if is_enabled { "serving" } else { "disabled" };
        let plan = self.whole.plan(name).ok_or_else(gone)?;
        Ok(shown(plan, state))
    }
}

fn shown(app: &AppPlan, state: &str) -> Value {
    let (source, version) = match app.origin {
        Origin::File => ("file", None),
        Origin::Deployed(version) => ("deployed", Some(version)),
    };
    let hosts: Vec<String> = app.hosts.iter().map(Host::to_string).collect();
    let mut value = json!({
        "app": app.name,
        "tenant": app.tenant,
        "source": source,
        "state": state,
        "hosts": hosts,
        "mount": format!("{}/", app.settings.mount),
    });
    if let Some(version) = version {
        value["version"] = version.into();
    }
    if let Some(digest) = app.digest {
        value["component"] = digest.to_string().into();
    }
    value
}

fn numbered(version: &Version, current: Option<u32>) -> Value {
    json!({
        "version": version.number,
        "component": version.component.to_string(),
        "octets": version.octets,
        "deployed": humantime::format_rfc3339_seconds(version.at).to_string(),
        "current": current == Some(version.number),
    })
}
