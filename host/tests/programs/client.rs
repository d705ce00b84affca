//! A client with cookies, as a browser is. Each request has a connection of its own.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;

const BOUNDARY: &str = "a-boundary-that-is-in-no-file";

/// A client of one server.
pub struct Client {
    addr: String,
    cookies: BTreeMap<String, String>,
}

/// What is asked.
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The target.
    pub target: &'a str,
    /// Header fields beside those that each request has.
    pub headers: Vec<(String, String)>,
    /// The fields of a form.
    pub form: Option<Vec<(String, String)>>,
    /// The files of a form: the name of the field, and the file's with what is in it.
    pub files: Option<Vec<(String, String)>>,
    /// A body as it is.
    pub body: Option<String>,
}

/// What is answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Head and body.
    pub text: String,
}

impl Client {
    /// One without cookies.
    pub fn new(addr: &str) -> Self {
        Client {
            addr: addr.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Asks, and keeps the cookies of the answer.
    pub fn ask(&mut self, request: &Request<'_>) -> Answer {
        let (kind, body) = request.content();
        let mut head = format!(
            "{} {} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\n",
            request.method,
            request.target,
            self.addr,
            body.len()
        );
        if let Some(kind) = kind {
            write!(head, "Content-Type: {kind}\r\n").unwrap();
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().collect();
            let cookies: Vec<_> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            write!(head, "Cookie: {}\r\n", cookies.join("; ")).unwrap();
        }
        for (name, value) in &request.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .unwrap();
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        let text = String::from_utf8_lossy(&octets).into_owned();
        let status = text
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        for line in text.lines().take_while(|line| !line.is_empty()) {
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("set-cookie")
                && let Some((name, value)) = value.split(';').next().unwrap().split_once('=')
            {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Answer {
            status: status.unwrap_or_else(|| panic!("no answer: {text:?}")),
            text,
        }
    }
}

impl Request<'_> {
    /// Its body, and of which type that is.
    fn content(&self) -> (Option<String>, String) {
        let form = self.form.clone().unwrap_or_default();
        if let Some(files) = &self.files {
            let mut body = String::new();
            for (name, value) in form {
                write!(body, "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").unwrap();
            }
            for (name, file) in files {
                let (file, text) = file.split_once(':').expect("a name and a text");
                write!(
                    body,
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
                     Content-Type: application/octet-stream\r\n\r\n{text}\r\n"
                )
                .unwrap();
            }
            write!(body, "--{BOUNDARY}--\r\n").unwrap();
            return (
                Some(format!("multipart/form-data; boundary={BOUNDARY}")),
                body,
            );
        }
        if let Some(body) = &self.body {
            return (None, body.clone());
        }
        if self.form.is_none() {
            return (None, String::new());
        }
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<_> = form
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        (
            Some("application/x-www-form-urlencoded".into()),
            pairs.join("&"),
        )
    }
}
