//! From a configuration to apps that are ready, and from one configuration to the
//! next: what has not changed stays as it is.

mod load;
mod trial;

pub use load::{Gathered, Gatherer};
pub use trial::{Trial, Tried};

use crate::app::App;
use crate::compiled::Reason;
use crate::components::{Components, Party, Supply};
use crate::config::{AppPlan, Config, Origin};
use crate::digest::Digest;
use crate::log::Sink;
use crate::python::bundle;
use crate::routing::Routes;
use crate::settings::{AppSettings, TenantSettings};
use crate::tenancy::Tenant;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What makes apps of a configuration.
pub struct Deployment {
    components: Arc<Components>,
    log: Sink,
    dev: bool,
    /// What is served now.
    current: Current,
}

#[derive(Default)]
struct Current {
    apps: HashMap<String, Deployed>,
    tenants: HashMap<String, (TenantSettings, Arc<Tenant>)>,
}

#[derive(Clone)]
struct Deployed {
    tenant: Option<String>,
    digest: Digest,
    app: Arc<App>,
}

/// A configuration that has become apps, and is not served yet.
pub struct Ready {
    next: Current,
    routes: Routes<Arc<App>>,
    changes: Changes,
}

/// What a configuration changed of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changes {
    /// Apps that were not there.
    pub added: usize,
    /// Apps with other settings or another component.
    pub changed: usize,
    /// Apps that are no longer there.
    pub removed: usize,
    /// Apps that stay as they are.
    pub kept: usize,
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Changes {
            added,
            changed,
            removed,
            kept,
        } = self;
        write!(
            f,
            "{added} added, {changed} changed, {removed} removed, {kept} as before"
        )
    }
}

/// Why an app cannot be served.
#[derive(Debug)]
pub struct DeployError {
    /// What it is called.
    pub app: String,
    /// Where the configuration says it: file and line, and the key.
    pub place: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for DeployError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl Deployment {
    /// One that has nothing yet. What guests print goes to `log`; `dev` says whether
    /// the apps are being developed.
    pub fn new(components: Arc<Components>, log: &Sink, dev: bool) -> Self {
        Deployment {
            components,
            log: log.clone(),
            dev,
            current: Current::default(),
        }
    }

    /// Makes ready what `config` says. Nothing that is served is touched; an app with
    /// the same settings, component and tenant as before is the same app, with its
    /// places. `progress` is told what is under way, and what it returns is dropped
    /// when that is over.
    ///
    /// Fails with each app that cannot be served, in the order of the file.
    pub fn prepare<P>(
        &self,
        config: &Config,
        progress: impl Fn(String) -> P + Sync,
    ) -> Result<Ready, Vec<DeployError>> {
        let gathered = self.gatherer().gather(config, progress);
        self.assemble(config, [], &gathered, None)
    }

    /// What reads and compiles for [`Deployment::assemble`].
    pub fn gatherer(&self) -> Gatherer {
        Gatherer(self.components.clone())
    }

    /// [`Deployment::prepare`] of what was `gathered`: no file is read. With `only` the
    /// app of that name, no other one that is served is looked at, and each stays as it
    /// is. The places of the apps in `kept` are kept for them, and nobody answers there.
    pub fn assemble<'a>(
        &self,
        config: &Config,
        kept: impl IntoIterator<Item = &'a AppPlan>,
        gathered: &Gathered,
        only: Option<&str>,
    ) -> Result<Ready, Vec<DeployError>> {
        let mut next = Current::default();
        for (name, plan) in &config.tenants {
            let same = self.current.tenants.get(name);
            let same = same.filter(|(settings, _)| *settings == plan.settings);
            let tenant = match same {
                Some((_, tenant)) => tenant.clone(),
                None => {
                    let lanes = self.components.lanes();
                    // What it has by now counts on.
                    let last = self.current.tenants.get(name);
                    let party = last.map(|(_, tenant)| tenant.party().clone());
                    let party = party.unwrap_or_else(|| self.components.party());
                    Arc::new(Tenant::new(name, &plan.settings, lanes, party))
                }
            };
            next.tenants
                .insert(name.clone(), (plan.settings.clone(), tenant));
        }
        let (mut errors, mut changes) = (Vec::new(), Changes::default());
        let mut routes = Routes::new(config.unknown_host);
        for plan in &config.apps {
            let tenant = plan.tenant.as_ref().and_then(|name| next.tenants.get(name));
            let tenant = tenant.map(|(_, tenant)| tenant);
            let party = tenant.map(|tenant| tenant.party());
            let stays = only.filter(|only| **only != *plan.name);
            let stays = stays.and_then(|_| self.current.apps.get(&plan.name));
            let result = match stays {
                Some(there) => {
                    changes.kept += 1;
                    Ok(there.clone())
                }
                None => {
                    let digest = match (plan.digest, gathered.get(&plan.component)) {
                        (Some(digest), _) => Ok(digest),
                        (None, Some(known)) => known.map_err(str::to_owned),
                        (None, None) => Err("it was not loaded; apply the file again".into()),
                    };
                    digest.and_then(|digest| self.deploy(config, plan, digest, party, &mut changes))
                }
            };
            let deployed = match result {
                Ok(deployed) => deployed,
                Err(why) => {
                    errors.push(DeployError::of(config, plan, why));
                    continue;
                }
            };
            let mount = &plan.settings.mount;
            if plan.hosts.is_empty() {
                routes.add(None, mount, tenant, deployed.app.clone());
            }
            for host in &plan.hosts {
                routes.add(Some(host), mount, tenant, deployed.app.clone());
            }
            next.apps.insert(plan.name.clone(), deployed);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        for plan in kept {
            let owner = plan.tenant.as_deref();
            let tenant = owner.and_then(|name| next.tenants.get(name));
            let tenant = tenant.map(|(_, tenant)| tenant);
            let mount = &plan.settings.mount;
            if plan.hosts.is_empty() {
                routes.reserve(None, mount, tenant, owner);
            }
            for host in &plan.hosts {
                routes.reserve(Some(host), mount, tenant, owner);
            }
        }
        for (name, plan) in &config.tenants {
            let Some((_, tenant)) = next.tenants.get(name) else {
                continue;
            };
            for host in plan.hosts.iter().flatten() {
                routes.keep(host, tenant);
            }
        }
        let mut were_there = self.current.apps.keys();
        changes.removed = were_there
            .by_ref()
            .filter(|name| !next.apps.contains_key(*name))
            .count();
        Ok(Ready {
            next,
            routes,
            changes,
        })
    }

    /// The app of `plan`, which may be the one that there is.
    fn deploy(
        &self,
        config: &Config,
        plan: &AppPlan,
        digest: Digest,
        party: Option<&Arc<Party>>,
        changes: &mut Changes,
    ) -> Result<Deployed, String> {
        if plan.found.secrets.len() != plan.secrets.len() {
            return Err("its secrets were not read; deploy it again".into());
        }
        let mut settings = AppSettings {
            dev: self.dev,
            tenant: plan.tenant.clone(),
            secrets: plan.found.secrets.clone(),
            ..plan.settings.clone()
        };
        if plan.digest.is_none() {
            // As `rhost serve` has it of the same file.
            let mut beside = bundle::beside(&plan.component);
            beside.retain(|lend| settings.dirs.iter().all(|own| own.guest != lend.guest));
            settings.dirs.extend(beside);
        }
        let last = self.current.apps.get(&plan.name);
        // An app that goes to another tenant takes nothing with it.
        let last = last.filter(|last| last.tenant == plan.tenant);
        let app = match last {
            Some(last) if **last.app.settings() == settings && last.digest == digest => {
                changes.kept += 1;
                last.app.clone()
            }
            _ => {
                let is_new = !self.current.apps.contains_key(&plan.name);
                changes.added += usize::from(is_new);
                changes.changed += usize::from(!is_new);
                let last = last.map(|last| &*last.app);
                let reason = match plan.digest {
                    // Its component is in the store.
                    Some(_) => Reason::deployed(plan.tenant.as_deref()),
                    None => Reason::OfFile,
                };
                let supply = Supply {
                    components: self.components.clone(),
                    digest,
                    path: plan.component.clone(),
                    payer: config.payer(plan.tenant.as_deref()),
                    pin: self.components.pin(digest, reason),
                };
                let app = Arc::new(App::supplied(
                    supply,
                    party.cloned(),
                    &settings,
                    &self.log,
                    last,
                ));
                if plan.digest.is_some() {
                    return Ok(Deployed::new(plan, digest, app));
                }
                app.load_now().map_err(|error| error.to_string())?;
                if let Some(asked) = settings.limits.concurrency
                    && asked > app.places()
                {
                    tracing::warn!(
                        "{}: {asked} is more than the sandboxes of this size that are kept; {} requests run at a time",
                        plan.key("concurrency"),
                        app.places()
                    );
                }
                app
            }
        };
        Ok(Deployed::new(plan, digest, app))
    }

    /// Takes `ready` for what is served from here on, and returns where its requests
    /// go.
    pub fn adopt(&mut self, ready: Ready) -> (Routes<Arc<App>>, Changes) {
        self.current = ready.next;
        // Not before: until here those of the same names hold for whom they serve.
        for (settings, tenant) in self.current.tenants.values() {
            tenant.party().room().limit_memory(settings.memory);
            tenant.party().log().limit(settings.log_rate);
        }
        (ready.routes, ready.changes)
    }

    /// The app called `name`, of what is served.
    pub fn app(&self, name: &str) -> Option<&Arc<App>> {
        self.current.apps.get(name).map(|deployed| &deployed.app)
    }

    /// The tenant called `name`, of what is served.
    pub fn tenant(&self, name: &str) -> Option<&Arc<Tenant>> {
        self.current.tenants.get(name).map(|(_, tenant)| tenant)
    }
}

impl Deployed {
    fn new(plan: &AppPlan, digest: Digest, app: Arc<App>) -> Self {
        Deployed {
            tenant: plan.tenant.clone(),
            digest,
            app,
        }
    }
}

impl DeployError {
    fn of(config: &Config, plan: &AppPlan, why: String) -> Self {
        let place = match plan.origin {
            Origin::File => format!(
                "{}:{}: {}",
                config.path.display(),
                plan.line_of("component"),
                plan.key("component")
            ),
            Origin::Deployed(version) => format!("app `{}`, version {version}", plan.name),
        };
        DeployError {
            app: plan.name.clone(),
            place,
            why,
        }
    }
}
