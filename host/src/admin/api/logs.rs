//! `GET /v1/apps/{app}/logs`: an app's last lines, and the next ones.

use super::{Caller, blocking};
use crate::admin::answer::{self, Answer, JSON_LINES};
use crate::roster::{Refused, Steward, Why};
use crate::tails::Next;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Lines that are shown if nobody says how many.
const LINES: usize = 100;

/// What is asked for.
struct Asked {
    lines: usize,
    follow: bool,
}

/// Lines, each an object of JSON.
struct Lines {
    /// Those that are there.
    before: Bytes,
    /// Those to come.
    next: Next,
    /// They end when the token is revoked with which they were asked for.
    revoked: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Whether the next lines are asked for as well.
pub(super) fn follows(head: &Parts) -> Result<bool, Refused> {
    asked(head.uri.query().unwrap_or_default()).map(|asked| asked.follow)
}

/// The lines of the app called `name`.
pub(super) async fn logs(
    steward: Steward,
    caller: &Caller,
    name: String,
    head: &Parts,
) -> Result<Answer, Refused> {
    let asked = asked(head.uri.query().unwrap_or_default())?;
    let (tails, scope) = (steward.tails().clone(), caller.scope.clone());
    let (before, next) = blocking(move || {
        steward.sees(&scope, &name)?;
        let (before, next) = match asked.follow {
            true => {
                let (before, next) = tails.follow(&name, asked.lines);
                (before, Some(next))
            }
            false => (tails.last(&name, asked.lines), None),
        };
        // The name may have gone to somebody else meanwhile; from here on that ends it.
        steward.sees(&scope, &name)?;
        Ok((before, next))
    })
    .await?;
    let Some(next) = next else {
        return Ok(answer::page(StatusCode::OK, JSON_LINES, joined(&before)));
    };
    let lines = Lines {
        before: joined(&before).into(),
        next,
        revoked: Box::pin(caller.revoked()),
    };
    Ok(answer::stream(
        StatusCode::OK,
        JSON_LINES,
        lines.boxed_unsync(),
    ))
}

fn joined(lines: &[Arc<str>]) -> String {
    lines.iter().flat_map(|line| [&**line, "\n"]).collect()
}

fn asked(query: &str) -> Result<Asked, Refused> {
    let mut asked = Asked {
        lines: LINES,
        follow: false,
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("lines", number)) => match number.parse() {
                Ok(lines) => asked.lines = lines,
                Err(_) => return Err(wrong("lines is a number, as lines=100")),
            },
            Some(("follow", "true")) => asked.follow = true,
            Some(("follow", "false")) => asked.follow = false,
            _ => return Err(wrong("there are lines=NUMBER and follow=true")),
        }
    }
    Ok(asked)
}

fn wrong(text: &str) -> Refused {
    Refused::new(Why::Malformed, format!("the query is not right: {text}"))
}

impl Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let lines = self.get_mut();
        if lines.revoked.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        if !lines.before.is_empty() {
            let before = std::mem::take(&mut lines.before);
            return Poll::Ready(Some(Ok(Frame::data(before))));
        }
        let line = std::task::ready!(lines.next.poll(cx));
        Poll::Ready(line.map(|line| Ok(Frame::data(format!("{line}\n").into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_how_many_lines_and_whether_to_wait() {
        let read = |query| asked(query).map(|asked| (asked.lines, asked.follow)).ok();
        assert_eq!(read(""), Some((100, false)));
        assert_eq!(read("follow=true&lines=5"), Some((5, true)));
        for query in ["lines=", "lines=-1", "follow", "follow=1", "x=y"] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}
