//! The rules of start-response (conformance 26-33).

use rhost_tests::Test;

/// Conformance 26.
#[tokio::test(flavor = "multi_thread")]
async fn never_called_is_500() {
    let answer = Test::serving("no-answer").get("/").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.log.contains("without having called start-response"),
        "{}",
        answer.log
    );
}

/// Conformance 27.
#[tokio::test(flavor = "multi_thread")]
async fn twice_without_exc_info_is_500() {
    let answer = Test::serving("two-answers").get("/").await;
    assert_eq!(answer.status, 500);
    assert!(!answer.text().contains("should not arrive"));
    assert!(
        answer.log.contains("start-response was called twice"),
        "{}",
        answer.log
    );
}

/// Conformance 28.
#[tokio::test(flavor = "multi_thread")]
async fn with_exc_info_the_answer_is_replaced() {
    let answer = Test::serving("replaced-answer").get("/").await;
    assert_eq!((answer.status, answer.text()), (503, "replaced"));
    assert_eq!(
        (answer.field("x-first"), answer.field("x-second")),
        ("", "2")
    );
    assert!(
        answer.log.contains("exc-info: TestError: changed my mind"),
        "{}",
        answer.log
    );
}

/// Conformance 29.
#[tokio::test(flavor = "multi_thread")]
async fn with_exc_info_after_the_headers_it_is_cut() {
    let answer = Test::serving("replaced-answer").get("/late").await;
    assert_eq!(
        (answer.status, answer.text(), answer.cut),
        (200, "half an answer and more", true)
    );
    assert!(
        answer.log.contains("after the headers had left"),
        "{}",
        answer.log
    );
}

/// Conformance 31, 32 and 33.
#[tokio::test(flavor = "multi_thread")]
async fn heads_that_may_not_be_sent_are_refused() {
    let answer = Test::serving("bad-heads").get("/").await;
    assert_eq!(
        (
            answer.status,
            answer.field("x-a"),
            answer.field("set-cookie")
        ),
        (200, "trimmed", "")
    );
    let told: Vec<_> = answer.text().lines().collect();
    assert_eq!(told.len(), 15);
    assert!(
        told[..6].iter().all(|line| line.contains("InvalidStatus")),
        "{told:#?}"
    );
    for (line, fault) in told[6..].iter().zip([
        "InvalidValue",
        "InvalidValue",
        "InvalidValue",
        "InvalidName",
        "InvalidName",
        "HopByHop",
        "HopByHop",
        "HopByHop",
        "ContentLength",
    ]) {
        assert!(
            line.contains("index: 1") && line.contains(fault),
            "{line}: {fault}"
        );
    }
}
