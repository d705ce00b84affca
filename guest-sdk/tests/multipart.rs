//! Forms with files, whole and broken.

use std::io::{BufRead, Read};

use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, TestRequest};
use rhost_sdk::{InputError, Rejection as Refused};

#[post("/parts")]
fn parts(mut form: Multipart) -> Result<String> {
    let mut text = String::new();
    while let Some(mut part) = form.next_part()? {
        let head = format!("{}|{:?}|", part.name(), part.client_filename());
        let data = part.read_to_vec(1 << 20)?;
        text += &format!("{head}{:?}|{}\n", part.content_type(), data.escape_ascii());
    }
    assert!(form.next_part()?.is_none());
    Ok(text)
}

#[post("/names")]
fn names(Limited(mut form): Limited<{ 1 << 30 }, Multipart>) -> Result<String> {
    let mut names = Vec::new();
    while let Some(part) = form.next_part()? {
        names.push(part.name().to_owned());
    }
    Ok(names.join(","))
}

#[post("/safe")]
fn safe(mut form: Multipart) -> Result<String> {
    let mut names = String::new();
    while let Some(part) = form.next_part()? {
        names += &format!("{:?}\n", part.safe_filename());
    }
    Ok(names)
}

#[post("/text")]
fn text(mut form: Multipart) -> std::result::Result<String, Refused> {
    match form.next_part()? {
        Some(mut part) => part.text(4),
        None => Ok("no part".into()),
    }
}

#[post("/read")]
fn read(mut form: Multipart) -> Result<String> {
    let Some(mut part) = form.next_part()? else {
        return Ok("no part".into());
    };
    let mut line = String::new();
    part.read_line(&mut line)?;
    let mut octet = [0];
    let mut rest = 0;
    while part.read(&mut octet)? == 1 {
        rest += 1;
    }
    Ok(format!("{line}{rest}"))
}

#[post("/maybe")]
fn maybe(form: Option<Multipart>) -> String {
    form.is_some().to_string()
}

app!(parts, names, safe, text, read, maybe);

fn post(path: &str) -> TestRequest {
    testing::post(&APP, path).header("content-type", "Multipart/Form-Data; boundary=\"b d\"")
}

fn part(head: &str, data: &str) -> String {
    format!("--b d\r\nContent-Disposition: form-data; {head}\r\n\r\n{data}\r\n")
}

fn form(parts: &[(&str, &str)]) -> String {
    let parts: String = parts.iter().map(|(head, data)| part(head, data)).collect();
    parts + "--b d--"
}

const WHOLE: &str = "before\r\n--b d \t\r\ncontent-DISPOSITION: Form-Data; name=a\r\n\r\n\
    one\r\n--b \r\n--\r\n\r\n--b d\r\n\
    Content-Type: image/png\r\nX-Other: 1\r\n\
    Content-Disposition: form-data; filename=\"C:\\x\\\"y;.png\"; filename*=utf-8''z; name=\"b\\\\\"\r\n\r\n\
    \r\n--b d\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\
    \r\n\r\r\n\r\n--b d--after\r\n--b d\r\n";

const READ: &str = "a|None|None|one\\r\\n--b \\r\\n--\\r\\n\n\
    b\\|Some(\"C:\\\\x\\\"y;.png\")|Some(\"image/png\")|\n\
    |None|None|\\r\\n\\r\\r\\n\n";

#[test]
fn parts_are_read_however_they_arrive() {
    assert_eq!(post("/parts").body(WHOLE).send().text(), READ);
    for size in 1..WHOLE.len() {
        let blocks = WHOLE.as_bytes().chunks(size);
        assert_eq!(post("/parts").blocks(blocks).send().text(), READ, "{size}");
    }
}

#[test]
fn a_form_without_parts_is_empty() {
    assert_eq!(post("/parts").body("--b d--").send().text(), "");
}

#[test]
fn a_form_that_breaks_off_is_the_clients_fault() {
    let end = WHOLE.find("--b d--").unwrap() + 7;
    for length in 0..end {
        for path in ["/parts", "/names"] {
            let answer = post(path).body(&WHOLE[..length]).send();
            assert_eq!(answer.status(), 400, "{length}");
        }
    }
    for (error, status) in [(InputError::TimedOut, 408), (InputError::TooLarge(1), 413)] {
        for path in ["/parts", "/read", "/text"] {
            let request = post(path).blocks([part("name=a", "1").trim_end()]);
            assert_eq!(request.breaks_off(error).send().status(), status);
        }
    }
}

#[test]
fn heads_are_checked() {
    for head in [
        "",
        "Content-Disposition: form-data\r\n",
        "Content-Disposition: form-data; name\r\n",
        "Content-Disposition: form-data; filename=a\r\n",
        "Content-Disposition: form-data; name=\"a\r\n",
        "Content-Disposition: form-data; name=\"a\"b\r\n",
        "Content-Disposition: form-data; name=a; name=b\r\n",
        "Content-Disposition: form-data; name=\"\u{1}\"\r\n",
        "Content-Disposition: attachment; name=a\r\n",
        "Content-Disposition\r\n",
        "Content Disposition: form-data; name=a\r\n",
        "Content-Type: text/plain\r\n",
        "Content-Disposition: form-data; name=a\n\nx\r\n",
    ] {
        let body = format!("--b d\r\n{head}\r\n1\r\n--b d--");
        let answer = post("/names").body(&body).send();
        assert_eq!(answer.status(), 400, "{head:?}");
        assert_eq!(answer.text(), "The form is malformed\n", "{head:?}");
    }
    let answer = post("/names").body(form(&[("name=a", "")]).replace("b d\r", "b dx\r"));
    assert_eq!(answer.send().status(), 400);
    let mut octets = form(&[("name=?", "")]).into_bytes();
    let place = octets.iter().position(|octet| *octet == b'?').unwrap();
    octets[place] = 0xff;
    assert_eq!(post("/names").body(octets).send().status(), 400);
}

#[test]
fn heads_and_parts_are_bounded() {
    let padded = |length: usize| {
        let padding = format!("name=a\r\nX: {}", "x".repeat(length));
        post("/names").body(form(&[(&padding, "")])).send().status()
    };
    assert_eq!(padded(8000), 200);
    assert_eq!(padded(9000), 400);
    let endless = std::iter::repeat_n(&b"x"[..], 10_000);
    let start = std::iter::once(&b"--b d\r\nX: "[..]);
    assert_eq!(
        post("/names").blocks(start.chain(endless)).send().status(),
        400
    );
    let fields = |count: usize| {
        let fields = format!("name=a{}", "\r\nX: x".repeat(count));
        post("/names").body(form(&[(&fields, "")])).send().status()
    };
    assert_eq!(fields(15), 200);
    assert_eq!(fields(16), 400);
    let many = vec![("name=a", ""); 1000];
    assert_eq!(post("/names").body(form(&many)).send().status(), 200);
    let more = vec![("name=a", ""); 1001];
    let answer = post("/names").body(form(&more)).send();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.text(), "The form has too many parts\n");
}

#[test]
fn the_whole_is_bounded() {
    let large = form(&[("name=a; filename=b", &"x".repeat(2 << 20))]);
    let blocks = || large.as_bytes().chunks(65536);
    assert_eq!(post("/safe").body(&large).send().status(), 413);
    assert_eq!(post("/safe").blocks(blocks()).send().status(), 413);
    assert_eq!(post("/names").body(&large).send().text(), "a");
    assert_eq!(post("/names").blocks(blocks()).send().text(), "a");
}

#[test]
fn a_part_is_bounded_where_it_is_taken_whole() {
    for (data, status) in [("", 200), ("four", 200), ("five!", 413)] {
        let answer = post("/text").body(form(&[("name=a", data)])).send();
        assert_eq!(answer.status(), status, "{data}");
    }
    let mut octets = form(&[("name=a", "?")]).into_bytes();
    let place = octets.iter().position(|octet| *octet == b'?').unwrap();
    octets[place] = 0xff;
    assert_eq!(post("/text").body(octets).send().status(), 400);
}

#[test]
fn a_part_is_read_as_it_arrives() {
    let data = format!("line\r\n{}", "x".repeat(200_000));
    let form = form(&[("name=a", &data)]);
    let answer = post("/read").blocks(form.as_bytes().chunks(50_000)).send();
    assert_eq!(answer.text(), "line\r\n200000");
}

#[test]
fn names_of_files_lose_their_directories() {
    for (client, safe) in [
        ("\"a.txt\"", "Some(\"a.txt\")"),
        ("a.txt", "Some(\"a.txt\")"),
        ("\"../../etc/passwd\"", "Some(\"passwd\")"),
        ("\"C:\\Users\\a b.txt\"", "Some(\"a b.txt\")"),
        ("\"/\"", "None"),
        ("\"..\"", "None"),
        ("\"a/ .. \"", "None"),
        ("\"\"", "None"),
        ("\"a\tb\u{80}\u{e9}\"", "Some(\"ab\u{e9}\")"),
    ] {
        let head = format!("name=a; filename={client}");
        let answer = post("/safe").body(form(&[(&head, "")])).send();
        assert_eq!(answer.text(), format!("{safe}\n"), "{client}");
    }
    let field = post("/safe").body(form(&[("name=a", "")])).send();
    assert_eq!(field.text(), "None\n");
}

#[test]
fn it_needs_its_type_and_its_boundary() {
    let status = |content_type: &str| {
        testing::post(&APP, "/parts")
            .header("content-type", content_type)
            .body("--x--")
            .send()
            .status()
            .code()
    };
    assert_eq!(status("text/plain; boundary=x"), 415);
    assert_eq!(status("multipart/mixed; boundary=x"), 415);
    assert_eq!(
        status("multipart/form-data; a=\"; boundary=y;\"; Boundary=x"),
        200
    );
    for boundary in [
        "",
        "; boundary",
        "; boundary=",
        "; boundary=\"x",
        "; boundary=\"\"",
        "; boundary=\"x \"",
        "; boundary=\"x\\\"\"",
        "; boundary=\u{e9}",
        &format!("; boundary={}", "x".repeat(71)),
    ] {
        assert_eq!(
            status(&format!("multipart/form-data{boundary}")),
            400,
            "{boundary}"
        );
    }
    assert_eq!(testing::post(&APP, "/parts").send().status(), 415);
    assert_eq!(testing::post(&APP, "/maybe").send().text(), "false");
    assert_eq!(post("/maybe").send().text(), "true");
}
