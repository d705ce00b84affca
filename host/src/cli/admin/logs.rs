//! `rhost logs`.

use super::apps::named;
use super::{Error, ServerArgs, text};
use clap::Args;
use serde_json::Value;
use std::io::{self, Write};

/// `rhost logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// What the app is called
    name: String,

    /// Go on with what comes, until Ctrl-C
    #[arg(short, long)]
    follow: bool,

    /// How many of the lines that are there
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    lines: usize,

    /// Print each line as a JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// Prints lines as they come.
pub fn logs(args: &Logs) -> Result<(), Error> {
    let name = named(&args.name)?;
    let path = format!(
        "/v1/apps/{name}/logs?lines={}&follow={}",
        args.lines, args.follow
    );
    let client = args.server.client()?;
    let mut out = io::stdout();
    for line in client.lines(&path)? {
        let line = line?;
        let line = match args.json {
            true => line,
            false => shown(&line),
        };
        // Whoever reads it may stop before its end.
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
    }
    if args.follow {
        let text = "the server ended it: it stops, or the app is gone; ask again";
        return Err(Error::Refused(text.into()));
    }
    Ok(())
}

/// A line as the server's own log has it.
fn shown(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|_| line.into());
    let field = |name: &str| text(&line[name]);
    let words = [field("time"), field("request")];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("{} {}: {}", words.join(" "), field("from"), field("text"))
        .trim_start()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_moves_no_cursor() {
        let line = r#"{"time":"T","app":"a","request":"r","from":"stdout","text":"a\u001b[2Jb"}"#;
        assert_eq!(shown(line), "T r stdout: a\\u{1b}[2Jb");
        let notice = r#"{"from":"rhost","text":"3 lines were missed"}"#;
        assert_eq!(shown(notice), "rhost: 3 lines were missed");
    }
}
