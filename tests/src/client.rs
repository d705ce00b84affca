//! A client that says exactly what it is told, and notes how the answer ended.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The fields.
    pub headers: HeaderMap,
    /// What came of the body.
    pub body: Bytes,
    /// Whether the body broke off.
    pub cut: bool,
    /// What the host logged until the server stopped; empty for an answer from a
    /// server that still runs.
    pub log: String,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// A field as text; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("the field is text"))
    }

    /// Asks until the answer says its length, or many did not. A guest that other
    /// processes keep from running may be made to give way before its end, and what it
    /// has written by then is sent on (docs/gateway.md).
    pub async fn with_length(mut ask: impl AsyncFnMut() -> Answer) -> Self {
        let mut answer = ask().await;
        for _ in 0..50 {
            if !answer.field("content-length").is_empty() {
                break;
            }
            answer = ask().await;
        }
        answer
    }

    /// Reads the body of `response`.
    pub async fn read(response: Response<Incoming>) -> Self {
        let (head, mut incoming) = response.into_parts();
        let mut body = Vec::new();
        let mut cut = false;
        while let Some(frame) = incoming.frame().await {
            match frame {
                Ok(frame) => body.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                Err(_) => {
                    cut = true;
                    break;
                }
            }
        }
        let status = head.status.as_u16();
        Answer {
            status,
            headers: head.headers,
            body: body.into(),
            cut,
            log: String::new(),
        }
    }
}

/// What HTTP can be spoken over.
pub trait Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection for T {}

/// A connection that is kept for several requests, over HTTP/1.1 or HTTP/2.
pub struct Client {
    sender: Sender,
    connection: JoinHandle<()>,
    /// Its socket once more, if it is its own.
    socket: Option<std::net::TcpStream>,
}

enum Sender {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// HTTP/1.1.
    pub async fn http1(addr: SocketAddr) -> Self {
        let (stream, socket) = connect(addr).await;
        Client {
            socket: Some(socket),
            ..Client::http1_over(stream).await
        }
    }

    /// HTTP/2 over cleartext, with prior knowledge.
    pub async fn http2(addr: SocketAddr) -> Self {
        let (stream, socket) = connect(addr).await;
        Client {
            socket: Some(socket),
            ..Client::http2_over(stream).await
        }
    }

    /// HTTP/1.1 over a connection that is there.
    pub async fn http1_over(stream: impl Connection) -> Self {
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        Client {
            sender: Sender::Http1(sender),
            connection: tokio::spawn(async { drop(connection.await) }),
            socket: None,
        }
    }

    /// HTTP/2 over a connection that is there.
    pub async fn http2_over(stream: impl Connection) -> Self {
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        Client {
            sender: Sender::Http2(sender),
            connection: tokio::spawn(async { drop(connection.await) }),
            socket: None,
        }
    }

    /// Whether it speaks HTTP/1.1.
    pub fn is_http1(&self) -> bool {
        matches!(self.sender, Sender::Http1(_))
    }

    /// Sends a request, and returns when the head of its answer is there.
    pub async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// Gets `path`, to the end of the answer.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path)
            .header("host", "test")
            .body(Full::default())
            .unwrap();
        let request = match self.sender {
            Sender::Http1(_) => request,
            Sender::Http2(_) => Request::get(format!("http://test{path}"))
                .body(Full::default())
                .unwrap(),
        };
        Answer::read(self.send(request).await.expect("an answer")).await
    }

    /// Leaves, without a word. A socket of its own is reset: were it closed, the host
    /// could not tell it from one whose client only sends no more.
    pub fn leave(self) {
        if let Some(socket) = self.socket {
            let socket = TcpStream::from_std(socket).expect("it is in this runtime");
            socket.set_zero_linger().expect("it is open");
        }
        self.connection.abort();
    }
}

/// A new connection, and its socket once more.
async fn connect(addr: SocketAddr) -> (TcpStream, std::net::TcpStream) {
    let stream = TcpStream::connect(addr).await.expect("the server listens");
    let again = stream.as_fd().try_clone_to_owned();
    (stream, again.expect("a descriptor is free").into())
}

/// What a raw connection received.
pub struct Received(Vec<u8>);

impl Received {
    /// Sends `request` to `addr`, octet for octet, and reads until the server
    /// closes.
    pub async fn to(addr: SocketAddr, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(addr).await.expect("the server listens");
        // A server that has seen enough may close before it read all.
        let _ = stream.write_all(request).await;
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received).await;
        Received(received)
    }

    /// As text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}
