//! What runs around the routes of a site, and its own pages.

use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer};

#[get("/")]
fn index() -> &'static str {
    "index"
}

#[get("/numbers/{number}")]
fn number(number: u32) -> ([(&'static str, &'static str); 2], Result<String>) {
    let fields = [("x-number", "7"), ("cache-control", "no-store")];
    let answer = match number {
        0 => Err(Error::new(Status::NOT_FOUND, "No zero").because("secret")),
        1 => Err(Error::new(Status::INTERNAL_SERVER_ERROR, "No one").because("secret")),
        2 => Err(std::io::Error::other("secret").into()),
        3 => Err(Error::new(Status::CONFLICT, "No three")),
        4 => Err(Error::new(Status::METHOD_NOT_ALLOWED, "No four")),
        _ => Ok(number.to_string()),
    };
    (fields, answer)
}

#[get("/none")]
fn none() -> Option<String> {
    None
}

/// Responses that the handler makes itself.
#[get("/own/{kind}")]
fn own(kind: &str) -> Response {
    match kind {
        "text" => (Status::NOT_FOUND, "mine").respond(),
        "status" => Status::METHOD_NOT_ALLOWED.respond(),
        "body" => Rejection::new(Status::NOT_FOUND, "Not Found")
            .respond()
            .body("mine"),
        "stream" => Rejection::new(Status::INTERNAL_SERVER_ERROR, "Not Found")
            .respond()
            .stream(|out| Ok(out.send(b"mine")?)),
        _ => Rejection::new(Status::INTERNAL_SERVER_ERROR, "a rejection").respond(),
    }
}

use rhost_sdk::Responder;

fn stop(request: &Request) -> Option<(Status, &'static str)> {
    (request.query() == "stop").then_some((Status::SERVICE_UNAVAILABLE, "stopped"))
}

fn refuse(request: &Request) -> Result<(), Rejection> {
    match request.query() {
        "refuse" => Err(Rejection::new(Status::FORBIDDEN, "Refused")),
        "hide" => Err(Rejection::new(Status::NOT_FOUND, "Not Found")),
        // It ran after `stop`, or else that one would have answered.
        "stop" => panic!("a hook before that answers ends the request"),
        _ => Ok(()),
    }
}

mod more {
    use super::*;

    pub fn watch(_: &Request) {}

    pub fn outer(_: &Request, response: Response) -> Response {
        response.header("x-order", "outer")
    }
}

/// What the answer was when the hook had it, as fields.
fn inner(request: &Request, response: Response) -> ([(&'static str, String); 1], Response) {
    let seen = format!("{} {}", request.method(), response.status().code());
    ([("x-seen", seen)], response.header("x-order", "inner"))
}

fn not_found(request: &Request) -> Html<String> {
    Html(format!(
        "nothing at {}",
        String::from_utf8_lossy(request.path())
    ))
}

fn method_not_allowed(_: &Request) -> Json<[u8; 1]> {
    Json([4])
}

fn internal_error(_: &Request, text: &str) -> ([(&'static str, &'static str); 1], String) {
    ([("cache-control", "private")], format!("sorry: {text}"))
}

app!(
    index,
    "/below" => [index],
    number,
    none,
    own,
    before = [stop, refuse, more::watch],
    after = [more::outer, inner],
    not_found = not_found,
    method_not_allowed = method_not_allowed,
    internal_error = internal_error,
);

mod elsewhere {
    use super::*;

    fn moved(_: &Request) -> Redirect {
        Redirect::see_other("/")
    }

    fn fails(_: &Request) -> Result<String> {
        Err(Error::new(Status::INTERNAL_SERVER_ERROR, "The page fails"))
    }

    fn plain(_: &Request, _: &str) -> Status {
        Status::BAD_GATEWAY
    }

    app!(
        super::index,
        super::number,
        not_found = moved,
        method_not_allowed = fails,
        internal_error = plain
    );
}

mod late {
    use super::*;

    fn fails(_: &Request, _: Response) -> Result<Response> {
        Err(Error::new(Status::NOT_FOUND, "Too late"))
    }

    app!(super::index, not_found = super::not_found, after = [fails]);
}

fn get(target: &str) -> Answer {
    testing::get(&APP, target).send()
}

fn order(answer: &Answer) -> Vec<&[u8]> {
    answer
        .headers()
        .filter(|(name, _)| *name == "x-order")
        .map(|(_, value)| value)
        .collect()
}

#[track_caller]
fn is(answer: &Answer, status: u16, kind: &str, text: &str) {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.header("content-type"), Some(kind));
    assert_eq!(answer.text(), text);
    let kinds = answer.headers().filter(|(name, _)| *name == "content-type");
    assert_eq!(kinds.count(), 1);
}

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

#[test]
fn a_hook_before_lets_go_on_or_answers() {
    is(&get("/"), 200, TEXT, "index");
    is(&get("/below/"), 200, TEXT, "index");
    is(&get("/?stop"), 503, TEXT, "stopped");
    is(&get("/?refuse"), 403, TEXT, "Refused\n");
    // Also where the site would have answered by itself.
    is(&get("/absent?refuse"), 403, TEXT, "Refused\n");
    is(&testing::post(&APP, "/?stop").send(), 503, TEXT, "stopped");
    is(
        &testing::options(&APP, "/?stop").send(),
        503,
        TEXT,
        "stopped",
    );
    // Its rejections have the site's pages.
    is(&get("/?hide"), 404, HTML, "nothing at /");
}

#[test]
fn hooks_after_run_backwards_for_every_response() {
    for (method, target, seen) in [
        ("GET", "/", "GET 200"),
        ("HEAD", "/", "HEAD 200"),
        ("GET", "/?stop", "GET 503"),
        ("GET", "/absent", "GET 404"),
        ("PUT", "/", "PUT 405"),
        ("OPTIONS", "/", "OPTIONS 204"),
        ("OPTIONS", "*", "OPTIONS 204"),
        ("GET", "/numbers/2", "GET 500"),
    ] {
        let answer = testing::request(&APP, method, target).send();
        assert_eq!(answer.header("x-seen"), Some(seen));
        assert_eq!(order(&answer), [&b"inner"[..], b"outer"]);
    }
}

#[test]
fn pages_stand_in_for_lines() {
    is(&get("/absent"), 404, HTML, "nothing at /absent");
    is(&get("/none"), 404, HTML, "nothing at /none");
    is(&get("/numbers/x"), 404, HTML, "nothing at /numbers/x");
    is(&get("/numbers/0"), 404, HTML, "nothing at /numbers/0");
    is(&get("/numbers/1"), 500, TEXT, "sorry: No one");
    is(
        &get("/numbers/2"),
        500,
        TEXT,
        "sorry: Internal Server Error",
    );
    is(&get("/own/rejection"), 500, TEXT, "sorry: a rejection");
    let answer = testing::put(&APP, "/").send();
    is(&answer, 405, "application/json", "[4]");
    assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
    is(&get("/numbers/4"), 405, "application/json", "[4]");
    // There is no page for these.
    is(&get("/numbers/3"), 409, TEXT, "No three\n");
    is(&get("/numbers/5"), 200, TEXT, "5");
    let answer = testing::head(&APP, "/absent").send();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.blocks(), [b"nothing at /absent"]);
}

#[test]
fn a_page_keeps_the_fields_that_it_does_not_set() {
    let answer = get("/numbers/1");
    assert_eq!(answer.header("x-number"), Some("7"));
    let controls: Vec<_> = answer
        .headers()
        .filter(|(name, _)| *name == "cache-control")
        .collect();
    assert_eq!(controls, [("cache-control", &b"private"[..])]);
}

#[test]
fn a_response_of_the_handlers_own_stays() {
    is(&get("/own/text"), 404, TEXT, "mine");
    is(&get("/own/body"), 404, TEXT, "mine");
    is(&get("/own/stream"), 500, TEXT, "mine");
    let answer = get("/own/status");
    assert_eq!(
        (answer.status().code(), answer.text()),
        (405, String::new())
    );
}

#[test]
fn a_page_can_have_a_status_of_its_own() {
    let answer = testing::get(&elsewhere::APP, "/absent").send();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.header("location"), Some("/"));
    assert_eq!(answer.header("content-type"), None);
    assert!(answer.body().is_empty());
    // No page for a page.
    let answer = testing::put(&elsewhere::APP, "/").send();
    is(&answer, 500, TEXT, "The page fails\n");
    assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
    let answer = testing::get(&elsewhere::APP, "/numbers/2").send();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.header("x-number"), Some("7"));
}

#[test]
fn what_a_hook_after_answers_has_no_page() {
    let answer = testing::get(&late::APP, "/").send();
    is(&answer, 404, TEXT, "Too late\n");
}
