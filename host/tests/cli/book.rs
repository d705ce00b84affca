//! The book (README.md and docs) as its reader takes it: every command is run, in
//! the order of the page, and what a page shows is what comes. What a block's first
//! words mean is in [`page`]. The blocks called `rust` are tested by the SDK's own
//! doctests.

mod expected;
mod links;
mod page;
mod terminal;

use page::{Block, blocks};
use std::fs;
use std::path::{Path, PathBuf};
use terminal::Terminal;

/// The checkout that the book is part of.
fn checkout() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap()
}

/// Does what the page at `path` says. Returns how many blocks there were to do.
fn follow(path: &str) -> usize {
    let text = fs::read_to_string(checkout().join(path)).unwrap();
    let mut terminal = Terminal::open(checkout());
    let mut done = 0;
    for block in blocks(&text) {
        // What fails below is at this place of the page.
        eprintln!("{path}: {block:?}");
        match block {
            Block::Commands(commands) => {
                for (command, shown) in commands {
                    let came = terminal.run(&command);
                    if let Some(shown) = shown {
                        expected::compare(&shown, &came);
                    }
                }
            }
            Block::InCheckout(commands) => {
                commands
                    .iter()
                    .for_each(|line| terminal.run_in_checkout(line));
            }
            Block::Log(lines) => lines.iter().for_each(|line| terminal.hears(line)),
            Block::File { path, text } => terminal.write(&path, &text),
            Block::Change { path, old, new } => terminal.change(&path, &old, &new),
        }
        done += 1;
    }
    done
}

#[test]
fn the_readme() {
    assert!(follow("README.md") >= 3);
}

#[test]
fn the_tutorial() {
    assert!(follow("docs/tutorial.md") >= 15);
}

#[test]
fn from_flask() {
    assert!(follow("docs/from-flask.md") >= 3);
}

#[test]
fn checking() {
    assert!(follow("docs/check.md") >= 6);
}

#[test]
fn operating() {
    assert!(follow("docs/operating.md") >= 3);
}

#[test]
fn configuration() {
    assert!(follow("docs/configuration.md") >= 5);
}

#[test]
fn deployment() {
    assert!(follow("docs/deployment.md") >= 4);
}

#[test]
fn the_examples() {
    assert!(follow("examples/notes/README.md") >= 2);
    assert!(follow("examples/chat/README.md") >= 1);
}

#[test]
fn links_lead_somewhere() {
    let mut pages = vec![checkout().join("README.md")];
    for dir in ["docs", "examples/*", "tests/bench", "guest-sdk"] {
        pages.extend(readmes(dir));
    }
    assert!(pages.len() > 10, "{pages:?}");
    for page in pages {
        let broken = links::broken(&page);
        assert!(broken.is_empty(), "{}: {broken:?}", page.display());
    }
}

/// The pages in a directory, or in each below it.
fn readmes(dir: &str) -> Vec<PathBuf> {
    let entries = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let dirs = match dir.strip_suffix("/*") {
        Some(above) => entries(&checkout().join(above)),
        None => vec![checkout().join(dir)],
    };
    let all = dirs.iter().flat_map(|dir| entries(dir));
    all.filter(|path| path.extension().is_some_and(|it| it == "md"))
        .collect()
}
