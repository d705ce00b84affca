use super::*;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

fn ends(source: &str, destination: &str) -> Result<Option<Ends>, Malformed> {
    Ok(Some(Ends {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }))
}

/// A header of version 2.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [v2::PROTOCOL_PREFIX, &[command, family], &length, rest].concat()
}

const IPV4: &[u8] = &[192, 0, 2, 1, 203, 0, 113, 5, 0xc3, 0x50, 0x01, 0xbb];

#[test]
fn lines_of_version_1() {
    for (line, expected) in [
        (
            "PROXY TCP4 192.0.2.1 203.0.113.5 50000 443\r\n",
            ends("192.0.2.1:50000", "203.0.113.5:443"),
        ),
        (
            "PROXY TCP6 2001:db8::1 2001:db8::2 50000 443\r\n",
            ends("[2001:db8::1]:50000", "[2001:db8::2]:443"),
        ),
        ("PROXY UNKNOWN\r\n", Ok(None)),
        ("PROXY UNKNOWN ::1 ::1 1 2 and more\r\n", Ok(None)),
    ] {
        assert_eq!(parse(line.as_bytes()), expected, "{line}");
    }
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LONGEST_LINE));
    for line in [
        "",
        "\r\n",
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY UNKNOWN",
        "PROXY UNKNOWN\n",
        "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n",
        "proxy UNKNOWN\r\n",
        "PROXY TCP5 192.0.2.1 203.0.113.5 1 2\r\n",
        "PROXY TCP4 192.0.2.1 203.0.113.5 1\r\n",
        "PROXY TCP4 192.0.2.1 203.0.113.5 1 2 3\r\n",
        "PROXY TCP4 192.0.2.1  203.0.113.5 1 2\r\n",
        "PROXY TCP4 192.0.2.1 203.0.113.5 +1 2\r\n",
        "PROXY TCP4 192.0.2.1 203.0.113.5 01 2\r\n",
        "PROXY TCP4 192.0.2.1 203.0.113.5 1 65536\r\n",
        "PROXY TCP4 192.0.2.1 203.0.113.5 1 2\n",
        "PROXY TCP4 192.0.2.1 203.0.113.5 1 2\r\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 203.0.113.5 1 2\r\n",
        "PROXY TCP4 192.0.2.\u{661} 203.0.113.5 1 2\r\n",
        "GET / HTTP/1.1\r\n",
        &long,
    ] {
        assert_eq!(parse(line.as_bytes()), Err(Malformed), "{line}");
    }
}

#[test]
fn headers_of_version_2() {
    let ipv6 = [[0x20, 1, 0xd, 0xb8].as_slice(), &[0; 11], &[1]].concat();
    let ipv6 = [&ipv6[..], &ipv6, &[0, 1, 0, 2]].concat();
    let with_tlvs = [IPV4, &[3, 0, 4, 1, 2, 3, 4, 0xee, 0, 0]].concat();
    let named = || ends("192.0.2.1:50000", "203.0.113.5:443");
    for (header, expected) in [
        (binary(0x21, 0x11, IPV4), named()),
        (binary(0x21, 0x11, &with_tlvs), named()),
        // Not even what follows the addresses need be right.
        (binary(0x21, 0x11, &[IPV4, &[1, 0xff]].concat()), named()),
        (
            binary(0x21, 0x21, &ipv6),
            ends("[2001:db8::1]:1", "[2001:db8::1]:2"),
        ),
        (binary(0x20, 0x11, IPV4), Ok(None)),
        (binary(0x20, 0xff, b"whatever"), Ok(None)),
        (binary(0x20, 0, b""), Ok(None)),
        (binary(0x21, 0, b""), Ok(None)),
        (binary(0x21, 0x12, IPV4), Ok(None)),
        (binary(0x21, 0x31, &[0; 216]), Ok(None)),
    ] {
        assert_eq!(parse(&header), expected, "{header:?}");
    }
    for header in [
        binary(0x11, 0x11, IPV4),
        binary(0x31, 0x11, IPV4),
        binary(0x22, 0x11, IPV4),
        binary(0x21, 0x41, IPV4),
        binary(0x21, 0x13, IPV4),
        binary(0x21, 0x11, &IPV4[1..]),
        binary(0x21, 0x21, IPV4),
        binary(0x21, 0x31, IPV4),
        [&binary(0x21, 0x11, IPV4)[..], b"x"].concat(),
    ] {
        assert_eq!(parse(&header), Err(Malformed), "{header:?}");
    }
    let whole = binary(0x21, 0x11, IPV4);
    for length in 0..whole.len() {
        assert_eq!(parse(&whole[..length]), Err(Malformed), "{length}");
    }
}

/// In whatever pieces it comes, what follows it is left where it is.
#[tokio::test]
async fn not_an_octet_more_is_read() {
    let line = b"PROXY TCP4 192.0.2.1 203.0.113.5 50000 443\r\n".to_vec();
    let headers = [
        line,
        b"PROXY UNKNOWN\r\n".to_vec(),
        binary(0x21, 0x11, &[IPV4, &[4; 5000]].concat()),
    ];
    for header in headers {
        let octets = [&header[..], b"\x16\x03\x01 and so on\n"].concat();
        for size in [1, 5, 12, 13, octets.len()] {
            let (mut near, far) = UnixStream::pair().unwrap();
            let mut far = Socket::Unix(far);
            let send = async {
                for piece in octets.chunks(size) {
                    near.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
                drop(near);
            };
            let (received, ()) = tokio::join!(
                async {
                    let received = receive(&mut far).await.unwrap();
                    let mut rest = Vec::new();
                    far.read_to_end(&mut rest).await.unwrap();
                    (received, rest)
                },
                send
            );
            assert_eq!(received.0, parse(&header).unwrap());
            assert_eq!(received.1, b"\x16\x03\x01 and so on\n");
        }
    }
}

#[tokio::test]
async fn what_never_ends_is_given_up() {
    for octets in [
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "PROXY TCP4 ".repeat(50),
        // One that ends early.
        "PROXY TCP4 192.0.2.1".to_owned(),
        "PROXY".to_owned(),
    ] {
        let (mut near, far) = UnixStream::pair().unwrap();
        near.write_all(octets.as_bytes()).await.unwrap();
        drop(near);
        assert!(receive(&mut Socket::Unix(far)).await.is_err(), "{octets}");
    }
}
