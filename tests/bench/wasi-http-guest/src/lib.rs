//! The answers of the examples `hello` and `stream`, for servers of wasi:http
//! 0.2. And one more, `/nth`: how many requests this instance has answered,
//! which is 1 wherever each gets a fresh one.

use std::sync::atomic::{AtomicU64, Ordering};

use wasip2::http::types::{
    Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::StreamError;

wasip2::http::proxy::export!(Answers);

struct Answers;

static ANSWERED: AtomicU64 = AtomicU64::new(0);

/// The most that a stream takes in one `blocking-write-and-flush`.
const BLOCK: usize = 4096;

/// The size of a block of a download, as of the example's.
const DOWNLOAD_BLOCK: usize = 64 * 1024;

impl wasip2::exports::http::incoming_handler::Guest for Answers {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let nth = ANSWERED.fetch_add(1, Ordering::Relaxed) + 1;
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        match (request.method(), path) {
            (Method::Get, "/") => text(outparam, b"Hello, world!\n"),
            (Method::Get, "/json") => whole(
                outparam,
                b"application/json",
                include_bytes!("../../answers/catalogue.json"),
            ),
            (Method::Post, "/count") => match count(&request) {
                Ok(octets) => text(outparam, format!("{octets}\n").as_bytes()),
                Err(_) => status(outparam, 400),
            },
            (Method::Get, "/download") => {
                let mib = query.strip_prefix("mib=").unwrap_or("1");
                match mib.parse() {
                    Ok(mib @ 0..=4096) => download(outparam, mib),
                    _ => status(outparam, 400),
                }
            }
            (Method::Get, "/nth") => text(outparam, format!("{nth}\n").as_bytes()),
            _ => status(outparam, 404),
        }
    }
}

fn status(outparam: ResponseOutparam, status: u16) {
    let response = OutgoingResponse::new(Fields::new());
    response.set_status_code(status).expect("it is a status");
    ResponseOutparam::set(outparam, Ok(response));
}

fn text(outparam: ResponseOutparam, body: &[u8]) {
    whole(outparam, b"text/plain; charset=utf-8", body);
}

fn whole(outparam: ResponseOutparam, content_type: &[u8], body: &[u8]) {
    let out = begin(outparam, content_type, body.len() as u64);
    let stream = out.write().expect("it is asked for once");
    // A client that left needs no answer.
    let _ = body
        .chunks(BLOCK)
        .try_for_each(|block| stream.blocking_write_and_flush(block));
    drop(stream);
    let _ = OutgoingBody::finish(out, None);
}

fn begin(outparam: ResponseOutparam, content_type: &[u8], length: u64) -> OutgoingBody {
    let fields = [
        ("content-type".into(), content_type.to_vec()),
        ("content-length".into(), length.to_string().into_bytes()),
    ];
    let fields = Fields::from_list(&fields).expect("the fields are well-formed");
    let response = OutgoingResponse::new(fields);
    let body = response.body().expect("it is asked for once");
    ResponseOutparam::set(outparam, Ok(response));
    body
}

/// Reads the upload to its end.
fn count(request: &IncomingRequest) -> Result<u64, StreamError> {
    let body = request.consume().expect("it is asked for once");
    let stream = body.stream().expect("it is asked for once");
    let mut octets = 0;
    loop {
        match stream.blocking_read(DOWNLOAD_BLOCK as u64) {
            Ok(block) => octets += block.len() as u64,
            Err(StreamError::Closed) => return Ok(octets),
            Err(error) => return Err(error),
        }
    }
}

/// Writes as much at a time as the host is ready to take.
fn download(outparam: ResponseOutparam, mib: u64) {
    let out = begin(outparam, b"application/octet-stream", mib << 20);
    let stream = out.write().expect("it is asked for once");
    let block = vec![b'.'; DOWNLOAD_BLOCK];
    let mut left = mib << 20;
    let ready = stream.subscribe();
    while left > 0 {
        let Ok(room) = stream.check_write() else {
            return;
        };
        if room == 0 {
            ready.block();
            continue;
        }
        let octets = left.min(room).min(block.len() as u64);
        if stream.write(&block[..octets as usize]).is_err() {
            return;
        }
        left -= octets;
    }
    if stream.blocking_flush().is_err() {
        return;
    }
    drop((ready, stream));
    let _ = OutgoingBody::finish(out, None);
}
