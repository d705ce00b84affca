//! A proxy of Debian's in front of a server, listening on a Unix socket.

use crate::fetch;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::UnixStream;

/// For a front that does not come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A field that the front adds to what came from behind it.
pub const FROM_BEHIND: &str = "x-from-behind";

/// A front that runs until it is dropped.
pub struct Front {
    process: Child,
    home: TempDir,
}

/// What a front is started from.
pub struct Kind {
    /// What it is called in what a test says.
    pub name: &'static str,
    /// Its program, and what comes before the file of its configuration.
    command: &'static [&'static str],
    /// With `HOME` for its directory and `BEHIND` for the server's address.
    config: &'static str,
}

/// Each front as careful and as lenient as it can be set.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "nginx",
        command: &["nginx", "-e", "stderr", "-c"],
        config: include_str!("nginx.conf"),
    },
    Kind {
        name: "nginx, lenient and unbuffered",
        command: &["nginx", "-e", "stderr", "-c"],
        config: include_str!("nginx_lenient.conf"),
    },
    Kind {
        name: "HAProxy",
        command: &["haproxy", "-db", "-f"],
        config: include_str!("haproxy.cfg"),
    },
    Kind {
        name: "HAProxy, lenient",
        command: &["haproxy", "-db", "-f"],
        config: include_str!("haproxy_lenient.cfg"),
    },
];

impl Kind {
    /// Starts one in front of `behind`. None where it is not installed.
    pub async fn start(&self, behind: SocketAddr) -> Option<Front> {
        let [program, options @ ..] = self.command else {
            unreachable!("each has a program");
        };
        let Some(program) = installed(program) else {
            fetch::is_missing(self.name, "it is not installed");
            return None;
        };
        let home = tempfile::tempdir().expect("a directory");
        let config = self
            .config
            .replace("HOME", home.path().to_str().expect("it is UTF-8"))
            .replace("BEHIND", &behind.to_string());
        let file = home.path().join("config");
        fs::write(&file, config).expect("the configuration is written");
        let log = fs::File::create(home.path().join("log")).expect("a log");
        let process = Command::new(program)
            .args(options)
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("it starts");
        let mut front = Front { process, home };
        front.come_up(self.name).await;
        Some(front)
    }
}

impl Front {
    async fn come_up(&mut self, name: &str) {
        let start = Instant::now();
        while UnixStream::connect(self.socket()).await.is_err() {
            let log = || fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                panic!("{name} ended with {status}: {}", log());
            }
            assert!(start.elapsed() < PATIENCE, "{name} is silent: {}", log());
            tokio::task::yield_now().await;
        }
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("front")
    }

    /// A new connection.
    pub async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket())
            .await
            .expect("it listens")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a program is. Servers are in directories that users have no path to.
fn installed(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|dir: PathBuf| dir.join(program))
        .find(|path: &PathBuf| Path::is_file(path))
}
