//! The gate says the same of octets in whatever pieces they come, and hands on
//! nothing over HTTP/1 that another parser takes for something else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhost::gate::Gate;
use rhost::requests::Requests;
use rhost::settings::HeadLimits;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// A client whose octets come in pieces, and then nothing.
struct Pieces<'a> {
    octets: &'a [u8],
    piece: usize,
}

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let length = self.piece.min(self.octets.len()).min(buf.remaining());
        let (piece, rest) = self.octets.split_at(length);
        buf.put_slice(piece);
        self.octets = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What the gate hands on, and whether it fails then. A refused head leaves it
/// waiting for an answer, which nobody gives here.
fn handed_on(octets: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let limits = HeadLimits {
        request_line: 64,
        fields: 8,
        octets: 256,
    };
    let requests = Requests::at_most(0);
    let stream = Pieces { octets, piece };
    let mut gate = Gate::new(stream, limits, u32::MAX, requests.clone());
    let mut handed_on = Vec::new();
    let mut reading = Box::pin(gate.read_to_end(&mut handed_on));
    let mut context = Context::from_waker(std::task::Waker::noop());
    // Over HTTP/2 a head of which the path was changed waits for two polls more.
    let mut failed = false;
    for _ in 0..2 * octets.len() + 1 {
        requests.note_poll();
        if let Poll::Ready(result) = reading.as_mut().poll(&mut context) {
            failed = result.is_err();
            break;
        }
    }
    drop(reading);
    forget_reason(&mut handed_on);
    (handed_on, failed)
}

/// Of several faults the one that is told is the one that is seen first, and a part
/// of a head may show another than the whole.
fn forget_reason(handed_on: &mut Vec<u8>) {
    const LAST: &[u8] = b"\r\nrefusal: ";
    let at = handed_on.windows(LAST.len()).rposition(|part| part == LAST);
    if let Some(at) = at {
        handed_on.retain({
            let mut place = 0;
            move |octet| {
                place += 1;
                place <= at || !octet.is_ascii_digit()
            }
        });
    }
}

fuzz_target!(|octets: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("a runtime");
    let _entered = runtime.enter();
    let (whole, failed) = handed_on(octets, usize::MAX);
    for piece in [1, 2, 3, 7] {
        let (pieces, failed_too) = handed_on(octets, piece);
        assert_eq!(failed_too, failed, "pieces of {piece}");
        // Of a body that breaks, what came together with its fault is not handed on.
        let length = if failed { whole.len() } else { pieces.len() };
        assert_eq!(pieces.get(..length), Some(&whole[..]), "pieces of {piece}");
    }
    if whole.starts_with(b"PRI") {
        // Whatever is changed is as long as it was.
        assert!(whole.len() <= octets.len());
    }
    if whole.is_empty() || whole.starts_with(b"PRI") {
        return;
    }
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = request.parse(&whole).expect("the first head is right");
    let length = parsed.unwrap();
    // Nothing that others take for the end of a line, or for a name.
    let head = &whole[..length];
    assert!(
        head.windows(2)
            .all(|pair| (pair[0] == b'\r') == (pair[1] == b'\n'))
    );
    let lengths = request
        .headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("content-length"));
    let codings = request
        .headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("transfer-encoding"));
    assert!(lengths.count() + codings.count() <= 1);
});
