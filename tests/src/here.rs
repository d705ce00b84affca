//! A server in the process of the tests.

use crate::server::{Host, Server, Stopped};
use crate::settings::ProcessSettings;
use rhost::access_log::AccessLog;
use rhost::app::App;
use rhost::listener::{self, Listener};
use rhost::log::{Format, Memory, Sink};
use rhost::settings::Listening;
use rhost::socket::Address;
use rhost::spans::{Exporting, Spans};
use rhost::tenant::Site;
use rhost::tls::{Certificates, Tls};
use rhost::worker::Drained;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The logs of a server, which stay in memory.
pub(crate) struct Logs {
    pub(crate) sink: Sink,
    log: Memory,
    access_sink: Sink,
    access_log: Memory,
}

impl Logs {
    pub(crate) fn new() -> Self {
        let (sink, log) = Sink::to_memory("log", Format::Text);
        let (access_sink, access_log) = Sink::to_memory("access log", Format::Text);
        Logs {
            sink,
            log,
            access_sink,
            access_log,
        }
    }
}

/// Starts a server with `settings` that serves `app`, if there is one yet, on a port of the
/// system's choice.
pub(crate) fn serve(settings: ProcessSettings, app: Option<App>, logs: Logs) -> Server {
    let tls_files = settings.certificate_files();
    let access = AccessLog::new(logs.access_sink, settings.access_log_format);
    let site = Site::new(app, &settings.timeouts, &logs.sink, Some(access));
    let recording = settings.collector.map(|collector| {
        let collector = collector
            .parse()
            .expect("a collector, as http://127.0.0.1:1");
        Spans::start(collector, settings.collector_ca.as_deref(), settings.ratio)
            .expect("the system starts a thread")
    });
    let (spans, exporting) = recording.unzip();
    let site = site
        .with_head_limits(settings.head)
        .behind(settings.proxies);
    let site = Arc::new(site.recorded(spans));
    let any = Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = Listener::bind(&any, &Listening::default()).expect("a port is free");
    let &Address::Tcp(addr) = listener.address() else {
        unreachable!("it was asked for TCP");
    };
    let (stop, stopped) = oneshot::channel();
    let mut certificates = None;
    let tls = tls_files.map(|files| {
        let read = Arc::new(Certificates::read(files).expect("the certificates are right"));
        certificates = Some(read.clone());
        let (ca, patience) = (settings.client_ca.as_deref(), settings.timeouts.handshake);
        Arc::new(Tls::new(read, ca, patience).expect("TLS is set up"))
    });
    let serving = tokio::spawn(listener::serve(
        vec![listener],
        site.clone(),
        tls,
        settings.timeouts,
        settings.connections,
        2,
        async {
            // A test that forgets to stop its server drops this, which stops it.
            let _ = stopped.await;
        },
    ));
    let here = Here {
        site,
        log_sink: logs.sink,
        certificates,
        stop,
        serving,
        exporting,
        log: logs.log,
        access_log: logs.access_log,
    };
    Server {
        addr,
        host: Host::Here(Box::new(here)),
    }
}

/// A server in this process.
pub(crate) struct Here {
    pub(crate) site: Arc<Site>,
    pub(crate) log_sink: Sink,
    certificates: Option<Arc<Certificates>>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<Drained>>,
    exporting: Option<Exporting>,
    log: Memory,
    access_log: Memory,
}

impl Here {
    pub(crate) fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("it speaks TLS")
    }

    pub(crate) fn begin_stop(self) -> Stopping {
        let _ = self.stop.send(());
        Stopping {
            serving: self.serving,
            exporting: self.exporting,
            log: self.log,
            access_log: self.access_log,
        }
    }
}

/// One that was told to stop.
pub(crate) struct Stopping {
    serving: JoinHandle<std::io::Result<Drained>>,
    exporting: Option<Exporting>,
    log: Memory,
    access_log: Memory,
}

impl Stopping {
    pub(crate) async fn finish(self) -> Stopped {
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
