//! Why nothing is served.

use rhost::compiled::CacheError;
use rhost::load::LoadError;
use rhost::package::BuildError;
use rhost::python::PythonError;
use rhost::socket::Address;
use rhost::tls::TlsError;
use rhost::watch::WatchError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why nothing is served. One line each; the last word is what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag beside a file that says it for each app.
    #[error(
        "{0} is for one app, and the file of -c may have several; put it there, or leave out -c"
    )]
    OfOneApp(String),
    /// A flag of one app beside a state directory.
    #[error(
        "{0} is for one app, and with --state apps are deployed; leave out one of the two, or give apps in a file with -c"
    )]
    BesideState(String),
    /// What is deployed cannot be read.
    #[error("{0}")]
    Store(#[from] rhost::store::StoreError),
    /// The file of `-c` is wrong, and each error was told.
    #[error(transparent)]
    Config(#[from] super::super::config::Error),
    /// So many apps cannot be served, and of each was told why.
    #[error("{}: {}; nothing is served until that is mended", .0.display(), counted(*.1))]
    Deploy(PathBuf, usize),
    /// The component cannot be read.
    #[error("{}: {}", path.display(), explain(error))]
    Read {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is not an app.
    #[error("{}: {error}", path.display())]
    Load {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        error: LoadError,
    },
    /// A crate does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A WSGI program does not build.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A crate makes several components.
    #[error("the crate makes several components; give one of them: {}", .0.join(", "))]
    Several(Vec<String>),
    /// A lent directory is not there.
    #[error("--dir {}: {}", path.display(), explain(error))]
    Dir {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The cache cannot be trusted or made.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Certificates are not given as they should be.
    #[error("{0}")]
    Certificates(String),
    /// There can be no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {}", explain_bind(addr, error))]
    Bind {
        /// The address.
        addr: Address,
        /// What the system said.
        error: io::Error,
    },
    /// The admin listener cannot be had.
    #[error("cannot listen on {addr} (--admin): {}", explain_admin(addr, error))]
    Admin {
        /// The address.
        addr: Address,
        /// What the system said.
        error: io::Error,
    },
    /// The pid file cannot be written.
    #[error("--pid-file {}: {}", path.display(), explain(error))]
    PidFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The process that this one was to succeed hands nothing over.
    #[error("cannot take over from the process before: {0}; start this one by itself")]
    Predecessor(io::Error),
    /// There is no directory in which a program could be built.
    #[error(
        "there is no cache directory to build in, since HOME is not set; name one with --cache-dir"
    )]
    NoCache,
    /// What it is made from cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// wasmtime or the system would not start.
    #[error("cannot start: {0}")]
    Start(String),
}

fn counted(apps: usize) -> String {
    match apps {
        1 => "1 app cannot be served".into(),
        apps => format!("{apps} apps cannot be served"),
    }
}

pub(super) fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

fn explain_admin(addr: &Address, error: &io::Error) -> String {
    match (addr, error.kind()) {
        (Address::Tcp(_), io::ErrorKind::AddrInUse) => {
            "the port is in use; stop what uses it, or choose another".into()
        }
        _ => explain_bind(addr, error),
    }
}

fn explain_bind(addr: &Address, error: &io::Error) -> String {
    match (addr, error.kind()) {
        (Address::Tcp(addr), io::ErrorKind::AddrInUse) => format!(
            "the port is in use; stop what uses it, or choose another: --addr {}",
            SocketAddr::new(addr.ip(), addr.port().wrapping_add(1).max(1024))
        ),
        (Address::Tcp(addr), io::ErrorKind::PermissionDenied) if addr.port() < 1024 => {
            "ports below 1024 need privileges; choose a higher one with --addr".into()
        }
        (_, io::ErrorKind::AddrNotAvailable) => {
            "this machine has no such address; see `ip address`".into()
        }
        (Address::Unix(_), io::ErrorKind::AddrInUse) => {
            "a server listens there, or a file is in the way; stop the one, move the other".into()
        }
        (Address::Unix(_), io::ErrorKind::NotFound) => {
            "its directory is not there; make it first".into()
        }
        (Address::Inherited(_), io::ErrorKind::NotFound) => {
            "no socket of that number was passed to this process".into()
        }
        _ => explain(error),
    }
}
