//! The examples do what their READMEs say.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use rhost_tests::Test;

#[tokio::test(flavor = "multi_thread")]
async fn hello() {
    let server = Test::serving("hello").start().await;
    let answer = server.get("/").await;
    assert_eq!((answer.status, answer.text()), (200, "Hello, world!\n"));
    let answer = server.get("/json").await;
    assert_eq!(
        (answer.field("content-type"), answer.body.len()),
        ("application/json", 1024)
    );
    assert!(
        server
            .get("/hello/w%C3%B6rld")
            .await
            .text()
            .contains("w\u{f6}rld")
    );
    assert_eq!(server.get("/nowhere").await.status, 404);
    let answer = server.request(http::Request::delete("/"), "").await;
    assert_eq!(
        (answer.status, answer.field("allow")),
        (405, "GET, HEAD, OPTIONS")
    );
    assert_eq!(server.stop().await.log, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream() {
    let server = Test::serving("stream").start().await;
    let answer = server.get("/slow?lines=3&ms=1").await;
    assert_eq!(
        (answer.status, answer.text().lines().count(), answer.cut),
        (200, 3, false)
    );
    let upload: Bytes = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let answer = server
        .request(http::Request::post("/echo"), upload.clone())
        .await;
    assert!(
        answer.body == upload,
        "{} of {} octets came back",
        answer.body.len(),
        upload.len()
    );
    let answer = server.request(http::Request::post("/count"), upload).await;
    assert!(answer.text().contains("1200000"), "{}", answer.text());
    let answer = server.get("/download?mib=3").await;
    assert_eq!((answer.body.len(), answer.cut), (3 << 20, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_lines_come_one_by_one() {
    let server = Test::serving("stream").start().await;
    let mut client = server.client().await;
    let request = http::Request::get("/slow?lines=3&ms=20")
        .header("host", "test")
        .body(Full::default())
        .unwrap();
    let mut response = client.send(request).await.unwrap();
    let mut frames = 0;
    while let Some(frame) = response.body_mut().frame().await {
        frames += usize::from(
            frame
                .unwrap()
                .data_ref()
                .is_some_and(|data| !data.is_empty()),
        );
    }
    assert_eq!(frames, 3);
}
