//! Connections that begin with a header of the PROXY protocol, and those that
//! should and do not.

use rhost_tests::{Authority, Client, Server, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const VERSION_1: &[u8] = b"PROXY TCP4 192.0.2.1 203.0.113.5 50000 8443\r\n";
/// The same in version 2, with a field (of no meaning) behind the addresses.
const VERSION_2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\xc0\0\x02\x01\xcb\0\x71\x05\xc3\x50\x20\xfb\xee\0\x01x";
/// The proxy's own connection, as for a health check.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const UNKNOWN: &[u8] = b"PROXY UNKNOWN\r\n";

const NAMED: &[&str] = &[
    "REMOTE_ADDR = '192.0.2.1'",
    "REMOTE_PORT = '50000'",
    // HTTP/1.0 without Host: the address that the client connected to.
    "SERVER_NAME = '203.0.113.5'",
    "SERVER_PORT = '8443'",
];

fn behind(proxy: &str) -> Test {
    let test = Test::serving("environ").trusted_proxy(proxy);
    test.proxy_protocol()
}

/// All that the server says to `header` and a request with these fields.
async fn get(server: &Server, header: &[u8], fields: &str) -> String {
    let request = format!("GET / HTTP/1.0\r\n{fields}\r\n");
    let octets = [header, request.as_bytes()].concat();
    let mut stream = server.connect().await;
    let _ = stream.write_all(&octets).await;
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await;
    String::from_utf8(received).unwrap()
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|said| said == *line), "{line} in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_names_the_client() {
    let server = behind("127.0.0.1").start().await;
    for header in [VERSION_1, VERSION_2] {
        has(&get(&server, header, "").await, NAMED);
    }
    let log = server.stop().await.access_log;
    assert_eq!(log.matches(" 192.0.2.1 \"GET ").count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_come_in_pieces_and_before_http2() {
    let server = behind("127.0.0.1").start().await;
    for header in [VERSION_1, VERSION_2] {
        let mut stream = server.connect().await;
        stream.set_nodelay(true).unwrap();
        for octet in header {
            stream.write_all(&[*octet]).await.unwrap();
        }
        let answer = Client::http2_over(stream).await.get("/").await;
        has(answer.text(), &["REMOTE_ADDR = '192.0.2.1'"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_before_tls() {
    let authority = Authority::new();
    let files = [authority.certify("one.test")];
    let server = behind("127.0.0.1").tls(files, None).start().await;
    for header in [VERSION_1, VERSION_2] {
        let mut stream = server.connect().await;
        stream.write_all(header).await.unwrap();
        let stream = authority.connect_over(stream, "one.test", &["http/1.1"], None);
        let mut client = Client::http1_over(stream.await.unwrap()).await;
        let answer = client.get("/").await;
        let lines = ["REMOTE_ADDR = '192.0.2.1'", "wsgi.url_scheme = 'https'"];
        has(answer.text(), &lines);
    }
}

/// The connection's own addresses, and no fields that anyone may have written.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_names_nobody_is_the_proxys_own() {
    let server = behind("127.0.0.1").start().await;
    for header in [LOCAL, UNKNOWN] {
        let text = get(&server, header, "x-forwarded-for: 6.6.6.6\r\n").await;
        let port = format!("SERVER_PORT = '{}'", server.addr.port());
        has(
            &text,
            &[
                "REMOTE_ADDR = '127.0.0.1'",
                "SERVER_NAME = '127.0.0.1'",
                &port,
            ],
        );
        assert!(!text.contains("6.6.6.6"), "{text}");
    }
}

/// Fields are believed of whom the header names, if that is a proxy as well.
#[tokio::test(flavor = "multi_thread")]
async fn fields_are_judged_by_the_named_client() {
    let fields = "x-forwarded-for: 198.51.100.7\r\nx-forwarded-proto: https\r\n";
    let server = behind("127.0.0.1").start().await;
    has(&get(&server, VERSION_1, fields).await, NAMED);
    let server = behind("127.0.0.1").trusted_proxy("192.0.2.0/24");
    let text = get(&server.start().await, VERSION_1, fields).await;
    let lines = ["REMOTE_ADDR = '198.51.100.7'", "wsgi.url_scheme = 'https'"];
    has(&text, &lines);
}

/// Even one that says to be at this machine.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_behind_it_is_a_developer() {
    let test = Test::serving("trap-before-headers").dev().proxy_protocol();
    let server = test.trusted_proxy("127.0.0.1").start().await;
    let here = b"PROXY TCP4 127.0.0.1 127.0.0.1 50000 8000\r\n";
    for header in [&here[..], LOCAL, UNKNOWN] {
        let text = get(&server, header, "host: localhost\r\n").await;
        assert!(text.starts_with("HTTP/1.0 500"), "{text}");
        assert!(!text.contains("Backtrace"), "{text}");
    }
}

/// Who sends the header decides who the client is.
#[tokio::test(flavor = "multi_thread")]
async fn from_anyone_else_the_connection_is_refused() {
    let server = behind("10.0.0.0/8").start().await;
    for header in [VERSION_1, VERSION_2, LOCAL, b""] {
        assert_eq!(get(&server, header, "").await, "");
    }
    assert_eq!(server.stop().await.access_log, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_it_is_refused() {
    let server = behind("127.0.0.1").start().await;
    let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200], b"\r\n"].concat();
    for header in [
        &b""[..],
        b"PROXY TCP4 192.0.2.1\r\n",
        b"PROXY TCP4 localhost 203.0.113.5 50000 8443\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02\xc0\0",
        &long,
    ] {
        let text = get(&server, header, "host: a\r\n").await;
        assert_eq!(text, "", "{header:?}");
    }
    // Nobody else is the worse for it.
    has(&get(&server, VERSION_1, "").await, NAMED);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_come_is_not_waited_for() {
    let server = behind("127.0.0.1").handshake_timeout("100ms").start().await;
    let mut streams = Vec::new();
    for begin in [&b""[..], b"PROXY TCP4 192.0.2", &VERSION_2[..20]] {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        stream.write_all(begin).await.unwrap();
        streams.push(stream);
    }
    // One that is whole is answered meanwhile.
    has(&get(&server, VERSION_2, "").await, NAMED);
    for mut stream in streams {
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        assert_eq!(received, b"");
    }
}

/// Where it is not spoken, it is no request.
#[tokio::test(flavor = "multi_thread")]
async fn unasked_for_it_is_a_bad_request() {
    let server = Test::serving("environ").trusted_proxy("127.0.0.1");
    let server = server.start().await;
    let text = get(&server, VERSION_1, "").await;
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    assert!(!text.contains("192.0.2.1"), "{text}");
}
