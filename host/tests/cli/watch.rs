//! `rhost serve --watch`: a developer changes an app while it is being served.

use crate::project::target;
use crate::serving::{Serving, get, rhost};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const PAGE: &str = "host: localhost\r\nsec-fetch-dest: document\r\n";

/// A crate in a directory of its own. Each test's has another name: their
/// components are built side by side.
pub struct Crate {
    /// Its directory.
    pub home: tempfile::TempDir,
    name: &'static str,
}

impl Crate {
    /// One with this code.
    pub fn new(name: &'static str, code: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [lib]\ncrate-type = [\"cdylib\"]\n\
             [dependencies]\nrhost-sdk = {{ path = {sdk:?}, default-features = false }}\n[workspace]\n"
        );
        fs::create_dir(home.path().join("src")).unwrap();
        fs::write(home.path().join("Cargo.toml"), manifest).unwrap();
        // The versions that are here already.
        fs::copy(sdk.join("../Cargo.lock"), home.path().join("Cargo.lock")).unwrap();
        let made = Crate { home, name };
        made.write(code);
        made
    }

    /// Changes its code.
    pub fn write(&self, code: &str) {
        // As editors save: whole, by another file that takes the name.
        let (new, file) = (
            self.home.path().join("new~"),
            self.home.path().join("src/lib.rs"),
        );
        fs::write(&new, code).unwrap();
        fs::rename(new, file).unwrap();
    }

    fn serve(&self, flags: &[&str]) -> Serving {
        let mut command = rhost();
        command.env("CARGO_TARGET_DIR", target());
        let home = self.home.path().to_str().unwrap();
        Serving::start(command, &[&[home, "--watch"], flags].concat())
    }
}

/// Code that says `text`, traps and loops.
pub fn saying(text: &str) -> String {
    format!(
        "use rhost_sdk::prelude::*;\n\
         #[get(\"/\")]\nfn index() -> Html<&'static str> {{\n    Html(\"<!doctype html><p>{text}</p>\")\n}}\n\
         #[get(\"/trap\")]\nfn trap() -> &'static str {{\n    panic!(\"out of {text}\");\n}}\n\
         #[get(\"/spin\")]\nfn spin() -> &'static str {{\n    loop {{\n        std::hint::black_box(1);\n    }}\n}}\n\
         app!(index, trap, spin);\n"
    )
}

/// The revision that a page is of.
fn revision(page: &str) -> &str {
    let rest = page
        .split("data-revision=\"")
        .nth(1)
        .expect("the page has the script");
    rest.split('"').next().unwrap()
}

#[test]
fn a_change_is_served_and_no_request_lost() {
    let app = Crate::new("watched", &saying("tea"));
    let mut serving = app.serve(&[]);
    let page = serving.get_with("/", PAGE);
    assert!(page.contains("<p>tea</p><script"), "{page}");
    if let Some((_, length)) = page.split_once("content-length: ") {
        let length: usize = length.split('\r').next().unwrap().parse().unwrap();
        assert_eq!(page.split("\r\n\r\n").nth(1).unwrap().len(), length);
    }
    // Programs get what the app says, and nothing else.
    let plain = serving.get_with("/", "host: localhost\r\n");
    assert!(plain.ends_with("<p>tea</p>"), "{plain}");

    let addr = serving.addr.clone();
    let question = format!("/.rhost/revision?seen={}", revision(&page));
    // As the script does: whoever is told that there is nothing new asks again.
    let waiting = thread::spawn(move || {
        loop {
            let told = get(&addr, &question, "host: localhost\r\n");
            if !told.starts_with("HTTP/1.1 204 ") {
                return told;
            }
        }
    });
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = get(&serving.addr.clone(), "/", "host: localhost\r\n");
                assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
                answers += 1;
            }
            answers
        });
        app.write(&saying("coffee"));
        let told = waiting.join().unwrap();
        done.store(true, Ordering::Relaxed);
        assert!(told.starts_with("HTTP/1.1 200 OK"), "{told}");
        assert_ne!(told.split("\r\n\r\n").nth(1).unwrap(), revision(&page));
        assert!(asking.join().unwrap() > 0);
    });
    let answer = serving.get("/");
    assert!(answer.ends_with("<p>coffee</p>"), "{answer}");
    serving.until("watched is up to date again");

    // What does not build changes nothing for programs; a browser is told.
    app.write(&saying("coffee").replace("Html(\"", "Hmtl(\""));
    serving.until(
        "does not build; cargo's messages are above; the last version that did is served on",
    );
    assert!(serving.said.contains("cannot find"), "{}", serving.said);
    assert!(serving.get("/").ends_with("<p>coffee</p>"));
    let broken = serving.get_with("/", PAGE);
    assert!(broken.starts_with("HTTP/1.1 500 "), "{broken}");
    assert!(
        broken.contains("The app does not build") && broken.contains("Hmtl"),
        "{broken}"
    );
    assert!(broken.contains("script-src 'sha256-") && broken.contains("connect-src 'self'"));
    revision(&broken);
    // The page is not for everyone.
    let far = serving.get_with("/", &format!("{PAGE}x-forwarded-for: 192.0.2.1\r\n"));
    assert!(far.ends_with("<p>coffee</p>"), "{far}");

    // What was there before is there again, though the component is the same.
    app.write(&saying("coffee"));
    serving.until("watched is up to date again");
    let page = serving.get_with("/", PAGE);
    assert!(page.contains("<p>coffee</p><script"), "{page}");
    assert_eq!(serving.stop().0, Some(0));
}

#[test]
fn an_app_may_begin_broken() {
    let app = Crate::new("broken", "use rhost_sdk::prelude::*;\napp!(index);\n");
    let mut serving = app.serve(&["--cpu", "100ms"]);
    assert!(
        serving.said.contains("serving nothing yet"),
        "{}",
        serving.said
    );
    let answer = serving.get("/");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(!answer.contains("index"), "{answer}");
    let page = serving.get_with("/", PAGE);
    assert!(
        page.contains("cannot find") && page.contains("index"),
        "{page}"
    );

    app.write(&saying("milk"));
    serving.until("broken is up to date again");
    assert!(serving.get("/").ends_with("<p>milk</p>"));

    // A page for each way to fail, with the line of the source.
    let trap = serving.get_with("/trap", PAGE);
    assert!(trap.starts_with("HTTP/1.1 500 "), "{trap}");
    assert!(trap.contains("<p class=\"what\">out of milk</p>"), "{trap}");
    assert!(trap.contains("<h2>src/lib.rs:8</h2>"), "{trap}");
    assert!(
        trap.contains("<mark>    8      panic!(&quot;out of milk&quot;);</mark>")
            || trap.contains("<mark>    8      panic!(\"out of milk\");</mark>"),
        "{trap}"
    );
    assert!(
        trap.contains("unreachable") && trap.contains("path-info        /trap"),
        "{trap}"
    );
    let limit = serving.get_with("/spin", PAGE);
    assert!(limit.starts_with("HTTP/1.1 504 "), "{limit}");
    assert!(
        limit.contains("CPU limit of 100ms reached (--cpu)"),
        "{limit}"
    );
    assert!(limit.contains("<h2>src/lib.rs:"), "{limit}");
    // Which nobody else sees.
    let far = serving.get("/trap");
    assert!(!far.contains("milk") && !far.contains("lib.rs"), "{far}");
}

#[test]
fn a_component_is_watched_too() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("app.wasm");
    let build = |app: &Crate| {
        let mut build = rhost::package::Build::release(app.home.path());
        build
            .cargo_args
            .extend(["--target-dir".to_owned(), target().display().to_string()]);
        fs::read(build.run().unwrap().remove(0)).unwrap()
    };
    let app = Crate::new("component", &saying("water"));
    let first = build(&app);
    app.write(&saying("juice"));
    let second = build(&app);
    assert_eq!(app.name, "component");

    fs::write(&file, first).unwrap();
    let mut serving = Serving::start(rhost(), &[file.to_str().unwrap(), "--watch"]);
    assert!(serving.get("/").ends_with("<p>water</p>"));
    fs::write(&file, b"\0asm\x01\0\0\0").unwrap();
    serving.until("the last version that did is served on");
    assert!(serving.get("/").ends_with("<p>water</p>"));
    fs::write(&file, second).unwrap();
    serving.until("app is up to date again");
    assert!(serving.get("/").ends_with("<p>juice</p>"));
    // Without --dev a page is what the app says.
    assert!(serving.get_with("/", PAGE).ends_with("<p>juice</p>"));
}
