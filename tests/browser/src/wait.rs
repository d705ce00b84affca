//! Patience: until something holds in a page.

use std::time::Instant;

use crate::PATIENCE;
use crate::page::{Page, must};

/// What DevTools says where a page was left while an expression ran in it.
const LEFT: [&str; 4] = [
    "Execution context was destroyed",
    "Cannot find context",
    "Inspected target navigated or closed",
    "Promise was collected",
];

impl Page {
    /// Waits until a JavaScript expression holds. It is looked at whenever the
    /// document changes and, for what is no part of it, before each frame.
    ///
    /// It may be another document that it holds in at last: a page that loads
    /// itself again is waited for.
    #[track_caller]
    pub fn wait_until(&mut self, condition: &str) {
        must(self.holds(condition));
    }

    fn holds(&mut self, condition: &str) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        let millis = PATIENCE.as_millis();
        let promise = format!(
            "new Promise((resolve, reject) => {{
                let done = false;
                const end = (settle, outcome) => {{
                    done = true;
                    observer.disconnect();
                    clearTimeout(limit);
                    settle(outcome);
                }};
                const look = () => {{
                    try {{ if (!done && ({condition})) end(resolve, true) }} catch (error) {{ end(reject, error) }}
                }};
                const frame = () => {{ look(); if (!done) requestAnimationFrame(frame) }};
                const observer = new MutationObserver(look);
                const limit = setTimeout(() => end(resolve, false), {millis});
                observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                frame();
            }})"
        );
        loop {
            match self.evaluate(&promise) {
                Ok(value) if value == true => return Ok(()),
                Ok(_) => return Err(format!("{condition} did not hold within {PATIENCE:?}")),
                Err(problem)
                    if LEFT.iter().any(|left| problem.contains(left)) && Instant::now() < end => {}
                Err(problem) => return Err(format!("waiting for {condition}: {problem}")),
            }
        }
    }
}
