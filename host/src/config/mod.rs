//! `rhost.toml`: what a process serves, and how, in one file.
//!
//! The file is read whole and checked whole, before anything of it is done: every
//! error is found, and each says its line, its key, and what to write instead. The
//! [`catalogue`] has all keys; what checks them, the JSON schema, and what is shown all
//! read it there.

mod app;
pub mod catalogue;
mod conflict;
mod deployed;
mod document;
mod files;
mod kind;
mod lent;
mod places;
mod problem;
mod schema;
mod secrets;
mod show;
mod tenant;
pub mod value;

pub use app::{AppPlan, Found, Origin};
pub use deployed::told;
pub use document::Given;
pub use kind::{Key, Kind};
pub use places::{Near, Places, Taken};
pub use problem::{Level, Problem};
pub use schema::schema;
pub use secrets::SecretSource;
pub use show::toml_of;
pub use tenant::{GivenHosts, TenantPlan};

use crate::regular_file;
use crate::settings::{AppSettings, UnknownHost};
use document::Document;
use problem::Problems;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the file is called where nobody says otherwise.
pub const FILE: &str = "rhost.toml";

/// A file without errors.
#[derive(Debug)]
pub struct Config {
    /// Where it is.
    pub path: PathBuf,
    /// The keys of `[server]` that are there.
    pub server: Vec<Given>,
    /// What is answered to a request for a host that no app has.
    pub unknown_host: UnknownHost,
    /// Octets that loaded apps may take together; none for what the machine allows.
    pub memory_budget: Option<u64>,
    /// The keys of `[defaults]` that are there.
    pub defaults: Vec<Given>,
    /// What an app has that says nothing itself.
    pub base: AppSettings,
    /// The tenants, by name.
    pub tenants: BTreeMap<String, TenantPlan>,
    /// The apps, in the order of the file; after them those that are deployed, if there
    /// are any.
    pub apps: Vec<AppPlan>,
    /// What is most likely not meant, and no error.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// What holds where there is no file: nothing is served but what is deployed.
    pub fn of_no_file() -> Self {
        Config {
            path: PathBuf::new(),
            server: Vec::new(),
            unknown_host: UnknownHost::default(),
            memory_budget: None,
            defaults: Vec::new(),
            base: AppSettings::default(),
            tenants: BTreeMap::new(),
            apps: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Reads the file at `path`, and looks at what it names: components, directories
    /// and secrets. Paths in it are taken from its own directory.
    ///
    /// Fails with all that is wrong with it, in the order of its lines; warnings are
    /// among them.
    pub fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        Config::read_beside(path, false)
    }

    /// The same, and where apps are deployed (`has_state`) the file may have none.
    pub fn read_beside(path: &Path, has_state: bool) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::of(path);
        let text = match regular_file::read_text(path, regular_file::CONFIGURATION) {
            Ok(text) => text,
            Err(error) => {
                problems.unreadable(&error);
                return Err(problems.all());
            }
        };
        Config::parse_beside(path, &text, has_state)
    }

    /// [`Config::read`] for a file that holds `text`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Vec<Problem>> {
        Config::parse_beside(path, text, false)
    }

    fn parse_beside(path: &Path, text: &str, has_state: bool) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::of_text(path, text);
        let document = Document::parse(path, text, &mut problems);
        let root = document.root();
        root.expect_only(&catalogue::TABLES.map(|(name, _)| name), &mut problems);

        let server_table = root.table("server", &mut problems);
        let server = server_table.map_or_else(Vec::new, |table| {
            table.keys("[server]", catalogue::SERVER, &mut problems)
        });
        let defaults_table = root.table("defaults", &mut problems);
        let mut base = AppSettings::default();
        let defaults = defaults_table.map_or_else(Vec::new, |table| {
            let given = table.keys("[defaults]", catalogue::DEFAULTS, &mut problems);
            app::apply(&mut base, &given);
            app::variables(&mut base, &table, &mut problems);
            given
        });
        let tenants = tenant::all(&root, &mut problems);
        let mut apps = app::all(&root, &base, &tenants, &mut problems);
        let has_state = has_state || document::given_as(&server, "state").is_some();
        if apps.is_empty() && !has_state && !problems.has_errors() {
            problems.error(
                None,
                "apps",
                "there is no app; add one, as [apps.shop] with component = \"shop.wasm\"",
            );
        }
        conflict::check_server(&server, &mut problems);
        conflict::check_hosts(&apps, &mut problems);
        conflict::check_given(&tenants, &apps, &mut problems);
        files::check_server(&server, &mut problems);
        files::look(&mut apps, &mut problems);
        lent::check(&apps, &mut problems);
        let unknown_host = match document::text_of(&server, "unknown-host") {
            Some("404") => UnknownHost::NotFound,
            _ => UnknownHost::Misdirected,
        };
        let memory_budget = document::text_of(&server, "memory-budget");
        let memory_budget = memory_budget.and_then(|text| value::octets(text).ok());
        let warnings = problems.warnings_or_all()?;
        Ok(Config {
            path: path.to_owned(),
            server,
            unknown_host,
            memory_budget,
            defaults,
            base,
            tenants,
            apps,
            warnings,
        })
    }

    /// All files that it is made from: itself, components and secrets. Those of what is
    /// deployed are not among them.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.path.clone()];
        let of_file = |app: &&AppPlan| app.origin == Origin::File;
        for app in self.apps.iter().filter(of_file) {
            files.push(app.component.clone());
            let secrets = app.secrets.iter();
            files.extend(secrets.filter_map(|(_, source)| source.file().map(Path::to_owned)));
        }
        files.sort();
        files.dedup();
        files
    }
}
