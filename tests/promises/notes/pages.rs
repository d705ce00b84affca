//! The example `notes` in a browser, as its users see it.

use super::serve;
use rhost_browser::Page;
use std::fs;
use std::path::{Path, PathBuf};

/// What a browser has to say of a page that it got with an error's status is no
/// error of the page's.
fn errors(page: &mut Page) -> Vec<String> {
    let mut errors = page.take_errors();
    errors.retain(|error| !error.contains("the server responded with a status of"));
    errors
}

fn sign_in(page: &mut Page, site: &str, name: &str) {
    page.open(site);
    page.fill("#name", name);
    page.click_through("main button");
}

fn write(page: &mut Page, title: &str, text: &str) {
    page.click_through("#new");
    page.fill("#title", title);
    page.fill("#text", text);
    page.click_through("#save");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_keeps_a_notebook() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let site = format!("http://{}/", server.addr);
    let mut page = browser.page();
    // Nothing here needs a script.
    page.run_scripts(false);

    // A name that is none is refused beside its field, and kept.
    sign_in(&mut page, &site, "<Ada>");
    assert_eq!(page.value("#name"), "<Ada>");
    let described = page.attribute("#name", "aria-describedby").unwrap();
    assert!(described.contains("name-fault"), "{described}");
    assert!(page.text("#name-fault").contains("letters"));
    sign_in(&mut page, &site, "Ada Lovelace");
    assert_eq!(page.text("h1"), "Ada Lovelace’s notes");

    write(&mut page, "   ", "Two litres\n<script>throw 1</script>");
    assert_eq!(page.text("#title-fault"), "A note needs a title.");
    assert_eq!(
        page.attribute("#title", "aria-invalid").as_deref(),
        Some("true")
    );
    assert_eq!(page.value("#text"), "Two litres\n<script>throw 1</script>");
    page.fill("#title", "Milk & <bread>");
    page.click_through("#save");
    assert_eq!(page.text("[role=status]"), "The note is saved.");
    assert_eq!(page.text("h1"), "Milk & <bread>");
    assert_eq!(page.text("#text"), "Two litres\n<script>throw 1</script>");
    page.reload();
    assert!(!page.has("[role=status]"), "a message is shown once");

    page.click_through("#edit");
    page.fill("#text", "Three litres");
    page.click_through("#save");
    assert_eq!(page.text("#text"), "Three litres");
    page.click_through("#delete");
    assert_eq!(page.text("[role=status]"), "The note is deleted.");
    assert!(page.text("main").contains("Nothing here yet"));

    page.click_through("#sign-out");
    assert_eq!(page.text("[role=status]"), "You are signed out.");
    page.open(&format!("{site}notes"));
    assert_eq!(page.url(), site);
    assert_eq!(errors(&mut page), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_nobody() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let mut page = browser.page();
    sign_in(&mut page, &format!("http://{}/", server.addr), "Ada");
    write(&mut page, "Milk", "");
    let cookie = page.cookie("session").expect("a session");
    page.open(&format!("http://{}/", server.addr));
    assert_eq!(page.text("#visits"), "2");
    server.stop().await;

    let server = serve(home.path()).await;
    let site = format!("http://{}/", server.addr);
    page.open(&site);
    assert_eq!(page.text("h1"), "Welcome back, Ada");
    assert_eq!(page.text("#visits"), "3");
    page.click_through("main .button");
    assert_eq!(page.text(".notes h2"), "Milk");

    // A cookie that was made up is as good as none.
    let forged = format!("{}x", &cookie[..cookie.len() - 2]);
    page.set_cookie("session", &forged);
    page.reload();
    assert_eq!(page.url(), site);
    assert!(page.has("#name"));
    assert_eq!(errors(&mut page), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_saves_later_is_asked() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let site = format!("http://{}/", server.addr);
    let mut desk = browser.page();
    sign_in(&mut desk, &site, "Ada");
    write(&mut desk, "Milk", "two");
    let note = desk.url();
    desk.click_through("#edit");
    let mut phone = browser.private_page();
    sign_in(&mut phone, &site, "ada");
    phone.open(&format!("{note}/edit"));
    phone.fill("#text", "three");
    phone.click_through("#save");

    desk.fill("#text", "four");
    desk.click_through("#save");
    assert!(
        desk.text("[role=alert]")
            .contains("changed while you wrote")
    );
    assert_eq!(desk.value("#text"), "four");
    phone.open(&note);
    assert_eq!(phone.text("#text"), "three");
    desk.click_through("#save");
    assert_eq!(desk.text("#text"), "four");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_attached() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let file = tempfile::tempdir().unwrap();
    let file = file.path().join("café.txt");
    fs::write(&file, "oui").unwrap();
    let server = serve(home.path()).await;
    let mut page = browser.page();
    sign_in(&mut page, &format!("http://{}/", server.addr), "Ada");
    write(&mut page, "Menu", "");
    page.click_through("#attach");
    assert_eq!(page.text("#file-fault"), "Choose a file first.");
    page.choose_file("#file", &file);
    page.click_through("#attach");
    assert_eq!(page.text("#download"), "café.txt");
    let sent = "fetch(document.querySelector('#download').href).then(answer => answer.text())";
    assert_eq!(page.eval(sent), "oui");
    assert_eq!(errors(&mut page), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_pages_of_the_site() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path()).await;
    let site = format!("http://{}/", server.addr);
    let mut page = browser.page();
    page.open(&format!("{site}nowhere"));
    assert_eq!(
        (page.text(".code"), page.text("h1")),
        ("404".into(), "Not Found".into())
    );
    page.open(&format!("{site}session"));
    assert_eq!(page.text(".code"), "405");

    // Somebody damages a file.
    sign_in(&mut page, &site, "Ada");
    write(&mut page, "Milk", "");
    let note = page.url();
    fs::write(revision(home.path()), "{\"title\": 7").unwrap();
    page.open(&note);
    assert_eq!(
        (page.text(".code"), page.text("h1")),
        ("500".into(), "Internal Server Error".into())
    );
    assert!(page.text("#message").contains("The server's log says what"));
    assert_eq!(errors(&mut page), [""; 0]);
    let log = server.stop().await.log;
    assert!(log.contains("line 1 column"), "{log}");
}

/// The first revision of the only note.
fn revision(directory: &Path) -> PathBuf {
    let mut names = Vec::new();
    super::files(directory, &mut names);
    let mut revisions = names.into_iter().filter(|name| name.ends_with("/1.json"));
    revisions.next().expect("a note").into()
}
