//! The browser's process: started with a profile of its own, and ended whole.

use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

use crate::PATIENCE;

/// What Chromium says when it listens, before the address.
const LISTENING: &str = "DevTools listening on ";

/// What keeps a test's browser to itself: nothing is fetched, asked for or kept.
const SWITCHES: [&str; 20] = [
    "--headless=new",
    // A port of the system's choice.
    "--remote-debugging-port=0",
    // Containers often have 64 MiB of /dev/shm, and a page dies where it is full.
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-translate",
    // Of two pages, the one behind goes on as the one in front does.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-proxy-server",
    "--password-store=basic",
];

/// A browser that runs.
pub(crate) struct Process {
    child: Child,
    /// Ends when the last process of the browser has closed its stderr.
    lines: Receiver<String>,
    /// Removed when the process is gone.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is kept to be dropped"))]
    profile: TempDir,
}

impl Process {
    /// Starts the program, and waits until it listens: the process, and the
    /// address of its socket.
    pub(crate) fn start(program: &Path) -> Result<(Process, String), String> {
        let explain = |error| format!("{} does not start: {error}", program.display());
        let profile = tempfile::Builder::new()
            .prefix("rhost-browser")
            .tempdir()
            .map_err(explain)?;
        let mut command = Command::new(program);
        command
            .args(SWITCHES)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Its children are ended with it.
            .process_group(0);
        if geteuid().is_root() {
            // As root the sandbox refuses to start.
            command.arg("--no-sandbox");
        }
        let mut child = command.arg("about:blank").spawn().map_err(explain)?;
        let (sender, lines) = mpsc::channel();
        if let Some(stderr) = child.stderr.take() {
            thread::spawn(move || forward(stderr, &sender));
        }
        let process = Process {
            child,
            lines,
            profile,
        };
        let address = process.address()?;
        Ok((process, address))
    }

    fn address(&self) -> Result<String, String> {
        let end = Instant::now() + PATIENCE;
        let mut said = String::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => match line.strip_prefix(LISTENING) {
                    Some(address) => return Ok(address.trim().to_owned()),
                    None => said.extend(["\n", &line]),
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!(
                        "Chromium did not listen within {PATIENCE:?}; it said:{said}"
                    ));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("Chromium ended before it listened; it said:{said}"));
                }
            }
        }
    }
}

/// Reads on after nobody listens: a full pipe would stop the browser.
fn forward(stderr: ChildStderr, lines: &Sender<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        // Lines before the address are wanted, and the rest is chatter.
        let _ = lines.send(line);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
        // The children write to the profile until they are gone too. The bound is
        // for one that has left the group: a profile is then left behind.
        let end = Instant::now() + Duration::from_secs(5);
        while self
            .lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
            .is_ok()
        {}
    }
}

#[cfg(test)]
mod tests {
    use super::Process;
    use crate::find;
    use std::path::Path;

    #[test]
    fn nothing_is_left_of_it() {
        let Ok(program) = find::chromium() else {
            eprintln!("no browser was started: there is none");
            return;
        };
        let (process, address) = Process::start(&program).expect("it starts");
        assert!(address.starts_with("ws://127.0.0.1:"), "{address}");
        let profile = process.profile.path().to_owned();
        assert!(profile.join("Default").is_dir());
        let running = format!("/proc/{}", process.child.id());
        assert!(Path::new(&running).exists());
        drop(process);
        assert!(!profile.exists() && !Path::new(&running).exists());
    }

    #[test]
    fn a_program_that_is_no_browser_is_told_apart() {
        let said = |program: &str| {
            let started = Process::start(Path::new(program));
            started.err().expect("it is no browser")
        };
        let problem = said("/bin/ls");
        assert!(problem.contains("ended before it listened"), "{problem}");
        let problem = said("/nowhere/chromium");
        assert!(
            problem.contains("/nowhere/chromium does not start"),
            "{problem}"
        );
    }
}
