//! [`Stream`]: an answer that is made while it is sent.

use std::borrow::Cow;
use std::io;

use crate::respond::fields::HeaderValue;
use crate::respond::responder::Responder;
use crate::respond::response::Response;
use crate::respond::writer::Writer;
use crate::status::Status;

/// An answer that is sent block by block, while it is made (PEP 3333,
/// "Buffering and Streaming").
///
/// The closure runs when the handler has returned; what it needs, it owns. If
/// it fails, the response is cut: the client sees that the body is not whole.
///
/// ```
/// use std::io::Write;
/// use rhost_sdk::prelude::*;
///
/// #[get("/count")]
/// fn count() -> Stream {
///     Stream::new("text/plain", |out| {
///         for number in 1..=3 {
///             writeln!(out, "{number}")?;
///         }
///         Ok(())
///     })
/// }
///
/// #[post("/echo")]
/// fn echo(mut body: Body) -> Stream {
///     Stream::new("application/octet-stream", move |out| {
///         for block in body.chunks() {
///             out.send(&block?)?;
///         }
///         Ok(())
///     })
/// }
///
/// app!(count, echo);
/// # let answer = rhost_sdk::testing::get(&APP, "/count").send();
/// # assert_eq!(answer.blocks(), [b"1\n", b"2\n", b"3\n"]);
/// # let answer = rhost_sdk::testing::post(&APP, "/echo").blocks(["ab", "c"]).send();
/// # assert_eq!(answer.blocks(), [&b"ab"[..], b"c"]);
/// ```
#[derive(Debug)]
pub struct Stream(Response);

impl Stream {
    /// What `write` writes, as this content type.
    #[must_use]
    pub fn new(
        content_type: impl Into<Cow<'static, str>>,
        write: impl FnOnce(&mut Writer<'_>) -> io::Result<()> + 'static,
    ) -> Stream {
        let content_type = HeaderValue::from(content_type.into());
        Stream(
            Response::new(Status::OK)
                .header("content-type", content_type)
                .stream(write),
        )
    }

    /// The blocks of an iterator, as this content type. For blocks that can
    /// fail, see [`new`](Stream::new).
    #[must_use]
    pub fn blocks<B: AsRef<[u8]>>(
        content_type: impl Into<Cow<'static, str>>,
        blocks: impl IntoIterator<Item = B> + 'static,
    ) -> Stream {
        Stream::new(content_type, move |out| {
            for block in blocks {
                out.send(block.as_ref())?;
            }
            Ok(())
        })
    }

    /// Announces the length, in octets: the client can tell how much is to
    /// come, and an answer to HEAD is not made only to be dropped. The server
    /// drops what is written beyond it (PEP 3333, "Handling the Content-Length
    /// Header").
    #[must_use]
    pub fn length(self, octets: u64) -> Stream {
        Stream(self.0.with_headers([("content-length", octets)]))
    }
}

impl Responder for Stream {
    fn respond(self) -> Response {
        self.0
    }
}
