//! The host under test, while it runs.

use crate::client::{Answer, Client};
use crate::command::Running;
use crate::here::{self, Here};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rhost::app::App;
use rhost::tls::Certificates;
use rhost::worker::Drained;
use rustix::process::Signal;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;

/// A host that serves: in this process, or the command in one of its own.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    pub(crate) host: Host,
}

/// Where a host is.
pub(crate) enum Host {
    Here(Box<Here>),
    Command(Box<Running>),
}

/// A host that has stopped.
#[derive(Debug)]
pub struct Stopped {
    /// Whether all requests were answered.
    pub drained: Drained,
    /// What it logged.
    pub log: String,
    /// Its access log.
    pub access_log: String,
}

impl Server {
    /// The certificates of a server in this process that speaks TLS.
    pub fn certificates(&self) -> &Certificates {
        self.here().certificates()
    }

    /// The app that a server in this process serves now. Only tests that say so, with
    /// [`crate::Test::inside`], can look into a server.
    pub fn app(&self) -> Arc<App> {
        self.here().site.app().expect("it serves one")
    }

    /// The server, if it is in this process.
    pub(crate) fn here(&self) -> &Here {
        match &self.host {
            Host::Here(here) => here,
            Host::Command(_) => panic!(
                "the server is in a process of its own; a test that looks inside says so with `inside`"
            ),
        }
    }

    /// What the host tells of itself, as Prometheus reads it.
    pub fn metrics(&self) -> String {
        match &self.host {
            Host::Here(_) => rhost::exposition::render(),
            Host::Command(running) => running.metrics(),
        }
    }

    /// How many requests its app serves.
    pub fn running(&self) -> usize {
        match &self.host {
            Host::Here(_) => self.app().running(),
            Host::Command(running) => sum(&running.metrics(), "rhost_app_requests_running"),
        }
    }

    /// How many requests wait for a place of its app.
    pub fn queued(&self) -> usize {
        match &self.host {
            Host::Here(_) => self.app().queued(),
            Host::Command(running) => sum(&running.metrics(), "rhost_app_requests_queued"),
        }
    }

    /// How many instances of its app wait for another request, with `--reuse`.
    pub fn waiting(&self) -> usize {
        match &self.host {
            Host::Here(_) => self.app().waiting(),
            Host::Command(running) => {
                let metrics = running.metrics();
                let gone = sum(&metrics, "rhost_instances_dropped_total");
                let busy = sum(&metrics, "rhost_app_requests_running");
                let made = sum(&metrics, "rhost_instances_made_total");
                made.saturating_sub(gone + busy)
            }
        }
    }

    /// A new connection, for octets.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr)
            .await
            .expect("the server listens")
    }

    /// A new connection over HTTP/1.1.
    pub async fn client(&self) -> Client {
        Client::http1(self.addr).await
    }

    /// Gets `path` over a connection of its own.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Request::get(path), "").await
    }

    /// Sends a request over a connection of its own, and reads the whole answer.
    pub async fn request(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Answer {
        let mut client = self.client().await;
        let request = request
            .header("host", "test")
            .body(Full::new(body.into()))
            .unwrap();
        Answer::read(client.send(request).await.expect("an answer")).await
    }

    /// Tells it to stop; requests in flight go on.
    pub fn begin_stop(self) -> Stopping {
        match self.host {
            Host::Here(here) => Stopping(Ending::Here(here.begin_stop())),
            Host::Command(running) => {
                running.signal(Signal::TERM);
                Stopping(Ending::Command(running))
            }
        }
    }

    /// Stops it.
    pub async fn stop(self) -> Stopped {
        self.begin_stop().finish().await
    }
}

/// A host that was told to stop.
pub struct Stopping(Ending);

enum Ending {
    Here(here::Stopping),
    Command(Box<Running>),
}

impl Stopping {
    /// Waits until it has.
    pub async fn finish(self) -> Stopped {
        match self.0 {
            Ending::Here(stopping) => stopping.finish().await,
            Ending::Command(running) => {
                let ending = tokio::task::spawn_blocking(move || running.finish());
                ending.await.expect("it ends as it should")
            }
        }
    }
}

/// The sum of all samples of this name.
fn sum(metrics: &str, name: &str) -> usize {
    let of_name = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let value = rest
            .strip_prefix(' ')
            .or_else(|| Some(rest.strip_prefix('{')?.rsplit_once(' ')?.1));
        value?.parse::<usize>().ok()
    };
    metrics.lines().filter_map(of_name).sum()
}
