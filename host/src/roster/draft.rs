//! A version of an app that is to be: what its settings come to, and whether whoever
//! asks for it may have it.

use super::merge::Whole;
use super::names;
use super::refused::{Refused, Why};
use crate::config::{AppPlan, Config, told, toml_of};
use crate::failure::Octets;
use crate::settings::Limits;
use crate::store::{Digest, Scope, Version};
use serde_json::{Map, Value};
use std::path::Path;
use std::time::SystemTime;

/// Bytes of an app's settings, at most: each deploy adds to them.
const MOST: usize = 256 << 10;

/// What is to be deployed, but for the component.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) plan: AppPlan,
    /// Its settings in TOML.
    pub(super) settings: String,
}

impl Draft {
    /// The settings of the version before, if there is one, with `patch` applied to
    /// them, a JSON merge patch (RFC 7396); for the app called `name`.
    pub(super) fn new(
        whole: &Whole,
        scope: &Scope,
        name: &str,
        before: Option<&Version>,
        patch: &Map<String, Value>,
    ) -> Result<Self, Refused> {
        let mut settings = match before {
            Some(version) => read(&version.settings)?,
            None => Map::new(),
        };
        merge(&mut settings, patch);
        if let Scope::Tenant(tenant) = scope
            && before.is_none()
        {
            settings
                .entry("tenant")
                .or_insert_with(|| tenant.as_str().into());
        }
        Draft::of(whole, scope, name, toml_of(&settings))
    }

    /// One with these settings. Nothing of the host that they name is looked at: whether
    /// it may be named is known after this.
    pub(super) fn of(
        whole: &Whole,
        scope: &Scope,
        name: &str,
        settings: String,
    ) -> Result<Self, Refused> {
        if settings.len() > MOST {
            let text = format!(
                "its settings come to more than {}; take some out",
                Octets(MOST as u64)
            );
            return Err(Refused::new(Why::Wrong, text));
        }
        // Before anything that knows of other tenants.
        if let Scope::Tenant(tenant) = scope
            && let Ok(asked) = read(&settings)
            && asked.get("tenant").and_then(Value::as_str) != Some(tenant)
        {
            let text =
                format!("apps.{name}.tenant: the token is for tenant `{tenant}`; leave it out");
            return Err(Refused::new(Why::Forbidden, text));
        }
        let plan = whole.config.deployed(name, 0, &settings);
        let plan = plan.map_err(|problems| Refused::new(Why::Wrong, told(&problems)))?;
        let draft = Draft { plan, settings };
        if let Scope::Tenant(_) = scope {
            may(&whole.config, whole.plan(name), &draft.plan)?;
        }
        if let Scope::Tenant(tenant) = scope {
            whole.within(tenant, &draft.plan)?;
        }
        draft.fits(whole, scope)?;
        Ok(draft)
    }

    /// Looks at what it names of the host: outside any lock, as that may take long.
    pub(super) fn look(&mut self, config: &Path) -> Result<(), Refused> {
        let looked = self.plan.look(config);
        looked.map_err(|problems| Refused::new(Why::Wrong, told(&problems)))
    }

    /// The same with what was `found` by looking. Fails if something else was looked at.
    pub(super) fn with(mut self, looked: &AppPlan) -> Result<Self, Refused> {
        let is_same =
            looked.secrets == self.plan.secrets && looked.settings.dirs == self.plan.settings.dirs;
        if !is_same {
            let text = "its settings were changed meanwhile; ask again";
            return Err(Refused::new(Why::Conflict, text));
        }
        self.plan.found = looked.found.clone();
        Ok(self)
    }

    /// The same with what was found for the plan that is there, which names nothing else.
    pub(super) fn keeping(mut self, there: Option<&AppPlan>) -> Self {
        if let Some(there) = there {
            self.plan.found = there.found.clone();
        }
        self
    }

    /// Fails if it is in the way of another app: by a host, or once that was looked at by
    /// a directory.
    pub(super) fn fits(&self, whole: &Whole, scope: &Scope) -> Result<(), Refused> {
        let Draft { plan, .. } = self;
        let places = whole.config.places_near(plan, whole.not_served());
        let refuse = |text: String| {
            let text = format!("apps.{}.hosts: {text}", plan.name);
            Err(Refused::new(Why::Conflict, text))
        };
        match (places.check(plan), scope) {
            (Ok(()), _) => {}
            // Who the other is, is not said to a tenant.
            (Err(taken), Scope::Tenant(_)) if taken.is_foreign => {
                return refuse("it is another tenant's; take another host".into());
            }
            (Err(taken), _) => return refuse(taken.text),
        }
        match scope {
            Scope::All => Ok(()),
            Scope::Tenant(tenant) => names::check(tenant, whole, plan, &places),
        }
    }
}

/// What a deploy with `patch` by somebody with `scope` would come to, beside the apps of
/// `config`: the plan of the app called `name`, and its settings in TOML; `before` are
/// those of the version that it has. Nothing of the host that they name is looked at.
pub fn draft(
    config: Config,
    scope: &Scope,
    name: &str,
    before: Option<&str>,
    patch: &Map<String, Value>,
) -> Result<(AppPlan, String), Refused> {
    let before = before.map(|settings| Version {
        number: 1,
        component: Digest([0; 32]),
        octets: 0,
        settings: settings.to_owned(),
        at: SystemTime::UNIX_EPOCH,
    });
    let whole = Whole::of_file(config);
    let draft = Draft::new(&whole, scope, name, before.as_ref(), patch)?;
    Ok((draft.plan, draft.settings))
}

/// Settings in TOML as JSON.
pub(super) fn read(settings: &str) -> Result<Map<String, Value>, Refused> {
    toml::from_str(settings).map_err(|error| {
        let text = format!(
            "the settings of the version before are damaged: {}",
            error.message()
        );
        Refused::new(Why::Failed, text)
    })
}

/// Applies a JSON merge patch (RFC 7396, section 2).
fn merge(settings: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                settings.remove(name);
            }
            Value::Object(patch) => {
                let inner = settings.entry(name).or_insert_with(|| Map::new().into());
                if !inner.is_object() {
                    *inner = Map::new().into();
                }
                if let Value::Object(inner) = inner {
                    merge(inner, patch);
                }
            }
            value => {
                settings.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Whether the tenant whose `plan` it is may have it, with `before` in its place now: what
/// an app has of the host, the operator gives.
fn may(config: &Config, before: Option<&AppPlan>, plan: &AppPlan) -> Result<(), Refused> {
    let refuse = |key: &str, text: &str| {
        let text = format!("apps.{}.{key}: {text}", plan.name);
        Err(Refused::new(Why::Forbidden, text))
    };
    if plan.hosts.is_empty() {
        return refuse(
            "hosts",
            "a token of one tenant is not for every host; name hosts",
        );
    }
    let had_dir = |dir| before.is_some_and(|before| before.settings.dirs.contains(dir));
    if !plan.settings.dirs.iter().all(had_dir) {
        return refuse(
            "dir",
            "directories are lent by the operator; leave it out, or ask for it",
        );
    }
    let had_secret = |secret| before.is_some_and(|before| before.secrets.contains(secret));
    if !plan.secrets.iter().all(had_secret) {
        return refuse(
            "secrets",
            "secrets of the host are lent by the operator; leave it out, or ask for it",
        );
    }
    let (most, had) = (
        &config.base.limits,
        before.map(|before| &before.settings.limits),
    );
    match beyond(&plan.settings.limits, most, had.unwrap_or(most)) {
        None => Ok(()),
        Some(key) => refuse(
            key,
            "it is more than [defaults] has; take less, or ask the operator",
        ),
    }
}

/// The key of a limit that is above both `most` and what was `had` before.
fn beyond(asked: &Limits, most: &Limits, had: &Limits) -> Option<&'static str> {
    // Every limit is named here, so that none is forgotten.
    let Limits {
        cpu,
        wall,
        memory,
        table_elements,
        request_body,
        response_body,
        response_headers,
        log_rate,
        concurrency,
        queue,
        queue_timeout,
    } = asked;
    let places = |places: Option<usize>| places.unwrap_or(usize::MAX);
    let is_beyond = [
        ("cpu", *cpu > most.cpu.max(had.cpu)),
        ("timeout", *wall > most.wall.max(had.wall)),
        ("memory", *memory > most.memory.max(had.memory)),
        (
            "table-elements",
            *table_elements > most.table_elements.max(had.table_elements),
        ),
        (
            "max-request-body",
            *request_body > most.request_body.max(had.request_body),
        ),
        (
            "max-response-body",
            *response_body > most.response_body.max(had.response_body),
        ),
        (
            "max-response-headers",
            *response_headers > most.response_headers.max(had.response_headers),
        ),
        ("log-rate", *log_rate > most.log_rate.max(had.log_rate)),
        (
            "concurrency",
            places(*concurrency) > places(most.concurrency).max(places(had.concurrency)),
        ),
        ("queue", *queue > most.queue.max(had.queue)),
        (
            "queue-timeout",
            *queue_timeout > most.queue_timeout.max(had.queue_timeout),
        ),
    ];
    is_beyond
        .into_iter()
        .find(|(_, is_beyond)| *is_beyond)
        .map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TenantPlan;
    use serde_json::json;

    fn config() -> Config {
        let mut config = Config::of_no_file();
        for name in ["acme", "other"] {
            let plan = TenantPlan::default();
            config.tenants.insert(name.into(), plan);
        }
        config
    }

    fn draft(scope: &Scope, before: Option<&str>, patch: Value) -> Result<Draft, Refused> {
        let Value::Object(patch) = patch else {
            panic!("{patch}")
        };
        let drafted = super::draft(config(), scope, "shop", before, &patch);
        drafted.map(|(plan, settings)| Draft { plan, settings })
    }

    #[test]
    fn settings_are_those_before_with_the_patch_applied() {
        let before = "hosts = \"a.test\"\ncpu = \"1s\"\nenv = { A = \"1\", B = \"2\" }\n";
        let patch = json!({ "cpu": null, "memory": "1MiB", "env": { "A": null, "C": "3" } });
        let draft = draft(&Scope::All, Some(before), patch).unwrap();
        let settings = read(&draft.settings).unwrap();
        let expected =
            json!({ "hosts": "a.test", "memory": "1MiB", "env": { "B": "2", "C": "3" } });
        assert_eq!(Value::from(settings), expected);
        assert_eq!(draft.plan.settings.limits.memory, 1 << 20);
    }

    #[test]
    fn a_tenants_token_is_for_its_own_and_for_what_the_operator_gave() {
        let acme = Scope::Tenant("acme".into());
        let hosts = json!("a.test");
        let made = draft(&acme, None, json!({ "hosts": hosts })).unwrap();
        assert_eq!(made.plan.tenant.as_deref(), Some("acme"));
        for (patch, key) in [
            (json!({ "hosts": hosts, "tenant": "other" }), "tenant"),
            (
                json!({ "hosts": hosts, "tenant": null, "cpu": "11s" }),
                "cpu",
            ),
            (json!({}), "hosts"),
            (json!({ "hosts": hosts, "dir": "/:/root" }), "dir"),
            (
                json!({ "hosts": hosts, "secrets": { "A": { "env": "PATH" } } }),
                "secrets",
            ),
            (json!({ "hosts": hosts, "memory": "257MiB" }), "memory"),
        ] {
            let refused = draft(&acme, None, patch).unwrap_err();
            assert_eq!(refused.why, Why::Forbidden, "{refused}");
            assert!(
                refused.text.starts_with(&format!("apps.shop.{key}: ")),
                "{refused}"
            );
        }
        assert!(draft(&acme, None, json!({ "hosts": hosts, "memory": "1MiB" })).is_ok());
        assert!(draft(&Scope::All, None, json!({ "memory": "1GiB" })).is_ok());
    }

    #[test]
    fn settings_that_grow_are_bounded() {
        let env = json!({ "A": "x".repeat(MOST) });
        let refused = draft(&Scope::All, None, json!({ "env": env })).unwrap_err();
        assert_eq!(refused.why, Why::Wrong);
        assert!(refused.text.contains("more than 256 KiB"), "{refused}");
    }

    #[test]
    fn what_is_wrong_is_said_in_a_line() {
        for patch in [
            json!({ "cpu": 2 }),
            json!({ "env": [null] }),
            json!({ "a b": {} }),
        ] {
            let refused = draft(&Scope::All, None, patch).unwrap_err();
            assert_eq!(refused.why, Why::Wrong);
            assert!(!refused.text.contains('\n'), "{refused}");
        }
    }
}
