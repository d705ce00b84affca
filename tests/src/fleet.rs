//! A host of many apps, by a file.

use crate::client::Answer;
use crate::guests;
use crate::server::{Parts, Server, Stopped};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rhost::access_log::{self, AccessLog};
use rhost::app::App;
use rhost::commons::{Commons, Sizes};
use rhost::compiled::Cache;
use rhost::compiler::Compiler;
use rhost::components::Components;
use rhost::config::Config;
use rhost::deployment::{Changes, Deployment};
use rhost::log::{Format, Sink};
use rhost::residency::{Budget, Residency};
use rhost::sandbox::{Details, Engines};
use rhost::tenant::Site;
use rhost::tls::CertificateFiles;
use std::path::Path;
use std::sync::Arc;

/// What a host has that differs from one test to another.
struct With {
    tls: Option<Vec<CertificateFiles>>,
    engines: Arc<Engines>,
    deployed_within: Option<Budget>,
    commons: Sizes,
}

impl Default for With {
    fn default() -> Self {
        With {
            tls: None,
            engines: guests::engines().clone(),
            deployed_within: None,
            commons: Sizes::of_this_machine(None, 0),
        }
    }
}

/// A host that serves what a file says, from a directory of its own.
pub struct Fleet {
    home: tempfile::TempDir,
    deployment: Deployment,
    residency: Arc<Residency>,
    commons: Arc<Commons>,
    /// Whether its apps are such as were looked at when they were deployed.
    are_deployed: bool,
    site: Arc<Site>,
    /// The host.
    pub server: Server,
}

impl Fleet {
    /// Serves what `text`, which is a file, says. Beside the file there is the
    /// component of each of `guests`, as NAME.wasm.
    pub async fn start(guests: &[&str], text: &str) -> Self {
        Fleet::with(guests, text, With::default()).await
    }

    /// The same, and its apps were looked at when they were deployed: each is loaded
    /// when it is asked for, and goes when all take more than `budget`.
    pub async fn deployed(guests: &[&str], text: &str, budget: Budget) -> Self {
        let with = With {
            deployed_within: Some(budget),
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    /// The same with sandboxes of its own, which no other test has a part in.
    pub async fn apart(guests: &[&str], text: &str) -> Self {
        let engines = Engines::new(2, Details::Names).expect("engines start");
        let with = With {
            engines: Arc::new(engines),
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    /// The same, and all its sandboxes together may have so much.
    pub async fn within(guests: &[&str], text: &str, commons: Sizes) -> Self {
        let with = With {
            commons,
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    /// The same under TLS.
    pub async fn under_tls(guests: &[&str], text: &str, files: Vec<CertificateFiles>) -> Self {
        let with = With {
            tls: Some(files),
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    async fn with(guests: &[&str], text: &str, with: With) -> Self {
        let With {
            tls,
            engines,
            deployed_within,
            commons,
        } = with;
        let home = tempfile::tempdir().expect("a directory");
        let names: Vec<String> = guests.iter().map(|name| (*name).to_owned()).collect();
        // Building is long and blocking; other tests go on.
        let paths = tokio::task::spawn_blocking(move || {
            let path = |name: String| (guests::path(&name), name);
            names.into_iter().map(path).collect::<Vec<_>>()
        });
        let mut cache = None;
        for (path, name) in paths.await.expect("the guests build") {
            let compiled = path.with_file_name("compiled");
            cache = Some(Cache::open(&compiled).expect("the target directory is ours"));
            let link = home.path().join(format!("{name}.wasm"));
            std::os::unix::fs::symlink(path, link).expect("a link");
        }
        let (log_sink, log) = Sink::to_memory("log", Format::Text);
        let (access_sink, access_log) = Sink::to_memory("access log", Format::Text);
        let access_sink = AccessLog::new(access_sink, access_log::Format::Text);
        let budget = deployed_within.unwrap_or(Budget::of_this_machine(None));
        let residency = Arc::new(Residency::within(budget));
        let (compiler, commons) = (Compiler::Here, Commons::new(commons));
        let components =
            Components::new(engines, compiler, cache, residency.clone(), commons.clone());
        let deployment = Deployment::new(Arc::new(components), &log_sink, false);
        let parts = Parts {
            tls: tls.map(|files| (files, None)),
            ..Parts::default()
        };
        let site = Site::new(None, &parts.timeouts, &log_sink, Some(access_sink));
        let site = Arc::new(site);
        let mut fleet = Fleet {
            server: parts.serve(site.clone(), log_sink, log, access_log),
            home,
            deployment,
            residency,
            commons,
            are_deployed: deployed_within.is_some(),
            site,
        };
        fleet.apply(text).expect("the file is right");
        fleet
    }

    /// Its directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Serves what `text` says from here on; fails with all that is wrong with it, a
    /// line each.
    pub fn apply(&mut self, text: &str) -> Result<Changes, String> {
        let path = self.home.path().join("rhost.toml");
        std::fs::write(&path, text).expect("the file is written");
        let lines = |errors: Vec<String>| errors.join("\n");
        let mut config = Config::read(&path)
            .map_err(|found| lines(found.iter().map(ToString::to_string).collect()))?;
        for app in config.apps.iter_mut().filter(|_| self.are_deployed) {
            let file = std::fs::read(&app.component).expect("it is there");
            app.digest = Some(rhost::digest::Digest::of(&file));
        }
        let ready = self.deployment.prepare(&config, |_| ());
        let ready =
            ready.map_err(|found| lines(found.iter().map(ToString::to_string).collect()))?;
        let (routes, changes) = self.deployment.adopt(ready);
        self.site.route(routes);
        Ok(changes)
    }

    /// The app called `name`.
    pub fn app(&self, name: &str) -> Arc<App> {
        self.deployment
            .app(name)
            .expect("there is such an app")
            .clone()
    }

    /// What its loaded apps take together.
    pub fn residency(&self) -> &Residency {
        &self.residency
    }

    /// What its sandboxes have together.
    pub fn commons(&self) -> &Commons {
        &self.commons
    }

    /// How many places of its share the tenant called `name` has taken.
    pub fn taken(&self, name: &str) -> usize {
        self.deployment
            .tenant(name)
            .expect("there is such a tenant")
            .taken()
    }

    /// Gets `path` of `host`, over a connection of its own.
    pub async fn get(&self, host: &str, path: &str) -> Answer {
        let mut client = self.server.client().await;
        let request = Request::get(path)
            .header("host", host)
            .body(Full::<Bytes>::default())
            .expect("a request");
        Answer::read(client.send(request).await.expect("an answer")).await
    }

    /// Stops it.
    pub async fn stop(self) -> Stopped {
        self.server.stop().await
    }
}
