//! [`Environ`]: what the server knows of a request.

use std::borrow::Cow;

use crate::gateway;
use crate::headers::Headers;

/// What the server knows of one request: the `environ` dictionary of PEP 3333
/// as a struct, with the meta-variables of CGI (RFC 3875, section 4.1) under
/// their own names. [`cgi`](Environ::cgi) gives it as variables.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn index(environ: &Environ) -> String {
///     format!("{} over {}\n", environ.remote_addr, environ.url_scheme)
/// }
///
/// app!(index);
///
/// let answer = rhost_sdk::testing::get(&APP, "/")
///     .environ(|environ| environ.url_scheme = "https".into())
///     .send();
/// assert_eq!(answer.text(), "127.0.0.1 over https\n");
/// ```
#[derive(Clone, Debug)]
pub struct Environ {
    /// The method, verbatim and case-sensitive (PEP 3333 `REQUEST_METHOD`).
    pub request_method: String,
    /// The part of the path at which the application is mounted: empty, or
    /// beginning with a slash and not ending in one (PEP 3333 `SCRIPT_NAME`).
    pub script_name: String,
    /// The rest of the path, percent-decoded once and not normalised (PEP 3333
    /// `PATH_INFO`). Octets: a decoded path need not be UTF-8.
    pub path_info: Vec<u8>,
    /// What stands after the first `?`, undecoded; empty when there is no
    /// query (PEP 3333 `QUERY_STRING`).
    pub query_string: String,
    /// The request target as it was sent (RFC 9112, section 3.2).
    pub request_uri: String,
    /// The Content-Type field (PEP 3333 `CONTENT_TYPE`).
    pub content_type: Option<String>,
    /// The body's length in octets, when the client announced it (PEP 3333
    /// `CONTENT_LENGTH`).
    pub content_length: Option<u64>,
    /// The host that the client asked for, without a port (PEP 3333
    /// `SERVER_NAME`).
    pub server_name: String,
    /// The port that goes with it (PEP 3333 `SERVER_PORT`).
    pub server_port: u16,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0` (PEP 3333 `SERVER_PROTOCOL`).
    pub server_protocol: String,
    /// The server's name and version (RFC 3875, section 4.1.17).
    pub server_software: String,
    /// `http` or `https` (PEP 3333 `wsgi.url_scheme`).
    pub url_scheme: String,
    /// The address of the peer, without a port (RFC 3875, section 4.1.8).
    pub remote_addr: String,
    /// The port of the peer; 0 where the transport has none.
    pub remote_port: u16,
    /// The fields, Content-Type and Content-Length among them.
    pub headers: Headers,
    /// Whether another thread may be running this instance at the same time
    /// (PEP 3333 `wsgi.multithread`).
    pub multithread: bool,
    /// Whether another instance of this application may be running at the same
    /// time (PEP 3333 `wsgi.multiprocess`).
    pub multiprocess: bool,
    /// Whether this instance serves this one request only (PEP 3333
    /// `wsgi.run_once`).
    pub run_once: bool,
    /// What the request is called in the server's logs.
    pub request_id: String,
    /// What the server adds beyond the contract, as names with values.
    pub extensions: Vec<(String, String)>,
}

impl From<gateway::Environ> for Environ {
    fn from(environ: gateway::Environ) -> Environ {
        let mut headers = environ.headers;
        if let Some(kind) = &environ.content_type {
            headers.push(("content-type".into(), kind.clone().into_bytes()));
        }
        if let Some(length) = environ.content_length {
            headers.push(("content-length".into(), length.to_string().into_bytes()));
        }
        Environ {
            request_method: environ.request_method,
            script_name: environ.script_name,
            path_info: environ.path_info,
            query_string: environ.query_string,
            request_uri: environ.request_uri,
            content_type: environ.content_type,
            content_length: environ.content_length,
            server_name: environ.server_name,
            server_port: environ.server_port,
            server_protocol: environ.server_protocol,
            server_software: environ.server_software,
            url_scheme: environ.url_scheme,
            remote_addr: environ.remote_addr,
            remote_port: environ.remote_port,
            headers: Headers::new(headers),
            multithread: environ.multithread,
            multiprocess: environ.multiprocess,
            run_once: environ.run_once,
            request_id: environ.request_id,
            extensions: environ.extensions,
        }
    }
}

/// A variable of the CGI view. The value is octets, as the path and the fields
/// are.
pub type Variable<'e> = (Cow<'e, str>, Cow<'e, [u8]>);

impl Environ {
    /// The CGI view: the variables of PEP 3333 ("environ Variables") and RFC
    /// 3875, in an order that is always the same.
    ///
    /// First the request, the server and the peer; then a variable for each
    /// field, as `HTTP_ACCEPT`, in the order in which they came; then what PEP
    /// 3333 calls `wsgi.url_scheme`, `wsgi.multithread`, `wsgi.multiprocess`
    /// and `wsgi.run_once` (`true` or `false`), `rhost.request_id`, and the
    /// server's extensions under their own names.
    ///
    /// `CONTENT_TYPE` and `CONTENT_LENGTH` are there only when the request has
    /// them. A field that was repeated is one variable, its values joined by
    /// `, ` (RFC 9110, section 5.3), those of Cookie by `; ` (RFC 9113, section
    /// 8.2.3).
    #[must_use]
    pub fn cgi(&self) -> Vec<Variable<'_>> {
        let mut view = View(Vec::with_capacity(24 + self.headers.len()));
        view.text("REQUEST_METHOD", &self.request_method);
        view.text("SCRIPT_NAME", &self.script_name);
        view.octets("PATH_INFO", &self.path_info);
        view.text("QUERY_STRING", &self.query_string);
        view.text("REQUEST_URI", &self.request_uri);
        if let Some(kind) = &self.content_type {
            view.text("CONTENT_TYPE", kind);
        }
        if let Some(length) = self.content_length {
            view.number("CONTENT_LENGTH", length);
        }
        view.text("SERVER_NAME", &self.server_name);
        view.number("SERVER_PORT", self.server_port.into());
        view.text("SERVER_PROTOCOL", &self.server_protocol);
        view.text("SERVER_SOFTWARE", &self.server_software);
        view.text("GATEWAY_INTERFACE", "CGI/1.1");
        view.text("REMOTE_ADDR", &self.remote_addr);
        view.number("REMOTE_PORT", self.remote_port.into());
        view.fields(&self.headers);
        view.text("wsgi.url_scheme", &self.url_scheme);
        view.flag("wsgi.multithread", self.multithread);
        view.flag("wsgi.multiprocess", self.multiprocess);
        view.flag("wsgi.run_once", self.run_once);
        view.text("rhost.request_id", &self.request_id);
        for (name, value) in &self.extensions {
            view.text(name, value);
        }
        view.0
    }
}

/// The view while it is put together.
struct View<'e>(Vec<Variable<'e>>);

impl<'e> View<'e> {
    fn octets(&mut self, name: &'e str, value: &'e [u8]) {
        self.0.push((name.into(), value.into()));
    }

    fn text(&mut self, name: &'e str, value: &'e str) {
        self.octets(name, value.as_bytes());
    }

    fn number(&mut self, name: &'e str, value: u64) {
        self.0
            .push((name.into(), value.to_string().into_bytes().into()));
    }

    fn flag(&mut self, name: &'e str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    fn fields(&mut self, headers: &'e Headers) {
        let first = self.0.len();
        for (name, value) in headers.iter() {
            if matches!(name, "content-type" | "content-length") {
                continue;
            }
            let variable = variable_name(name);
            match self.0[first..]
                .iter_mut()
                .find(|(other, _)| *other == variable)
            {
                Some((_, values)) => {
                    let values = values.to_mut();
                    values.extend_from_slice(if name == "cookie" { b"; " } else { b", " });
                    values.extend_from_slice(value);
                }
                None => self.0.push((variable.into(), value.into())),
            }
        }
    }
}

/// `accept-language` as `HTTP_ACCEPT_LANGUAGE` (RFC 3875, section 4.1.18).
fn variable_name(field: &str) -> String {
    let mut name = String::with_capacity(5 + field.len());
    name.push_str("HTTP_");
    name.extend(field.chars().map(|c| {
        if c == '-' {
            '_'
        } else {
            c.to_ascii_uppercase()
        }
    }));
    name
}
