//! What a component carries that nobody needs at run time, and a component
//! without it.

use std::collections::BTreeMap;
use std::mem;
use wasm_encoder::{Component, ComponentSectionId, Encode, Module, RawSection, Section};
use wasmparser::{Encoding, Parser, Payload};

/// Custom sections that stay: what made the component, and what its author says
/// of it. `.debug_*` stays as well: cargo takes it off a release, so that it is
/// there only where the manifest asks for it.
const KEPT: [&str; 9] = [
    crate::python::SECTION,
    "producers",
    "authors",
    "description",
    "homepage",
    "licenses",
    "revision",
    "source",
    "version",
];

/// The names of functions, from which backtraces are made.
const NAMES: &str = "name";

/// Why a file cannot be stripped.
#[derive(Debug, thiserror::Error)]
pub enum StripError {
    /// It is damaged.
    #[error("not a component: {0}")]
    Damaged(#[from] wasmparser::BinaryReaderError),
    /// It ends within a section.
    #[error("not a component: it is cut short")]
    CutShort,
}

/// A component without what was taken off.
#[derive(Debug)]
pub struct Stripped {
    /// The component.
    pub component: Vec<u8>,
    /// What was taken off, by the names of the sections, with their octets.
    pub removed: BTreeMap<String, u64>,
}

/// Takes off the custom sections of `file` that nobody needs at run time, and
/// its `names` too unless they are to stay.
pub fn strip(file: &[u8], names: bool) -> Result<Stripped, StripError> {
    let mut removed: BTreeMap<String, u64> = BTreeMap::new();
    // The modules and components that the current one lies in.
    let mut around = Vec::new();
    let mut current = Vec::new();
    for payload in Parser::new(0).parse_all(file) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding, .. } => {
                current.extend_from_slice(match encoding {
                    Encoding::Component => &Component::HEADER,
                    Encoding::Module => &Module::HEADER,
                });
                continue;
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                around.push(mem::take(&mut current));
                continue;
            }
            Payload::End(_) => {
                // The whole file ends last, and lies in nothing.
                if let Some(outer) = around.pop() {
                    let inner = mem::replace(&mut current, outer);
                    let id = match inner.starts_with(&Component::HEADER) {
                        true => ComponentSectionId::Component,
                        false => ComponentSectionId::CoreModule,
                    };
                    current.push(id as u8);
                    inner.encode(&mut current);
                }
                continue;
            }
            Payload::CustomSection(section) if !stays(section.name(), names) => {
                let size = section.range().len() as u64;
                *removed.entry(section.name().to_owned()).or_default() += size;
                continue;
            }
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            // A section's head is believed before its end is seen.
            let data = file.get(range).ok_or(StripError::CutShort)?;
            RawSection { id, data }.append_to(&mut current);
        }
    }
    Ok(Stripped {
        component: current,
        removed,
    })
}

fn stays(section: &str, names: bool) -> bool {
    KEPT.contains(&section) || section.starts_with(".debug_") || (names && section == NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with a module in a component in it, and sections of all kinds.
    fn nested() -> Vec<u8> {
        wat::parse_str(
            r#"(component $outer
                (@custom "target_features" "aa")
                (component $inner
                    (core module $m
                        (@custom "producers" "\00")
                        (@custom "target_features" "bbb")
                        (@custom ".debug_line" "l")
                        (@custom "mine" "x")
                        (memory 1)
                        (func $f (export "f") (result i32) i32.const 7)
                        (data (i32.const 0) "data")))
                (@custom "description" "an app"))"#,
        )
        .unwrap()
    }

    fn sections(file: &[u8]) -> Vec<String> {
        let payloads = Parser::new(0).parse_all(file).map(Result::unwrap);
        let mut names: Vec<String> = payloads
            .filter_map(|payload| match payload {
                Payload::CustomSection(section) => Some(section.name().to_owned()),
                _ => None,
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_what_is_needed_stays_at_any_depth() {
        let file = nested();
        let Stripped { component, removed } = strip(&file, true).unwrap();
        assert_eq!(
            sections(&component),
            [".debug_line", "description", "name", "producers"]
        );
        let names: Vec<_> = removed.keys().map(String::as_str).collect();
        assert_eq!(names, ["component-name", "mine", "target_features"]);
        let gone: u64 = removed.values().sum();
        assert!(component.len() as u64 + gone < file.len() as u64);

        let nameless = strip(&file, false).unwrap().component;
        assert_eq!(
            sections(&nameless),
            [".debug_line", "description", "producers"]
        );
    }

    #[test]
    fn what_is_left_is_the_same_component() {
        let file = nested();
        let once = strip(&file, true).unwrap().component;
        wasmparser::validate(&once).unwrap();
        let again = strip(&once, true).unwrap();
        assert_eq!(again.component, once);
        assert!(again.removed.is_empty());
    }

    #[test]
    fn a_file_that_is_cut_short_or_damaged_becomes_none_that_is_worse() {
        let file = nested();
        let cut = (0..file.len()).map(|end| file[..end].to_vec());
        let damaged = (0..file.len()).map(|at| {
            let mut file = file.clone();
            file[at] ^= 0xff;
            file
        });
        let mut errors = 0;
        for file in cut.chain(damaged) {
            match strip(&file, false) {
                Ok(stripped) => {
                    let mut payloads = Parser::new(0).parse_all(&stripped.component);
                    assert!(payloads.all(|payload| payload.is_ok()));
                }
                Err(_) => errors += 1,
            }
        }
        assert!(errors > file.len(), "{errors}");
    }
}
