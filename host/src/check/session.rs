//! Sends one request after the other to an app that is served, and notes what
//! comes of each.

use super::answers;
use super::ask::{Ask, Payload};
use super::client::{Answer, Client, End};
use super::collector::{Collector, Seen};
use super::comparisons::Verdict;
use super::findings::Findings;
use super::rules::{gateway, http};
use crate::app::App;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Requests that may use up their time before the rest is left out.
const PATIENCE: usize = 3;
/// How often to look whether a sandbox has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// A request and what came of it, for the report.
#[derive(Debug, Serialize)]
pub struct Exchange {
    /// The request, as `Ask` shows it.
    pub request: String,
    /// The answer's status; none where none came.
    pub status: Option<u16>,
    /// Octets of body that were read.
    pub octets: u64,
    /// Whether the host answered in the app's place, or cut the answer, since the
    /// app broke a rule.
    pub failed: bool,
    /// Whether the client left before the end.
    pub left: bool,
}

/// An app under examination.
pub struct Session {
    /// Who asks.
    pub client: Client,
    /// The app, to see when it is idle.
    pub app: Arc<App>,
    /// What its host sees.
    pub collector: Arc<Collector>,
    /// What was found.
    pub findings: Findings,
    /// What was asked and answered.
    pub exchanges: Vec<Exchange>,
    /// Requests that used up their time.
    late: usize,
    /// Targets whose answers do not end.
    endless: Vec<String>,
    /// Requests that were left out.
    pub skipped: usize,
}

impl Session {
    /// One that has asked nothing, with what was found before.
    pub fn new(
        client: Client,
        app: Arc<App>,
        collector: Arc<Collector>,
        findings: Findings,
    ) -> Self {
        Session {
            client,
            app,
            collector,
            findings,
            exchanges: Vec::new(),
            late: 0,
            endless: Vec::new(),
            skipped: 0,
        }
    }

    /// Asks, and waits until the app is idle again. Gives the app's own answer;
    /// none where the host had to answer, or nobody did.
    pub async fn ask(&mut self, ask: Ask) -> Option<Answer> {
        if self.is_over() {
            return None;
        }
        let answer = self.client_for(&ask).send(&ask).await;
        self.settle().await;
        self.note(&ask, answer, self.collector.take())
    }

    /// Asks for two things at the same time.
    pub async fn ask_both(&mut self, one: Ask, other: Ask) -> [Option<Answer>; 2] {
        if self.is_over() {
            return [None, None];
        }
        let (first, second) = (self.client_for(&one), self.client_for(&other));
        let (first, second) = tokio::join!(first.send(&one), second.send(&other));
        self.settle().await;
        // What was seen is of both; the answers tell them apart.
        let seen = self.collector.take();
        let failed = seen.failed;
        let first = self.note(&one, first, seen);
        let rest = Seen {
            failed,
            ..Seen::default()
        };
        [first, self.note(&other, second, rest)]
    }

    /// Adds what a comparison found, shown by `ask`.
    pub fn add(&mut self, ask: &Ask, verdict: Verdict) {
        if let Some((rule, happened)) = verdict {
            self.findings.add(rule, Some(&ask.to_string()), happened);
        }
    }

    /// Whether there is no use in going on.
    fn is_over(&mut self) -> bool {
        let over = self.late >= PATIENCE;
        self.skipped += usize::from(over);
        over
    }

    /// The client for a request. Once it is known that a target's answers do not
    /// end, they are read for a tenth of the time.
    fn client_for(&self, ask: &Ask) -> Client {
        let wait = match self.endless.contains(&ask.target) {
            true => self.client.wait / 10,
            false => self.client.wait,
        };
        Client {
            wait,
            ..self.client
        }
    }

    /// Waits until no sandbox runs, and the host has said all it has to say of
    /// those that did.
    async fn settle(&self) {
        let until = Instant::now() + self.client.patience;
        loop {
            if self.app.running() == 0 {
                self.client.call().await;
                if self.app.running() == 0 {
                    return;
                }
            }
            if Instant::now() > until {
                return;
            }
            sleep(PAUSE).await;
        }
    }

    fn note(&mut self, ask: &Ask, answer: Option<Answer>, seen: Seen) -> Option<Answer> {
        let name = ask.to_string();
        self.late += usize::from(seen.late);
        self.exchanges.push(Exchange {
            request: name.clone(),
            status: answer.as_ref().map(|answer| answer.status),
            octets: answer.as_ref().map_or(0, |answer| answer.octets),
            failed: seen.failed && !seen.violations.is_empty(),
            left: answer
                .as_ref()
                .is_none_or(|it| matches!(it.end, End::Left | End::Endless)),
        });
        let printed = match seen.failed {
            true => Vec::from(seen.printed),
            false => Vec::new(),
        };
        for (rule, happened) in seen.violations {
            self.findings
                .add_with(rule, Some(&name), happened, printed.clone());
        }
        let mut broken = Vec::new();
        // Who is still sending when the connection ends may lose the answer with it
        // (RFC 9112, section 9.6), which is nobody's fault here.
        let is_whole = !matches!(
            ask.payload,
            Payload::Streamed(_) | Payload::Broken | Payload::CutShort
        );
        match &answer {
            None if !seen.failed && is_whole => {
                broken.push((&http::CUT, "no answer came".to_owned()));
            }
            Some(answer) if answer.end == End::Cut && !seen.failed && is_whole => {
                let octets = answer.octets;
                broken.push((&http::CUT, format!("it was cut after {octets} octets")));
            }
            Some(answer) if answer.end == End::Endless => {
                let (octets, wait) = (answer.octets, self.client_for(ask).wait);
                let wait = humantime::format_duration(wait);
                let what = format!("it had not ended after {wait} (--wait) and {octets} octets");
                broken.push((&http::ENDLESS, what));
                self.endless.push(ask.target.clone());
            }
            _ => {}
        }
        let answer = answer.filter(|_| !seen.failed);
        if let Some(answer) = &answer {
            if ask.payload != Payload::Broken {
                broken.extend(answers::check(answer));
            } else if seen.incomplete && (200..300).contains(&answer.status) {
                let what = format!("it answered {}", answer.status);
                broken.push((&gateway::INCOMPLETE, what));
            }
        }
        for (rule, happened) in broken {
            self.findings.add(rule, Some(&name), happened);
        }
        answer
    }
}
