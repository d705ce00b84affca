//! The same answers from hyper alone: what a server of this kind can reach at
//! most on this machine.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::Result;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::work::{CATALOGUE, HELLO};

static BLOCK: [u8; 64 * 1024] = [b'.'; 64 * 1024];

/// Serves until the process is ended.
pub fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        eprintln!("serving on http://{}/", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(connection(stream));
        }
    })
}

async fn connection(stream: TcpStream) {
    // A client that leaves is no news.
    let _ = http1::Builder::new()
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
}

type Answer = Response<Either<Full<Bytes>, Download>>;

async fn answer(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let answer = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => whole("text/plain; charset=utf-8", Bytes::from_static(HELLO)),
        (&Method::GET, "/json") => whole("application/json", Bytes::from_static(CATALOGUE)),
        (&Method::GET, "/download") => {
            let mib = request.uri().query().and_then(|query| {
                let mib: u64 = query.strip_prefix("mib=")?.parse().ok()?;
                (mib <= 4096).then_some(mib)
            });
            let download = Download {
                left: mib.unwrap_or(1) << 20,
            };
            typed("application/octet-stream", Either::Right(download))
        }
        (&Method::POST, "/count") => match count(request.into_body()).await {
            Ok(octets) => whole("text/plain; charset=utf-8", format!("{octets}\n").into()),
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        _ => status(StatusCode::NOT_FOUND),
    };
    Ok(answer)
}

async fn count(mut upload: Incoming) -> hyper::Result<u64> {
    let mut octets = 0;
    while let Some(frame) = upload.frame().await {
        octets += frame?.data_ref().map_or(0, |block| block.len() as u64);
    }
    Ok(octets)
}

fn whole(content_type: &'static str, body: Bytes) -> Answer {
    typed(content_type, Either::Left(Full::new(body)))
}

fn typed(content_type: &'static str, body: Either<Full<Bytes>, Download>) -> Answer {
    let mut answer = Response::new(body);
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

/// A body of so many octets, a multiple of the block's.
struct Download {
    left: u64,
}

impl Body for Download {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= BLOCK.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&BLOCK)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
