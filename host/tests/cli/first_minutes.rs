//! A new user's first minutes, in a browser: from an empty directory to a changed
//! line, and what the page shows when something goes wrong.

use crate::project::{rhost, said, target};
use crate::serving::Serving;
use rhost_browser::Page;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What the terminal says when a change is served. It is waited for before the
/// browser is, whose patience is not meant for a compiler that shares the machine.
const BUILT: &str = "is up to date again";

/// Replaces `old`, which is there once, as an editor does: by another file that
/// takes the name.
fn edit(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert_eq!(text.matches(old).count(), 1, "{old} in {text}");
    let other = file.with_extension("new~");
    fs::write(&other, text.replace(old, new)).unwrap();
    fs::rename(other, file).unwrap();
}

/// Makes the project `name` with the versions that are here already.
fn new(home: &Path, name: &str) -> PathBuf {
    said(rhost(home).args(["new", name]).output().unwrap());
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    fs::copy(lock, home.join(name).join("Cargo.lock")).unwrap();
    home.join(name)
}

fn open(page: &mut Page, serving: &Serving, path: &str) {
    page.open(&format!("http://{}{path}", serving.addr));
}

/// A condition: that an element's text has `text` in it.
fn shows(selector: &str, text: &str) -> String {
    format!("document.querySelector('{selector}')?.innerText.includes('{text}') ?? false")
}

#[test]
fn a_changed_line_shows_by_itself() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let mut page = browser.page();
    let home = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let project = new(home.path(), "minutes");
    let mut serving = Serving::start(rhost(&project), &["--watch", "--cpu", "200ms"]);
    open(&mut page, &serving, "/");
    assert_eq!(page.text("h1"), "Welcome");
    let shown = start.elapsed();
    edit(
        &project.join("templates/index.html"),
        "<h1>Welcome</h1>",
        "<h1>Changed</h1>",
    );
    serving.until(BUILT);
    page.wait_until(&shows("h1", "Changed"));
    let (shown, changed) = (shown.as_secs_f32(), start.elapsed().as_secs_f32());
    eprintln!(
        "from `rhost new` to the page in a browser {shown:.1} s, to a changed line {changed:.1} s"
    );

    // The compiler's error is a page, and the mended app is there after it.
    let code = project.join("src/lib.rs");
    edit(
        &code,
        "Ok(Html(page.render()?))\n}\n\n#[post",
        "Ok(Hmtl(page.render()?))\n}\n\n#[post",
    );
    serving.until("does not build; ");
    page.wait_until(&shows("body", "does not build"));
    let error = page.text("body");
    assert!(
        error.contains("Hmtl") && error.contains("src/lib.rs"),
        "{error}"
    );
    edit(&code, "Hmtl", "Html");
    serving.until(BUILT);
    page.wait_until(&shows("h1", "Changed"));

    // So are a trap and a limit, each with its line of the source.
    page.eval("window.before = true");
    edit(
        &code,
        "app!(index, greet, style, not_found = lost);\n",
        "app!(index, greet, style, trap, spin, not_found = lost);\n\n\
         #[get(\"/trap\")]\nfn trap(environ: &Environ) -> String {\n    \
         panic!(\"no tea for {}\", environ.remote_addr)\n}\n\n\
         #[get(\"/spin\")]\nfn spin() -> String {\n    let mut turns = 0_u64;\n    \
         loop {\n        turns = std::hint::black_box(turns + 1);\n    }\n}\n",
    );
    // The page looks as before, but it is another document.
    serving.until(BUILT);
    page.wait_until("window.before !== true");
    open(&mut page, &serving, "/trap");
    assert_eq!(page.text(".what"), "no tea for 127.0.0.1");
    assert!(
        page.text("h2").starts_with("src/lib.rs:"),
        "{}",
        page.text("h2")
    );
    assert!(
        page.text("mark").contains("panic!"),
        "{}",
        page.text("mark")
    );
    open(&mut page, &serving, "/spin");
    let limit = page.text("body");
    assert!(
        limit.contains("CPU limit of 200ms reached (--cpu)"),
        "{limit}"
    );
    assert!(page.text("h2").starts_with("src/lib.rs:"), "{limit}");
    assert!(limit.contains("fn spin() -> String"), "{limit}");
}

/// The example, with a source that can be changed: a copy beside the SDK's.
fn copy_of_notes(home: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap();
    let notes = home.join("notes");
    copy(&root.join("examples/notes"), &notes);
    let manifest = notes.join("Cargo.toml");
    let mut text = fs::read_to_string(&manifest).unwrap();
    for (inherited, value) in [
        (
            "\nversion.workspace = true",
            "\nversion = \"0.1.0\"".to_owned(),
        ),
        ("edition.workspace = true", "edition = \"2024\"".to_owned()),
        (
            "../../guest-sdk",
            root.join("guest-sdk").display().to_string(),
        ),
    ] {
        assert!(text.contains(inherited), "{inherited} in {text}");
        text = text.replace(inherited, &value);
    }
    let own = |line: &&str| !line.contains("workspace = true") && *line != "[lints]";
    let lines: Vec<_> = text.lines().filter(own).collect();
    fs::write(&manifest, lines.join("\n") + "\n[workspace]\n").unwrap();
    fs::copy(root.join("Cargo.lock"), notes.join("Cargo.lock")).unwrap();
    notes
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(fs::copy(from, to).unwrap()),
        }
    }
}

#[test]
fn notes_reload_when_a_template_changes() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let notes = copy_of_notes(home.path());
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    let (lent, key) = (
        format!("{}:/data", data.display()),
        format!("SECRET_KEY={}", "k".repeat(40)),
    );
    let mut command = crate::serving::rhost();
    command
        .current_dir(&notes)
        .env("CARGO_TARGET_DIR", target());
    let mut serving = Serving::start(command, &["--watch", "--dir", &lent, "--env", &key]);
    let mut page = browser.page();
    open(&mut page, &serving, "/");
    page.fill("#name", "Ada");
    page.click_through("main button");
    page.click_through("#new");
    page.fill("#title", "Milk");
    page.click_through("#save");
    assert_eq!(page.text("h1"), "Milk");
    // The page is whoever reads it at the time, with its session.
    edit(
        &notes.join("templates/note.html"),
        "<h1>",
        "<p id=\"changed\">Changed</p><h1>",
    );
    serving.until(BUILT);
    page.wait_until("document.querySelector('#changed') !== null");
    assert_eq!(page.text("h1"), "Milk");
}
