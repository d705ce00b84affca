//! The host under test, while it runs.

use crate::client::{Answer, Client};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rhost::app::App;
use rhost::listener::{self, Listener};
use rhost::log::{Memory, Sink};
use rhost::settings::{ConnectionLimits, Listening, Timeouts};
use rhost::socket::Address;
use rhost::spans::Exporting;
use rhost::tenant::Site;
use rhost::tls::{CertificateFiles, Certificates, Tls};
use rhost::worker::Drained;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What a host has beside its site.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) tls: Option<(Vec<CertificateFiles>, Option<PathBuf>)>,
    pub(crate) timeouts: Timeouts,
    pub(crate) connections: ConnectionLimits,
    pub(crate) exporting: Option<Exporting>,
}

impl Parts {
    /// Starts a host that serves `site`, on a port of the system's choice.
    pub(crate) fn serve(
        self,
        site: Arc<Site>,
        log_sink: Sink,
        log: Memory,
        access_log: Memory,
    ) -> Server {
        let any = Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = Listener::bind(&any, &Listening::default()).expect("a port is free");
        let &Address::Tcp(addr) = listener.address() else {
            unreachable!("it was asked for TCP");
        };
        let (stop, stopped) = oneshot::channel();
        let listeners = vec![listener];
        let mut certificates = None;
        let tls = self.tls.map(|(files, client_ca)| {
            let read = Arc::new(Certificates::read(files).expect("the certificates are right"));
            certificates = Some(read.clone());
            let tls = Tls::new(read, client_ca.as_deref(), self.timeouts.handshake);
            Arc::new(tls.expect("TLS is set up"))
        });
        let serving = tokio::spawn(listener::serve(
            listeners,
            site.clone(),
            tls,
            self.timeouts,
            self.connections,
            2,
            async {
                // A test that forgets to stop its server drops this, which stops it.
                let _ = stopped.await;
            },
        ));
        Server {
            addr,
            site,
            log_sink,
            certificates,
            stop,
            serving,
            exporting: self.exporting,
            log,
            access_log,
        }
    }
}

/// A host that serves.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    pub(crate) site: Arc<Site>,
    pub(crate) log_sink: Sink,
    certificates: Option<Arc<Certificates>>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<Drained>>,
    exporting: Option<Exporting>,
    log: Memory,
    access_log: Memory,
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
    /// The certificates of a server that speaks TLS.
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("it speaks TLS")
    }

    /// The app that it serves now.
    pub fn app(&self) -> Arc<App> {
        self.site.app().expect("it serves one")
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
        let _ = self.stop.send(());
        Stopping {
            serving: self.serving,
            exporting: self.exporting,
            log: self.log,
            access_log: self.access_log,
        }
    }

    /// Stops it.
    pub async fn stop(self) -> Stopped {
        self.begin_stop().finish().await
    }
}

/// A host that was told to stop.
pub struct Stopping {
    serving: JoinHandle<std::io::Result<Drained>>,
    exporting: Option<Exporting>,
    log: Memory,
    access_log: Memory,
}

impl Stopping {
    /// Waits until it has.
    pub async fn finish(self) -> Stopped {
        let drained = self
            .serving
            .await
            .expect("the server does not panic")
            .expect("its threads start");
        // It waits for its thread, which may wait for a collector in this process.
        let exporting = self.exporting;
        let exported = tokio::task::spawn_blocking(move || drop(exporting));
        exported.await.expect("it does not panic");
        Stopped {
            drained,
            log: self.log.text(),
            access_log: self.access_log.text(),
        }
    }
}
