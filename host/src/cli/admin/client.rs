//! A client of the admin API: a request, and its answer, over a connection of its own.

use super::Error;
use super::upload::Upload;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, EXPECT, HOST};
use http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Runtime;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Server {
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
}

/// One that asks a server.
pub(super) struct Client {
    server: Server,
    token: Option<HeaderValue>,
    runtime: Runtime,
}

/// An answer that is read as it comes.
pub(super) struct Lines<'a> {
    client: &'a Client,
    body: Incoming,
    rest: Vec<u8>,
}

impl FromStr for Server {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Server::Unix(path.into()));
        }
        let is_tcp =
            |(host, port): (&str, &str)| !host.contains('/') && port.parse::<u16>().is_ok();
        match text.rsplit_once(':').is_some_and(is_tcp) {
            true => Ok(Server::Tcp(text.to_owned())),
            false if text.starts_with("http") => Err(Error::Usage(format!(
                "--admin {text}: give it as HOST:PORT, as 127.0.0.1:9000"
            ))),
            false => Ok(Server::Unix(text.into())),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Server::Unix(path) => path.display().fmt(f),
            Server::Tcp(address) => f.write_str(address),
        }
    }
}

impl Client {
    pub(super) fn new(server: Server, token: Option<&str>) -> Result<Self, Error> {
        let token = match token {
            None => None,
            Some(token) => {
                let value = HeaderValue::try_from(format!("Bearer {token}"));
                let wrong = |_| {
                    Error::Usage("the token is not one line of ASCII; give what `rhost token create` printed".into())
                };
                let mut value = value.map_err(wrong)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Start)?;
        Ok(Client {
            server,
            token,
            runtime,
        })
    }

    /// Asks without a body.
    pub(super) fn ask(&self, method: Method, path: &str) -> Result<Value, Error> {
        self.runtime.block_on(async {
            let answer = self.send(method, path, None, Upload::nothing()).await?;
            self.value(answer).await
        })
    }

    /// Asks with this body.
    pub(super) fn tell(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let field = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = Upload::of(Bytes::from(body.to_string()));
        self.runtime.block_on(async {
            let answer = self.send(Method::POST, path, Some(field), body).await?;
            self.value(answer).await
        })
    }

    /// Sends `body` once the server has said that it wants it.
    pub(super) fn upload(
        &self,
        path: &str,
        field: (HeaderName, HeaderValue),
        body: Upload,
    ) -> Result<Value, Error> {
        self.runtime.block_on(async {
            let answer = self.send(Method::POST, path, Some(field), body).await?;
            self.value(answer).await
        })
    }

    /// Asks for lines, which may have no end.
    pub(super) fn lines(&self, path: &str) -> Result<Lines<'_>, Error> {
        let answer = self.runtime.block_on(async {
            let answer = self
                .send(Method::GET, path, None, Upload::nothing())
                .await?;
            match answer.status().is_success() {
                true => Ok(answer),
                false => Err(match self.value(answer).await {
                    Err(error) => error,
                    Ok(_) => self.lost("it gave no lines"),
                }),
            }
        })?;
        Ok(Lines {
            client: self,
            body: answer.into_body(),
            rest: Vec::new(),
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        field: Option<(HeaderName, HeaderValue)>,
        mut body: Upload,
    ) -> Result<Response<Incoming>, Error> {
        let connect = |error| Error::Connect {
            server: self.server.to_string(),
            error,
        };
        let stream: Box<dyn Stream> = match &self.server {
            Server::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(connect)?),
            Server::Tcp(address) => Box::new(TcpStream::connect(address).await.map_err(connect)?),
        };
        let host = match &self.server {
            Server::Unix(_) => "localhost",
            Server::Tcp(address) => address,
        };
        let wanted = body.waits();
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path
            .parse()
            .map_err(|_| self.lost("the path is not right"))?;
        let headers = request.headers_mut();
        let host = HeaderValue::try_from(host);
        headers.insert(HOST, host.map_err(|_| self.lost("its name is not ASCII"))?);
        headers.extend(field);
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        if let Some(wanted) = wanted {
            headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
            // Whatever the server says before its answer, it is 100.
            hyper::ext::on_informational(&mut request, move |_| wanted.notify_one());
        }
        let lost = |error: hyper::Error| self.lost(&error.to_string());
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        tokio::spawn(async { drop(connection.await) });
        sender.send_request(request).await.map_err(lost)
    }

    /// What was answered; an error if that is one.
    async fn value(&self, answer: Response<Incoming>) -> Result<Value, Error> {
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body
            .map_err(|error| self.lost(&error.to_string()))?
            .to_bytes();
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        match (status.is_success(), value["error"].as_str()) {
            (true, _) if !value.is_null() => Ok(value),
            (false, Some(_)) => Err(Error::Refused(super::text(&value["error"]))),
            _ => {
                let text = format!("{status}, which is no answer of rhost");
                Err(self.lost(&text))
            }
        }
    }

    fn lost(&self, error: &str) -> Error {
        Error::Lost {
            server: self.server.to_string(),
            error: error.to_owned(),
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<String, Error>;

    /// The next line, without its end; none when there are no more.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.rest) {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(Ok(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            match self.client.runtime.block_on(self.body.frame())? {
                Ok(frame) => self.rest.extend(frame.data_ref().into_iter().flatten()),
                Err(error) => return Some(Err(self.client.lost(&error.to_string()))),
            }
        }
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_an_address_are_told_apart() {
        let server = |text: &str| text.parse::<Server>().unwrap();
        for path in ["state/admin.sock", "/run/a:1/x", "admin.sock", "./a:b"] {
            assert_eq!(server(path), Server::Unix(path.into()), "{path}");
        }
        assert_eq!(server("unix:/run/a"), Server::Unix("/run/a".into()));
        for address in ["127.0.0.1:9000", "localhost:1", "[::1]:80"] {
            assert_eq!(server(address), Server::Tcp(address.into()));
        }
        assert!("http://localhost/".parse::<Server>().is_err());
    }

    #[test]
    fn a_token_is_a_line() {
        let server = Server::Tcp("127.0.0.1:1".into());
        assert!(Client::new(server.clone(), Some("rhost_x")).is_ok());
        assert!(Client::new(server, Some("a\nb")).is_err_and(|error| error.is_usage()));
    }
}
