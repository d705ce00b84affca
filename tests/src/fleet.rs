//! A host of many apps, by a file.

use crate::client::Answer;
use crate::command::Running;
use crate::deploys::Deploys;
use crate::guests;
use crate::here::{self, Logs};
use crate::server::{Host, Server, Stopped};
use crate::settings::{ProcessSettings, Settings};
use crate::start::Start;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rhost::app::App;
use rhost::commons::{Commons, Good, Sizes};
use rhost::compiled::Cache;
use rhost::compiler::Compiler;
use rhost::components::Components;
use rhost::config::Config;
use rhost::deployment::{Changes, Deployment};
use rhost::residency::{Budget, Residency};
use rhost::sandbox::{Details, Engines};
use rhost::tls::CertificateFiles;
use rustix::process::Signal;
use std::path::Path;
use std::sync::Arc;

/// What a host has that differs from one test to another.
struct With {
    tls: Vec<CertificateFiles>,
    engines: Arc<Engines>,
    deployed_within: Option<Budget>,
    commons: Sizes,
    /// Octets that all sandboxes may have together, if it is not as usual.
    memory: Option<u64>,
    /// Why it has to be in this process.
    inside: Option<&'static str>,
    /// Whether the test is about the file as such.
    of_file: bool,
}

impl Default for With {
    fn default() -> Self {
        With {
            tls: Vec::new(),
            engines: guests::engines().clone(),
            deployed_within: None,
            commons: Sizes::of_this_machine(None, 0),
            memory: None,
            inside: None,
            of_file: false,
        }
    }
}

/// A host that serves what a file says, from a directory of its own.
pub struct Fleet {
    home: Arc<tempfile::TempDir>,
    parts: Parts,
    /// The host.
    pub server: Server,
}

/// What serves.
enum Parts {
    Here(Box<Here>),
    /// `rhost serve -c`, which is told of another file.
    File(Start, String),
    /// `rhost serve --state`, with what is deployed to it.
    Deployed(Deploys),
}

/// In this process.
struct Here {
    deployment: Deployment,
    residency: Arc<Residency>,
    commons: Arc<Commons>,
    /// Whether its apps are such as were looked at when they were deployed.
    are_deployed: bool,
}

impl Fleet {
    /// Serves what `text`, which is a file, says. Beside the file there is the
    /// component of each of `guests`, as NAME.wasm.
    pub async fn start(guests: &[&str], text: &str) -> Self {
        Fleet::with(guests, text, With::default()).await
    }

    /// The same for a test that looks into the host; `why` says at what.
    pub async fn inside(why: &'static str, guests: &[&str], text: &str) -> Self {
        let with = With {
            inside: Some(why),
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    /// The same for a test of the file as such, which is right or wrong as a whole.
    pub async fn of_file(guests: &[&str], text: &str) -> Self {
        let with = With {
            of_file: true,
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    /// The same, and its apps were looked at when they were deployed: each is loaded
    /// when it is asked for, and goes when all take more than `budget`.
    pub async fn deployed(guests: &[&str], text: &str, budget: Budget) -> Self {
        let with = With {
            deployed_within: Some(budget),
            inside: Some("it looks at what is in memory"),
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
            inside: Some("no flag says how many files may be open"),
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    /// The same, and all its sandboxes together may have so much memory.
    pub async fn within_memory(guests: &[&str], text: &str, octets: u64) -> Self {
        let with = With {
            memory: Some(octets),
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    /// The same under TLS.
    pub async fn under_tls(guests: &[&str], text: &str, files: Vec<CertificateFiles>) -> Self {
        let with = With {
            tls: files,
            ..With::default()
        };
        Fleet::with(guests, text, with).await
    }

    async fn with(guests: &[&str], text: &str, with: With) -> Self {
        let home = Arc::new(tempfile::tempdir().expect("a directory"));
        let names: Vec<String> = guests.iter().map(|name| (*name).to_owned()).collect();
        // Building is long and blocking; other tests go on.
        let paths = tokio::task::spawn_blocking(move || {
            let path = |name: String| (guests::path(&name), name);
            names.into_iter().map(path).collect::<Vec<_>>()
        });
        let mut cache = None;
        for (path, name) in paths.await.expect("the guests build") {
            let compiled = path.with_file_name("compiled");
            let opened = Cache::open(&compiled).expect("the target directory is ours");
            cache = Some(Arc::new(opened));
            let link = home.path().join(format!("{name}.wasm"));
            std::os::unix::fs::symlink(path, link).expect("a link");
        }
        let mut settings = Settings::default();
        for files in &with.tls {
            settings.set("tls-cert", &files.certificate.display().to_string());
            settings.set("tls-key", &files.key.display().to_string());
        }
        let mut commons = with.commons;
        if let Some(octets) = with.memory {
            settings.set("sandbox-memory", &octets.to_string());
            commons.memory = octets;
        }
        let start = Start::chosen();
        let obstacle = match start {
            _ if with.inside.is_some() => with.inside,
            Start::Component | Start::Crate => Some("a command line names one app"),
            Start::Deployed | Start::Watch if with.of_file => {
                Some("it is about a file as such, and SIGHUP")
            }
            _ => None,
        };
        match (start, obstacle) {
            (Start::InProcess, _) => {}
            (start, Some(why)) => start.skip(why),
            (start, None) => {
                let text = text.to_owned();
                let starting = tokio::task::spawn_blocking(move || {
                    Fleet::command(start, home, &settings, &text)
                });
                return starting.await.expect("the command serves");
            }
        }
        Fleet::here(home, &settings.of_process_with(commons), text, with, cache)
    }

    /// Starts it in this process.
    fn here(
        home: Arc<tempfile::TempDir>,
        settings: &ProcessSettings,
        text: &str,
        with: With,
        cache: Option<Arc<Cache>>,
    ) -> Self {
        let logs = Logs::new();
        let budget = with
            .deployed_within
            .unwrap_or(Budget::of_this_machine(None));
        let residency = Arc::new(Residency::within(budget));
        let (compiler, commons) = (Compiler::Here, Commons::new(settings.commons));
        let components = Components::new(
            with.engines,
            compiler,
            cache,
            residency.clone(),
            commons.clone(),
        );
        let deployment = Deployment::new(Arc::new(components), &logs.sink, false);
        let here = Here {
            deployment,
            residency,
            commons,
            are_deployed: with.deployed_within.is_some(),
        };
        let mut fleet = Fleet {
            server: here::serve(settings.clone(), None, logs),
            home,
            parts: Parts::Here(Box::new(here)),
        };
        fleet.apply(text).expect("the file is right");
        fleet
    }

    /// Starts the command.
    fn command(
        start: Start,
        home: Arc<tempfile::TempDir>,
        settings: &Settings,
        text: &str,
    ) -> Self {
        let mut deploys = Deploys::default();
        let file = match start {
            Start::Deployed => deploys.file(text),
            _ => text.to_owned(),
        };
        write(home.path(), &file);
        let own: &[&str] = match start {
            Start::Watch => &["-c", "rhost.toml", "--watch"],
            Start::Deployed => &["-c", "rhost.toml", "--state", "state"],
            _ => &["-c", "rhost.toml"],
        };
        let own = own.iter().map(|word| (*word).to_owned()).collect();
        let running = Running::start(home.clone(), &[own, settings.flags(false)].concat());
        let addr = running.addr();
        if start == Start::Deployed {
            deploys.deploy(&running, text);
        }
        Fleet {
            home,
            parts: match start {
                Start::Deployed => Parts::Deployed(deploys),
                start => Parts::File(start, text.to_owned()),
            },
            server: Server {
                addr,
                host: Host::Command(Box::new(running)),
            },
        }
    }

    /// Its directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Whether it is in this process, so that it can be looked into.
    pub fn is_here(&self) -> bool {
        matches!(self.parts, Parts::Here(_))
    }

    /// Serves what `text` says from here on; fails with all that is wrong with it, a
    /// line each.
    pub fn apply(&mut self, text: &str) -> Result<Changes, String> {
        let running = match &self.server.host {
            Host::Command(running) => Some(&**running),
            Host::Here(_) => None,
        };
        match (&mut self.parts, running) {
            (Parts::Here(here), _) => {
                write(self.home.path(), text);
                let site = &self.server.here().site;
                let routes_and_changes = here.apply(&self.home.path().join("rhost.toml"))?;
                site.route(routes_and_changes.0);
                Ok(routes_and_changes.1)
            }
            (Parts::File(start, last), Some(running)) => {
                let from = running.lines();
                write(self.home.path(), text);
                // Whoever watches tells of nothing where no app has changed.
                let before = std::mem::replace(last, text.to_owned());
                if *start == Start::Config || crate::deploys::have_same_apps(&before, text) {
                    running.signal(Signal::HUP);
                }
                applied(running, from)
            }
            (Parts::Deployed(deploys), Some(running)) => {
                // A tenant goes after its apps, and comes before them.
                let removed = deploys.remove(running, text);
                write(self.home.path(), &deploys.file(text));
                let from = running.lines();
                running.signal(Signal::HUP);
                applied(running, from)?;
                let changes = deploys.deploy(running, text);
                Ok(Changes { removed, ..changes })
            }
            (_, None) => unreachable!("a command runs"),
        }
    }

    /// What can be looked into.
    fn parts(&self) -> &Here {
        match &self.parts {
            Parts::Here(here) => here,
            _ => panic!("a test that looks inside says so with `Fleet::inside`"),
        }
    }

    /// The app called `name`.
    pub fn app(&self, name: &str) -> Arc<App> {
        let app = self.parts().deployment.app(name);
        app.expect("there is such an app").clone()
    }

    /// How many requests the app called `name` serves.
    pub fn running(&self, name: &str) -> usize {
        match self.is_here() {
            true => self.app(name).running(),
            false => {
                let metrics = self.server.metrics();
                let start = format!("rhost_app_requests_running{{app=\"{name}\"");
                let mut lines = metrics.lines().filter(|line| line.starts_with(&start));
                let value = lines.next().and_then(|line| line.rsplit(' ').next());
                value.map_or(0, |value| value.parse().expect("a number"))
            }
        }
    }

    /// What its loaded apps take together.
    pub fn residency(&self) -> &Residency {
        &self.parts().residency
    }

    /// Octets of memory that its sandboxes have together, beyond the first MiB of each.
    pub fn memory_taken(&self) -> u64 {
        match self.is_here() {
            true => self.commons().taken(Good::Memory),
            false => {
                let metrics = self.server.metrics();
                let mut lines = metrics.lines();
                let value = lines.find_map(|line| line.strip_prefix("rhost_sandbox_memory_bytes "));
                value.expect("it is told").parse().expect("a number")
            }
        }
    }

    /// What its sandboxes have together.
    pub fn commons(&self) -> &Commons {
        &self.parts().commons
    }

    /// How many places of its share the tenant called `name` has taken.
    pub fn taken(&self, name: &str) -> usize {
        let tenant = self.parts().deployment.tenant(name);
        tenant.expect("there is such a tenant").taken()
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

impl Here {
    fn apply(
        &mut self,
        path: &Path,
    ) -> Result<(rhost::routing::Routes<Arc<App>>, Changes), String> {
        let lines = |errors: Vec<String>| errors.join("\n");
        let mut config = Config::read(path)
            .map_err(|found| lines(found.iter().map(ToString::to_string).collect()))?;
        for app in config.apps.iter_mut().filter(|_| self.are_deployed) {
            let file = std::fs::read(&app.component).expect("it is there");
            app.digest = Some(rhost::digest::Digest::of(&file));
        }
        let ready = self.deployment.prepare(&config, |_| ());
        let ready =
            ready.map_err(|found| lines(found.iter().map(ToString::to_string).collect()))?;
        Ok(self.deployment.adopt(ready))
    }
}

/// Writes the file whole, as whoever watches it expects.
fn write(home: &Path, text: &str) {
    std::fs::write(home.join("new~"), text).expect("the file is written");
    std::fs::rename(home.join("new~"), home.join("rhost.toml")).expect("it takes its name");
}

/// What the command says of a file that it was told of.
fn applied(running: &Running, from: usize) -> Result<Changes, String> {
    let (_, line) = running.until(from, |line| {
        line.contains("rhost.toml is applied: ") || line.contains("rhost.toml is not applied")
    });
    let Some((_, counts)) = line.split_once("is applied: ") else {
        return Err(line);
    };
    let counts: Vec<usize> = counts
        .split(", ")
        .map(|count| count.split(' ').next().and_then(|count| count.parse().ok()))
        .map(|count| count.expect("a count"))
        .collect();
    let [added, changed, removed, kept] = counts[..] else {
        panic!("four counts: {line}");
    };
    Ok(Changes {
        added,
        changed,
        removed,
        kept,
    })
}
