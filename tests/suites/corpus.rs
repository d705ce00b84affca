//! gunicorn's corpus of requests, fetched.

use crate::fetch;
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the fetching script exits with when there is nothing to fetch from.
const NOT_FETCHED: i32 = 75;

/// A case of the corpus. Octets are text in ISO 8859-1 here.
#[derive(Deserialize)]
pub struct Case {
    /// `invalid/` or `valid/`, and the name of its file.
    pub name: String,
    /// What a client sends.
    pub octets: String,
    /// Only a valid case has them.
    pub requests: Option<Vec<Expected>>,
}

impl Case {
    /// Whether it begins with a header of the PROXY protocol, and is right so.
    pub fn speaks_for_a_client(&self) -> bool {
        let signature = ["PROXY ", "\r\n\r\n\0\r\nQUIT\n"];
        let begins = signature
            .iter()
            .any(|octets| self.octets.starts_with(octets));
        self.requests.is_some() && begins
    }
}

/// A request as it was meant.
#[derive(Deserialize)]
pub struct Expected {
    pub method: String,
    pub uri: Target,
    pub version: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A target, and its parts.
#[derive(Deserialize)]
pub struct Target {
    pub raw: String,
    pub path: String,
    pub query: String,
}

/// All cases, or none where they cannot be fetched.
pub fn cases() -> Option<Vec<Case>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/gunicorn_corpus.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(fetch::directory("gunicorn"))
        .stderr(Stdio::inherit())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            fetch::is_missing("gunicorn's corpus", &format!("python3: {error}"));
            return None;
        }
    };
    if output.status.code() == Some(NOT_FETCHED) {
        fetch::is_missing("gunicorn's corpus", "pip could not download it");
        return None;
    }
    assert!(output.status.success(), "the script failed");
    Some(serde_json::from_slice(&output.stdout).expect("the script prints cases"))
}

/// With a Host in each head of HTTP/1.1 that has none. Lines that only look like
/// the first of a head, in the body of one before, stay as they are.
pub fn with_host(octets: &str) -> String {
    const LINE_END: &str = " HTTP/1.1\r\n";
    let mut result = String::new();
    let mut is_first_line = false;
    for part in octets.split_inclusive(LINE_END) {
        let head = part.split("\r\n\r\n").next().unwrap_or("");
        let has_host = format!("\r\n{head}")
            .to_ascii_lowercase()
            .contains("\r\nhost:");
        if is_first_line && !has_host {
            result += "Host: added\r\n";
        }
        result += part;
        is_first_line = part.ends_with(LINE_END) && !is_body(&result);
    }
    result
}

/// Whether what `octets` ends with is the body of the one case that has a request
/// for a body.
fn is_body(octets: &str) -> bool {
    octets.ends_with("Content-Length: 24\r\n\r\nGET /second HTTP/1.1\r\n")
}
