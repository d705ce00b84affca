//! The collector that spans are sent to, over HTTP/1.1.

use crate::tls::{self, TlsError};
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use std::path::Path;
use std::str::FromStr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// The path below a collector's own for traces (OTLP, "OTLP/HTTP Request").
const TRACES: &str = "/v1/traces";
/// Octets of an answer that are read. It says how many spans were refused, and why.
const MOST_ANSWERED: usize = 64 << 10;

/// Where a collector is: its base, as other programs have it in
/// `OTEL_EXPORTER_OTLP_ENDPOINT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// Whether TLS is spoken with it.
    is_secure: bool,
    authority: Authority,
    /// Without a slash at its end.
    base: String,
}

impl FromStr for Collector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "expected http://HOST:PORT or https://HOST:PORT, as http://127.0.0.1:4318".to_owned()
        };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
        if !is_secure && uri.scheme() != Some(&Scheme::HTTP) {
            return Err(wrong());
        }
        let authority = uri.authority().ok_or_else(wrong)?;
        if authority.as_str().contains('@') || authority.host().is_empty() || uri.query().is_some()
        {
            return Err(wrong());
        }
        Ok(Collector {
            is_secure,
            authority: authority.clone(),
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl Collector {
    /// Where it takes traces.
    pub fn traces(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        format!("{scheme}://{}{}{TRACES}", self.authority, self.base)
    }

    fn address(&self) -> (String, u16) {
        let host = self.authority.host().trim_matches(['[', ']']).to_owned();
        let usual = if self.is_secure { 443 } else { 80 };
        (host, self.authority.port_u16().unwrap_or(usual))
    }
}

/// The way to a collector.
#[derive(Clone)]
pub(super) struct Way {
    collector: Collector,
    tls: Option<TlsConnector>,
}

impl Way {
    /// To `collector`. If TLS is spoken with it, one of the authorities in the file `ca`
    /// answers for it, or without one those that this system trusts.
    pub(super) fn to(collector: Collector, ca: Option<&Path>) -> Result<Self, TlsError> {
        let tls = match collector.is_secure {
            true => Some(tls::connector(ca)?),
            false => None,
        };
        Ok(Way { collector, tls })
    }

    /// Where it leads.
    pub(super) fn collector(&self) -> &Collector {
        &self.collector
    }
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.collector.fmt(f)
    }
}

/// Each request has a connection of its own: there are few, and who collects may be
/// another process by the next.
#[wasmtime_wasi::async_trait]
impl HttpClient for Way {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (mut head, body) = request.into_parts();
        let host = HeaderValue::from_str(self.collector.authority.as_str())?;
        head.headers.insert(HOST, host);
        // What an HTTP/1.1 server takes is the path alone (RFC 9112, section 3.2.1).
        head.uri = head.uri.path().parse()?;
        let request = Request::from_parts(head, Full::new(body));
        let (host, port) = self.collector.address();
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        match &self.tls {
            None => ask(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from(host)?;
                ask(tls.connect(name, stream).await?, request).await
            }
        }
    }
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, HttpError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with its sender.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MOST_ANSWERED).collect().await?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_a_base() {
        for (text, traces, address) in [
            ("http://a:4318", "http://a:4318/v1/traces", ("a", 4318)),
            ("http://a:4318/", "http://a:4318/v1/traces", ("a", 4318)),
            ("http://a/x/", "http://a/x/v1/traces", ("a", 80)),
            ("http://[::1]:1", "http://[::1]:1/v1/traces", ("::1", 1)),
            ("https://a:4318", "https://a:4318/v1/traces", ("a", 4318)),
            ("https://a", "https://a/v1/traces", ("a", 443)),
        ] {
            let collector: Collector = text.parse().unwrap();
            assert_eq!(collector.traces(), traces);
            assert_eq!(collector.address(), (address.0.to_owned(), address.1));
        }
        for text in [
            "",
            "a:4318",
            "/x",
            "ftp://a",
            "http://a?b",
            "http://u@a",
            "http://",
        ] {
            let error = text.parse::<Collector>().unwrap_err();
            assert!(error.contains("http://HOST:PORT"), "{text}");
        }
    }
}
