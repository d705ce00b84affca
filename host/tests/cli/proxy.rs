//! Behind a proxy, and what the access log looks like, by flags.

use crate::serving::{Serving, rhost};
use rhost::package::Build;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

fn environ() -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/environ");
    Build::release(&dir).run().unwrap().remove(0)
}

/// Serves the example that prints its environ.
fn serving(arguments: &[&str]) -> Serving {
    let environ = environ();
    Serving::start(rhost(), &[&[environ.to_str().unwrap()], arguments].concat())
}

/// What `stream` answers to `octets`.
fn answer(mut stream: impl Read + Write, octets: &str) -> String {
    stream.write_all(octets.as_bytes()).unwrap();
    let mut text = String::new();
    // A connection that is refused may be reset.
    let _ = stream.read_to_string(&mut text);
    text
}

const FORWARDED: &str = "GET / HTTP/1.0\r\nx-forwarded-for: 192.0.2.1\r\n\r\n";

#[test]
fn a_proxy_over_a_unix_socket() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("rhost.sock");
    let addr = format!("unix:{}", path.display());
    let serving = serving(&["--addr", &addr, "--trusted-proxy", "unix"]);
    let text = answer(UnixStream::connect(&path).unwrap(), FORWARDED);
    assert!(text.contains("REMOTE_ADDR = '192.0.2.1'"), "{text}");
    let text = answer(TcpStream::connect(&serving.addr).unwrap(), FORWARDED);
    assert!(text.contains("REMOTE_ADDR = '127.0.0.1'"), "{text}");
    serving.stop();
}

#[test]
fn the_proxy_protocol_by_its_flag() {
    let flags = [
        "--trusted-proxy",
        "10.0.0.0/8,127.0.0.1",
        "--proxy-protocol",
    ];
    let serving = serving(&flags);
    let connect = || TcpStream::connect(&serving.addr).unwrap();
    let header = "PROXY TCP4 192.0.2.1 203.0.113.5 50000 80\r\n";
    let text = answer(connect(), &format!("{header}GET / HTTP/1.0\r\n\r\n"));
    assert!(text.contains("REMOTE_ADDR = '192.0.2.1'"), "{text}");
    assert_eq!(answer(connect(), "GET / HTTP/1.0\r\n\r\n"), "");
    serving.stop();
}

#[test]
fn forwarded_by_its_flag() {
    let flags = [
        "--trusted-proxy",
        "127.0.0.1",
        "--proxy-headers",
        "forwarded",
    ];
    let serving = serving(&flags);
    let text = serving.get_with("/", "host: a\r\nforwarded: for=192.0.2.1;proto=https\r\n");
    assert!(
        text.contains("REMOTE_ADDR = '192.0.2.1'") && text.contains("SERVER_PORT = '443'"),
        "{text}"
    );
    serving.stop();
}

#[test]
fn formats_of_the_access_log() {
    for (flags, expected) in [
        (
            &["--access-log-format", "common"][..],
            r#"+0000] "GET / HTTP/1.1" 200 "#,
        ),
        (
            &["--access-log-format", "combined", "--log-format", "json"],
            r#" "-" "agent \"x\"""#,
        ),
        (
            &["--access-log-format", "json"],
            r#""user_agent":"agent \"x\"""#,
        ),
        (
            &["--access-log-format", "text", "--log-format", "json"],
            r#" 127.0.0.1 "GET / HTTP/1.1" 200 "#,
        ),
    ] {
        let serving = serving(flags);
        serving.get_with("/", "host: a\r\nuser-agent: agent \"x\"\r\n");
        let (_, access_log, _) = serving.stop();
        assert!(access_log.contains(expected), "{flags:?}: {access_log}");
        assert_eq!(access_log.lines().count(), 1, "{flags:?}: {access_log}");
    }
}

#[test]
fn flags_that_make_no_sense_say_what_does() {
    for (flags, said) in [
        (&["--proxy-protocol"][..], "--trusted-proxy"),
        (&["--proxy-headers", "forwarded"], "--trusted-proxy"),
        (
            &["--trusted-proxy", "proxy.test"],
            "as 127.0.0.1, 10.0.0.0/8",
        ),
        (
            &["--trusted-proxy", "::1,10.1.0.0/8"],
            "write 10.0.0.0/8 or 10.1.0.0",
        ),
        (&["--access-log-format", "apache"], "combined"),
    ] {
        let output = rhost()
            .args(["serve", "nowhere.wasm"])
            .args(flags)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said), "{flags:?}: {text}");
    }
}
