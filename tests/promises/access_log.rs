//! The access log: what a line says, and that a client cannot make it say more.

use http::{HeaderValue, Request};
use http_body_util::Full;
use rhost::access_log::Format;
use rhost_tests::{Answer, Client, Received, Server, Start, Test};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FORMATS: [Format; 4] = [Format::Text, Format::Common, Format::Combined, Format::Json];

async fn logging(guest: &str, format: Format) -> Server {
    Test::serving(guest).access_log_format(format).start().await
}

/// `10/Oct/2000:13:55:36 +0000`.
fn is_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='z' | 'A'..='Z' => 'a',
            other => other,
        })
        .collect();
    shape == "99/aaa/9999:99:99:99 +9999"
}

/// A line of the Common Log Format without its date.
#[track_caller]
fn without_date(line: &str) -> String {
    let (before, rest) = line.split_once('[').expect("a date");
    let (date, after) = rest.split_once(']').expect("the date's end");
    assert!(is_date(date), "{date}");
    format!("{before}[]{after}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_common_format_is_apaches() {
    let server = logging("answers", Format::Common).await;
    let ask = "GET /200?1 HTTP/1.1\r\nHost: a\r\nReferer: r\r\nConnection: close\r\n\r\n";
    Received::to(server.addr, ask.as_bytes()).await;
    let ask = "GET /204?0 HTTP/1.0\r\n\r\n";
    Received::to(server.addr, ask.as_bytes()).await;
    Received::to(server.addr, b"GET / HTTP/1.1\r\n\r\n").await;
    Client::http2(server.addr).await.get("/200?1").await;
    let log = server.stop().await.access_log;
    let lines: Vec<_> = log.lines().map(without_date).collect();
    let expected = [
        "127.0.0.1 - - [] \"GET /200?1 HTTP/1.1\" 200 5",
        "127.0.0.1 - - [] \"GET /204?0 HTTP/1.0\" 204 -",
        "127.0.0.1 - - [] \"- * HTTP/1.1\" 400 ",
        "127.0.0.1 - - [] \"GET /200?1 HTTP/2.0\" 200 5",
    ];
    assert_eq!(lines.len(), expected.len(), "{log}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} is not {expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_combined_format_has_two_fields_more() {
    let server = logging("answers", Format::Combined).await;
    let request = Request::get("/204?0")
        .header("referer", "http://a.test/\"x\"")
        .header("user-agent", "Mozilla/5.0 (\\)");
    server.request(request, "").await;
    server.request(Request::get("/204?0"), "").await;
    let log = server.stop().await.access_log;
    let lines: Vec<_> = log.lines().map(without_date).collect();
    assert_eq!(
        lines,
        [
            r#"127.0.0.1 - - [] "GET /204?0 HTTP/1.1" 204 - "http://a.test/\"x\"" "Mozilla/5.0 (\\)""#,
            r#"127.0.0.1 - - [] "GET /204?0 HTTP/1.1" 204 - "-" "-""#,
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_all_of_it() {
    let test = Test::serving("answers").access_log_format(Format::Json);
    let server = test.trusted_proxy("127.0.0.1").start().await;
    let request = Request::get("/200?1")
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-request-id", "one")
        .header(
            "user-agent",
            HeaderValue::from_bytes(b"caf\xc3\xa9 \xff").unwrap(),
        );
    server.request(request, "").await;
    let log = server.stop().await.access_log;
    let line: Value = serde_json::from_str(&log).unwrap();
    for (name, value) in [
        ("remote_addr", "192.0.2.1".into()),
        ("via", "127.0.0.1".into()),
        ("method", "GET".into()),
        ("target", "/200?1".into()),
        ("protocol", "HTTP/1.1".into()),
        ("status", 200.into()),
        ("octets", 5.into()),
        // It is not UTF-8, so each octet is a character (ISO 8859-1).
        ("user_agent", "caf\u{c3}\u{a9} \u{ff}".into()),
        ("referer", Value::Null),
        ("app", "answers".into()),
        ("request", "one".into()),
    ] {
        assert_eq!(line[name], value, "{name} in {log}");
    }
    assert!(line["micros"].is_u64() && line["time"].is_string(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_names_the_app() {
    let server = Test::serving("answers").mount("/shop").start().await;
    server.get("/shop/204").await;
    server.get("/elsewhere").await;
    Received::to(server.addr, b"nonsense\r\n\r\n").await;
    let log = server.stop().await.access_log;
    let apps: Vec<_> = log
        .lines()
        .map(|line| line.rsplit(' ').nth(1).unwrap())
        .collect();
    // By a file or a deployment, what is below no app's mount is no app's.
    let elsewhere = match Start::chosen() {
        Start::Config | Start::Deployed => "-",
        _ => "answers",
    };
    // The last was refused before there was an app to be chosen.
    assert_eq!(apps, ["answers", elsewhere, "-"], "{log}");
}

/// Targets and agents that would be lines of their own, end a part of one, or speak
/// to a terminal.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_a_line_but_the_host() {
    let agents: [&[u8]; 6] = [
        b"\" 200 0 \"-\" \"forged",
        b"\\\" forged",
        b"tab\tforged",
        b"\x9b31m\xc2\x9b forged",
        b"\xe2\x80\xae forged",
        b"\xff\xfe forged",
    ];
    let targets = [
        "/x\"%20200%200\"forged",
        "/x\\\"forged?\\",
        "/x%0d%0a%1bforged",
    ];
    for format in FORMATS {
        let server = logging("environ", format).await;
        let mut sent = 0;
        for (agent, target) in agents
            .iter()
            .flat_map(|agent| targets.map(|target| (agent, target)))
        {
            let agent = HeaderValue::from_bytes(agent).unwrap();
            let mut http1 = Client::http1(server.addr).await;
            let mut http2 = Client::http2(server.addr).await;
            let request = |uri: &str| {
                let request = Request::get(uri).header("user-agent", &agent);
                request.header("referer", &agent)
            };
            let ask = request(target).header("host", "a").body(Full::default());
            let one = http1.send(ask.unwrap()).await;
            let ask = request(&format!("http://a{target}")).body(Full::default());
            let two = http2.send(ask.unwrap()).await;
            for response in [one.unwrap(), two.unwrap()] {
                assert_eq!(Answer::read(response).await.status, 200);
                sent += 1;
            }
        }
        // What is no text at all, which no client of hyper's would send.
        for octets in [
            &b"GET /x\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"GET /204 HTTP/1.1\r\nHost: a\r\nUser-Agent: \x1b[2J\x07 forged\r\n\r\n",
            b"GET /204 HTTP/1.1\r\nHost: a\r\nUser-Agent: x\rforged\r\n\r\n",
            b"GET /204 HTTP/1.1\r\nHost: a\r\nUser-Agent: x\n127.0.0.1 forged\r\n\r\n",
            b"G\x1b[2JT /204 HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            let text = Received::to(server.addr, octets).await.text();
            assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
            sent += 1;
        }
        let log = server.stop().await.access_log;
        assert_eq!(log.lines().count(), sent, "{format:?}\n{log}");
        for line in log.lines() {
            assert!(
                line.bytes().all(|octet| (b' '..=b'~').contains(&octet)),
                "{line}"
            );
            check(format, line);
        }
    }
}

/// Whether a line has the parts of its format, and no more.
#[track_caller]
fn check(format: Format, line: &str) {
    match format {
        Format::Json => {
            let entry: Value = serde_json::from_str(line).unwrap();
            assert_eq!(entry["remote_addr"], "127.0.0.1", "{line}");
        }
        Format::Text => {
            let (before, rest) = line.split_once('"').unwrap();
            assert!(before.ends_with("Z 127.0.0.1 "), "{line}");
            let (_, rest) = rest.split_once('"').unwrap();
            assert_eq!(rest.split(' ').count(), 7, "{line}");
        }
        Format::Common | Format::Combined => {
            let line = without_date(line);
            let rest = line.strip_prefix("127.0.0.1 - - [] ").expect("its begin");
            let (quoted, rest) = quoted(rest);
            assert_eq!(quoted.split(' ').count(), 3, "{line}");
            let mut rest = rest.splitn(4, ' ').skip(1);
            assert_eq!(rest.next().unwrap().len(), 3, "{line}");
            let octets = rest.next().unwrap();
            assert!(octets == "-" || octets.parse::<u64>().is_ok(), "{line}");
            let fields = rest.next();
            assert_eq!(fields.is_some(), format == Format::Combined, "{line}");
            if let Some(fields) = fields {
                let (_, user_agent) = self::quoted(fields);
                let (_, nothing) = self::quoted(user_agent.trim_start());
                assert_eq!(nothing, "", "{line}");
            }
        }
    }
}

/// A quoted text with backslashes, and what stands behind it.
#[track_caller]
fn quoted(text: &str) -> (&str, &str) {
    let inner = text.strip_prefix('"').expect("a quote");
    let mut escaped = false;
    let end = inner.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let end = end.expect("its end");
    (&inner[..end], &inner[end + 1..])
}

/// Over HTTP/2 a field could have a line's end in it; such a request gets nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_lines_end_over_http2() {
    for format in FORMATS {
        let server = logging("answers", format).await;
        // The last is right, and the only one that is a request.
        for value in ["x\r\n1 forged", "x\n\x1b[2J forged", "x\0forged", "right"] {
            let mut stream = server.connect().await;
            // The preface, empty SETTINGS, and HEADERS that end stream and fields:
            // GET http, with `:path`, `:authority` and `user-agent` in full (RFC
            // 7541, section 6.2.2, and its appendix A).
            let mut block = b"\x82\x86\x04\x06/204?0\x01\x01a\x0f\x2b".to_vec();
            block.push(value.len() as u8);
            block.extend_from_slice(value.as_bytes());
            let mut octets = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
            octets.extend([0, 0, block.len() as u8, 1, 5, 0, 0, 0, 1]);
            octets.extend(block);
            // GOAWAY, after which it closes when the request is done.
            octets.extend(b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0");
            stream.write_all(&octets).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        let log = server.stop().await.access_log;
        assert!(!log.contains("forged") && !log.contains('\x1b'), "{log}");
        assert_eq!(log.matches("/204?0").count(), 1, "{log}");
    }
}
