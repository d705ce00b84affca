//! gunicorn's corpus of requests, over a socket: whatever is invalid is refused,
//! and whatever is valid reaches the app as it was meant.

use crate::corpus::{Case, Expected, cases, with_host};
use crate::triage::Triage;
use percent_encoding::percent_decode_str;
use rhost_tests::{Server, Test};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// For an answer that does not come; then the case is not met.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the guest was told.
#[derive(Debug, PartialEq, Deserialize)]
struct Seen {
    method: String,
    uri: String,
    path: String,
    query: String,
    version: String,
    content_type: Option<String>,
    content_length: Option<u64>,
    headers: Vec<(String, String)>,
    body: String,
}

/// Conformance 1, 2, 5, 6, 9-11 and 17-19, and hostile clients 42 and 46.
#[tokio::test(flavor = "multi_thread")]
async fn gunicorns_corpus() {
    let Some(cases) = cases() else { return };
    let invalid = cases.iter().filter(|case| case.requests.is_none()).count();
    assert_eq!((invalid, cases.len() - invalid), (81, 62));
    // One case announces more than it sends, and waits for as long as it may.
    let test = || Test::serving("echoes").body_timeout("2s");
    let server = test().start().await;
    let behind_proxy = test().trusted_proxy("127.0.0.1").proxy_protocol();
    let behind_proxy = behind_proxy.start().await;
    let mut unmet = BTreeMap::new();
    for case in &cases {
        let server = match case.speaks_for_a_client() {
            true => &behind_proxy,
            false => &server,
        };
        if let Err(how) = meet(server, case).await {
            unmet.insert(case.name.clone(), how);
        }
    }
    let all = cases.into_iter().map(|case| case.name).collect();
    Triage::parse(include_str!("gunicorn.toml")).check(&all, &unmet);
}

async fn meet(server: &Server, case: &Case) -> Result<(), String> {
    let Some(requests) = &case.requests else {
        let statuses = statuses(&exchange(server, &case.octets, usize::MAX).await);
        return match statuses.last() {
            Some(400..=599) => Ok(()),
            _ => Err(format!("answered {statuses:?}")),
        };
    };
    // gunicorn does without Host in HTTP/1.1, and its corpus too. RFC 9112, section
    // 3.2, has that refused; with one, the case must be met.
    let octets = with_host(&case.octets);
    if requests.iter().any(Expected::lacks_host) {
        let statuses = statuses(&exchange(server, &case.octets, usize::MAX).await);
        if statuses.last() != Some(&400) {
            return Err(format!("answered {statuses:?} without Host"));
        }
    }
    let answers = exchange(server, &octets, requests.len()).await;
    let expected: Vec<Seen> = requests.iter().map(|request| request.seen()).collect();
    let seen: Result<Vec<Seen>, _> = answers
        .iter()
        .map(|(_, body)| serde_json::from_str(body))
        .collect();
    match seen {
        Ok(seen) if seen == expected => Ok(()),
        Ok(seen) => Err(format!("expected {expected:?}, seen {seen:?}")),
        Err(_) => Err(format!("answered {:?}", statuses(&answers))),
    }
}

impl Expected {
    /// Whether it is refused unless it is given a Host.
    fn lacks_host(&self) -> bool {
        let has_host = self.headers.iter().any(|(name, _)| name == "HOST");
        self.version == "HTTP/1.1" && !has_host
    }

    /// What the gateway makes of it (docs/gateway.md, "environ").
    fn seen(&self) -> Seen {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        let mut take = |wanted: &str| {
            let at = headers.iter().position(|(name, _)| name == wanted)?;
            Some(headers.remove(at).1)
        };
        let content_type = take("content-type");
        let content_length = take("content-length").and_then(|length| length.parse().ok());
        headers.retain(|(name, _)| !name.contains('_'));
        if self.lacks_host() {
            headers.insert(0, ("host".to_owned(), "added".to_owned()));
        }
        let path = match self.method.as_str() {
            // The target of CONNECT has no path.
            "CONNECT" => String::new(),
            _ => percent_decode_str(&self.uri.path).map(char::from).collect(),
        };
        Seen {
            method: self.method.clone(),
            uri: self.uri.raw.clone(),
            path,
            query: self.uri.query.clone(),
            version: self.version.clone(),
            content_type,
            content_length,
            headers,
            body: self.body.clone(),
        }
    }
}

/// Sends `octets`, and reads so many answers, or until the server closes.
async fn exchange(server: &Server, octets: &str, count: usize) -> Vec<(u16, String)> {
    let mut stream = server.connect().await;
    let octets: Vec<u8> = octets.chars().map(|octet| octet as u8).collect();
    let _ = stream.write_all(&octets).await;
    if count == usize::MAX {
        // What is to be refused may be so because it ends. Elsewhere this would
        // mean that the client has left.
        let _ = stream.shutdown().await;
    }
    let mut received = Vec::new();
    let reading = async {
        while answers(&received).len() < count {
            if stream.read_buf(&mut received).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    answers(&received)
}

/// The answers that are whole. All have a Content-Length: guest and host answer in
/// one block.
fn answers(received: &[u8]) -> Vec<(u16, String)> {
    let mut text: String = received.iter().map(|&octet| octet as char).collect();
    let mut answers = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let (Some(status), Some(length)) = (status, length) else {
            break;
        };
        let Some(body) = rest.get(..length) else {
            break;
        };
        answers.push((status, body.to_owned()));
        text = rest[length..].to_owned();
    }
    answers
}

fn statuses(answers: &[(u16, String)]) -> Vec<u16> {
    answers.iter().map(|(status, _)| *status).collect()
}
