//! Shows what an application is told of a request, as wsgiref's `demo_app`
//! does. It has one answer for every path, so it needs no routes, and speaks
//! the gateway itself.

use std::fmt::Write;

use rhost_sdk::Environ;
use rhost_sdk::gateway::{self, Failure, Guest, Input, export, start_response};

struct Demo;

impl Guest for Demo {
    fn handle(environ: gateway::Environ, _input: Input) -> Result<(), Failure> {
        let page = page(&environ.into());
        let fields = [("content-type", &b"text/plain; charset=utf-8"[..])];
        let output = start_response(200, &fields, None)?;
        output.write(page.as_bytes())?;
        Ok(())
    }
}

export!(Demo);

/// A greeting, and a line for each variable. What is not UTF-8 is escaped.
fn page(environ: &Environ) -> String {
    let mut page = String::from("Hello world!\n\n");
    for (name, value) in environ.cgi() {
        // Writing to a String does not fail.
        let _ = writeln!(page, "{name} = '{}'", value.escape_ascii());
    }
    page
}

#[cfg(test)]
mod tests {
    use rhost_sdk::gateway::Environ;

    #[test]
    fn shows_each_variable_once() {
        let environ = Environ {
            request_method: "GET".into(),
            script_name: "/demo".into(),
            path_info: b"/a\xff".to_vec(),
            query_string: "x=1".into(),
            request_uri: "/demo/a%FF?x=1".into(),
            content_type: None,
            content_length: Some(5),
            server_name: "example.org".into(),
            server_port: 8080,
            server_protocol: "HTTP/1.1".into(),
            server_software: "rhost/0.1.0".into(),
            url_scheme: "http".into(),
            remote_addr: "192.0.2.1".into(),
            remote_port: 50123,
            headers: vec![
                ("accept".into(), b"text/html".to_vec()),
                ("cookie".into(), b"a=1".to_vec()),
                ("accept".into(), b"*/*".to_vec()),
                ("cookie".into(), b"b=2".to_vec()),
            ],
            multithread: false,
            multiprocess: true,
            run_once: true,
            request_id: "7f3a".into(),
            extensions: vec![("app.mode".into(), "demo".into())],
        };
        let expected = "\
Hello world!

REQUEST_METHOD = 'GET'
SCRIPT_NAME = '/demo'
PATH_INFO = '/a\\xff'
QUERY_STRING = 'x=1'
REQUEST_URI = '/demo/a%FF?x=1'
CONTENT_LENGTH = '5'
SERVER_NAME = 'example.org'
SERVER_PORT = '8080'
SERVER_PROTOCOL = 'HTTP/1.1'
SERVER_SOFTWARE = 'rhost/0.1.0'
GATEWAY_INTERFACE = 'CGI/1.1'
REMOTE_ADDR = '192.0.2.1'
REMOTE_PORT = '50123'
HTTP_ACCEPT = 'text/html, */*'
HTTP_COOKIE = 'a=1; b=2'
wsgi.url_scheme = 'http'
wsgi.multithread = 'false'
wsgi.multiprocess = 'true'
wsgi.run_once = 'true'
rhost.request_id = '7f3a'
app.mode = 'demo'
";
        assert_eq!(super::page(&environ.into()), expected);
    }
}
