//! The browser does what a test tells it, and says what went wrong.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use rhost_browser::Page;

/// Pages by their paths, with the status and further fields of each answer.
const PAGES: &[(&str, &str, &str)] = &[
    (
        "/",
        "200 OK\r\nset-cookie: seen=yes; HttpOnly",
        "<!doctype html><title>First</title><h1> Hello <b>you</b></h1>\
         <form action=/second><input name=q value=old><button>Go</button></form>\
         <button id=none style='display:none'>-</button>\
         <div style='position:relative'><button id=under>-</button>\
         <div style='position:absolute;inset:0;background:red'></div></div>",
    ),
    ("/moved", "303 See Other\r\nlocation: /second", ""),
    (
        "/second",
        "200 OK",
        "<!doctype html><title>Second</title><p id=query></p><a href=/moved>again</a>\
         <script>query.textContent = location.search</script>",
    ),
    (
        "/later",
        "200 OK",
        "<!doctype html><ul></ul><script>let ready = false; setTimeout(() => {\
         ready = true; document.querySelector('ul').innerHTML = '<li>late</li>' }, 20)</script>",
    ),
    (
        "/again",
        "200 OK",
        "<!doctype html><p>0</p><script>const n = +sessionStorage.n || 0; sessionStorage.n = n + 1;\
         document.querySelector('p').textContent = n; if (n < 3) setTimeout(() => location.reload(), 10)</script>",
    ),
    (
        "/wrong",
        "200 OK",
        "<!doctype html><script>console.log('well'); console.error('not', 'well', 7);\
         throw new Error('thrown')</script>",
    ),
    // A browser asks for it whenever it likes, and tells the console when it is not there.
    ("/favicon.ico", "200 OK", ""),
    (
        "/absent",
        "404 Not Found",
        "<!doctype html><h1>Nothing here</h1>",
    ),
    (
        "/scheme",
        "200 OK",
        "<!doctype html><meta name=viewport content='width=device-width'><style>p { color: rgb(1, 1, 1) } @media (prefers-color-scheme: dark) \
         { p { color: rgb(2, 2, 2) } }</style><p>seen</p><input type=file>",
    ),
];

/// Answers until the process ends.
fn site() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            // A browser connects ahead of its requests, and may then say nothing.
            thread::spawn(move || {
                let mut request = Vec::new();
                let mut block = [0; 4096];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut block) {
                        Ok(count @ 1..) => request.extend_from_slice(&block[..count]),
                        _ => return,
                    }
                }
                let request = String::from_utf8_lossy(&request);
                let target = request.split(' ').nth(1).unwrap_or_default();
                let path = target.split('?').next().unwrap_or_default();
                let (_, head, body) = PAGES.iter().find(|(other, ..)| *other == path).unwrap_or(&(
                    "",
                    "404 Not Found",
                    "",
                ));
                let _ = write!(
                    stream,
                    "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
            });
        }
    });
    addr
}

fn complaint(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("it has to fail");
    panic.downcast_ref::<String>().expect("it says why").clone()
}

fn open(page: &mut Page, site: SocketAddr, path: &str) {
    page.open(&format!("http://{site}{path}"));
}

#[test]
fn a_user_goes_from_page_to_page() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let site = site();
    let mut page = browser.page();
    open(&mut page, site, "/");
    assert_eq!(page.title(), "First");
    assert_eq!(page.text("h1"), "Hello you");
    assert_eq!(page.value("input"), "old");
    page.fill("input", "a \"new\" ☕");
    page.click_through("form button");
    assert_eq!(page.title(), "Second");
    assert_eq!(page.text("#query"), "?q=a+%22new%22+%E2%98%95");
    page.click_through("a");
    assert!(page.url().ends_with("/second"), "{}", page.url());
    assert_eq!(page.attribute("a", "href").as_deref(), Some("/moved"));
    assert_eq!(page.attribute("a", "id"), None);

    open(&mut page, site, "/");
    page.fill("input", "");
    page.press_enter_through();
    assert_eq!(page.text("#query"), "?q=");
    page.reload();
    assert!(page.has("#query") && !page.has("#nowhere"));
}

#[test]
fn cookies_are_shared_unless_a_page_is_private() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let site = site();
    let [mut first, mut second, mut other] =
        [browser.page(), browser.page(), browser.private_page()];
    open(&mut first, site, "/");
    open(&mut second, site, "/second");
    open(&mut other, site, "/second");
    assert_eq!(first.eval("document.cookie"), "");
    assert_eq!(second.cookie("seen").as_deref(), Some("yes"));
    assert_eq!(other.cookie("seen"), None);
    other.set_cookie("seen", "made up");
    assert_eq!(other.cookie("seen").as_deref(), Some("made up"));
    assert_eq!(first.cookie("seen").as_deref(), Some("yes"));
}

#[test]
fn what_comes_late_is_waited_for_in_each_page() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let site = site();
    let [mut first, mut second] = [browser.page(), browser.page()];
    for page in [&mut first, &mut second] {
        open(page, site, "/later");
    }
    for page in [&mut first, &mut second] {
        page.wait_until("ready");
        page.wait_until("document.querySelector('li')?.textContent === 'late'");
    }
    // It was left three times while it was waited for.
    open(&mut first, site, "/again");
    first.wait_until("document.querySelector('p')?.textContent === '3'");
    assert_eq!(
        first.eval("Promise.resolve([1, { a: null }])").to_string(),
        r#"[1,{"a":null}]"#
    );
}

#[test]
fn the_console_is_heard() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let site = site();
    let mut page = browser.page();
    open(&mut page, site, "/later");
    assert_eq!(page.take_errors(), [""; 0]);
    open(&mut page, site, "/wrong");
    let errors = page.take_errors();
    assert_eq!(errors[0], "not well 7");
    assert!(errors[1].starts_with("Error: thrown"), "{errors:?}");
    open(&mut page, site, "/absent");
    assert_eq!(page.text("h1"), "Nothing here");
    open(&mut page, site, "/second");
    let errors = page.take_errors();
    assert!(
        errors.iter().any(|error| error.contains("404")),
        "{errors:?}"
    );
    assert!(page.take_errors().is_empty());
}

#[test]
fn what_cannot_be_done_is_said() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let site = site();
    let mut page = browser.page();
    let refused = complaint(|| page.open("http://127.0.0.1:1/"));
    assert!(refused.contains("127.0.0.1:1"), "{refused}");
    open(&mut page, site, "/");
    let absent = complaint(|| drop(page.text("#nowhere")));
    assert!(absent.contains("no element fits #nowhere"), "{absent}");
    let absent = complaint(|| page.fill("#nowhere", "x"));
    assert!(absent.contains("no element fits #nowhere"), "{absent}");
    let hidden = complaint(|| page.click("#none"));
    assert!(hidden.contains("nobody can see it"), "{hidden}");
    let covered = complaint(|| page.click("#under"));
    assert!(covered.contains("it is behind"), "{covered}");
    let thrown = complaint(|| drop(page.eval("absent.length")));
    assert!(thrown.contains("absent is not defined"), "{thrown}");
    let thrown = complaint(|| page.wait_until("absent.length"));
    assert!(thrown.contains("absent is not defined"), "{thrown}");
}

#[test]
fn a_page_is_seen_as_it_is_asked_for() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let site = site();
    let home = tempfile::tempdir().expect("a directory");
    let mut page = browser.page();
    open(&mut page, site, "/scheme");
    let colour = "getComputedStyle(document.querySelector('p')).color";
    for (dark, expected) in [(true, "rgb(2, 2, 2)"), (false, "rgb(1, 1, 1)")] {
        page.prefer_dark(dark);
        assert_eq!(page.eval(colour), expected);
    }
    page.resize(390, 844);
    assert_eq!(page.eval("innerWidth"), 390);
    let picture = home.path().join("page.png");
    page.screenshot(&picture);
    let octets = std::fs::read(&picture).expect("a picture");
    assert!(octets.starts_with(b"\x89PNG") && octets.len() > 500);
    page.choose_file("input", &picture);
    assert_eq!(
        page.eval("document.querySelector('input').files[0].name"),
        "page.png"
    );

    page.run_scripts(false);
    open(&mut page, site, "/second");
    assert_eq!(page.text("#query"), "");
}

#[test]
fn a_page_keeps_its_browser() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let mut page = browser.page();
    drop(browser);
    assert_eq!(page.eval("1 + 1"), 2);
}

#[test]
fn without_a_browser_a_test_passes_unless_one_is_required() {
    let run = |required: &str| {
        let tests = std::env::current_exe().expect("this program");
        std::process::Command::new(tests)
            .args(["--exact", "a_page_keeps_its_browser", "--nocapture"])
            .env("PATH", "/nowhere")
            .env_remove("CHROME")
            .env("RHOST_REQUIRE_BROWSER", required)
            .output()
            .expect("it runs")
    };
    for (required, passes) in [("", true), ("1", false)] {
        let output = run(required);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("install Chromium"), "{said}");
        assert!(said.contains("pages.rs"), "{said}");
        assert_eq!(output.status.success(), passes);
    }
}
