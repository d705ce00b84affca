//! What a client may ask for, byte for byte, and what the app sees of it.

use crate::serving::{Serving, rhost};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// Serves the example that prints its environ.
fn serving(flags: &[&str]) -> Serving {
    let environ = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/environ");
    Serving::start(rhost(), &[&[environ.to_str().unwrap()], flags].concat())
}

/// What is answered to these bytes until the host closes.
fn answer(serving: &Serving, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(&serving.addr).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// What is answered to GET of these targets, in one piece on one connection.
fn asked(serving: &Serving, targets: &[&[u8]]) -> String {
    let mut requests = Vec::new();
    for target in targets {
        requests.extend_from_slice(b"GET ");
        requests.extend_from_slice(target);
        requests.extend_from_slice(b" HTTP/1.1\r\nhost: test\r\n\r\n");
    }
    requests.extend_from_slice(b"GET /end HTTP/1.0\r\n\r\n");
    answer(serving, &requests)
}

/// The values that the example printed for a variable, request by request.
fn variables<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let prefix = format!("{name} = '");
    let values = text.lines().filter_map(|line| line.strip_prefix(&prefix));
    values
        .filter_map(|value| value.strip_suffix('\''))
        .collect()
}

#[test]
fn a_target_arrives_as_it_was_sent() {
    let serving = serving(&[]);
    for target in [
        "/a?q=\"x\"",
        "/a?q=<b>",
        "/a?q=é",
        "/a?q=`x`",
        "/a?{}|^\\[]",
        "/<é>`\"?<é>`\"",
        "/日本?日本=%E6%97%A5&x",
        "/?%zz%",
    ] {
        let text = asked(&serving, &[target.as_bytes()]);
        let (path, query) = target.split_once('?').unwrap();
        for (name, value, then) in [
            ("QUERY_STRING", query, ""),
            ("REQUEST_URI", target, "/end"),
            ("PATH_INFO", path, "/end"),
        ] {
            let shown = value.as_bytes().escape_ascii().to_string();
            assert_eq!(variables(&text, name), [&shown, then], "{text}");
        }
    }
    // Bytes that are no text have their meaning.
    let text = asked(&serving, &[b"/?q=\xe9\""]);
    assert_eq!(
        variables(&text, "QUERY_STRING"),
        ["q=%E9\\\"", ""],
        "{text}"
    );
    // Each has its own, also where another needs none.
    let text = asked(
        &serving,
        &[b"/?\"1", b"/?2", b"/?\"3", b"http://b.test/?\"4"],
    );
    let queries = ["\\\"1", "2", "\\\"3", "\\\"4", ""];
    assert_eq!(variables(&text, "QUERY_STRING"), queries, "{text}");
    assert_eq!(variables(&text, "HTTP_HOST")[3], "b.test", "{text}");
    for wrong in [
        &b"/?a b"[..],
        b"/?a\tb",
        b"/?a\0",
        b"/?a\x7f",
        b"/?a#b",
        b"/a#b",
        b"/\x1f",
    ] {
        let text = asked(&serving, &[wrong]);
        assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    }
}

/// Not what the client wrote into Host beside it, by which no app was chosen.
#[test]
fn links_are_made_from_the_host_that_was_asked_for() {
    let serving = serving(&[]);
    let request =
        b"GET http://right.test:81/x HTTP/1.1\r\nhost: wrong.test\r\nconnection: close\r\n\r\n";
    let text = answer(&serving, request);
    assert_eq!(variables(&text, "HTTP_HOST"), ["right.test:81"], "{text}");
    assert_eq!(variables(&text, "SERVER_NAME"), ["right.test"], "{text}");
}

#[test]
fn an_expect_of_nothing_expects_nothing() {
    let serving = serving(&[]);
    for expect in ["", " ", ",", ", ,"] {
        let request =
            format!("GET / HTTP/1.1\r\nhost: a\r\nexpect:{expect}\r\nconnection: close\r\n\r\n");
        let text = answer(&serving, request.as_bytes());
        assert!(text.starts_with("HTTP/1.1 200 "), "{expect:?}: {text}");
    }
    let request = b"GET / HTTP/1.1\r\nhost: a\r\nexpect: a miracle\r\nconnection: close\r\n\r\n";
    assert!(answer(&serving, request).starts_with("HTTP/1.1 417 "));
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A target has no fragment over HTTP/2 either, however its field is written.
#[test]
fn a_fragment_over_http2_is_a_fault_of_its_stream() {
    let serving = serving(&[]);
    let mut stream = TcpStream::connect(&serving.addr).unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // Method and scheme from the table, `:authority: test` in full, and the path.
    let head = b"\x82\x86\x01\x04test";
    let mut sent = preface.to_vec();
    for (stream, path) in [
        (1, &b"\x04\x04/x#y"[..]),
        // Without a fault.
        (3, b"\x04\x02/x"),
        // Kept in the table, from which it comes the next time.
        (5, b"\x44\x05/?x#y"),
        (7, b"\xbe"),
        // In the code of RFC 7541, appendix B: `/#`.
        (9, b"\x04\x83\x63\xfe\xbf"),
        // With its name in full, and with that of an entry.
        (11, b"\x00\x05:path\x02/#"),
        (13, b"\x0f\x2f\x02/#"),
        (15, b"\x04\x05/?x>y"),
        (17, b"\x04\x02/z"),
    ] {
        sent.extend(frame(1, 5, stream, &[&head[..], path].concat()));
    }
    stream.write_all(&sent).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut came = Vec::new();
    stream.read_to_end(&mut came).unwrap();
    let (mut reset, mut answered) = (Vec::new(), Vec::new());
    let mut rest = &came[..];
    while let [l0, l1, l2, kind, flags, _, _, _, stream, after @ ..] = rest {
        let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
        match (kind, flags) {
            (3, _) => {
                assert_eq!(after[..4], [0, 0, 0, 1], "PROTOCOL_ERROR");
                reset.push(*stream);
            }
            (0, 1) => answered.push(*stream),
            _ => {}
        }
        rest = &after[length..];
    }
    reset.sort();
    answered.sort();
    assert_eq!(reset, [1, 5, 7, 9, 11, 13, 15]);
    assert_eq!(answered, [3, 17]);
}
