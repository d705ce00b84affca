//! A host that is about to be started.

use crate::client::Answer;
use crate::command::Running;
use crate::guests;
use crate::here::{self, Logs};
use crate::server::{Host, Server};
use crate::settings::Settings;
use crate::start::Start;
use bytes::Bytes;
use http::Request;
use rhost::access_log::Format;
use rhost::app::App;
use rhost::commons::Commons;
use rhost::config::value;
use rhost::load::Loaded;
use rhost::log::Sink;
use rhost::proxy::ProxyHeaders;
use rhost::settings::LentDir;
use rhost::tls::CertificateFiles;
use std::path::Path;
use std::sync::Arc;

/// A guest, and settings in the words of the command's flags.
pub struct Test {
    guest: String,
    name: String,
    /// A component that is no guest of the repository.
    component: Option<Vec<u8>>,
    loaded: Option<Arc<Loaded>>,
    /// What a program in Python is lent.
    lends: Vec<LentDir>,
    settings: Settings,
    open_files: Option<u64>,
    /// Why the server has to be in this process.
    inside: Option<&'static str>,
}

/// Setters that are called as their keys are.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $key:literal;)*) => {
        impl Test {
            $(
                $(#[$doc])*
                pub fn $name(self, value: $type) -> Self {
                    self.set($key, &value.to_string())
                }
            )*
        }
    };
}

setters! {
    /// `--trusted-proxy`.
    trusted_proxy: &str = "trusted-proxy";
    /// `--handshake-timeout`.
    handshake_timeout: &str = "handshake-timeout";
    /// `--cpu`.
    cpu: &str = "cpu";
    /// `--timeout`.
    timeout: &str = "timeout";
    /// `--memory`.
    memory: &str = "memory";
    /// `--sandbox-memory`.
    sandbox_memory: &str = "sandbox-memory";
    /// `--table-elements`.
    table_elements: usize = "table-elements";
    /// `--max-request-body`.
    max_request_body: &str = "max-request-body";
    /// `--max-response-body`.
    max_response_body: &str = "max-response-body";
    /// `--log-rate`.
    log_rate: &str = "log-rate";
    /// `--concurrency`.
    concurrency: usize = "concurrency";
    /// `--queue`.
    queue: usize = "queue";
    /// `--queue-timeout`.
    queue_timeout: &str = "queue-timeout";
    /// `--max-request-line`.
    max_request_line: &str = "max-request-line";
    /// `--max-header-fields`.
    max_header_fields: usize = "max-header-fields";
    /// `--max-header-size`.
    max_header_size: &str = "max-header-size";
    /// `--max-connections`.
    max_connections: usize = "max-connections";
    /// `--max-connections-per-peer`.
    max_connections_per_peer: usize = "max-connections-per-peer";
    /// `--max-requests-per-connection`.
    max_requests_per_connection: u64 = "max-requests-per-connection";
    /// `--http2-max-streams`.
    http2_max_streams: u32 = "http2-max-streams";
    /// `--http2-window`.
    http2_window: u32 = "http2-window";
    /// `--http2-max-control-frames`.
    http2_max_control_frames: u32 = "http2-max-control-frames";
    /// `--keep-alive`.
    keep_alive: &str = "keep-alive";
    /// `--header-timeout`.
    header_timeout: &str = "header-timeout";
    /// `--body-timeout`.
    body_timeout: &str = "body-timeout";
    /// `--write-timeout`.
    write_timeout: &str = "write-timeout";
    /// `--half-close`.
    half_close: &str = "half-close";
    /// `--grace`.
    grace: &str = "grace";
    /// `--mount`.
    mount: &str = "mount";
}

impl Test {
    /// Serves the guest called `guest`.
    pub fn serving(guest: &str) -> Self {
        Test {
            guest: guest.to_owned(),
            name: guest.to_owned(),
            component: None,
            loaded: None,
            lends: Vec::new(),
            settings: Settings::default(),
            open_files: None,
            inside: None,
        }
    }

    /// Serves the WSGI program called `guest`, which is lent what it is lent by the
    /// command. None, and a word on standard error, where it cannot be built.
    pub fn program(guest: &str) -> Option<Self> {
        let built = guests::program(guest)?;
        let mut test = Test::serving(guest);
        test.lends = built.lends;
        Some(test)
    }

    /// Serves `component`, and not the guest of that name.
    pub fn component(mut self, component: Vec<u8>) -> Self {
        self.component = Some(component);
        self
    }

    /// Sets a key of rhost.toml: `set("cpu", "50ms")` is `--cpu 50ms`.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.set(key, value);
        self
    }

    /// Has the server in this process, whatever the way of starting, since the test looks
    /// into it; `why` says at what.
    pub fn inside(mut self, why: &'static str) -> Self {
        self.inside = Some(why);
        self
    }

    /// What logs and metrics call it.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// `--dev`.
    pub fn dev(self) -> Self {
        self.set("dev", "true")
    }

    /// `--proxy-headers`.
    pub fn proxy_headers(self, headers: ProxyHeaders) -> Self {
        let name = match headers {
            ProxyHeaders::XForwarded => "x-forwarded",
            ProxyHeaders::Forwarded => "forwarded",
        };
        self.set("proxy-headers", name)
    }

    /// `--proxy-protocol`.
    pub fn proxy_protocol(self) -> Self {
        self.set("proxy-protocol", "true")
    }

    /// `--otlp` and `--otlp-ratio`.
    pub fn otlp(self, collector: &str, ratio: f64) -> Self {
        let test = self.set("otlp", collector);
        test.set("otlp-ratio", &ratio.to_string())
    }

    /// `--otlp-ca`.
    pub fn otlp_ca(self, file: &Path) -> Self {
        self.set("otlp-ca", &shown(file))
    }

    /// `--access-log-format`.
    pub fn access_log_format(self, format: Format) -> Self {
        let name = match format {
            Format::Text => "text",
            Format::Common => "common",
            Format::Combined => "combined",
            Format::Json => "json",
        };
        self.set("access-log-format", name)
    }

    /// `--tls-cert` and `--tls-key`, and `--tls-client-ca`.
    pub fn tls(
        mut self,
        files: impl IntoIterator<Item = CertificateFiles>,
        client_ca: Option<&Path>,
    ) -> Self {
        for files in files {
            self.settings.set("tls-cert", &shown(&files.certificate));
            self.settings.set("tls-key", &shown(&files.key));
        }
        if let Some(file) = client_ca {
            self.settings.set("tls-client-ca", &shown(file));
        }
        self
    }

    /// `--reuse` and `--reuse-for`.
    pub fn reuse(self, requests: u32, time: &str) -> Self {
        let test = self.set("reuse", &requests.to_string());
        match requests {
            // Nothing is kept, and a file that says how long is refused.
            1 => test,
            _ => test.set("reuse-for", time),
        }
    }

    /// In engines of the caller's own, with a pool that no other test has a slot in.
    pub fn loaded(mut self, loaded: Arc<Loaded>) -> Self {
        self.loaded = Some(loaded);
        self.inside("its sandboxes are in engines that are the test's")
    }

    /// Files that all its sandboxes may have open together.
    pub fn open_files(mut self, files: u64) -> Self {
        self.open_files = Some(files);
        self.inside("no flag says how many files may be open")
    }

    /// `--env`.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.settings.env(name, value);
        self
    }

    /// `--dir HOST:GUEST` or, read-only, `--dir HOST:GUEST:ro`.
    pub fn dir(mut self, host: &Path, guest: &str, read_only: bool) -> Self {
        self.settings.set("dir", &dir(host, guest, read_only));
        self
    }

    /// Why the server cannot be started in this way.
    fn obstacle(&self, start: Start) -> Option<&'static str> {
        let is_own = || self.component.is_some() || self.name != self.guest;
        match start {
            _ if self.inside.is_some() => self.inside,
            Start::Crate if is_own() => Some("there is no crate of it"),
            start if start != Start::InProcess && value::name(&self.name).is_err() => {
                Some("its app's name is none that people give")
            }
            _ => None,
        }
    }

    /// The app, in the place of `last`.
    async fn app(&self, log: &Sink, last: Option<&App>) -> App {
        let loaded = match &self.loaded {
            Some(loaded) => loaded.clone(),
            None => {
                // Building and compiling are long and blocking; other tests go on.
                let (guest, component) = (self.guest.clone(), self.component.clone());
                let loading = tokio::task::spawn_blocking(move || match component {
                    Some(component) => Arc::new(guests::load_file(&component)),
                    None => guests::load(&guest),
                });
                loading.await.expect("the guest loads")
            }
        };
        let mut sizes = self.settings.of_process().commons;
        sizes.files = self.open_files.unwrap_or(sizes.files);
        let room = Commons::new(sizes).room();
        let mut settings = self.settings.of_app(&self.name);
        settings.dirs.extend(self.lends.iter().cloned());
        App::new(&loaded, &settings, log, &room, last).expect("the guest is an app")
    }

    /// Starts the host.
    pub async fn start(self) -> Server {
        let start = Start::chosen();
        let obstacle = self.obstacle(start);
        match (start, obstacle) {
            (Start::InProcess, _) => {}
            (start, Some(why)) => start.skip(why),
            (start, None) => {
                let starting = tokio::task::spawn_blocking(move || self.start_command(start));
                return starting.await.expect("the command serves");
            }
        }
        let logs = Logs::new();
        let app = self.app(&logs.sink, None).await;
        here::serve(self.settings.of_process(), Some(app), logs)
    }

    /// Starts the command.
    fn start_command(mut self, start: Start) -> Server {
        let home = Arc::new(tempfile::tempdir().expect("a directory"));
        let path = |name: &str| home.path().join(name);
        let name = self.name.clone();
        let file = format!("{name}.wasm");
        if start != Start::Crate {
            match &self.component {
                Some(component) => std::fs::write(path(&file), component).expect("it is written"),
                None => std::os::unix::fs::symlink(guests::path(&self.guest), path(&file))
                    .expect("a link"),
            }
            for LentDir {
                host,
                guest,
                read_only,
            } in &self.lends
            {
                self.settings.set("dir", &dir(host, guest, *read_only));
            }
        }
        let flags = |with_app| self.settings.flags(with_app);
        let arguments = match start {
            Start::Crate => [vec![shown(&guests::source(&self.guest))], flags(true)].concat(),
            Start::Watch => [vec![file.clone(), "--watch".into()], flags(true)].concat(),
            Start::Config => {
                let text = format!(
                    "[server]\n{}[apps.{name:?}]\ncomponent = {file:?}\n{}",
                    self.settings.server_table(),
                    self.settings.app_table()
                );
                std::fs::write(path("rhost.toml"), text).expect("it is written");
                vec!["-c".into(), "rhost.toml".into()]
            }
            Start::Deployed => [vec!["--state".into(), "state".into()], flags(false)].concat(),
            _ => [vec![file.clone()], flags(true)].concat(),
        };
        let running = Running::start(home, &arguments);
        let addr = running.addr();
        if start == Start::Deployed {
            let words = ["deploy", &file, "--quiet", "--app", &name].map(str::to_owned);
            let output = running.run(&[words.to_vec(), self.settings.deploy_flags()].concat());
            assert!(output.status.success(), "{output:?}");
        }
        Server {
            addr,
            host: Host::Command(Box::new(running)),
        }
    }

    /// Starts the host, gets `path`, and stops it.
    pub async fn get(self, path: &str) -> Answer {
        self.request(Request::get(path), "").await
    }

    /// Starts the host, posts `body` to `path`, and stops it.
    pub async fn post(self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Request::post(path), body).await
    }

    /// Starts the host, sends a request, and stops it.
    pub async fn request(self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        let server = self.start().await;
        let mut answer = server.request(request, body).await;
        answer.log = server.stop().await.log;
        answer
    }
}

impl Server {
    /// Puts the app of `test` in the place of the one that is served in this process.
    pub async fn replace(&self, test: Test) {
        let here = self.here();
        let app = test.app(&here.log_sink, Some(&self.app())).await;
        here.site.replace(app);
    }
}

/// As the flag `--dir` has it.
fn dir(host: &Path, guest: &str, read_only: bool) -> String {
    let end = if read_only { ":ro" } else { "" };
    format!("{}:{guest}{end}", host.display())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
