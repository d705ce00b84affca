//! Settings by the names of their keys: for a server in this process, as flags, and as
//! rhost.toml has them.

use bytesize::ByteSize;
use rhost::access_log::Format;
use rhost::commons::Sizes;
use rhost::config::{Config, Key, Kind, catalogue, value};
use rhost::proxy::{Proxies, ProxyHeaders};
use rhost::settings::{AppSettings, ConnectionLimits, HeadLimits, Timeouts};
use rhost::tls::CertificateFiles;
use std::path::PathBuf;
use std::time::Duration;

/// What a test has set, in the words of the catalogue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    given: Vec<(&'static Key, String)>,
    env: Vec<(String, String)>,
}

impl Settings {
    /// Sets `key` of `[server]` or of an app; a key that is a list has `value` as well.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let known = catalogue::named(catalogue::APP, key);
        let known = known.or_else(|| catalogue::named(catalogue::SERVER, key));
        let key = known.unwrap_or_else(|| panic!("the catalogue has no key {key}"));
        if !key.is_list {
            self.given.retain(|(other, _)| *other != key);
        }
        self.given.push((key, value.to_owned()));
    }

    /// Gives the app a variable.
    pub(crate) fn env(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Those of an app, or those of the process.
    fn those(&self, of_app: bool) -> impl Iterator<Item = &(&'static Key, String)> {
        let is_of_app = |key: &Key| catalogue::named(catalogue::APP, key.name).is_some();
        let given = self.given.iter();
        given.filter(move |(key, _)| is_of_app(key) == of_app)
    }

    /// As flags of `rhost serve`: all of them, or those of the process.
    pub(crate) fn flags(&self, with_app: bool) -> Vec<String> {
        let app = self.those(true).filter(|_| with_app);
        let mut flags: Vec<String> = self.those(false).chain(app).map(flag).collect();
        for (name, value) in self.env.iter().filter(|_| with_app) {
            flags.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        flags
    }

    /// The app's as flags of `rhost deploy`.
    pub(crate) fn deploy_flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        for line in self.lines(true) {
            flags.extend(["--set".to_owned(), line.replacen(" = ", "=", 1)]);
        }
        for (name, value) in &self.env {
            flags.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        flags
    }

    /// The keys of `[apps.NAME]` but for the component, in TOML.
    pub(crate) fn app_table(&self) -> String {
        let mut lines = self.lines(true);
        if !self.env.is_empty() {
            let pair =
                |(name, value): &(String, String)| format!("{} = {}", text(name), text(value));
            let pairs: Vec<String> = self.env.iter().map(pair).collect();
            lines.push(format!("env = {{ {} }}", pairs.join(", ")));
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The keys of `[server]`, in TOML.
    pub(crate) fn server_table(&self) -> String {
        let lines = self.lines(false);
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// A line for each key.
    fn lines(&self, of_app: bool) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut seen: Vec<&Key> = Vec::new();
        for (key, value) in self.those(of_app) {
            if seen.contains(key) {
                continue;
            }
            seen.push(key);
            let all = self.given.iter().filter(|(other, _)| other == key);
            let values: Vec<String> = all.map(|(_, value)| literal(key, value)).collect();
            lines.push(match key.is_list {
                true => format!("{} = [{}]", key.name, values.join(", ")),
                false => format!("{} = {}", key.name, literal(key, value)),
            });
        }
        lines
    }

    /// What the app's come to, as the file's own code has it.
    pub(crate) fn of_app(&self, name: &str) -> AppSettings {
        let plan = Config::of_no_file().deployed("app", 1, &self.app_table());
        let plan = plan.unwrap_or_else(|problems| panic!("{problems:?}"));
        AppSettings {
            name: name.to_owned(),
            dev: self.those(false).any(|(key, _)| key.name == "dev"),
            ..plan.settings
        }
    }

    /// The same, and all sandboxes together have `commons`.
    pub(crate) fn of_process_with(&self, commons: Sizes) -> ProcessSettings {
        ProcessSettings {
            commons,
            ..self.of_process()
        }
    }

    /// What those of the process come to.
    pub(crate) fn of_process(&self) -> ProcessSettings {
        let mut settings = ProcessSettings::default();
        let mut memory = None;
        for (key, value) in self.those(false) {
            match key.name {
                "sandbox-memory" => memory = Some(octets(value)),
                "dev" => {}
                name => settings.set(name, value),
            }
        }
        settings.commons = Sizes::of_this_machine(memory, 0);
        settings
    }
}

/// What holds for a server in this process.
#[derive(Debug, Clone)]
pub(crate) struct ProcessSettings {
    pub(crate) head: HeadLimits,
    pub(crate) connections: ConnectionLimits,
    pub(crate) timeouts: Timeouts,
    pub(crate) certificates: Vec<PathBuf>,
    pub(crate) keys: Vec<PathBuf>,
    pub(crate) client_ca: Option<PathBuf>,
    pub(crate) proxies: Proxies,
    pub(crate) access_log_format: Format,
    pub(crate) collector: Option<String>,
    pub(crate) collector_ca: Option<PathBuf>,
    pub(crate) ratio: f64,
    pub(crate) commons: Sizes,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        ProcessSettings {
            head: HeadLimits::default(),
            connections: ConnectionLimits::default(),
            timeouts: Timeouts::default(),
            certificates: Vec::new(),
            keys: Vec::new(),
            client_ca: None,
            proxies: Proxies::default(),
            access_log_format: Format::Text,
            collector: None,
            collector_ca: None,
            ratio: 1.0,
            commons: Sizes::of_this_machine(None, 0),
        }
    }
}

impl ProcessSettings {
    fn set(&mut self, key: &str, value: &str) {
        let (connections, times) = (&mut self.connections, &mut self.timeouts);
        match key {
            "max-request-line" => self.head.request_line = octets(value) as usize,
            "max-header-fields" => self.head.fields = number(value),
            "max-header-size" => self.head.octets = octets(value) as usize,
            "max-connections" => connections.connections = number(value),
            "max-connections-per-peer" => connections.per_peer = number(value),
            "max-requests-per-connection" => connections.requests = number(value),
            "http2-max-streams" => connections.http2.streams = number(value),
            "http2-window" => connections.http2.window = octets(value) as u32,
            "http2-connection-window" => connections.http2.connection_window = octets(value) as u32,
            "http2-max-resets" => connections.http2.resets = number(value),
            "http2-max-stream-errors" => connections.http2.stream_errors = number(value),
            "http2-max-control-frames" => connections.http2.control_frames = number(value),
            "handshake-timeout" => times.handshake = time(value),
            "header-timeout" => times.header = time(value),
            "keep-alive" => times.keep_alive = time(value),
            "body-timeout" => times.body = time(value),
            "write-timeout" => times.write = time(value),
            "half-close" => times.half_close = time(value),
            "grace" => times.grace = time(value),
            "tls-cert" => self.certificates.push(value.into()),
            "tls-key" => self.keys.push(value.into()),
            "tls-client-ca" => self.client_ca = Some(value.into()),
            "trusted-proxy" => {
                let proxy = value.parse().expect("a network, as 127.0.0.0/8");
                self.proxies.trusted.push(proxy);
            }
            "proxy-headers" => {
                self.proxies.headers = match value {
                    "forwarded" => ProxyHeaders::Forwarded,
                    _ => ProxyHeaders::XForwarded,
                }
            }
            "proxy-protocol" => self.proxies.protocol = true,
            "access-log-format" => {
                self.access_log_format = match value {
                    "json" => Format::Json,
                    "common" => Format::Common,
                    "combined" => Format::Combined,
                    _ => Format::Text,
                }
            }
            "otlp" => self.collector = Some(value.to_owned()),
            "otlp-ca" => self.collector_ca = Some(value.into()),
            "otlp-ratio" => self.ratio = value::ratio(value).expect("a ratio"),
            key => panic!("the harness sets no {key} in this process; add it to `ProcessSettings`"),
        }
    }

    /// Certificates with their keys, if it is to speak TLS.
    pub(crate) fn certificate_files(&self) -> Option<Vec<CertificateFiles>> {
        let pairs = self
            .certificates
            .iter()
            .cloned()
            .zip(self.keys.iter().cloned());
        let files = pairs.map(|(certificate, key)| CertificateFiles { certificate, key });
        (!self.certificates.is_empty()).then(|| files.collect())
    }
}

fn flag((key, value): &(&'static Key, String)) -> String {
    match key.kind {
        Kind::Switch => format!("--{}", key.name),
        _ => format!("--{}={value}", key.name),
    }
}

/// As TOML has it.
fn literal(key: &Key, value: &str) -> String {
    match key.kind {
        Kind::Switch | Kind::Count(..) | Kind::Ratio => value.to_owned(),
        _ => text(value),
    }
}

/// A string of TOML.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn time(text: &str) -> Duration {
    value::duration(text).unwrap_or_else(|expected| panic!("{text}: {expected}"))
}

fn octets(text: &str) -> u64 {
    let size = text.parse::<ByteSize>();
    size.expect("a size, as 64KiB").as_u64()
}

fn number<N: std::str::FromStr>(text: &str) -> N
where
    N::Err: std::fmt::Debug,
{
    text.parse().expect("a number")
}
