//! Server-sent events, as a client would read them.

use std::time::Duration;

use rhost_sdk::gateway::{Failure, OutputError};
use rhost_sdk::prelude::*;
use rhost_sdk::testing::{self, Answer};

#[get("/all")]
fn all() -> Events {
    Events::new(|events| {
        let event = Event::new("one\r\n two\n")
            .name("list")
            .id("é 7")
            .retry(Duration::from_micros(1_500_900));
        events.send(&event)?;
        events.send(&Event::silent().id(""))?;
        events.data("")?;
        events.comment("a\nb")?;
        events.keep_alive()
    })
}

#[post("/as/{name}")]
fn named(name: String, body: String) -> Events {
    Events::new(move |events| {
        events.data("before")?;
        events.send(&Event::new(body).name(name))
    })
}

#[get("/endless")]
fn endless() -> Events {
    Events::new(|events| {
        loop {
            events.keep_alive()?;
        }
    })
}

#[get("/last")]
fn last(last: Option<LastEventId<'_>>) -> String {
    format!("{last:?}")
}

#[get("/needed")]
fn needed(last: LastEventId<'_>) -> String {
    last.0.into()
}

app!(all, named, endless, last, needed);

/// What a client makes of a stream (HTML Standard, section 9.2.6): name and
/// data of each event.
fn dispatched(stream: &str) -> Vec<(String, String)> {
    let stream = stream.replace("\r\n", "\n").replace('\r', "\n");
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), String::new());
    for line in stream.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                if let Some(data) = data.strip_suffix('\n') {
                    events.push((name.clone(), data.into()));
                }
                (name, data) = Default::default();
            }
            "event" => name = value.into(),
            "data" => data += &format!("{value}\n"),
            _ => {}
        }
    }
    events
}

#[test]
fn an_event_is_a_block() {
    let answer = testing::get(&APP, "/all").send();
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(
        answer.blocks(),
        [
            "event: list\nid: é 7\nretry: 1500\ndata: one\ndata:  two\ndata: \n\n".as_bytes(),
            b"id: \n\n",
            b"data: \n\n",
            b": a\n: b\n\n",
            b":\n\n",
        ]
    );
    let events = dispatched(&answer.text());
    let expected = [("list", "one\n two\n"), ("", "")];
    assert_eq!(
        events,
        expected.map(|(name, data)| (name.into(), data.into()))
    );
}

fn named_event(target: &str, data: &str) -> Answer {
    testing::post(&APP, target).body(data).send()
}

#[test]
fn data_forges_no_field() {
    for data in [
        "x\n\nevent: y",
        "x\revent: y",
        "x\r\n\r\nid: 1\n:c",
        "\r",
        ":",
        "data: x",
    ] {
        let answer = named_event("/as/n", data);
        assert!(answer.failure().is_none());
        let events = dispatched(&answer.text());
        assert_eq!(events.len(), 2, "{data:?}");
        let seen = data.replace("\r\n", "\n").replace('\r', "\n");
        assert_eq!(events[1], ("n".to_owned(), seen));
    }
}

#[test]
fn a_name_with_a_line_end_is_not_sent() {
    for target in ["/as/n%0Adata:%20y", "/as/n%0D", "/as/n%0D%0A%0D%0Adata:y"] {
        let answer = named_event(target, "x");
        assert_eq!(answer.blocks(), [b"data: before\n\n"]);
        let Some(Failure::Exception(exception)) = answer.failure() else {
            panic!("{:?}", answer.failure())
        };
        assert_eq!(exception.message, "the name of an event holds a line end");
    }
}

#[test]
fn a_client_that_leaves_ends_the_stream() {
    let answer = testing::get(&APP, "/endless").hangs_up_after(3).send();
    assert_eq!(answer.blocks().len(), 3);
    assert_eq!(
        answer.failure(),
        Some(&Failure::Output(OutputError::Closed))
    );
}

#[test]
fn the_last_id_is_the_clients() {
    let ask = |path: &str, id: Option<&[u8]>| {
        let request = testing::get(&APP, path);
        match id {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        }
        .send()
    };
    assert_eq!(ask("/last", None).text(), "None");
    assert_eq!(ask("/last", Some(b"")).text(), "None");
    assert_eq!(ask("/last", Some(b"7")).text(), "Some(LastEventId(\"7\"))");
    assert_eq!(ask("/last", Some(b"\xff")).status(), 400);
    assert_eq!(ask("/needed", None).status(), 400);
    assert_eq!(ask("/needed", Some("é".as_bytes())).text(), "é");
}
