//! What cargo says while it builds: artifacts for the program, progress and
//! errors for people. Both are passed on as they come, and the errors kept.

use anstream::{AutoStream, ColorChoice, stderr};
use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{Artifact, Message};
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::process::{ChildStderr, Command, ExitStatus, Stdio};

/// The arguments that make cargo speak so. Diagnostics come with their colours,
/// which are taken out again where nobody wants them.
pub const FORMAT: [&str; 2] = ["--message-format", "json-diagnostic-rendered-ansi"];

/// What was said by one run of cargo.
pub struct Messages {
    /// What it made, or found to be made already.
    pub artifacts: Vec<Artifact>,
    /// Why it failed, with colours: the compiler's errors, or else cargo's own.
    pub errors: String,
    /// How it ended.
    pub status: ExitStatus,
}

impl Messages {
    /// Runs `cargo` to its end.
    pub fn of(mut cargo: Command) -> io::Result<Self> {
        cargo.stdout(Stdio::piped()).stderr(Stdio::piped());
        cargo.env("CARGO_TERM_COLOR", "always");
        let terminal = io::stderr().is_terminal();
        if terminal {
            // It sees a pipe, and would do without its bar.
            cargo.env("CARGO_TERM_PROGRESS_WHEN", "always");
            cargo.env("CARGO_TERM_PROGRESS_WIDTH", "80");
        }
        let mut child = cargo.spawn()?;
        let own = child.stderr.take().expect("it is piped");
        let own = std::thread::spawn(move || pass_on(own));
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let (mut artifacts, mut errors) = (Vec::new(), String::new());
        for message in Message::parse_stream(stdout).map_while(Result::ok) {
            match message {
                Message::CompilerArtifact(artifact) => artifacts.push(artifact),
                Message::CompilerMessage(message) => {
                    let rendered = message.message.rendered.unwrap_or_default();
                    // The bar is on the line that the message begins on.
                    let clear = if terminal { "\r\x1b[K" } else { "" };
                    let _ = write!(stderr(), "{clear}{rendered}");
                    if matches!(
                        message.message.level,
                        DiagnosticLevel::Error | DiagnosticLevel::Ice
                    ) {
                        errors.push_str(&rendered);
                    }
                }
                _ => {}
            }
        }
        let status = child.wait()?;
        let own = own.join().unwrap_or_default();
        if errors.is_empty() {
            errors = from_first_error(&own);
        }
        Ok(Messages {
            artifacts,
            errors,
            status,
        })
    }
}

/// Copies what cargo itself says to standard error as it comes, and returns it.
fn pass_on(mut own: ChildStderr) -> String {
    let mut said = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = own.read(&mut piece) {
        said.extend_from_slice(&piece[..length]);
        let _ = stderr().write_all(&piece[..length]);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// What follows the first error among cargo's lines: before it stands only what
/// was being compiled.
fn from_first_error(said: &str) -> String {
    let lines = said
        .lines()
        .map(|line| line.rsplit('\r').next().unwrap_or(line));
    let errors: Vec<&str> = lines
        .skip_while(|line| !plain(line).trim_start().starts_with("error"))
        .collect();
    errors.join("\n")
}

/// The same without colours.
fn plain(text: &str) -> String {
    let mut out = AutoStream::new(Vec::new(), ColorChoice::Never);
    let _ = out.write_all(text.as_bytes());
    String::from_utf8_lossy(&out.into_inner()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_no_error() {
        let said = "\x1b[1m\x1b[92m   Updating\x1b[0m index\n\
                    \x1b[36m  Building\x1b[0m [==>  ] 1/3\r\x1b[K\x1b[31merror\x1b[0m: no such crate\n\nCaused by:\n  it is away\n";
        let errors = from_first_error(said);
        assert_eq!(
            plain(&errors),
            "error: no such crate\n\nCaused by:\n  it is away"
        );
    }
}
