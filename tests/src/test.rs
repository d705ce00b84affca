//! A host that is about to be started.

use crate::client::Answer;
use crate::guests;
use crate::server::{Parts, Server};
use bytes::Bytes;
use http::Request;
use rhost::access_log::{self, AccessLog};
use rhost::app::App;
use rhost::commons::{Commons, Sizes};
use rhost::load::Loaded;
use rhost::log::{Format, Sink};
use rhost::proxy::{Proxies, ProxyHeaders};
use rhost::settings::{
    AppSettings, ConnectionLimits, HeadLimits, LentDir, Limits, Reuse, Timeouts,
};
use rhost::spans::Spans;
use rhost::tenant::Site;
use rhost::tls::CertificateFiles;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A guest, and settings in the words of the command's flags.
pub struct Test {
    guest: String,
    loaded: Option<Arc<Loaded>>,
    settings: AppSettings,
    head: HeadLimits,
    connections: ConnectionLimits,
    timeouts: Timeouts,
    tls: Option<(Vec<CertificateFiles>, Option<PathBuf>)>,
    proxies: Proxies,
    access_log_format: access_log::Format,
    /// A collector, and the part of new traces that it gets.
    otlp: Option<(String, f64)>,
    otlp_ca: Option<PathBuf>,
    commons: Sizes,
}

impl Test {
    /// Serves the guest called `guest`.
    pub fn serving(guest: &str) -> Self {
        let settings = AppSettings {
            name: guest.to_owned(),
            ..AppSettings::default()
        };
        Test {
            guest: guest.to_owned(),
            loaded: None,
            settings,
            head: HeadLimits::default(),
            connections: ConnectionLimits::default(),
            timeouts: Timeouts::default(),
            tls: None,
            proxies: Proxies::default(),
            access_log_format: access_log::Format::Text,
            otlp: None,
            otlp_ca: None,
            commons: Sizes::of_this_machine(None, 0),
        }
    }

    /// `--trusted-proxy`.
    pub fn trusted_proxy(mut self, proxy: &str) -> Self {
        let proxy = proxy.parse().expect("a network, as 127.0.0.0/8");
        self.proxies.trusted.push(proxy);
        self
    }

    /// `--proxy-headers`.
    pub fn proxy_headers(mut self, headers: ProxyHeaders) -> Self {
        self.proxies.headers = headers;
        self
    }

    /// `--proxy-protocol`.
    pub fn proxy_protocol(mut self) -> Self {
        self.proxies.protocol = true;
        self
    }

    /// `--otlp-ca`.
    pub fn otlp_ca(mut self, file: &Path) -> Self {
        self.otlp_ca = Some(file.to_owned());
        self
    }

    /// `--otlp` and `--otlp-ratio`.
    pub fn otlp(mut self, collector: &str, ratio: f64) -> Self {
        self.otlp = Some((collector.to_owned(), ratio));
        self
    }

    /// `--access-log-format`.
    pub fn access_log_format(mut self, format: access_log::Format) -> Self {
        self.access_log_format = format;
        self
    }

    /// `--tls-cert` and `--tls-key`, and `--tls-client-ca`.
    pub fn tls(
        mut self,
        files: impl IntoIterator<Item = CertificateFiles>,
        client_ca: Option<&Path>,
    ) -> Self {
        self.tls = Some((files.into_iter().collect(), client_ca.map(Path::to_owned)));
        self
    }

    /// `--handshake-timeout`.
    pub fn handshake_timeout(mut self, time: &str) -> Self {
        self.timeouts.handshake = duration(time);
        self
    }

    /// Serves the WSGI program called `guest`, which is lent what it is lent by the
    /// command. None, and a word on standard error, where it cannot be built.
    pub fn program(guest: &str) -> Option<Self> {
        let built = guests::program(guest)?;
        let mut test = Test::serving(guest);
        test.settings.dirs = built.lends;
        Some(test)
    }

    /// What logs and metrics call it.
    pub fn named(mut self, name: &str) -> Self {
        self.settings.name = name.to_owned();
        self
    }

    /// `--dev`.
    pub fn dev(mut self) -> Self {
        self.settings.dev = true;
        self
    }

    /// `--cpu`.
    pub fn cpu(self, time: &str) -> Self {
        self.limits(|limits| limits.cpu = duration(time))
    }

    /// `--timeout`.
    pub fn timeout(self, time: &str) -> Self {
        self.limits(|limits| limits.wall = duration(time))
    }

    /// `--memory`.
    pub fn memory(self, size: &str) -> Self {
        self.limits(|limits| limits.memory = octets(size))
    }

    /// `--sandbox-memory`.
    pub fn sandbox_memory(mut self, size: &str) -> Self {
        self.commons.memory = octets(size);
        self
    }

    /// Files that all its sandboxes may have open together.
    pub fn open_files(mut self, files: u64) -> Self {
        self.commons.files = files;
        self
    }

    /// `--table-elements`.
    pub fn table_elements(self, elements: usize) -> Self {
        self.limits(|limits| limits.table_elements = elements)
    }

    /// `--max-request-body`.
    pub fn max_request_body(self, size: &str) -> Self {
        self.limits(|limits| limits.request_body = octets(size))
    }

    /// `--max-response-body`.
    pub fn max_response_body(self, size: &str) -> Self {
        self.limits(|limits| limits.response_body = octets(size))
    }

    /// `--log-rate`.
    pub fn log_rate(self, size: &str) -> Self {
        self.limits(|limits| limits.log_rate = octets(size))
    }

    /// `--concurrency`.
    pub fn concurrency(self, places: usize) -> Self {
        self.limits(|limits| limits.concurrency = Some(places))
    }

    /// `--queue`.
    pub fn queue(self, places: usize) -> Self {
        self.limits(|limits| limits.queue = places)
    }

    /// `--queue-timeout`.
    pub fn queue_timeout(self, time: &str) -> Self {
        self.limits(|limits| limits.queue_timeout = duration(time))
    }

    /// `--reuse` and `--reuse-for`.
    pub fn reuse(mut self, requests: u32, time: &str) -> Self {
        self.settings.reuse = Reuse {
            requests,
            age: duration(time),
        };
        self
    }

    /// In engines of the caller's own, with a pool that no other test has a slot in.
    pub fn loaded(mut self, loaded: Arc<Loaded>) -> Self {
        self.loaded = Some(loaded);
        self
    }

    /// `--max-request-line`.
    pub fn max_request_line(mut self, size: &str) -> Self {
        self.head.request_line = octets(size) as usize;
        self
    }

    /// `--max-header-fields`.
    pub fn max_header_fields(mut self, fields: usize) -> Self {
        self.head.fields = fields;
        self
    }

    /// `--max-header-size`.
    pub fn max_header_size(mut self, size: &str) -> Self {
        self.head.octets = octets(size) as usize;
        self
    }

    /// `--max-connections`.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.connections.connections = connections;
        self
    }

    /// `--max-connections-per-peer`.
    pub fn max_connections_per_peer(mut self, connections: usize) -> Self {
        self.connections.per_peer = connections;
        self
    }

    /// `--max-requests-per-connection`.
    pub fn max_requests_per_connection(mut self, requests: u64) -> Self {
        self.connections.requests = requests;
        self
    }

    /// `--http2-max-streams`.
    pub fn http2_max_streams(mut self, streams: u32) -> Self {
        self.connections.http2.streams = streams;
        self
    }

    /// `--http2-window`.
    pub fn http2_window(mut self, size: u32) -> Self {
        self.connections.http2.window = size;
        self
    }

    /// `--http2-max-control-frames`.
    pub fn http2_max_control_frames(mut self, frames: u32) -> Self {
        self.connections.http2.control_frames = frames;
        self
    }

    /// `--keep-alive`.
    pub fn keep_alive(mut self, time: &str) -> Self {
        self.timeouts.keep_alive = duration(time);
        self
    }

    /// `--header-timeout`.
    pub fn header_timeout(mut self, time: &str) -> Self {
        self.timeouts.header = duration(time);
        self
    }

    /// `--body-timeout`.
    pub fn body_timeout(mut self, time: &str) -> Self {
        self.timeouts.body = duration(time);
        self
    }

    /// `--write-timeout`.
    pub fn write_timeout(mut self, time: &str) -> Self {
        self.timeouts.write = duration(time);
        self
    }

    /// `--grace`.
    pub fn grace(mut self, time: &str) -> Self {
        self.timeouts.grace = duration(time);
        self
    }

    /// `--mount`.
    pub fn mount(mut self, prefix: &str) -> Self {
        self.settings.mount = prefix.to_owned();
        self
    }

    /// `--env`.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.settings.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `--dir HOST:GUEST` or, read-only, `--dir HOST:GUEST:ro`.
    pub fn dir(mut self, host: &Path, guest: &str, read_only: bool) -> Self {
        self.settings.dirs.push(LentDir {
            host: host.to_owned(),
            guest: guest.to_owned(),
            read_only,
        });
        self
    }

    fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.settings.limits);
        self
    }

    /// The app, in the place of `last`.
    async fn app(&self, log: &Sink, last: Option<&App>) -> App {
        let loaded = match &self.loaded {
            Some(loaded) => loaded.clone(),
            None => {
                // Building and compiling are long and blocking; other tests go on.
                let guest = self.guest.clone();
                let loading = tokio::task::spawn_blocking(move || guests::load(&guest));
                loading.await.expect("the guest loads")
            }
        };
        let room = Commons::new(self.commons).room();
        App::new(&loaded, &self.settings, log, &room, last).expect("the guest is an app")
    }

    /// Starts the host.
    pub async fn start(self) -> Server {
        let (log_sink, log) = Sink::to_memory("log", Format::Text);
        let (access_sink, access_log) = Sink::to_memory("access log", Format::Text);
        let app = self.app(&log_sink, None).await;
        let access_sink = AccessLog::new(access_sink, self.access_log_format);
        let site = Site::new(Some(app), &self.timeouts, &log_sink, Some(access_sink));
        let recording = self.otlp.map(|(collector, ratio)| {
            let collector = collector
                .parse()
                .expect("a collector, as http://127.0.0.1:1");
            Spans::start(collector, self.otlp_ca.as_deref(), ratio)
                .expect("the system starts a thread")
        });
        let (spans, exporting) = recording.unzip();
        let site = site.with_head_limits(self.head).behind(self.proxies);
        let site = Arc::new(site.recorded(spans));
        let parts = Parts {
            tls: self.tls,
            timeouts: self.timeouts,
            connections: self.connections,
            exporting,
        };
        parts.serve(site, log_sink, log, access_log)
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
    /// Puts the app of `test` in the place of the one that is served.
    pub async fn replace(&self, test: Test) {
        let app = test.app(&self.log_sink, Some(&self.app())).await;
        self.site.replace(app);
    }
}

fn duration(text: &str) -> Duration {
    humantime::parse_duration(text).expect("a time, as 50ms")
}

fn octets(text: &str) -> u64 {
    text.parse::<bytesize::ByteSize>()
        .expect("a size, as 64KiB")
        .as_u64()
}
