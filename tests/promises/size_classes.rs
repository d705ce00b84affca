//! A guest of 100 KB and one with an image of 24 MiB are both served fresh.

use rhost::sandbox::SizeClass;
use rhost_tests::Test;

#[tokio::test(flavor = "multi_thread")]
async fn a_large_image_is_whole_in_every_request() {
    let server = Test::serving("big-image").start().await;
    let mut client = server.client().await;
    let first = client.get("/").await;
    assert_eq!(first.status, 200);
    for _ in 0..50 {
        assert_eq!(client.get("/").await.body, first.body);
    }
}

#[test]
fn classes_are_told_by_the_memory_that_a_guest_starts_with() {
    assert_eq!(rhost_tests::size_class("big-image"), SizeClass::Large);
    assert_eq!(rhost_tests::size_class("answers"), SizeClass::Small);
}
