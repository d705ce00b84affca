//! `rhost inspect`: what a component needs, offers and weighs.

use super::Inspect;
use rhost::failure::Octets;
use rhost::inspect::{Import, InspectError, Inspection, Interface, inspect};
use rhost::printable::{escaped, json};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is not what can be looked into.
    #[error("{}: {error}", path.display())]
    Inspect {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        error: InspectError,
    },
}

/// Prints what there is to know of a component.
pub fn run(args: &Inspect) -> Result<(), Error> {
    let path = &args.component;
    let file = std::fs::read(path).map_err(|error| Error::Read {
        path: path.clone(),
        error,
    })?;
    let inspection = inspect(&file).map_err(|error| Error::Inspect {
        path: path.clone(),
        error,
    })?;
    let text = if args.wit {
        lines(&inspection.wit)
    } else if args.json {
        json(serde_json::to_string_pretty(&inspection).expect("names are strings")) + "\n"
    } else {
        let name = path.file_name().map(|name| name.to_string_lossy());
        report(&name.unwrap_or_default(), &inspection)
    };
    // Whoever reads it may stop before its end, as `head` does.
    let _ = io::Write::write_all(&mut io::stdout(), text.as_bytes());
    Ok(())
}

fn report(name: &str, inspection: &Inspection) -> String {
    let mut text = String::new();
    let Inspection {
        size,
        imports,
        exports,
        parts,
        memories,
        toolchain,
        size_class,
        python,
        wit: _,
    } = inspection;
    line(
        &mut text,
        format_args!("{name}: a component of {}", Octets(*size)),
    );

    let functions: usize = imports.iter().map(|it| it.interface.functions.len()).sum();
    line(
        &mut text,
        format_args!("\nImports ({functions} functions, each tied in every sandbox)"),
    );
    for Import {
        interface,
        lent,
        provider,
    } in imports
    {
        let behind = match (lent, provider) {
            (Some(lent), _) => (*lent).to_owned(),
            (None, provider) => format!("NOT LENT: {}", provider.unwrap_or_default()),
        };
        line(&mut text, format_args!("  {:<38} {behind}", interface.name));
        list(&mut text, interface);
    }
    line(&mut text, format_args!("\nExports"));
    for interface in exports {
        line(&mut text, format_args!("  {}", interface.name));
        list(&mut text, interface);
    }

    line(
        &mut text,
        format_args!("\nMemory (sandboxes of the size class {size_class})"),
    );
    for memory in memories {
        let most = match memory.maximum {
            Some(most) => format!("up to {}", Octets(most)),
            None => "as far as --memory allows".into(),
        };
        line(
            &mut text,
            format_args!("  {} at the start, grows {most}", Octets(memory.initial)),
        );
    }

    if let Some(python) = python {
        line(&mut text, format_args!("\nPython"));
        for told in python.lines() {
            line(&mut text, format_args!("  {told}"));
        }
    }

    line(&mut text, format_args!("\nSize by part"));
    for part in parts {
        let share = part.size as f64 * 100.0 / (*size).max(1) as f64;
        let octets = Octets(part.size).to_string();
        line(
            &mut text,
            format_args!("  {:<22} {octets:>10} {share:>4.0} %", part.name),
        );
    }

    line(&mut text, format_args!("\nToolchain"));
    for tool in toolchain {
        line(
            &mut text,
            format_args!("  {:<13} {} {}", tool.field, tool.name, tool.version),
        );
    }
    text
}

fn list(text: &mut String, interface: &Interface) {
    for function in &interface.functions {
        line(text, format_args!("    {function}"));
    }
}

/// Adds a line, after an empty one if it begins with a line feed. Of what a file could put into a
/// name nothing moves the cursor, and nothing begins a line of its own.
fn line(text: &mut String, line: fmt::Arguments<'_>) {
    let line = line.to_string();
    let line = match line.strip_prefix('\n') {
        Some(line) => {
            text.push('\n');
            line
        }
        None => &line,
    };
    text.push_str(&escaped(line.trim_end()));
    text.push('\n');
}

/// Escapes each line of `text`.
fn lines(text: &str) -> String {
    text.lines().map(|line| escaped(line) + "\n").collect()
}
