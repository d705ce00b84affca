//! [`TestRequest`]: a request, put together.

use std::collections::VecDeque;

use crate::app::App;
use crate::body::Source;
use crate::gateway::{Environ, InputError};
use crate::request::Request;
use crate::testing::answer::Answer;
use crate::testing::server::Recorder;

/// A request of a test, from the functions of [`testing`](crate::testing).
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct TestRequest {
    app: App,
    environ: Environ,
    body: VecDeque<Result<Vec<u8>, InputError>>,
    hangs_up_after: usize,
    #[cfg(feature = "session")]
    variables: Vec<(String, String)>,
}

impl TestRequest {
    pub(crate) fn new(app: App, method: &str, target: &str) -> TestRequest {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        TestRequest {
            app,
            environ: Environ {
                request_method: method.into(),
                script_name: String::new(),
                path_info: decode(path),
                query_string: query.into(),
                request_uri: target.into(),
                content_type: None,
                content_length: None,
                server_name: "localhost".into(),
                server_port: 80,
                server_protocol: "HTTP/1.1".into(),
                server_software: concat!("rhost-sdk/", env!("CARGO_PKG_VERSION")).into(),
                url_scheme: "http".into(),
                remote_addr: "127.0.0.1".into(),
                remote_port: 0,
                headers: Vec::new(),
                multithread: false,
                multiprocess: true,
                run_once: true,
                request_id: "test".into(),
                extensions: Vec::new(),
            },
            body: VecDeque::new(),
            hangs_up_after: usize::MAX,
            #[cfg(feature = "session")]
            variables: Vec::new(),
        }
    }

    /// Adds a field. Content-Type and Content-Length go where the gateway has
    /// them; what it never carries is left out.
    ///
    /// # Panics
    ///
    /// If one of these two is not text, or not a number.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> TestRequest {
        let name = name.to_ascii_lowercase();
        let value = value.as_ref().to_vec();
        let text = |value| String::from_utf8(value).expect("this field holds text");
        match name.as_str() {
            "content-type" => self.environ.content_type = Some(text(value)),
            "content-length" => {
                let length = text(value).parse().expect("Content-Length is a number");
                self.environ.content_length = Some(length);
            }
            "proxy" => {}
            _ if name.contains('_') => {}
            _ => self.environ.headers.push((name, value)),
        }
        self
    }

    /// Sets the body, and announces its length.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> TestRequest {
        let body = body.as_ref().to_vec();
        self.environ.content_length = Some(body.len() as u64);
        self.body = [Ok(body)].into();
        self
    }

    /// Sets the body to blocks that arrive one by one, without an announced
    /// length, as a chunked one (RFC 9112, section 7.1).
    pub fn blocks<B: AsRef<[u8]>>(mut self, blocks: impl IntoIterator<Item = B>) -> TestRequest {
        self.environ.content_length = None;
        self.body = blocks
            .into_iter()
            .map(|block| Ok(block.as_ref().to_vec()))
            .collect();
        self
    }

    /// Ends the body with an error.
    pub fn breaks_off(mut self, error: InputError) -> TestRequest {
        self.body.push_back(Err(error));
        self
    }

    /// Makes the client leave when it has so many blocks of the response.
    pub fn hangs_up_after(mut self, blocks: usize) -> TestRequest {
        self.hangs_up_after = blocks;
        self
    }

    /// Changes the environment: the mount, the peer, the extensions.
    pub fn environ(mut self, change: impl FnOnce(&mut Environ)) -> TestRequest {
        change(&mut self.environ);
        self
    }

    /// Sets an environment variable of the application, as `SECRET_KEY`, for
    /// this request: what a [`Session`](crate::Session) and a
    /// [`Signer`](crate::Signer) read is this, and the test's own environment
    /// else.
    #[cfg(feature = "session")]
    pub fn variable(mut self, name: &str, value: &str) -> TestRequest {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Sends the request, and takes the answer to its end.
    ///
    /// # Panics
    ///
    /// Where the handler does.
    #[must_use]
    pub fn send(self) -> Answer {
        let mut server = Recorder::new(self.hangs_up_after);
        let bodiless = self.environ.request_method == "HEAD";
        let request = Request::new(self.environ.into(), Source::Script(self.body));
        #[cfg(feature = "session")]
        let request = request.with_variables(self.variables);
        let result = self.app.serve(&request, &mut server);
        server.answer(result, bodiless)
    }
}

/// Percent-decodes a path once (RFC 3986, section 2.1). A `%` without two
/// hexadecimal digits stays.
fn decode(path: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|digits| {
                let high = char::from(digits[0]).to_digit(16)?;
                let low = char::from(digits[1]).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()
            });
        if escaped.is_some() {
            rest = &after[2..];
        }
        octets.push(escaped.unwrap_or(*first));
    }
    octets
}
