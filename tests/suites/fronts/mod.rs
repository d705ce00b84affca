//! Behind a front that keeps its connections: front and host agree about where
//! each request of gunicorn's corpus ends.

mod front;

use crate::corpus::{Case, cases, with_host};
use front::{FROM_BEHIND, Front, KINDS, Kind};
use rhost_tests::Test;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// For an answer that does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the guest was told, of which a client can be sure behind a front.
#[derive(Debug, PartialEq, Deserialize)]
struct Seen {
    method: String,
    body: String,
}

/// Hostile client 46.
#[tokio::test(flavor = "multi_thread")]
async fn fronts_agree_about_where_a_request_ends() {
    let Some(cases) = cases() else { return };
    for kind in KINDS {
        agrees(kind, &cases).await;
    }
}

async fn agrees(kind: &Kind, cases: &[Case]) {
    let server = Test::serving("echoes").body_timeout("2s").start().await;
    let Some(front) = kind.start(server.addr).await else {
        return;
    };
    let mut faults = String::new();
    let mut answered = Vec::new();
    let mut ports = BTreeSet::new();
    for (number, case) in cases.iter().enumerate() {
        let received = exchange(&front, &with_host(&case.octets)).await;
        let fields = received.to_ascii_lowercase();
        answered.push(fields.matches(&format!("\r\n{FROM_BEHIND}: ")).count());
        if let Some(fault) = misread(case, &received) {
            faults += &format!("{}: {fault}\n", case.name);
        }
        // What a case left on the connection behind would be taken for the
        // beginning of these.
        for last in [false, true] {
            match probe(&front, number).await {
                Ok(port) => drop(ports.insert(port)),
                // That connection may just be closing.
                Err(fault) if !last && !fault.contains(FROM_BEHIND) => {}
                Err(fault) => faults += &format!("after {}: {fault}\n", case.name),
            }
        }
    }
    drop(front);
    let log = server.stop().await.access_log;
    for (number, case) in cases.iter().enumerate() {
        let arrived = between_probes(&log, number);
        if arrived.len() > answered[number] {
            faults += &format!(
                "{}: {} answers came through, and these requests arrived: {arrived:#?}\n",
                case.name, answered[number]
            );
        }
    }
    assert!(faults.is_empty(), "{}\n{faults}", kind.name);
    // Else nothing could have been left for another request.
    assert!(
        ports.len() < cases.len(),
        "{} made {} connections",
        kind.name,
        ports.len()
    );
}

/// Sends a case, ends its side, since not all of them end by themselves, and reads
/// what comes.
async fn exchange(front: &Front, octets: &str) -> String {
    let mut stream = front.connect().await;
    let octets: Vec<u8> = octets.chars().map(|octet| octet as u8).collect();
    let _ = stream.write_all(&octets).await;
    let _ = stream.shutdown().await;
    read(stream).await
}

async fn read(mut stream: UnixStream) -> String {
    let mut received = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut received)).await;
    received.into_iter().map(char::from).collect()
}

/// How what the guest saw of a valid case differs from what was meant, if it does.
/// A front may refuse it, and the rest after it.
fn misread(case: &Case, received: &str) -> Option<String> {
    let meant = case.requests.as_ref()?;
    let seen = received
        .split("\r\n\r\n")
        .filter_map(|part| {
            let mut values = serde_json::Deserializer::from_str(part).into_iter::<Seen>();
            let seen = values.next()?.ok()?;
            Some(Seen {
                method: seen.method.to_uppercase(),
                ..seen
            })
        })
        .collect::<Vec<_>>();
    let meant: Vec<_> = meant
        .iter()
        .map(|request| Seen {
            // One case means it folded, which is gunicorn's affair.
            method: request.method.to_uppercase(),
            body: request.body.clone(),
        })
        .collect();
    (!meant.starts_with(&seen)).then(|| format!("{meant:?} was meant, and {seen:?} arrived"))
}

/// A request that is right, after a case. Returns the port that the front sent it
/// from.
async fn probe(front: &Front, number: usize) -> Result<u16, String> {
    let request =
        format!("GET /probe/{number}/ HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n");
    let mut stream = front.connect().await;
    let _ = stream.write_all(request.as_bytes()).await;
    let received = read(stream).await;
    let is_its_own = received.starts_with("HTTP/1.1 200")
        && received.contains(&format!("\"path\":\"/probe/{number}/\""));
    let port = received.split_once("\"port\":");
    let port = port.and_then(|(_, rest)| rest.split_once(',')?.0.parse().ok());
    match port {
        Some(port) if is_its_own => Ok(port),
        _ => Err(format!(
            "a probe was answered {:?}",
            received.to_ascii_lowercase()
        )),
    }
}

/// The requests of a case that were answered by the guest, from the access log.
fn between_probes(log: &str, number: usize) -> Vec<&str> {
    let is_probe = |line: &&str, number: usize| line.contains(&format!(" /probe/{number}/ "));
    log.lines()
        .skip_while(|line| number > 0 && !is_probe(line, number - 1))
        .take_while(|line| !is_probe(line, number))
        .filter(|line| !line.contains(" /probe/") && !may_lack_an_answer(line))
        .collect()
}

/// Whether the answer to a request may not come through, and its line come late. A
/// front that has begun to send one and then meets a fault in its body tells the
/// client itself; and it ends what would be a tunnel with the client's side.
fn may_lack_an_answer(line: &str) -> bool {
    line.contains("\"CONNECT ") || line.contains("\" 400 ") || line.contains("\" 499 ")
}

/// A server that takes every empty line for the end of a request is found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_disagrees_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(mistake(stream, peer));
        }
    });
    for kind in KINDS {
        let Some(front) = kind.start(addr).await else {
            return;
        };
        probe(&front, 0)
            .await
            .expect("nothing has been smuggled yet");
        let smuggled = "POST / HTTP/1.1\r\nHost: probe\r\nContent-Length: 39\r\n\r\n\
                        GET /smuggled HTTP/1.1\r\nHost: probe\r\n\r\n";
        let mut fault = None;
        // The answer that is too many is seen if it came before the front had
        // looked whether there is one.
        for _ in 0..100 {
            exchange(&front, smuggled).await;
            fault = fault.or(probe(&front, 1).await.err());
        }
        assert!(fault.is_some(), "{}", kind.name);
    }
}

async fn mistake(mut stream: TcpStream, peer: SocketAddr) {
    let mut received = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut received).await {
        let text = String::from_utf8_lossy(&received).into_owned();
        let mut requests: Vec<_> = text.split("\r\n\r\n").collect();
        let rest = requests.pop().unwrap_or_default().as_bytes().to_vec();
        for request in requests {
            let path = request.split(' ').nth(1).unwrap_or_default();
            let body = format!(
                "{{\"path\":\"{path}\",\"port\":{},\"body\":\"\"}}",
                peer.port()
            );
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            if stream.write_all((head + &body).as_bytes()).await.is_err() {
                return;
            }
        }
        received = rest;
    }
}
