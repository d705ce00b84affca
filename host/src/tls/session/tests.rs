use super::*;
use rcgen::generate_simple_self_signed;
use std::io::{Read, Write as _};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion,
};

/// A client, a server, and the way between them, which carries `step` octets at a time.
struct Pair {
    client: ClientConnection,
    server: Session,
    step: usize,
    /// What the server was sent.
    received: Vec<u8>,
    /// What the client was sent.
    answered: Vec<u8>,
}

impl Pair {
    fn new(version: &'static SupportedProtocolVersion, step: usize) -> Self {
        let made = generate_simple_self_signed(["test".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("test").unwrap();
        Pair {
            client: ClientConnection::new(Arc::new(client), name).unwrap(),
            server: Session::new(Arc::new(server)).unwrap(),
            step,
            received: Vec::new(),
            answered: Vec::new(),
        }
    }

    /// One whose handshake is done.
    fn met(version: &'static SupportedProtocolVersion) -> Self {
        let mut pair = Pair::new(version, usize::MAX);
        pair.carry();
        assert!(!pair.server.connection().is_handshaking());
        assert!(!pair.client.is_handshaking());
        pair
    }

    /// Carries what there is, both ways, until there is nothing.
    fn carry(&mut self) {
        loop {
            let mut records = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut records).unwrap();
            }
            let outgoing = self.server.outgoing().len();
            if records.is_empty() && outgoing == 0 {
                return;
            }
            for piece in records.chunks(self.step) {
                self.give(piece).unwrap();
            }
            while !self.server.outgoing().is_empty() {
                let outgoing = self.server.outgoing();
                let mut piece = &outgoing[..outgoing.len().min(self.step)];
                let sent = self.client.read_tls(&mut piece).unwrap();
                self.client.process_new_packets().unwrap();
                // It would rather wait for more.
                let _ = self.client.reader().read_to_end(&mut self.answered);
                self.server.sent(sent);
            }
        }
    }

    /// Gives the server what has come for it, as its stream does.
    fn give(&mut self, piece: &[u8]) -> io::Result<()> {
        let mut records = [self.server.incomplete(), piece].concat();
        // Less than a record carries: the rest is to wait.
        let mut room = [0; 1000];
        let mut to = ReadBuf::new(&mut room);
        let received = self.server.receive(&mut records, &mut to);
        self.received.extend_from_slice(to.filled());
        loop {
            let mut room = [0; 1000];
            let mut to = ReadBuf::new(&mut room);
            if !self.server.take(&mut to) {
                return received;
            }
            self.received.extend_from_slice(to.filled());
        }
    }

    fn write_all(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let written = self.server.write(&[IoSlice::new(text)]).unwrap();
            text = &text[written..];
        }
    }
}

fn much() -> Vec<u8> {
    (0..40_000_u32).map(|number| number as u8).collect()
}

#[test]
fn what_is_said_arrives_however_it_is_cut() {
    for version in [&TLS12, &TLS13] {
        for step in [1, 7, 4096, usize::MAX] {
            let mut pair = Pair::new(version, step);
            pair.carry();
            assert!(!pair.server.connection().is_handshaking());
            pair.client.writer().write_all(&much()).unwrap();
            pair.write_all(&much());
            pair.carry();
            assert!(pair.received == much(), "{step} octets at a time");
            assert!(pair.answered == much(), "{step} octets at a time");
        }
    }
}

/// Data right behind the handshake is for whoever reads first.
#[test]
fn what_comes_with_the_end_of_the_handshake_is_kept() {
    let mut pair = Pair::new(&TLS13, usize::MAX);
    pair.client.writer().write_all(b"early bird").unwrap();
    pair.carry();
    assert_eq!(pair.received, b"early bird");
}

#[test]
fn an_idle_connection_keeps_no_buffers() {
    for version in [&TLS12, &TLS13] {
        let mut pair = Pair::met(version);
        pair.client.writer().write_all(&much()).unwrap();
        pair.write_all(&much());
        pair.carry();
        let server = &pair.server;
        assert_eq!(server.incomplete.capacity(), 0);
        assert_eq!(server.plain.capacity(), 0);
        assert_eq!(server.outgoing.capacity(), 0);
    }
}

/// What came of a record is all that waits for the rest, and not room for more.
#[test]
fn a_record_in_part_costs_what_came_of_it() {
    let mut pair = Pair::met(&TLS13);
    pair.client.writer().write_all(&much()).unwrap();
    let mut records = Vec::new();
    pair.client.write_tls(&mut records).unwrap();
    pair.give(&records[..10]).unwrap();
    assert_eq!(pair.server.incomplete.capacity(), 10);
    // An answer need not wait for it.
    pair.write_all(b"meanwhile");
    assert_eq!(pair.server.incomplete(), &records[..10]);
    pair.give(&records[10..]).unwrap();
    pair.carry();
    assert!(pair.received == much());
    assert_eq!(pair.answered, b"meanwhile");
}

#[test]
fn slices_leave_in_one_record() {
    let mut pair = Pair::met(&TLS13);
    let slices = ["head", "", "body", ""].map(|text| IoSlice::new(text.as_bytes()));
    assert_eq!(pair.server.write(&slices).unwrap(), 8);
    let outgoing = pair.server.outgoing();
    let length = u16::from_be_bytes([outgoing[3], outgoing[4]]);
    assert_eq!(outgoing.len(), 5 + usize::from(length));
    pair.carry();
    assert_eq!(pair.answered, b"headbody");
    assert_eq!(pair.server.write(&[]).unwrap(), 0);
    assert_eq!(pair.server.write(&slices[1..2]).unwrap(), 0);
}

/// A frame of HTTP/2 as long as may be is one record, beside its head, and not cut anew.
#[test]
fn long_slices_have_records_of_their_own() {
    let mut pair = Pair::met(&TLS13);
    let (head, body) = ([0; 9], [1; FRAGMENT]);
    let slices = [IoSlice::new(&head), IoSlice::new(&body)];
    assert_eq!(pair.server.write(&slices).unwrap(), head.len());
    assert_eq!(pair.server.write(&slices[1..]).unwrap(), body.len());
    pair.carry();
    assert!(pair.answered == [&head[..], &body].concat());
}

/// Either side may want new keys at any time (RFC 8446 section 4.6.3).
#[test]
fn keys_may_change() {
    let mut pair = Pair::met(&TLS13);
    for _ in 0..3 {
        pair.client.refresh_traffic_keys().unwrap();
        pair.client.writer().write_all(b"new keys").unwrap();
        pair.carry();
        pair.write_all(b"as you like");
        pair.carry();
        assert_eq!(std::mem::take(&mut pair.received), b"new keys");
        assert_eq!(std::mem::take(&mut pair.answered), b"as you like");
    }
}

/// RFC 8446 section 6.1: each side ends what it sends, and no more than that.
#[test]
fn the_end_of_one_side_is_not_that_of_the_other() {
    for version in [&TLS12, &TLS13] {
        let mut pair = Pair::met(version);
        pair.client.writer().write_all(b"that is all").unwrap();
        pair.client.send_close_notify();
        assert!(!pair.server.has_ended());
        pair.carry();
        assert!(pair.server.has_ended());
        assert_eq!(pair.received, b"that is all");
        pair.write_all(b"but not from me");
        pair.server.close().unwrap();
        pair.server.close().unwrap();
        assert!(pair.server.write(&[IoSlice::new(b"more")]).is_err());
        pair.carry();
        assert_eq!(pair.answered, b"but not from me");
        // Of a side that has not ended, there would be more to wait for.
        assert_eq!(pair.client.reader().read(&mut [0]).unwrap(), 0);
    }
}

/// The kind of record that an alert is in.
const ALERT: u8 = 21;

#[test]
fn what_is_not_tls_is_told_so() {
    let mut pair = Pair::new(&TLS13, usize::MAX);
    let error = pair
        .give(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(pair.server.outgoing()[0], ALERT);
}

#[test]
fn a_record_that_was_changed_on_its_way_is_refused() {
    let mut pair = Pair::met(&TLS13);
    pair.client.writer().write_all(b"pay 1").unwrap();
    let mut records = Vec::new();
    pair.client.write_tls(&mut records).unwrap();
    *records.last_mut().unwrap() ^= 1;
    assert!(pair.give(&records).is_err());
    assert!(pair.received.is_empty());
    // Encrypted, so it says that it carries data.
    assert!(!pair.server.outgoing().is_empty());
    assert!(pair.client.read_tls(&mut pair.server.outgoing()).is_ok());
    let told = pair.client.process_new_packets().unwrap_err();
    assert!(told.to_string().contains("BadRecordMac"), "{told}");
}

/// A message that never ends, an octet to a record, costs no more than one that does.
#[test]
fn a_message_of_the_handshake_is_not_held_for_ever() {
    let mut pair = Pair::new(&TLS13, usize::MAX);
    // A client's hello of 65,520 octets.
    let head = [22, 3, 1, 0, 4, 1, 0, 0xff, 0xf0];
    pair.give(&head).unwrap();
    let octets = [22, 3, 1, 0, 1, 0].repeat(1000);
    let mut given = head.len();
    let error = loop {
        given += octets.len();
        match pair.give(&octets) {
            Ok(()) => assert!(given <= INCOMPLETE + RECORD),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("too long"), "{error}");
}
