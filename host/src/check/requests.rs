//! The requests that an app has to stand.

use super::ask::{Ask, Payload, Protocol};
use super::client::{Answer, octets};
use super::comparisons;
use super::rules::http as rules;
use super::session::Session;

/// A method that nobody has (RFC 2324, section 2.1.1, is not HTTP's).
const UNKNOWN: &str = "BREW";
/// Octets of a large body.
const LARGE: usize = 4 << 20;

/// Requests for one path of the app; `target` is where it is mounted and the path.
pub async fn for_path(session: &mut Session, target: &str) {
    let ask = Ask::get(target);
    let get = session.ask(ask.clone()).await;
    let repeated = ask.clone().remark("again");
    let again = session.ask(repeated.clone()).await;
    if let (Some(get), Some(again)) = (&get, &again) {
        session.add(&repeated, comparisons::again(get, again));
    }
    let head = Ask::new("HEAD", target);
    let answer = session.ask(head.clone()).await;
    if let (Some(get), Some(again), Some(answer)) = (&get, &again, &answer) {
        session.add(&head, comparisons::head(get, again, answer));
    }
    session.ask(Ask::new("OPTIONS", target)).await;
    let unknown = Ask::new(UNKNOWN, target);
    if let Some(answer) = session.ask(unknown.clone()).await {
        session.add(
            &unknown,
            comparisons::absent(&rules::UNKNOWN_METHOD, &answer),
        );
    }
    if let (Some(get), Some(again)) = (&get, &again) {
        for_parts(session, target, get, again).await;
        in_other_ways(session, target, get, again).await;
    }
    session.ask(ask.leaving().remark("leaves")).await;
    with_bodies(session, target).await;
}

/// Conditional requests and ranges, where GET says that there are any.
async fn for_parts(session: &mut Session, target: &str, get: &Answer, again: &Answer) {
    let (tag, same) = (get.field("etag"), again.field("etag"));
    if get.status == 200 && !tag.is_empty() && tag == same {
        let ask = Ask::get(target)
            .field("if-none-match", tag.as_bytes())
            .remark("If-None-Match");
        if let Some(answer) = session.ask(ask.clone()).await {
            session.add(&ask, comparisons::conditional(get, &answer));
        }
    }
    let steady = get.is_whole() && get.octets > 0 && get.octets == again.octets;
    if get.status == 200 && get.field("accept-ranges") == "bytes" && steady {
        let ask = Ask::get(target)
            .field("range", b"bytes=0-0")
            .remark("Range");
        if let Some(answer) = session.ask(ask.clone()).await {
            session.add(&ask, comparisons::range(get, &answer));
        }
    }
}

/// The same over other protocols, and twice at a time. An app that answers
/// differently each time is not compared.
async fn in_other_ways(session: &mut Session, target: &str, get: &Answer, again: &Answer) {
    let steady = get.status == again.status;
    for protocol in [Protocol::Http10, Protocol::Http2] {
        let ask = Ask::get(target).over(protocol);
        if let Some(answer) = session.ask(ask.clone()).await
            && steady
        {
            session.add(&ask, comparisons::same(&rules::PROTOCOL, get, &answer));
        }
    }
    let ask = Ask::get(target).remark("two at once");
    let answers = session.ask_both(ask.clone(), ask.clone()).await;
    for answer in answers.iter().flatten().filter(|_| steady) {
        session.add(&ask, comparisons::same(&rules::AT_ONCE, get, answer));
    }
}

async fn with_bodies(session: &mut Session, target: &str) {
    let small = octets(100);
    for (payload, remark) in [
        (Payload::Known(octets(0)), "empty"),
        (Payload::Known(small.clone()), "100 bytes"),
        (Payload::Streamed(LARGE), "4 MiB, chunked"),
        (Payload::Expected(small), "Expect: 100-continue"),
        (Payload::Broken, "chunks that break"),
        (Payload::CutShort, "leaves in the body"),
    ] {
        session.ask(Ask::post(target, payload, remark)).await;
    }
    let streamed = Ask::post(target, Payload::Streamed(100), "100 bytes, no length");
    session.ask(streamed.over(Protocol::Http2)).await;
}

/// Requests that are right and rare; `mount` is where the app is.
pub async fn for_app(session: &mut Session, mount: &str) {
    let nowhere = Ask::get(format!("{mount}/rhost-check/there-is-no-such-thing"));
    if let Some(answer) = session.ask(nowhere.clone()).await {
        session.add(&nowhere, comparisons::absent(&rules::UNKNOWN_PATH, &answer));
    }
    for rest in [
        "//",
        "/%2f",
        "/%00",
        "/a/../b",
        "/./",
        "/%E2%82%AC",
        "/%FF%FE",
        "/100%",
        "/?q=%FF&=&&q=%00&%zz",
    ] {
        session.ask(Ask::get(format!("{mount}{rest}"))).await;
    }
    let root = format!("{mount}/");
    let long = format!("{root}?q={}", "x".repeat(4000));
    session.ask(Ask::get(long)).await;
    let ask = Ask::get(&root).field("x-name", b"caf\xe9 \xff");
    session.ask(ask.remark("a field that is not UTF-8")).await;
    let ask = Ask::get(&root)
        .field("accept", b"text/html")
        .field("accept", b"*/*;q=0.1")
        .field("x-name", b"a, b")
        .field("x-name", b"");
    session.ask(ask.remark("fields twice")).await;
    let ask = Ask::get(&root)
        .field("accept", b";;q=x,")
        .field("accept-encoding", b"\t,")
        .field("authorization", b"Basic !")
        .field("cookie", b"=;;a;=b")
        .field("if-modified-since", b"yesterday")
        .field("if-none-match", b"\"")
        .field("range", b"bytes=9-1,-");
    session.ask(ask.remark("fields without sense")).await;
    with_cookies(session, &root).await;
}

async fn with_cookies(session: &mut Session, root: &str) {
    let joined = Ask::get(root)
        .field("cookie", b"a=1; b=2")
        .remark("cookies");
    let pieces = Ask::get(root)
        .over(Protocol::Http2)
        .field("cookie", b"a=1")
        .field("cookie", b"b=2")
        .remark("cookies in two lines");
    let one = session.ask(joined).await;
    let other = session.ask(pieces.clone()).await;
    if let (Some(one), Some(other)) = (&one, &other) {
        session.add(&pieces, comparisons::same(&rules::COOKIE, one, other));
    }
}
