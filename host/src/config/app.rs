//! The apps of the file.

use super::catalogue;
use super::document::{Given, Table, given_as, text_of};
use super::kind::{Kind, closest};
use super::problem::Problems;
use super::secrets::{self, SecretSource};
use super::{TenantPlan, value};
use crate::digest::Digest;
use crate::routing::Host;
use crate::settings::{AppSettings, LentDir, Secret};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use toml::de::DeValue;

/// An app of the file.
#[derive(Debug, Clone)]
pub struct AppPlan {
    /// What it is called.
    pub name: String,
    /// Who says what it is.
    pub origin: Origin,
    /// Its line.
    pub line: usize,
    /// The keys that are there.
    pub given: Vec<Given>,
    /// Whose it is.
    pub tenant: Option<String>,
    /// Where its component is.
    pub component: PathBuf,
    /// What its component is, if that is known and was looked at before (SHA-256): it
    /// is then loaded when somebody asks for it. Never in a file.
    pub digest: Option<Digest>,
    /// Its hosts; none for every host that no other app has.
    pub hosts: Vec<Host>,
    /// Its settings, but for its secrets.
    pub settings: AppSettings,
    /// Its secrets, by the names of the variables that are to have them.
    pub secrets: Vec<(String, SecretSource)>,
    /// What was found where it names something; nothing before anybody looked.
    pub found: Found,
}

/// What a plan names of the host, as it was when somebody looked.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The values of its secrets, in their order.
    pub secrets: Vec<(String, Secret)>,
    /// Where its directories are, in their order, without links.
    pub dirs: Vec<PathBuf>,
}

/// Who says what an app is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The file.
    File,
    /// Whoever deployed its version of this number.
    Deployed(u32),
}

impl AppPlan {
    /// The line of a key, or of the app if it is not there.
    pub fn line_of(&self, key: &str) -> usize {
        given_as(&self.given, key).map_or(self.line, |given| given.line)
    }

    /// Its directories, and where they were found.
    pub fn lent(&self) -> impl Iterator<Item = (&LentDir, &Path)> {
        let paths = self.found.dirs.iter().map(PathBuf::as_path);
        self.settings.dirs.iter().zip(paths)
    }

    /// A key of it as problems name it.
    pub fn key(&self, key: &str) -> String {
        format!("apps.{}.{key}", self.name)
    }
}

/// All apps, each with `base` where it says nothing itself.
pub(super) fn all(
    root: &Table<'_>,
    base: &AppSettings,
    tenants: &BTreeMap<String, TenantPlan>,
    problems: &mut Problems,
) -> Vec<AppPlan> {
    let Some(apps) = root.table("apps", problems) else {
        return Vec::new();
    };
    let mut plans = Vec::new();
    for (name, line, table) in apps.named_tables("app", problems) {
        let plan = one(name, line, &table, base, tenants, problems);
        if plan.component.as_os_str().is_empty() && !table.has("component") {
            let at = format!("apps.{}", plan.name);
            let text = "it has no component; add component = \"app.wasm\"";
            problems.error(Some(line), at, text);
        }
        plans.push(plan);
    }
    plans
}

/// The app called `name`, whose keys are those of `table`.
pub(super) fn one(
    name: String,
    line: usize,
    table: &Table<'_>,
    base: &AppSettings,
    tenants: &BTreeMap<String, TenantPlan>,
    problems: &mut Problems,
) -> AppPlan {
    let at = format!("apps.{name}");
    let given = table.keys(&at, catalogue::APP, problems);
    let mut settings = base.clone();
    settings.name = name.clone();
    apply(&mut settings, &given);
    variables_at(&mut settings, table, &format!("{at}.env"), problems);
    let secrets = secrets::read(table, &format!("{at}.secrets"), problems);
    let variables: HashSet<&str> = settings.env.iter().map(|(name, _)| &**name).collect();
    for (variable, _) in &secrets {
        let line = given_as(&given, "secrets").map_or(line, |given| given.line);
        if variables.contains(variable.as_str()) {
            let text = format!("`{variable}` is a variable of env as well; take it out there");
            problems.error(Some(line), format!("{at}.secrets.{variable}"), text);
        }
    }
    let tenant = text_of(&given, "tenant").map(str::to_owned);
    if let (Some(tenant), Some(given)) = (&tenant, given_as(&given, "tenant"))
        && !tenants.contains_key(tenant)
    {
        let text = match closest(tenant, tenants.keys().map(String::as_str)) {
            Some(meant) => format!("there is no tenant `{tenant}`; did you mean `{meant}`?"),
            None => format!("there is no tenant `{tenant}`; add [tenants.{tenant}]"),
        };
        problems.error(Some(given.line), format!("{at}.tenant"), text);
    }
    let mut hosts = Vec::new();
    if let Some(given) = given_as(&given, "hosts") {
        let mut seen = HashSet::new();
        for text in &given.texts {
            if !seen.insert(text) {
                let text = format!("`{text}` is there twice; take one out");
                problems.error(Some(given.line), format!("{at}.hosts"), text);
            }
        }
        hosts = given
            .texts
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        if given.texts.is_empty() {
            let text = "there is no host in it; name one, or leave it out for every host that no other app has";
            problems.error(Some(given.line), format!("{at}.hosts"), text);
        }
    }
    if let Some(found) = given_as(&given, "reuse-for")
        && !settings.reuse.is_on()
        && !found.is_default()
    {
        let text = "an instance serves one request; add reuse";
        problems.error(Some(found.line), format!("{at}.reuse-for"), text);
    }
    let component = text_of(&given, "component")
        .map(PathBuf::from)
        .unwrap_or_default();
    AppPlan {
        name,
        origin: Origin::File,
        line,
        given,
        tenant,
        component,
        digest: None,
        hosts,
        settings,
        secrets,
        found: Found::default(),
    }
}

/// Sets what `given` says. Each value has been checked for its kind.
pub(super) fn apply(settings: &mut AppSettings, given: &[Given]) {
    for given in given {
        // What does not parse was told before, and nothing is served with it.
        let _ = set(settings, given.key.name, &given.texts);
    }
}

/// Sets what the key called `name` stands for. None if it is no right value of it.
fn set(settings: &mut AppSettings, name: &str, texts: &[String]) -> Option<()> {
    let limits = &mut settings.limits;
    let text = texts.first().map_or("", String::as_str);
    let octets = || value::octets(text).ok();
    let time = || value::duration(text).ok();
    match name {
        "mount" => settings.mount = value::mount(text).ok()?,
        "dir" => {
            settings.dirs = texts
                .iter()
                .map(|text| value::dir(text).ok())
                .collect::<Option<_>>()?
        }
        "cpu" => limits.cpu = time()?,
        "timeout" => limits.wall = time()?,
        "memory" => limits.memory = octets()?,
        "table-elements" => limits.table_elements = text.parse().ok()?,
        "max-request-body" => limits.request_body = octets()?,
        "max-response-body" => limits.response_body = octets()?,
        "max-response-headers" => limits.response_headers = octets()?,
        "log-rate" => limits.log_rate = octets()?,
        "concurrency" => limits.concurrency = Some(text.parse().ok()?),
        "queue" => limits.queue = text.parse().ok()?,
        "queue-timeout" => limits.queue_timeout = time()?,
        "reuse" => settings.reuse.requests = text.parse().ok()?,
        "reuse-for" => settings.reuse.age = time()?,
        // These have readers of their own.
        "component" | "tenant" | "hosts" | "env" | "secrets" => {}
        _ => return None,
    }
    Some(())
}

/// The variables that `[defaults]` has.
pub(super) fn variables(settings: &mut AppSettings, table: &Table<'_>, problems: &mut Problems) {
    variables_at(settings, table, "defaults.env", problems);
}

/// Variables beside those that are there; one of the same name is replaced.
fn variables_at(settings: &mut AppSettings, table: &Table<'_>, at: &str, problems: &mut Problems) {
    let mut given = Vec::new();
    for entry in table.entries("env", at, &Kind::Variables.expected(), problems) {
        let at = format!("{at}.{}", entry.name);
        if let Err(expected) = value::variable(&entry.name) {
            problems.error(Some(entry.line), at, expected);
            continue;
        }
        // Its value may be anything that is private, so no error repeats it.
        let DeValue::String(text) = entry.value else {
            problems.error(Some(entry.line), at, "expected its value in quotes");
            continue;
        };
        if text.contains('\0') {
            problems.error(Some(entry.line), at, "a variable has no NUL; take it out");
            continue;
        }
        given.push((entry.name, text.clone().into_owned()));
    }
    let names: HashSet<&str> = given.iter().map(|(name, _)| &**name).collect();
    settings.env.retain(|(name, _)| !names.contains(&**name));
    settings.env.extend(given);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;

    /// Each key of the catalogue does something, and its default is the library's.
    #[test]
    fn the_catalogues_defaults_are_the_librarys() {
        let mut settings = AppSettings::default();
        settings.limits.cpu *= 2;
        settings.limits.queue += 1;
        for key in catalogue::APP {
            let text = key.default.trim_matches('"').to_owned();
            if !text.starts_with('(') {
                assert!(
                    set(&mut settings, key.name, &[text]).is_some(),
                    "{}",
                    key.name
                );
            } else if key.name != "concurrency" {
                assert!(set(&mut settings, key.name, &[]).is_some(), "{}", key.name);
            }
        }
        assert_eq!(settings.limits, Limits::default());
        assert_eq!(settings, AppSettings::default());
    }
}
