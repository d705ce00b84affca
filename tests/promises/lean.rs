//! An app of the SDK imports no more than it uses: each function that a component
//! imports is tied anew in every sandbox.

use rhost_tests::{Test, imported_functions};
use std::fs;

#[test]
fn hello_imports_seven_functions() {
    let functions = imported_functions("hello");
    assert!(functions.len() <= 7, "{functions:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_with_the_feature_files() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("note"), "lent").unwrap();
    let answer = Test::serving("writes-file")
        .dir(data.path(), "/data", false)
        .get("/")
        .await;
    assert_eq!(answer.text(), "written Ok(()), read Ok(\"lent\")\n");
    assert_eq!(fs::read_to_string(data.path().join("new")).unwrap(), "new");
    assert!(answer.log.contains("stdout: to stdout\n"), "{}", answer.log);
    assert!(answer.log.contains("stderr: to stderr\n"), "{}", answer.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_they_are_only_read_and_the_log_says_why() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("note"), "lent").unwrap();
    let answer = Test::serving("writes-file-without")
        .dir(data.path(), "/data", false)
        .get("/")
        .await;
    assert_eq!(
        answer.text(),
        "written Err(Unsupported), read Ok(\"lent\")\n"
    );
    for line in [
        "stdout: to stdout\n",
        "stderr: to stderr\n",
        "stderr: rhost-sdk: to write files, an app needs the feature `files` of rhost-sdk\n",
    ] {
        assert!(answer.log.contains(line), "{line} in\n{}", answer.log);
    }
}
