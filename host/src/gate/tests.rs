use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn gate<T>(stream: T) -> Gate<T> {
    Gate::new(stream, HeadLimits::default(), 1000, Requests::at_most(0))
}

/// What hyper is handed of `octets`, sent in pieces of each of several sizes; the
/// sizes must make no difference. The error is that of a broken body.
async fn handed_on(octets: &[u8]) -> (String, bool) {
    let mut answers = Vec::new();
    for size in [1, 2, 7, octets.len().max(1)] {
        answers.push(handed_on_in(octets, size).await);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    answers.remove(0)
}

async fn handed_on_in(octets: &[u8], size: usize) -> (String, bool) {
    let (mut far, near) = tokio::io::duplex(size);
    let sent = octets.to_vec();
    tokio::spawn(async move {
        // A gate that has refused reads no further.
        let _ = far.write_all(&sent).await;
        let _ = far.shutdown().await;
        std::future::pending::<()>().await;
    });
    let mut gate = gate(near);
    let mut handed_on = Vec::new();
    let mut buf = [0; 100];
    let broken = loop {
        // Time stands still: it moves on when nothing else can.
        let read = tokio::time::timeout(Duration::from_secs(1), gate.read(&mut buf)).await;
        match read {
            Err(_silence) => break false,
            Ok(Ok(0)) => break false,
            Ok(Ok(length)) => handed_on.extend_from_slice(&buf[..length]),
            Ok(Err(_)) => break true,
        }
    };
    (String::from_utf8_lossy(&handed_on).into_owned(), broken)
}

#[tokio::test(start_paused = true)]
async fn what_is_right_passes_as_it_is() {
    for octets in [
        "",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.0\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n\n\n\n\n\nGET /x HTTP/1.1\r\nHost:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\n\n\r\n0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\n\r what ever",
    ] {
        assert_eq!(
            handed_on(octets.as_bytes()).await,
            (octets.to_owned(), false)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_replaced() {
    let before = "GET / HTTP/1.0\r\n\r\n";
    for (head, refusal) in [
        ("GET / HTTP/1.1\n", Refusal::BareLineFeed),
        (
            "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
            Refusal::BareLineFeed,
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", Refusal::BareLineFeed),
        ("\r\n\r\nGET / HTTP/1.1\r\n", Refusal::EmptyLines),
        ("GET /\r\n", Refusal::RequestLine),
        ("PRI * HTTP/2.0\r\n\r\n", Refusal::Version),
        ("GET / HTTP/1.1\r\n\r\n", Refusal::HostMissing),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n",
            Refusal::HostRepeated,
        ),
        ("GET / HTTP/1.0\r\nHost: a b\r\n", Refusal::HostInvalid),
        ("GET / HTTP/1.0\r\n X: a\r\n", Refusal::Folding),
        ("GET / HTTP/1.0\r\nX: a\r\n b\r\n", Refusal::Folding),
        ("GET / HTTP/1.0\r\nX : a\r\n", Refusal::FieldName),
        ("GET / HTTP/1.0\r\n: a\r\n", Refusal::FieldName),
        ("GET / HTTP/1.0\r\nX\r\n", Refusal::FieldName),
        ("GET / HTTP/1.0\r\nX: a\rb\r\n", Refusal::FieldValue),
        ("GET / HTTP/1.0\r\nX: a\0\r\n", Refusal::FieldValue),
        (
            "GET / HTTP/1.0\r\nContent-Length: 1, 1\r\n",
            Refusal::Length,
        ),
        ("GET / HTTP/1.0\r\nContent-Length:\r\n", Refusal::Length),
        (
            "GET / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
            Refusal::LengthRepeated,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Refusal::LengthAndCoding,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            Refusal::LengthAndCoding,
        ),
        (
            "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            Refusal::CodingInHttp10,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n",
            Refusal::CodingUnfinished,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n",
            Refusal::CodingUnfinished,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            Refusal::CodingUnfinished,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            Refusal::CodingUnknown,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n",
            Refusal::CodingUnknown,
        ),
        (
            "GET / HTTP/1.0\r\nContent-Type: a\r\nContent-Type: a\r\n",
            Refusal::ContentTypeRepeated,
        ),
        (
            "GET / HTTP/1.0\r\nExpect: a miracle\r\n",
            Refusal::Expectation,
        ),
        ("GET / HTTP/1.0\r\nHost: a\r\n", Refusal::Incomplete),
        ("GET", Refusal::Incomplete),
    ] {
        let after = "GET /smuggled HTTP/1.0\r\n\r\n";
        let sent = match refusal {
            Refusal::Incomplete => format!("{before}{head}"),
            _ => format!("{before}{head}{after}"),
        };
        let stand_in = String::from_utf8(refusal.stand_in()).unwrap();
        let expected = (format!("{before}{stand_in}"), false);
        assert_eq!(handed_on(sent.as_bytes()).await, expected, "{head:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_hold_at_their_edge() {
    let limits = HeadLimits::default();
    let line = |length: usize| format!("GET /{} HTTP/1.0\r\n\r\n", "x".repeat(length - 14));
    let fields = |count: usize| format!("GET / HTTP/1.0\r\n{}\r\n", "x: y\r\n".repeat(count));
    let octets = |length: usize| {
        let head = "GET / HTTP/1.0\r\nx: \r\n\r\n";
        head.replace("x: ", &format!("x: {}", "y".repeat(length - head.len())))
    };
    for (right, wrong, refusal) in [
        (
            line(limits.request_line),
            line(limits.request_line + 1),
            Refusal::LineTooLong,
        ),
        (
            fields(limits.fields),
            fields(limits.fields + 1),
            Refusal::TooManyFields,
        ),
        (
            octets(limits.octets),
            octets(limits.octets + 2),
            Refusal::FieldsTooLarge,
        ),
    ] {
        assert_eq!(handed_on(right.as_bytes()).await, (right, false));
        let stand_in = String::from_utf8(refusal.stand_in()).unwrap();
        assert_eq!(handed_on(wrong.as_bytes()).await, (stand_in, false));
        // Nor is the end of a line or a head waited for.
        let endless = wrong.trim_end().as_bytes();
        let (handed_on, _) = handed_on_in(endless, 4096).await;
        assert!(handed_on.starts_with("- * HTTP/1.1"), "{refusal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_is_an_error_where_it_breaks() {
    let right = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let (handed_on, broken) = handed_on_in(format!("{right}nonsense").as_bytes(), 9999).await;
    assert!(broken);
    assert!(right.starts_with(&handed_on), "{handed_on}");
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_a_client_that_is_still_sending() {
    for (sent, waits) in [
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.1\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nContent-Length: 10\r\n\r\nabc", true),
    ] {
        let (mut far, near) = tokio::io::duplex(4096);
        far.write_all(sent.as_bytes()).await.unwrap();
        let mut gate = gate(near);
        assert_ne!(gate.read(&mut [0; 1000]).await.unwrap(), 0);
        let start = tokio::time::Instant::now();
        gate.shutdown().await.unwrap();
        let expected = if waits { LINGER } else { Duration::ZERO };
        // The clock of a paused runtime ticks in milliseconds.
        let waited = start.elapsed();
        assert!(
            waited >= expected && waited < expected + Duration::from_millis(2),
            "{waited:?}"
        );
    }
}
