//! Where `rhost serve` listens: several addresses, Unix sockets, sockets that
//! somebody else bound, and TLS.

use crate::serving::{Serving, rhost};
use rhost::package::Build;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;

fn hello() -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello");
    Build::release(&dir).run().unwrap().remove(0)
}

/// Serves hello, by its component.
fn serving(arguments: &[&str]) -> Serving {
    let hello = hello();
    Serving::start(rhost(), &[&[hello.to_str().unwrap()], arguments].concat())
}

/// What `stream` answers to GET.
fn get(mut stream: impl Read + Write) -> String {
    let request = b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// Serves with `--addr`, which is to fail; returns what it said.
fn refused(addr: &str, more: &[&str]) -> String {
    let output = rhost()
        .arg("serve")
        .arg(hello())
        .args(["--addr", addr])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    said
}

#[test]
fn a_unix_socket_beside_a_port() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rhost.sock");
    let addr = format!("unix:{}", path.display());
    let serving = serving(&["--addr", &addr, "--unix-mode", "660"]);
    assert!(serving.get("/").ends_with("Hello, world!\n"));
    assert!(get(UnixStream::connect(&path).unwrap()).ends_with("Hello, world!\n"));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    // Somebody listens, so nobody else can.
    let said = refused(&addr, &[]);
    assert!(said.contains("a server listens there"), "{said}");
    assert!(get(UnixStream::connect(&path).unwrap()).ends_with("Hello, world!\n"));
    let (code, access_log, _) = serving.stop();
    assert_eq!(code, Some(0));
    // A Unix socket has no address to log.
    assert_eq!(
        access_log.matches(" - \"GET / HTTP/1.1\" 200 14 ").count(),
        2
    );
    assert!(!path.exists(), "it is gone with its server");
}

#[test]
fn what_a_dead_server_left_is_taken_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rhost.sock");
    let addr = format!("unix:{}", path.display());
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let left = serving(&["--addr", &addr]);
    assert!(get(UnixStream::connect(&path).unwrap()).ends_with("Hello, world!\n"));
    drop(left);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "precious").unwrap();
    let said = refused(&addr, &[]);
    assert!(said.contains("a file is in the way"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let said = refused(
        &format!("unix:{}/no/rhost.sock", home.path().display()),
        &[],
    );
    assert!(said.contains("its directory is not there"), "{said}");
}

/// As systemd does it (sd_listen_fds(3)), and by the number.
#[test]
fn a_socket_that_was_passed_on() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    for how in [
        "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve \"$1\"",
        "exec \"$0\" serve \"$1\" --addr fd:3",
    ] {
        // The shell has the socket as its standard input, and moves it to 3.
        let mut shell = std::process::Command::new("sh");
        let script = format!("exec 3<&0 </dev/null; {how}");
        shell
            .args(["-c", &script, env!("CARGO_BIN_EXE_rhost")])
            .arg(hello());
        shell.stdin(Stdio::from(socket.as_fd().try_clone_to_owned().unwrap()));
        let mut child = shell
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It is there before anyone serves on it.
        let answer = get(std::net::TcpStream::connect(addr).unwrap());
        assert!(answer.ends_with("Hello, world!\n"), "{how}: {answer}");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(said.contains(&format!("on http://{addr}/")), "{said}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    }
    let said = refused("fd:99", &[]);
    assert!(said.contains("no socket of that number"), "{said}");
}

#[test]
fn a_certificate_of_our_own_making_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let flags = ["--tls-self-signed", "--cache-dir", cache.to_str().unwrap()];
    let first = serving(&flags);
    assert!(
        first.said.contains("self-signed, for development"),
        "{}",
        first.said
    );
    assert!(
        first.said.contains("on https://127.0.0.1:"),
        "{}",
        first.said
    );
    let made = fs::read(cache.join("self-signed.crt")).unwrap();
    let key = fs::metadata(cache.join("self-signed.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    drop(first);
    drop(serving(&flags));
    assert_eq!(fs::read(cache.join("self-signed.crt")).unwrap(), made);
}

#[test]
fn certificates_that_are_none() {
    let home = tempfile::tempdir().unwrap();
    let nothing = home.path().join("nothing.pem");
    fs::write(&nothing, "").unwrap();
    let nothing = nothing.to_str().unwrap();
    let any = "127.0.0.1:0";
    let said = refused(any, &["--tls-cert", nothing, "--tls-key", nothing]);
    assert!(said.contains("nothing.pem: it is empty"), "{said}");
    let said = refused(any, &["--tls-cert", nothing]);
    assert!(said.contains("--tls-key"), "{said}");
    let two = [
        "--tls-cert",
        nothing,
        "--tls-cert",
        nothing,
        "--tls-key",
        nothing,
    ];
    assert!(refused(any, &two).contains("give a key for each certificate"));
    let said = refused(any, &["--tls-client-ca", nothing]);
    assert!(said.contains("--tls-client-ca needs TLS"), "{said}");
    let said = refused("localhost:1", &[]);
    assert!(said.contains("IP:PORT as 127.0.0.1:8000"), "{said}");
}
