//! A line that shows that something long is going on.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Shown until it is dropped, which says how long it took.
pub struct Progress {
    what: String,
    start: Instant,
    bar: ProgressBar,
}

/// What is done sooner is not worth a line of its own.
const NOTABLE: Duration = Duration::from_millis(500);

impl Progress {
    /// Starts to show `what`, as "compiling app.wasm": alive on a terminal, as a
    /// plain line elsewhere.
    pub fn start(what: String) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .expect("the template is right"),
        );
        bar.set_message(what.clone());
        bar.enable_steady_tick(Duration::from_millis(100));
        if bar.is_hidden() {
            eprintln!("rhost: {what}");
        }
        Progress {
            what,
            start: Instant::now(),
            bar,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        let took = self.start.elapsed();
        if took >= NOTABLE {
            eprintln!("rhost: {} took {:.1} s", self.what, took.as_secs_f64());
        }
    }
}
