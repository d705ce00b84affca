//! The operator's calls while an adversary is at work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use super::components;
use super::scene::Scene;
use crate::ask;
use crate::request::Request;

/// Time between one round of calls and the next.
const PAUSE: Duration = Duration::from_millis(250);

/// What came of the calls of one kind.
#[derive(Debug, Default, Serialize)]
pub struct Calls {
    /// How many were answered well.
    pub done: u64,
    /// The longest, in milliseconds.
    pub longest_ms: f64,
    /// What the first that failed said.
    pub failure: Option<String>,
}

impl Calls {
    fn call<T>(&mut self, call: impl FnOnce() -> Result<T>) {
        let begun = Instant::now();
        let answer = call();
        self.longest_ms = self.longest_ms.max(begun.elapsed().as_secs_f64() * 1e3);
        match answer {
            Ok(_) => self.done += 1,
            Err(error) => {
                self.failure.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }

    /// Whether each was answered well, and there was one.
    pub fn went_well(&self) -> bool {
        self.done > 0 && self.failure.is_none()
    }
}

/// What came of all calls.
#[derive(Debug, Default, Serialize)]
pub struct Operations {
    /// Lists of the apps.
    pub list: Calls,
    /// Deploys of another tiny app.
    pub deploy: Calls,
    /// Whether the server is alive, asked over TCP as a supervisor asks.
    pub live: Calls,
    /// The end of the adversary's app.
    pub stop: Calls,
}

impl Operations {
    /// Lists, deploys the tiny app for the time `number`, and asks for life.
    fn round(&mut self, scene: &Scene, number: u32) {
        self.list
            .call(|| scene.operator.ask("GET", "/v1/apps", "", b""));
        self.deploy.call(|| {
            let settings = "{\"tenant\": \"alice\", \"hosts\": [\"tiny.alice.test\"]}";
            scene
                .operator
                .deploy_with("tiny", settings, &components::tiny(number)?)
        });
        self.live.call(|| {
            let reply = ask::ask(scene.admin, &Request::get("/live"))?;
            let status = reply.answer.map(|answer| answer.status);
            ensure!(status == Some(200), "the status was {status:?}");
            Ok(())
        });
    }

    /// Each kind by name.
    pub fn all(&self) -> [(&'static str, &Calls); 4] {
        [
            ("list", &self.list),
            ("deploy", &self.deploy),
            ("live", &self.live),
            ("stop", &self.stop),
        ]
    }

    /// The longest call of all, in milliseconds.
    pub fn longest_ms(&self) -> f64 {
        self.all()
            .iter()
            .map(|(_, calls)| calls.longest_ms)
            .fold(0.0, f64::max)
    }

    /// What failed first, with the name of the call.
    pub fn failure(&self) -> Option<String> {
        let failed = self.all().into_iter().find(|(_, calls)| !calls.went_well());
        failed.map(|(name, calls)| {
            let said = calls
                .failure
                .as_deref()
                .unwrap_or("it came to no such call");
            format!("{name}: {said}")
        })
    }
}

/// One round of calls before anything is measured: what the host keeps for such calls it
/// has in any case.
pub fn warm(scene: &Scene) -> Result<()> {
    let mut operations = Operations::default();
    operations.round(scene, 0);
    let called = [operations.list, operations.deploy, operations.live];
    match called.into_iter().find_map(|calls| calls.failure) {
        Some(failure) => bail!("the operator's first calls: {failure}"),
        None => Ok(()),
    }
}

/// Calls until `is_over`, then stops the adversary's app.
pub fn operate(scene: &Scene, is_over: &AtomicBool) -> Operations {
    let mut operations = Operations::default();
    // The first was of [`warm`].
    for number in 1.. {
        operations.round(scene, number);
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        thread::sleep(PAUSE);
    }
    operations.stop.call(|| {
        scene
            .operator
            .ask("POST", "/v1/apps/mallory/disable", "", b"")
    });
    operations
}
