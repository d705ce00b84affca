//! What a client may ask for, byte for byte, and what the app sees of it.

use crate::half_close::certified;
use crate::serving::{Serving, rhost};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection};

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
        // One that is right, beside them.
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
    assert_eq!(reset, [1, 5, 7, 9, 11, 13]);
    assert_eq!(answered, [3, 15, 17]);
}

/// `text` in the code of RFC 7541, appendix B, as far as it is needed here.
fn huffman(text: &str) -> Vec<u8> {
    let mut bits = String::new();
    for octet in text.bytes() {
        bits += match octet {
            b'"' => "1111111001",
            b'/' => "011000",
            b'<' => "111111111111100",
            b'=' => "100000",
            b'>' => "111111111011",
            b'?' => "1111111100",
            b'_' => "100010",
            b'`' => "111111111111101",
            b'a' => "00011",
            b'b' => "100011",
            b'q' => "1110110",
            b'x' => "1111001",
            b'{' => "111111111111110",
            0xc3 => "1111111111111110001",
            0xa9 => "1111111111111111011101",
            _ => unreachable!("{text}"),
        };
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    let octets = bits.as_bytes().chunks(8);
    octets
        .map(|octet| u8::from_str_radix(std::str::from_utf8(octet).unwrap(), 2).unwrap())
        .collect()
}

/// What comes of requests over HTTP/2.
#[derive(Debug, Default)]
struct Came {
    /// The body on each stream that was answered.
    bodies: BTreeMap<u8, String>,
    reset: Vec<u8>,
}

/// Sends these blocks of fields, each on a stream of its own, all in one piece; under TLS if
/// there is a `config`.
fn ask_over_http2(
    serving: &Serving,
    config: Option<&Arc<ClientConfig>>,
    blocks: &[(u8, Vec<u8>)],
) -> Came {
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for (stream, block) in blocks {
        sent.extend(frame(1, 5, u32::from(*stream), block));
    }
    let mut stream = TcpStream::connect(&serving.addr).unwrap();
    let mut octets = Vec::new();
    match config {
        Some(config) => {
            let name = "test".try_into().unwrap();
            let mut session = ClientConnection::new(config.clone(), name).unwrap();
            let mut tls = rustls::Stream::new(&mut session, &mut stream);
            tls.write_all(&sent).unwrap();
            tls.conn.send_close_notify();
            tls.flush().unwrap();
            tls.read_to_end(&mut octets).unwrap();
        }
        None => {
            stream.write_all(&sent).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            stream.read_to_end(&mut octets).unwrap();
        }
    }
    let mut came = Came::default();
    let mut rest = &octets[..];
    while let [l0, l1, l2, kind, _, _, _, _, stream, after @ ..] = rest {
        let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
        let payload = String::from_utf8_lossy(&after[..length]);
        match kind {
            0 => came.bodies.entry(*stream).or_default().push_str(&payload),
            3 => came.reset.push(*stream),
            _ => {}
        }
        rest = &after[length..];
    }
    came.reset.sort();
    came
}

/// A request's block: GET, `https`, `:authority: test`, and the path by these bytes.
fn block(path: &[u8]) -> Vec<u8> {
    [b"\x82\x87\x01\x04test", path].concat()
}

/// The same with the path in a string after `first`, in the code or not.
fn with_path(first: u8, path: &str, is_huffman: bool) -> Vec<u8> {
    let (flag, text) = match is_huffman {
        true => (0x80, huffman(path)),
        false => (0, path.as_bytes().to_vec()),
    };
    let string = [&[first, flag | text.len() as u8], &text[..]].concat();
    block(&string)
}

/// Whether `body` says that this was asked for.
fn says(body: Option<&String>, sent: &str) -> bool {
    let Some(body) = body else { return false };
    let (path, query) = sent.split_once('?').unwrap_or((sent, ""));
    let shown = |value: &str| value.as_bytes().escape_ascii().to_string();
    [
        ("REQUEST_URI", sent),
        ("PATH_INFO", path),
        ("QUERY_STRING", query),
    ]
    .iter()
    .all(|(name, value)| variables(body, name) == [shown(value)])
}

#[test]
fn a_target_over_http2_arrives_as_it_was_sent() {
    let home = tempfile::tempdir().unwrap();
    let (certificate, config) = certified(home.path());
    let certificate: Vec<&str> = certificate.iter().map(String::as_str).collect();
    let mut config = (*config).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (plain, under_tls) = (serving(&[]), serving(&certificate));
    let targets = [
        "/a?q=\"x\"",
        "/a?q=<b>",
        "/a?q=é",
        "/a`b?q=`x`",
        "/<é>`\"?<é>`\">",
        "/>",
        "/a>?>>x>",
    ];
    for (serving, config) in [(&plain, None), (&under_tls, Some(&Arc::new(config)))] {
        let (mut blocks, mut asked) = (Vec::new(), Vec::new());
        let mut stream = 1;
        let mut add = |block, sent| {
            blocks.push((stream, block));
            asked.push((stream, sent));
            stream += 2;
        };
        for sent in targets {
            for is_huffman in [false, true] {
                add(with_path(0x04, sent, is_huffman), sent);
                // Into the table, and out of it, twice.
                add(with_path(0x44, sent, is_huffman), sent);
                add(block(b"\xbe"), sent);
                add(block(b"\xbe"), sent);
            }
        }
        let came = ask_over_http2(serving, config, &blocks);
        assert!(came.reset.is_empty(), "{came:?}");
        for (stream, sent) in asked {
            let body = came.bodies.get(&stream);
            assert!(says(body, sent), "{stream}: {sent}: {body:?}");
        }
    }
}

/// Whatever comes beside them, and whatever h2 makes of that.
#[test]
fn targets_over_http2_are_not_taken_for_one_another() {
    let serving = serving(&[]);
    // A field of a connection, which makes a request malformed.
    let malformed = |mut block: Vec<u8>| {
        block.extend(b"\x00\x0aconnection\x05close");
        block
    };
    let (odd, like_it, like_it_in_code) = ("/?q=<", "/?q=_", "/?q={");
    let blocks = [
        (1, with_path(0x04, like_it, false)),
        (3, malformed(with_path(0x04, odd, false))),
        (5, with_path(0x04, like_it, false)),
        (7, malformed(with_path(0x44, odd, true))),
        (9, with_path(0x04, like_it_in_code, true)),
        (11, with_path(0x04, odd, true)),
        (13, with_path(0x04, like_it_in_code, true)),
        (15, malformed(block(b"\xbe"))),
        (17, with_path(0x04, like_it_in_code, false)),
        (19, block(b"\xbe")),
    ];
    let came = ask_over_http2(&serving, None, &blocks);
    assert_eq!(came.reset, [3, 7, 15]);
    for (stream, sent) in [
        (1, like_it),
        (5, like_it),
        (9, like_it_in_code),
        (11, odd),
        (13, like_it_in_code),
        (17, like_it_in_code),
        (19, odd),
    ] {
        let body = came.bodies.get(&stream);
        assert!(says(body, sent), "{stream}: {sent}: {body:?}");
    }
}

#[test]
fn what_no_target_has_resets_its_stream_over_http2() {
    let serving = serving(&[]);
    let wrong = [
        "/<#",
        "/< ",
        "/?\"\t",
        "/?<\x7f",
        "/`\x01",
        "<",
        "/?q=\"x y\"",
    ];
    let mut blocks = vec![(1, with_path(0x04, "/a", false))];
    let mut streams = Vec::new();
    for path in wrong {
        streams.extend([blocks.len() as u8 * 2 + 1]);
        blocks.push((*streams.last().unwrap(), with_path(0x44, path, false)));
        streams.extend([blocks.len() as u8 * 2 + 1]);
        blocks.push((*streams.last().unwrap(), block(b"\xbe")));
    }
    let came = ask_over_http2(&serving, None, &blocks);
    assert_eq!(came.reset, streams);
    assert_eq!(came.bodies.keys().collect::<Vec<_>>(), [&1]);
}

/// Bytes that are no text have their meaning over HTTP/2 as well.
#[test]
fn bytes_over_http2_that_are_no_text() {
    let serving = serving(&[]);
    let blocks = [(1, block(b"\x04\x06/\xe9?q=\xff"))];
    let came = ask_over_http2(&serving, None, &blocks);
    let body = came.bodies.get(&1).expect("an answer");
    assert_eq!(variables(body, "REQUEST_URI"), ["/%E9?q=%FF"]);
    assert_eq!(variables(body, "QUERY_STRING"), ["q=%FF"]);
}
