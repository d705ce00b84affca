//! A client that sends what it is told, and notes what comes.

use super::ask::{Ask, Payload, Protocol};
use super::outgoing::Outgoing;
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::hash::{DefaultHasher, Hasher};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// Octets of an answer after which it is taken for one that does not end.
const MOST: u64 = 64 << 20;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its fields.
    pub headers: HeaderMap,
    /// Octets of its body, as far as they were read.
    pub octets: u64,
    /// Their digest.
    pub digest: u64,
    /// How it ended.
    pub end: End,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Whole,
    /// The server cut it.
    Cut,
    /// The client left, as it was told to.
    Left,
    /// The client left, as there was no end.
    Endless,
}

/// Speaks to one server.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Where it is.
    pub addr: SocketAddr,
    /// How long to wait for the head of an answer: longer than the server lets an
    /// app take.
    pub patience: Duration,
    /// How long to read an answer that does not end.
    pub wait: Duration,
}

/// A connection, which ends when this is dropped.
struct Connection<S> {
    sender: S,
    task: JoinHandle<()>,
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Sends a request over a connection of its own, and reads the answer; none
    /// when the connection ended without one.
    pub async fn send(&self, ask: &Ask) -> Option<Answer> {
        if matches!(ask.payload, Payload::Broken | Payload::CutShort) {
            return timeout(self.patience, self.send_octets(ask)).await.ok()?;
        }
        let request = self.request(ask)?;
        let stream = TokioIo::new(TcpStream::connect(self.addr).await.ok()?);
        match ask.protocol {
            Protocol::Http2 => {
                let (sender, connection) =
                    http2::handshake(TokioExecutor::new(), stream).await.ok()?;
                let task = tokio::spawn(async { drop(connection.await) });
                let mut connection = Connection { sender, task };
                let answer = connection.sender.send_request(request);
                let response = timeout(self.patience, answer).await.ok()?.ok()?;
                Some(self.read(response, ask.leaves).await)
            }
            Protocol::Http10 | Protocol::Http11 => {
                let (sender, connection) = http1::handshake(stream).await.ok()?;
                let task = tokio::spawn(async { drop(connection.await) });
                let mut connection = Connection { sender, task };
                let answer = connection.sender.send_request(request);
                let response = timeout(self.patience, answer).await.ok()?.ok()?;
                Some(self.read(response, ask.leaves).await)
            }
        }
    }

    fn request(&self, ask: &Ask) -> Option<Request<Outgoing>> {
        let (body, release) = Outgoing::new(&ask.payload);
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(ask.method.as_bytes()).ok()?;
        let authority = self.addr.to_string();
        let mut uri = http::uri::Parts::default();
        uri.path_and_query = Some(PathAndQuery::try_from(ask.target.as_str()).ok()?);
        let headers = request.headers_mut();
        for (name, value) in &ask.fields {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).ok()?,
            );
        }
        match ask.protocol {
            Protocol::Http2 => {
                uri.scheme = Some(Scheme::HTTP);
                uri.authority = Some(Authority::try_from(authority).ok()?);
                *request.version_mut() = Version::HTTP_2;
            }
            Protocol::Http11 => {
                headers.insert("host", HeaderValue::try_from(authority).ok()?);
            }
            Protocol::Http10 => {
                headers.insert("host", HeaderValue::try_from(authority).ok()?);
                *request.version_mut() = Version::HTTP_10;
            }
        }
        *request.uri_mut() = Uri::from_parts(uri).ok()?;
        if let Some(release) = release {
            request
                .headers_mut()
                .insert("expect", HeaderValue::from_static("100-continue"));
            // Whatever the server says before its answer, it is 100.
            hyper::ext::on_informational(&mut request, move |_| release.notify_one());
        }
        Some(request)
    }

    async fn read(&self, response: Response<Incoming>, leaves: bool) -> Answer {
        let (head, mut body) = response.into_parts();
        let mut digest = DefaultHasher::new();
        let mut octets = 0;
        let until = Instant::now() + self.wait;
        let end = loop {
            if leaves {
                break End::Left;
            }
            match timeout_at(until, body.frame()).await {
                Err(_) => break End::Endless,
                Ok(None) => break End::Whole,
                Ok(Some(Err(_))) => break End::Cut,
                Ok(Some(Ok(frame))) => {
                    let block = frame.into_data().unwrap_or_default();
                    digest.write(&block);
                    octets += block.len() as u64;
                    if octets > MOST {
                        break End::Endless;
                    }
                }
            }
        };
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            octets,
            digest: digest.finish(),
            end,
        }
    }

    /// Sends what no library would, and reads the status that comes, if one does.
    async fn send_octets(&self, ask: &Ask) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.addr).await.ok()?;
        let framing = match ask.payload {
            Payload::Broken => "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nno chunk\r\n",
            _ => "content-length: 100\r\n\r\nhello",
        };
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/octet-stream\r\n{framing}",
            ask.method, ask.target, self.addr
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        if ask.payload == Payload::CutShort {
            return None;
        }
        let mut text = Vec::new();
        stream.read_buf(&mut text).await.ok()?;
        let until = Instant::now() + self.wait;
        // The connection ends with the answer, as nobody knows where the body does.
        let end = loop {
            match timeout_at(until, stream.read_buf(&mut text)).await {
                Ok(Ok(0) | Err(_)) => break End::Whole,
                Ok(Ok(_)) if text.len() as u64 <= MOST => {}
                Ok(Ok(_)) | Err(_) => break End::Endless,
            }
        };
        let text = String::from_utf8_lossy(&text);
        let status = text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        Some(Answer {
            status,
            headers: HeaderMap::new(),
            octets: body.unwrap_or_default() as u64,
            digest: 0,
            end,
        })
    }

    /// Has the server refuse a request before any app sees it: whatever its one
    /// thread was doing for those before is done by the time it has.
    pub async fn call(&self) {
        let refused = async {
            let mut stream = TcpStream::connect(self.addr).await?;
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
            stream.read_to_end(&mut Vec::new()).await
        };
        let _ = timeout(self.patience, refused).await;
    }
}

impl Answer {
    /// A field's value; empty when there is none, or none that is text.
    pub fn field(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// Whether it has a body of its own, and all of it came.
    pub fn is_whole(&self) -> bool {
        self.end == End::Whole
    }
}

/// A body of octets.
pub fn octets(length: usize) -> Bytes {
    Bytes::from(vec![b'x'; length])
}
