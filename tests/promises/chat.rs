//! The example `chat` does what its README says.

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use rhost_tests::{Client, Server, Test};
use std::path::Path;

async fn serve(data: &Path, seconds: &str) -> Server {
    Test::serving("chat")
        .dir(data, "/data", false)
        .env("STREAM_SECONDS", seconds)
        .start()
        .await
}

async fn say(server: &Server, text: &str) -> u16 {
    let post = Request::post("/say")
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = server.request(post, format!("name=Ada&text={text}")).await;
    answer.status
}

/// A client of the stream.
struct Listener {
    response: Response<Incoming>,
    unread: String,
    /// The ID of the last event.
    last: String,
    _client: Client,
}

impl Listener {
    async fn new(server: &Server, path: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(path).header("host", "test");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let mut client = server.client().await;
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response = client.send(request).await.expect("a stream");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Listener {
            response,
            unread: String::new(),
            last: last.unwrap_or_default().to_owned(),
            _client: client,
        }
    }

    /// The data of the next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        loop {
            while let Some((event, rest)) = self.unread.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines();
                    lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
                };
                let (id, data) = (field("id: "), field("data: "));
                self.unread = rest.to_owned();
                self.last = id.unwrap_or(std::mem::take(&mut self.last));
                if data.is_some() {
                    return data;
                }
            }
            let frame = self.response.body_mut().frame().await?;
            let data = frame.expect("it is not cut").into_data().expect("data");
            self.unread += std::str::from_utf8(&data).expect("it is text");
        }
    }

    async fn next_text(&mut self) -> String {
        let data = self.next().await.expect("it goes on");
        let message: serde_json::Value = serde_json::from_str(&data).expect("it is JSON");
        message["text"].as_str().expect("it has a text").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_listen_hear_it_and_who_comes_back_misses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), "50").await;
    let mut first = Listener::new(&server, "/events", None).await;
    let mut second = Listener::new(&server, "/events", None).await;
    assert_eq!(say(&server, "one").await, 204);
    assert_eq!(first.next_text().await, "one");
    assert_eq!(second.next_text().await, "one");

    // The second leaves without a word.
    let last = second.last.clone();
    drop(second);
    say(&server, "two").await;
    say(&server, "three").await;
    let mut second = Listener::new(&server, "/events", Some(&last)).await;
    for text in ["two", "three"] {
        assert_eq!(second.next_text().await, text);
        assert_eq!(first.next_text().await, text);
    }
    // What a client says of itself wins over what its page said.
    let path = format!("/events?after={}", first.last);
    let mut third = Listener::new(&server, &path, Some(&last)).await;
    assert_eq!(third.next_text().await, "two");
    // An ID that is none is the beginning of what the page said.
    let mut fourth = Listener::new(&server, "/events", Some("x")).await;
    assert_eq!(fourth.next_text().await, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_speak_at_once_each_is_heard() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), "50").await;
    let mut listener = Listener::new(&server, "/events", None).await;
    let long = "x".repeat(490);
    let texts: Vec<String> = (0..32).map(|number| format!("{number}-{long}")).collect();
    let statuses = join_all(texts.iter().map(|text| say(&server, text))).await;
    assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
    let mut heard = Vec::new();
    for _ in &texts {
        heard.push(listener.next_text().await);
    }
    let mut expected = texts.clone();
    expected.sort();
    heard.sort();
    assert_eq!(heard, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_by_itself_before_the_host_ends_it() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), "1").await;
    say(&server, "one").await;
    let mut listener = Listener::new(&server, "/events", None).await;
    assert_eq!(listener.next_text().await, "one");
    assert_eq!(listener.next().await, None);
    assert_eq!(server.stop().await.log, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(home.path(), "50").await;
    assert_eq!(say(&server, "").await, 422);
    assert_eq!(say(&server, &"x".repeat(501)).await, 422);
    let nothing = Request::post("/say").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(server.request(nothing, "").await.status, 422);
    // A line of its own is not a message of its own.
    assert_eq!(say(&server, "a%0Ab%0D%0Aid:%207").await, 204);
    let mut listener = Listener::new(&server, "/events", None).await;
    assert_eq!(listener.next_text().await, "a b id: 7");

    let answer = Test::serving("chat").get("/").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().contains("--dir ./data:/data"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_in_the_browser() {
    let Some(browser) = rhost_browser::start() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    // Streams are short, so that both pages come back several times meanwhile.
    let server = serve(home.path(), "1").await;
    say(&server, "before").await;
    let site = format!("http://{}/", server.addr);
    let [mut ada, mut bob] = [browser.page(), browser.private_page()];
    let said = |texts: &[&str]| {
        let texts = serde_json::to_string(texts).unwrap();
        format!(
            "JSON.stringify([...document.querySelectorAll('#messages span')].map(span => span.textContent)) \
             === JSON.stringify({texts})"
        )
    };
    for (page, name) in [(&mut ada, "Ada"), (&mut bob, "<b>Bob</b>")] {
        page.open(&site);
        page.wait_until(&said(&["before"]));
        page.fill("#name", name);
    }
    let lines = [
        "before",
        "Hello",
        "<script>throw 1</script>",
        "Who is there?",
    ];
    ada.fill("#text", lines[1]);
    ada.click("button");
    bob.wait_until(&said(&lines[..2]));
    bob.eval("window.opened = 0; events.addEventListener('open', () => { opened += 1 })");
    bob.wait_until("opened >= 2");
    bob.fill("#text", lines[2]);
    bob.press_enter();
    ada.wait_until(&said(&lines[..3]));
    ada.fill("#text", lines[3]);
    ada.click("button");
    for page in [&mut ada, &mut bob] {
        page.wait_until(&said(&lines));
        assert_eq!(page.take_errors(), [""; 0]);
    }
    assert_eq!(ada.text("li:nth-child(3) b"), "<b>Bob</b>");

    // Without scripts the form leads back to the room, which remembers the name.
    bob.run_scripts(false);
    bob.reload();
    bob.fill("#text", "plain");
    bob.click_through("button");
    assert_eq!(bob.text("li:last-child span"), "plain");
    assert_eq!(bob.value("#name"), "<b>Bob</b>");
    ada.wait_until("document.querySelector('li:last-child span').textContent === 'plain'");
}
