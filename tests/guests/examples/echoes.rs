//! Answers what it was told of the request, and the body, as JSON. Octets are
//! written as text in ISO 8859-1.
use rhost_test_guests::{Environ, Failure, Input, field, guest, read_all, start_response};

fn handle(environ: Environ, input: Input) -> Result<(), Failure> {
    let body = read_all(&input).map_err(Failure::Input)?;
    let headers: Vec<String> = environ
        .headers
        .iter()
        .map(|(name, value)| format!("[{},{}]", text(name.as_bytes()), text(value)))
        .collect();
    let content_type = environ
        .content_type
        .map_or("null".to_owned(), |value| text(value.as_bytes()));
    let content_length = environ
        .content_length
        .map_or("null".to_owned(), |length| length.to_string());
    let answer = format!(
        "{{\"port\":{},\"method\":{},\"uri\":{},\"path\":{},\"query\":{},\"version\":{},\
         \"content_type\":{content_type},\"content_length\":{content_length},\
         \"headers\":[{}],\"body\":{}}}",
        environ.remote_port,
        text(environ.request_method.as_bytes()),
        text(environ.request_uri.as_bytes()),
        text(&environ.path_info),
        text(environ.query_string.as_bytes()),
        text(environ.server_protocol.as_bytes()),
        headers.join(","),
        text(&body),
    );
    // A success would make a tunnel of CONNECT, without a body.
    let status = match environ.request_method.as_str() {
        "CONNECT" => 405,
        _ => 200,
    };
    let json = field("content-type", "application/json");
    start_response(status, &[json], None)
        .expect("accepted")
        .write(answer.as_bytes())
        .map_err(Failure::Output)
}

fn text(octets: &[u8]) -> String {
    let characters = octets.iter().map(|&octet| match octet {
        b'"' | b'\\' => format!("\\{}", octet as char),
        b' '..=b'~' => (octet as char).to_string(),
        _ => format!("\\u{octet:04x}"),
    });
    format!("\"{}\"", characters.collect::<String>())
}

guest!(handle);
