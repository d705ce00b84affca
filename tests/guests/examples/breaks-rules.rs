//! Breaks one rule of HTTP on each path, which is named for it.
use rhost_test_guests::{Environ, Failure, Input, field, guest, read_all, start_response};
use std::fs;
use std::thread::sleep;
use std::time::Duration;

fn handle(environ: Environ, input: Input) -> Result<(), Failure> {
    let plain = field("content-type", "text/plain");
    let tag = field("etag", "\"1\"");
    let ranges = field("accept-ranges", "bytes");
    let value = |name: &str| {
        let found = environ.headers.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    let is_head = environ.request_method == "HEAD";
    let path = String::from_utf8_lossy(&environ.path_info).into_owned();
    let mut body = "body".to_owned();
    let (status, fields) = match path.as_str() {
        "/allow-missing" => (405, vec![plain]),
        "/challenge-missing" => (401, vec![plain]),
        "/location-missing" => (302, vec![plain]),
        "/content-type-missing" => (200, vec![]),
        "/content-type-of-nothing" => {
            body.clear();
            (204, vec![plain])
        }
        "/body-not-allowed" => (204, vec![]),
        "/field-not-ascii" => (200, vec![plain, field("x-name", "caf\u{e9}")]),
        "/server-error" => (500, vec![plain]),
        "/head-status" if is_head => (405, vec![plain, field("allow", "GET")]),
        "/head-fields" if is_head => (200, vec![plain]),
        "/head-fields" => (200, vec![plain, field("x-kind", "a")]),
        "/if-none-match" => (200, vec![plain, tag]),
        "/not-modified-fields" if value("if-none-match").is_some() => (304, vec![]),
        "/not-modified-fields" => (200, vec![plain, tag]),
        "/range" if value("range").is_some() => (206, vec![plain, ranges]),
        "/range" | "/range-ignored" => (200, vec![plain, ranges]),
        "/protocol" if environ.server_protocol != "HTTP/1.1" => (400, vec![plain]),
        "/incomplete-accepted" => {
            let _ = read_all(&input);
            (200, vec![plain])
        }
        "/again" => {
            body = environ.request_id;
            (200, vec![plain])
        }
        "/at-once" if environ.request_method == "GET" => (alone(), vec![plain]),
        // Looks at one line of cookies and no further.
        "/" => match value("cookie") {
            Some(cookies) if !cookies.contains("b=2") => (400, vec![plain]),
            _ => (200, vec![plain]),
        },
        _ => (200, vec![plain]),
    };
    let output = start_response(status, &fields, None).expect("accepted");
    if !body.is_empty() {
        output.write(body.as_bytes()).map_err(Failure::Output)?;
    }
    Ok(())
}

/// 200, or 409 to who comes while another one is here.
fn alone() -> u16 {
    let (inside, met) = ("/data/inside", "/data/met");
    if fs::File::create_new(inside).is_err() {
        let _ = fs::write(met, "");
        return 409;
    }
    // The other one may still be on its way; who is alone waits in vain.
    for _ in 0..100 {
        if fs::exists(met).unwrap_or(true) {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    let _ = (fs::remove_file(met), fs::remove_file(inside));
    200
}

guest!(handle);
