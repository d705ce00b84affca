//! TLS: the right certificate, the right protocol, and what the app is told.

use rhost_tests::{Authority, Client, Test};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::HandshakeKind;

const H1: &[&str] = &["http/1.1"];

#[tokio::test(flavor = "multi_thread")]
async fn the_name_asked_for_chooses_the_certificate() {
    let authority = Authority::new();
    let files = ["one.test", "*.two.test"].map(|name| authority.certify(name));
    let server = Test::serving("hello").tls(files, None).start().await;
    for host in ["one.test", "a.two.test"] {
        let answer = authority.client_of(server.addr, host).await.get("/").await;
        assert_eq!(answer.text(), "Hello, world!\n");
    }
    // One that none is for gets the first, which it does not take.
    let other = authority.connect(server.addr, "three.test", H1, None).await;
    let error = other.unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
}

/// Conformance 8, 13.
#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_told() {
    let authority = Authority::new();
    let files = [authority.certify("one.test")];
    let server = Test::serving("environ").tls(files, None).start().await;
    let mut client = authority.client_of(server.addr, "one.test").await;
    let answer = client.get("/").await;
    for line in [
        "wsgi.url_scheme = 'https'",
        "SERVER_PROTOCOL = 'HTTP/1.1'",
        // The port that https means when a host names none.
        "SERVER_PORT = '443'",
        "tls.version = 'TLSv1.3'",
        "tls.sni = 'one.test'",
    ] {
        assert!(answer.text().contains(line), "{line}\n{}", answer.text());
    }
    assert!(answer.text().contains("tls.cipher = 'TLS_"));
    assert!(!answer.text().contains("tls.client"));

    let stream = authority.connect(server.addr, "one.test", &["h2", "http/1.1"], None);
    let stream = stream.await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let answer = Client::http2_over(stream).await.get("/").await;
    assert!(answer.text().contains("SERVER_PROTOCOL = 'HTTP/2.0'"));
}

/// A session that goes on (RFC 8446 section 2.2) is for the name that is asked for then.
#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_is_known_and_the_app_told_as_before() {
    let authority = Authority::new();
    let files = [authority.certify("one.test")];
    let server = Test::serving("environ").tls(files, None).start().await;
    let connector = authority.connector(H1, None);
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let stream = TcpStream::connect(server.addr).await.unwrap();
        let name = "one.test".try_into().unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
        let answer = Client::http1_over(stream).await.get("/").await;
        assert!(answer.text().contains("tls.sni = 'one.test'"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_show_who_it_is() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let files = [authority.certify("one.test")];
    let ca = authority.file();
    let server = Test::serving("environ").tls(files, Some(&ca)).start().await;
    let connect = |identity| authority.connect(server.addr, "one.test", H1, identity);

    let stream = connect(Some(authority.client("Ada"))).await.unwrap();
    let answer = Client::http1_over(stream).await.get("/").await;
    assert!(
        answer.text().contains("tls.client-subject = 'CN=Ada'"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("tls.client-sha256 = '"));

    // It need not.
    let answer = Client::http1_over(connect(None).await.unwrap())
        .await
        .get("/")
        .await;
    assert!(!answer.text().contains("tls.client"));

    // One that nobody vouches for is turned away, before any request.
    if let Ok(mut stream) = connect(Some(stranger.client("Eve"))).await {
        let _ = stream
            .write_all(b"GET / HTTP/1.1\r\nhost: one.test\r\n\r\n")
            .await;
        let mut got = Vec::new();
        assert!(stream.read_to_end(&mut got).await.is_err() && got.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_read_again_and_connections_stay() {
    let authority = Authority::new();
    let files = authority.certify("one.test");
    let server = Test::serving("hello")
        .tls([files.clone()], None)
        .inside("it has certificates read again")
        .start()
        .await;
    let mut before = authority.client_of(server.addr, "one.test").await;
    assert_eq!(before.get("/").await.status, 200);

    let shown = || async {
        let stream = authority
            .connect(server.addr, "one.test", H1, None)
            .await
            .unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let old = shown().await;
    // A key that is not the certificate's, as between two writes: all stays.
    std::fs::copy(authority.certify("other.test").key, &files.key).unwrap();
    assert!(server.certificates().reread().is_err());
    assert_eq!(shown().await, old);
    authority.certify("one.test");
    assert!(server.certificates().reread().unwrap());
    assert_ne!(shown().await, old);
    assert!(!server.certificates().reread().unwrap(), "nothing changed");
    assert_eq!(before.get("/").await.status, 200);
}

/// Conformance 47.
#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_handshake_is_ended_and_holds_up_nobody() {
    let authority = Authority::new();
    let files = [authority.certify("one.test")];
    let test = Test::serving("hello").tls(files, None);
    let server = test.handshake_timeout("100ms").start().await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let mut halfway = TcpStream::connect(server.addr).await.unwrap();
    // The beginning of a record that says it has 512 octets.
    halfway.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    let mut plain = TcpStream::connect(server.addr).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nhost: one.test\r\n\r\n")
        .await
        .unwrap();
    let mut client = authority.client_of(server.addr, "one.test").await;
    assert_eq!(client.get("/").await.status, 200);
    for stream in [&mut silent, &mut halfway] {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(!rest.starts_with(b"HTTP"), "nothing is said in the clear");
    }
    // But for where to ask, to who asks in the clear.
    let mut told = String::new();
    plain.read_to_string(&mut told).await.unwrap();
    assert!(told.starts_with("HTTP/1.1 400 "), "{told}");
    assert!(told.ends_with("use https://one.test/\n"), "{told}");
    // Whoever is through with it has all the time that requests have.
    assert_eq!(client.get("/").await.status, 200);
}
