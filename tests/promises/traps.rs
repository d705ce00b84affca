//! What a guest that ends badly leaves the client, and the log (conformance 42,
//! hostile guests 21-23).

use http::Request;
use http_body_util::Full;
use rhost_tests::{Answer, Test};

#[tokio::test(flavor = "multi_thread")]
async fn before_the_headers_it_is_500() {
    let answer = Test::serving("trap-before-headers").get("/").await;
    assert_eq!(
        (answer.status, answer.field("content-type")),
        (500, "text/html; charset=utf-8")
    );
    // The page has the request's name; why is for the log.
    let id = answer
        .text()
        .split("Request ")
        .nth(1)
        .and_then(|rest| rest.get(..16))
        .expect("an id");
    assert!(!answer.text().contains("message"), "{}", answer.text());
    assert!(
        answer
            .log
            .contains(&format!("trap-before-headers {id} rhost: trapped: ")),
        "{}",
        answer.log
    );
    assert!(
        answer.log.contains("a message for the log"),
        "{}",
        answer.log
    );
    assert!(
        answer.log.contains("fails_here"),
        "the backtrace is demangled: {}",
        answer.log
    );
}

/// Conformance 42.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_block_is_not_sent() {
    // Unless a tick comes between the block and the trap, which lets it go.
    for _ in 0..5 {
        let answer = Test::serving("trap-holding-a-block").get("/").await;
        if answer.status == 500 {
            assert!(!answer.text().contains("held"));
            return;
        }
        assert_eq!((answer.text(), answer.cut), ("held", true));
    }
    panic!("the block left each time");
}

/// Conformance 42.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_headers_it_is_cut() {
    let answer = Test::serving("trap-after-headers").get("/").await;
    assert_eq!(
        (answer.status, answer.text(), answer.cut),
        (200, "onetwo", true)
    );
    assert!(answer.log.contains("trapped: "), "{}", answer.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_without_an_answer_is_500() {
    let answer = Test::serving("exit").get("/").await;
    assert_eq!(answer.status, 500);
    assert!(answer.log.contains("called exit(0)"), "{}", answer.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_from_handle_is_500_or_a_cut() {
    let answer = Test::serving("reports-failure").get("/").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.log.contains("TestError: could not go on"),
        "{}",
        answer.log
    );
    assert!(
        answer.log.contains("rhost: in the guest"),
        "the traceback: {}",
        answer.log
    );
    let answer = Test::serving("reports-failure").get("/late").await;
    assert_eq!(
        (answer.status, answer.text(), answer.cut),
        (200, "onetwo", true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_goes_on() {
    let server = Test::serving("trap-before-headers")
        .concurrency(2)
        .start()
        .await;
    let mut client = server.client().await;
    for _ in 0..200 {
        assert_eq!(client.get("/").await.status, 500);
    }
}

/// What a browser at this machine gets that sends `request` as it is.
async fn browse(test: Test, request: http::request::Builder) -> Answer {
    let server = test.start().await;
    let request = request.body(Full::default()).unwrap();
    let response = server.client().await.send(request).await;
    Answer::read(response.expect("an answer")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_is_shown_why() {
    let answer = browse(
        Test::serving("trap-before-headers").dev(),
        Request::get("/%3Cscript%3E").header("host", "localhost"),
    )
    .await;
    assert_eq!(answer.status, 500);
    let page = answer.text();
    for part in [
        "<h1>500 Internal Server Error</h1>",
        // What it panicked with says more than how it trapped, which is there too.
        "<p class=\"what\">a message for the log</p>",
        "trapped: wasm trap: wasm `unreachable` instruction executed.",
        "trap_before_headers::fails_here",
        "path-info        /&lt;script&gt;\n",
        "request-method   GET\n",
    ] {
        assert!(page.contains(part), "{part} in\n{page}");
    }
    assert!(!page.contains("<script>"), "{page}");
    assert_eq!(
        answer.field("content-security-policy"),
        "default-src 'none'; style-src 'unsafe-inline'"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_is_shown_the_limit_and_its_setting() {
    let answer = browse(
        Test::serving("spin-forever").dev().cpu("50ms"),
        Request::get("/").header("host", "localhost:8000"),
    )
    .await;
    assert_eq!(answer.status, 504);
    let page = answer.text();
    assert!(page.contains("CPU limit of 50ms reached (--cpu)"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_shown_anything() {
    let at_localhost = || Request::get("/").header("host", "localhost");
    let guest = || Test::serving("trap-before-headers");
    let proxied = at_localhost().header("x-forwarded-for", "192.0.2.1");
    let rebound = Request::get("/").header("host", "evil.test");
    for answer in [
        browse(guest().dev(), proxied).await,
        browse(guest().dev(), rebound).await,
        browse(guest(), at_localhost()).await,
    ] {
        assert_eq!(answer.status, 500);
        let page = answer.text();
        assert!(
            !page.contains("trapped") && !page.contains("fails_here"),
            "{page}"
        );
    }
}
