//! Apps that are not in the file but deployed beside it: the same keys, the same
//! errors, and the same that does not go together.

use super::app::{self, AppPlan, Origin};
use super::document::Document;
use super::problem::{Problem, Problems};
use super::{Config, Level, value};

impl Config {
    /// The app called `name` of which `settings`, in TOML, has the keys, but for the
    /// component. Paths are taken from the file's directory. What they lead to is not
    /// looked at ([`AppPlan::look`]): first it has to be known who may name it.
    ///
    /// Fails with all that is wrong with the text.
    pub fn deployed(
        &self,
        name: &str,
        version: u32,
        settings: &str,
    ) -> Result<AppPlan, Vec<Problem>> {
        let mut problems = Problems::of_text(&self.path, settings);
        if let Err(expected) = value::name(name) {
            problems.error(None, format!("apps.{name}"), expected);
            return Err(problems.all());
        }
        let document = Document::parse(&self.path, settings, &mut problems);
        let table = document.root();
        if table.has("component") {
            let text = "it is what is uploaded; leave it out";
            problems.error(None, format!("apps.{name}.component"), text);
        }
        let (base, tenants) = (&self.base, &self.tenants);
        let mut plan = app::one(name.to_owned(), 1, &table, base, tenants, &mut problems);
        plan.origin = Origin::Deployed(version);
        problems.warnings_or_all()?;
        Ok(plan)
    }

    /// Which places an app has with these `settings`, which may not do any more: they are
    /// kept for it. None if nothing can be read of them.
    pub fn claimed(&self, name: &str, version: u32, settings: &str) -> Option<AppPlan> {
        let mut problems = Problems::of_text(&self.path, settings);
        let document = Document::parse(&self.path, settings, &mut problems);
        let is_whole = !problems.has_errors();
        let table = document.root();
        let (base, tenants) = (&self.base, &self.tenants);
        let mut plan = app::one(name.to_owned(), 1, &table, base, tenants, &mut problems);
        plan.origin = Origin::Deployed(version);
        // Every other host is what it has only if it does say so.
        let has_rest = is_whole && !table.has("hosts");
        (has_rest || !plan.hosts.is_empty()).then_some(plan)
    }
}

/// What is wrong, without the file, which whoever deploys does not see.
pub fn told(problems: &[Problem]) -> String {
    let errors = problems
        .iter()
        .filter(|problem| problem.level == Level::Error);
    let errors: Vec<String> = errors
        .map(|problem| match problem.key.is_empty() {
            true => problem.text.clone(),
            false => format!("{}: {}", problem.key, problem.text),
        })
        .collect();
    errors.join("; and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config() -> Config {
        let mut config = Config::of_no_file();
        for name in ["acme", "other"] {
            config.tenants.insert(name.into(), Default::default());
        }
        config
    }

    fn app(name: &str, settings: &str) -> AppPlan {
        let found = looked(name, settings);
        found.unwrap_or_else(|problems| panic!("{}", told(&problems)))
    }

    fn looked(name: &str, settings: &str) -> Result<AppPlan, Vec<Problem>> {
        let mut plan = config().deployed(name, 1, settings)?;
        plan.look(Path::new(""))?;
        Ok(plan)
    }

    #[test]
    fn keys_and_errors_are_those_of_the_file() {
        let plan = app(
            "shop",
            "hosts = [\"Shop.test\"]\nmount = \"/a/\"\ncpu = \"2s\"\n",
        );
        assert_eq!(plan.hosts[0].to_string(), "shop.test");
        assert_eq!(
            (&*plan.settings.mount, plan.settings.limits.cpu.as_secs()),
            ("/a", 2)
        );
        for (settings, says) in [
            ("cpu = 2", "apps.shop.cpu: a number has no unit"),
            ("memroy = \"1MiB\"", "did you mean `memory`?"),
            (
                "component = \"a.wasm\"",
                "apps.shop.component: it is what is uploaded",
            ),
            ("tenant = \"acne\"", "did you mean `acme`?"),
            ("dir = \"nowhere:/x\"", "nowhere: no such file or directory"),
            (
                "secrets = { A = { env = \"RHOST_NOT_SET\" } }",
                "is not set",
            ),
            ("a = [", "not TOML"),
        ] {
            let said = told(&looked("shop", settings).unwrap_err());
            assert!(said.contains(says) && !said.contains('\n'), "{said}");
        }
        assert!(told(&config().deployed("a/b", 1, "").unwrap_err()).contains("expected a name"));
    }

    /// What is wrong is found in as long as the text is, and told in a few lines.
    #[test]
    fn too_much_is_refused_without_going_through_it() {
        for (table, value) in [("env", "\"\""), ("secrets", "{ env = \"A\" }")] {
            let many = |count: usize| {
                let entry = |number| format!("V{number} = {value}\n");
                let entries: String = (0..count).map(entry).collect();
                config().deployed("shop", 1, &format!("[{table}]\n{entries}"))
            };
            assert!(many(1000).is_ok());
            let problems = many(1001).unwrap_err();
            let said = told(&problems);
            let says = format!("apps.shop.{table}: there are 1001 in it, and 1000 at most");
            assert!(problems.len() == 1 && said.contains(&says), "{said}");
        }
        let unknown: String = (0..5000).map(|key| format!("k{key} = 1\n")).collect();
        let hosts = "hosts = [".to_owned() + &"\"a b\", ".repeat(5000) + "]\n";
        for text in [unknown, hosts] {
            let problems = config().deployed("shop", 1, &text).unwrap_err();
            assert_eq!(problems.len(), 101);
            let last = problems.last().unwrap().to_string();
            assert!(last.contains("more errors; mend these first"), "{last}");
        }
    }

    /// Whose it is and where is known behind any number of errors.
    #[test]
    fn a_claim_is_read_behind_what_is_wrong() {
        let unknown: String = (0..500).map(|key| format!("k{key} = 1\n")).collect();
        let settings = format!("{unknown}tenant = \"acme\"\nhosts = \"a.test\"\n");
        let plan = config().claimed("shop", 1, &settings).unwrap();
        assert_eq!(plan.tenant.as_deref(), Some("acme"));
        assert_eq!(plan.hosts[0].to_string(), "a.test");
    }

    #[test]
    fn variables_take_the_place_of_those_of_the_same_name() {
        let mut config = config();
        config.base.env = [("A", "1"), ("B", "2")]
            .map(|(a, b)| (a.into(), b.into()))
            .into();
        let plan = config.deployed("shop", 1, "env = { B = \"3\", C = \"4\" }");
        let plan = plan.unwrap();
        let env: Vec<String> = plan
            .settings
            .env
            .iter()
            .map(|(a, b)| format!("{a}{b}"))
            .collect();
        assert_eq!(env, ["A1", "B3", "C4"]);
    }

    #[test]
    fn what_is_wrong_keeps_its_places() {
        let claimed = |settings: &str| {
            let plan = config().claimed("shop", 3, settings)?;
            let hosts: Vec<_> = plan.hosts.iter().map(ToString::to_string).collect();
            Some((plan.tenant, hosts.join(" "), plan.settings.mount))
        };
        let of = |tenant: Option<&str>, hosts: &str, mount: &str| {
            Some((tenant.map(str::to_owned), hosts.into(), mount.into()))
        };
        assert_eq!(
            claimed("tenant = \"gone\"\nhosts = \"a.test\"\ncpu = 2"),
            of(Some("gone"), "a.test", "")
        );
        assert_eq!(claimed("mount = \"/x\"\nno = 1"), of(None, "", "/x"));
        assert_eq!(
            claimed("hosts = [\"a b\", \"c.test\"]"),
            of(None, "c.test", "")
        );
        assert_eq!(claimed("hosts = \"a b\""), None);
        assert_eq!(claimed("mount = \"/x\"\nhosts"), None);
    }
}
