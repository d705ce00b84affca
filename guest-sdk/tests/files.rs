//! Files of a directory, as answers.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer};
use tempfile::TempDir;

/// More than two blocks, and not a multiple of one.
const LARGE: usize = 2 * 64 * 1024 + 7;

const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// The directory `lent`, and beside it what nobody lent.
static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let lent = directory.path().join("lent");
    fs::create_dir_all(lent.join("sub")).unwrap();
    fs::create_dir_all(lent.join(".git")).unwrap();
    fs::write(directory.path().join("secret.txt"), "secret").unwrap();
    for (name, content) in [
        ("a.txt", &b"0123456789"[..]),
        ("index.html", b"<p>top"),
        ("sub/index.html", b"<p>sub"),
        ("sub/b.JSON", b"{}"),
        ("empty.css", b""),
        ("plain", b"?"),
        ("a b é.xyzzy", b"named"),
        (".env", b"secret"),
        (".git/config", b"secret"),
        ("large.bin", &large()),
    ] {
        fs::write(lent.join(name), content).unwrap();
        let file = fs::File::options()
            .write(true)
            .open(lent.join(name))
            .unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(784_111_777_123))
            .unwrap();
    }
    directory
});

fn large() -> Vec<u8> {
    (0..LARGE).map(|place| (place % 251) as u8).collect()
}

static LENT: LazyLock<String> = LazyLock::new(|| {
    let path: PathBuf = DIRECTORY.path().join("lent");
    path.into_os_string().into_string().unwrap()
});

#[get("/files")]
fn file(Query(query): Query<Vec<(String, String)>>, conditions: Conditions<'_>) -> Response {
    let conditions = conditions.header("cache-control", "max-age=60");
    Files::in_dir(&LENT).serve(&query[0].1, conditions)
}

#[get("/indexed")]
fn indexed(Query(query): Query<Vec<(String, String)>>, conditions: Conditions<'_>) -> Response {
    Files::in_dir(&LENT)
        .index("index.html")
        .serve(&query[0].1, conditions)
}

#[get("/whole/{name}")]
fn whole(name: String) -> Result<File> {
    Ok(File::open(PathBuf::from(&*LENT).join(name))?)
}

#[get("/tagged/{name}")]
fn tagged(name: String, conditions: Conditions<'_>) -> Result<Response> {
    let file = Files::in_dir(&LENT).open(&name)?;
    Ok(file.etag(ETag::strong("v1")).answer(conditions))
}

#[get("/download")]
fn download(conditions: Conditions<'_>) -> Result<Response> {
    let file = Files::in_dir(&LENT).open("a.txt")?;
    assert_eq!(file.length(), 10);
    Ok(file
        .content_type("text/csv")
        .download("prices €.csv")
        .answer(conditions))
}

/// Changes a file between the announcement and the sending.
#[get("/shrinks/{name}")]
fn shrinks(name: String) -> Result<(Status, File)> {
    let path = DIRECTORY.path().join(name);
    fs::write(&path, large())?;
    let file = File::open(&path)?;
    fs::OpenOptions::new()
        .write(true)
        .open(&path)?
        .set_len(70_000)?;
    Ok((Status::OK, file))
}

#[get("/grows/{name}")]
fn grows(name: String) -> Result<File> {
    let path = DIRECTORY.path().join(name);
    fs::write(&path, "short")?;
    let file = File::open(&path)?;
    fs::write(&path, "longer")?;
    Ok(file)
}

app!(file, indexed, whole, tagged, download, shrinks, grows);

/// A name as a client would have to write it to arrive as it is.
fn target(path: &str, name: &str) -> String {
    let name: String = name.bytes().map(|octet| format!("%{octet:02x}")).collect();
    format!("{path}?name={name}")
}

fn ask(method: &str, name: &str, fields: &[(&str, &str)]) -> Answer {
    fields
        .iter()
        .fold(
            testing::request(&APP, method, &target("/files", name)),
            |request, (name, value)| request.header(name, value),
        )
        .send()
}

#[test]
fn a_file_has_its_fields() {
    let answer = ask("GET", "a.txt", &[]);
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text(), "0123456789");
    let tag = format!("W/\"{:x}-a\"", 784_111_777_123_000_000_u64);
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "10"),
        ("last-modified", MODIFIED),
        ("etag", &tag),
        ("accept-ranges", "bytes"),
        ("cache-control", "max-age=60"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    for (name, kind) in [
        ("sub/b.JSON", "application/json"),
        ("empty.css", "text/css; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("plain", "application/octet-stream"),
        ("a b é.xyzzy", "application/octet-stream"),
    ] {
        let answer = ask("GET", name, &[]);
        assert_eq!(
            (answer.status().code(), answer.header("content-type")),
            (200, Some(kind))
        );
    }
    assert_eq!(
        ask("GET", "empty.css", &[]).header("content-length"),
        Some("0")
    );
}

#[test]
fn a_file_is_sent_in_blocks() {
    let answer = ask("GET", "large.bin", &[]);
    assert!(answer.failure().is_none());
    assert_eq!(answer.body(), large());
    let lengths: Vec<_> = answer.blocks().iter().map(Vec::len).collect();
    assert_eq!(lengths, [65536, 65536, 7]);
    let answer = ask("GET", "large.bin", &[("range", "bytes=65530-131070")]);
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.body(), large()[65530..131_071]);
    assert_eq!(answer.header("content-length"), Some("65541"));
    assert_eq!(
        answer.header("content-range"),
        Some("bytes 65530-131070/131079")
    );
}

#[test]
fn head_reads_nothing() {
    let answer = ask("HEAD", "large.bin", &[("range", "bytes=0-1")]);
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-length"), Some("131079"));
    assert!(answer.blocks().is_empty());
    assert!(
        testing::head(&APP, "/whole/a.txt")
            .send()
            .blocks()
            .is_empty()
    );
}

#[test]
fn conditions_and_ranges_are_answered() {
    let tag = ask("GET", "a.txt", &[]).header("etag").unwrap().to_owned();
    for (fields, status) in [
        (&[("if-none-match", &*tag)][..], 304),
        (&[("if-none-match", "\"x\"")], 200),
        (&[("if-modified-since", MODIFIED)], 304),
        (&[("if-match", &tag)], 412),
        (&[("if-match", "*")], 200),
        (&[("range", "bytes=1-2")], 206),
        (&[("range", "bytes=10-")], 416),
        (&[("range", "bytes=0-1,3-4")], 200),
        (&[("range", "bytes=1-2"), ("if-range", MODIFIED)], 206),
        (&[("range", "bytes=1-2"), ("if-range", &tag)], 200),
    ] {
        assert_eq!(ask("GET", "a.txt", fields).status(), status, "{fields:?}");
    }
    let answer = ask("GET", "a.txt", &[("if-none-match", &tag)]);
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    assert_eq!(answer.header("content-length"), None);
    let answer = ask("GET", "empty.css", &[("range", "bytes=0-")]);
    assert_eq!(answer.header("content-range"), Some("bytes */0"));
}

#[test]
fn nothing_but_files_below_the_directory_is_served() {
    let absolute = format!("{}/a.txt", &*LENT);
    let long = "a".repeat(5000);
    for name in [
        "",
        "/",
        ".",
        "..",
        "../secret.txt",
        "sub/../../secret.txt",
        "sub/../a.txt",
        "./a.txt",
        "/a.txt",
        "//a.txt",
        "sub//b.JSON",
        "..\\secret.txt",
        "sub\\b.JSON",
        "a.txt\0",
        "a.txt\0.png",
        "a.txt/",
        "a.txt/b",
        "sub",
        "sub/",
        ".env",
        ".git/config",
        "absent",
        "sub/absent",
        "%2e%2e/secret.txt",
        "a.txt%00",
        "\n",
        &absolute,
        &long,
        "/etc/passwd",
        "C:\\a.txt",
    ] {
        let answer = ask("GET", name, &[("if-none-match", "*")]);
        assert_eq!(answer.status(), 404, "{name:?}");
        assert_eq!(answer.text(), "Not Found\n");
        assert_eq!(answer.header("etag"), None);
    }
}

#[test]
fn a_directory_has_its_index() {
    let ask = |name: &str| testing::get(&APP, &target("/indexed", name)).send();
    assert_eq!(ask("").text(), "<p>top");
    assert_eq!(ask("sub/").text(), "<p>sub");
    assert_eq!(
        ask("sub/").header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for name in ["sub", "absent/", "/", "../", "sub/../", ".git/", "sub//"] {
        assert_eq!(ask(name).status(), 404, "{name}");
    }
}

#[test]
fn a_file_alone_is_an_answer() {
    let answer = testing::get(&APP, "/whole/a.txt")
        .header("range", "bytes=0-1")
        .send();
    assert_eq!(
        (answer.status().code(), answer.text().as_str()),
        (200, "0123456789")
    );
    assert_eq!(answer.header("content-length"), Some("10"));
    assert_eq!(answer.header("last-modified"), Some(MODIFIED));
    assert_eq!(answer.header("accept-ranges"), None);
    assert_eq!(testing::get(&APP, "/whole/sub").send().status(), 404);
}

#[test]
fn a_download_has_its_name() {
    let answer = testing::get(&APP, "/download")
        .header("range", "bytes=-2")
        .send();
    assert_eq!(
        (answer.status().code(), answer.text().as_str()),
        (206, "89")
    );
    assert_eq!(answer.header("content-type"), Some("text/csv"));
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"prices _.csv\"; filename*=UTF-8''prices%20%E2%82%AC.csv")
    );
}

#[test]
fn a_file_that_shrinks_cuts_the_answer() {
    let answer = testing::get(&APP, "/shrinks/a").send();
    assert_eq!(answer.header("content-length"), Some("131079"));
    assert_eq!(answer.body().len(), 65536);
    assert!(answer.failure().is_some());
    let answer = testing::get(&APP, "/grows/b").send();
    assert_eq!((answer.text().as_str(), answer.failure()), ("longe", None));
}

#[test]
fn a_file_older_than_the_format_has_no_date() {
    let path = DIRECTORY.path().join("lent/old.txt");
    fs::write(&path, "old").unwrap();
    let old: SystemTime = UNIX_EPOCH - Duration::from_secs(86_400);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(old)
        .unwrap();
    let answer = ask("GET", "old.txt", &[("if-modified-since", MODIFIED)]);
    assert_eq!(
        (answer.status().code(), answer.text().as_str()),
        (200, "old")
    );
    assert_eq!(answer.header("last-modified"), None);
    assert_eq!(answer.header("etag"), None);
}

#[test]
fn a_tag_of_the_applications_own_resumes_a_download() {
    let answer = testing::get(&APP, "/tagged/a.txt")
        .header("range", "bytes=8-")
        .header("if-range", "\"v1\"")
        .send();
    assert_eq!(
        (answer.status().code(), answer.text().as_str()),
        (206, "89")
    );
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    assert_eq!(answer.header("last-modified"), Some(MODIFIED));
}
