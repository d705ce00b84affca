//! What a page asks its reader to do. The words after a fence say it:
//!
//! | words | what is done |
//! |---|---|
//! | `sh` | each line is run, and must succeed |
//! | `sh checkout` | the same, in the checkout of rhost |
//! | `console` | what follows `$ ` is run, and must write what is shown below it |
//! | `log` | the terminal in which `rhost serve` runs says these lines |
//! | `LANGUAGE PATH` | the file at that path gets this content |
//! | `diff PATH` | there, the lines with ` ` and `-` become those with ` ` and `+` |
//!
//! Any other block is only read.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// A block of code, as something to do.
#[derive(Debug)]
pub enum Block {
    /// Commands, each with what the page shows of its output, if it shows any.
    Commands(Vec<(String, Option<String>)>),
    /// Commands for the checkout.
    InCheckout(Vec<String>),
    /// Lines of the server's log.
    Log(Vec<String>),
    /// A file to write.
    File { path: String, text: String },
    /// Lines of a file to replace.
    Change {
        path: String,
        old: String,
        new: String,
    },
}

/// The blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut words = None;
    let mut text = String::new();
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                words = Some(info.to_string());
                text.clear();
            }
            Event::Text(piece) if words.is_some() => text.push_str(&piece),
            Event::End(TagEnd::CodeBlock) => {
                if let Some(words) = words.take() {
                    found.extend(block(&words, &text));
                }
            }
            _ => {}
        }
    }
    found
}

fn block(words: &str, text: &str) -> Option<Block> {
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    let lines = || text.lines().map(str::to_owned).collect();
    Some(match (first, rest) {
        ("sh", "") => {
            let alone = |line: &str| (line.to_owned(), None);
            Block::Commands(whole_lines(text).iter().map(|line| alone(line)).collect())
        }
        ("sh", "checkout") => Block::InCheckout(whole_lines(text)),
        ("console", "") => Block::Commands(session(text)),
        ("log", "") => Block::Log(lines()),
        (_, "") => return None,
        ("diff", path) => Block::Change {
            path: path.into(),
            old: side(text, '-'),
            new: side(text, '+'),
        },
        (_, path) => Block::File {
            path: path.into(),
            text: text.into(),
        },
    })
}

/// The lines, those that end in a backslash with the next one.
fn whole_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", "");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    lines.map(str::to_owned).collect()
}

/// A dialogue with a shell.
fn session(text: &str) -> Vec<(String, Option<String>)> {
    let mut commands: Vec<(String, Option<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.into(), Some(String::new())));
        } else if let Some((_, Some(shown))) = commands.last_mut() {
            shown.push_str(line);
            shown.push('\n');
        } else {
            panic!("a console begins with a command: {text}");
        }
    }
    commands
}

/// One side of a change. An empty line belongs to both.
fn side(text: &str, mark: char) -> String {
    let mut side = String::new();
    for line in text.lines() {
        let kept = line.strip_prefix([' ', mark]);
        if let Some(kept) = kept.or_else(|| line.is_empty().then_some("")) {
            side.push_str(kept);
            side.push('\n');
        }
    }
    side
}

#[test]
fn a_page_is_read_as_it_is_meant() {
    let page = "```console\n$ a\nb\n...\n$ c\n```\n\n```sh\nd \\\n  e\n```\n\n```diff x.rs\n f\n-g\n+h\n\n```\n\n```text\ni\n```\n";
    let blocks = blocks(page);
    let [
        Block::Commands(session),
        Block::Commands(lines),
        Block::Change { path, old, new },
    ] = &blocks[..]
    else {
        panic!("{blocks:?}");
    };
    let shown = |text: &str| Some(text.to_owned());
    assert_eq!(
        session[..],
        [("a".into(), shown("b\n...\n")), ("c".into(), shown(""))]
    );
    assert_eq!(lines[..], [("d   e".into(), None)]);
    assert_eq!(
        (path.as_str(), old.as_str(), new.as_str()),
        ("x.rs", "f\ng\n\n", "f\nh\n\n")
    );
}
