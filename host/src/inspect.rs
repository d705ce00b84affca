//! What a component is made of, read from its file: nothing of it runs, and
//! nothing is compiled.

use crate::imports;
use crate::printable::cut;
use crate::python::{Report, SECTION};
use crate::sandbox::SizeClass;
use serde::Serialize;
use std::collections::BTreeMap;
use wasm_metadata::Producers;
use wasmparser::{KnownCustom, Parser, Payload};
use wit_component::WitPrinter;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

/// Why a file cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It is no component: a core module, WIT, or not WebAssembly.
    #[error("not a component: {}", cut(.0, 1024))]
    NotAComponent(String),
}

/// What there is to know.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// Octets of the file.
    pub size: u64,
    /// What it needs.
    pub imports: Vec<Import>,
    /// What it offers.
    pub exports: Vec<Interface>,
    /// Where the octets are, most first.
    pub parts: Vec<Part>,
    /// Its linear memories.
    pub memories: Vec<Memory>,
    /// What made it: a field of the `producers` section, a name and a version.
    pub toolchain: Vec<Tool>,
    /// How big its sandboxes are, by the memory that they start with.
    pub size_class: &'static str,
    /// How it was built of a program in Python, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<Report>,
    /// Its types, in WIT.
    #[serde(skip)]
    pub wit: String,
}

/// An interface, or a function that stands by itself.
#[derive(Debug, Serialize)]
pub struct Interface {
    /// Its name, with its version.
    pub name: String,
    /// The functions in it.
    pub functions: Vec<String>,
}

/// An interface that is imported.
#[derive(Debug, Serialize)]
pub struct Import {
    /// The interface.
    #[serde(flatten)]
    pub interface: Interface,
    /// What rhost puts behind it; none when it has nothing.
    pub lent: Option<&'static str>,
    /// Where it could come from, when rhost has nothing.
    pub provider: Option<&'static str>,
}

/// A part of the file.
#[derive(Debug, Serialize)]
pub struct Part {
    /// What it is: `code`, `data`, `names`, ...
    pub name: &'static str,
    /// Octets.
    pub size: u64,
}

/// A linear memory.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// Octets at the start.
    pub initial: u64,
    /// The most octets that it says it grows to.
    pub maximum: Option<u64>,
}

/// A tool that had a hand in it.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// Its name.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}

/// Looks into the component in `file`.
pub fn inspect(file: &[u8]) -> Result<Inspection, InspectError> {
    let error = |error: &dyn std::fmt::Display| InspectError::NotAComponent(error.to_string());
    if !Parser::is_component(file) {
        return Err(error(&match Parser::is_core_wasm(file) {
            true => "it is a core module; build it for wasm32-wasip2",
            false => "it does not begin as WebAssembly does",
        }));
    }
    let anatomy = anatomy(file).map_err(|problem| error(&problem))?;
    let (resolve, world) = match decode(file).map_err(|problem| error(&format!("{problem:#}")))? {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(..) => return Err(error(&"it is a WIT package, and has no code")),
    };
    let initial = anatomy.memories.iter().map(|memory| memory.initial).max();
    let imports = interfaces(&resolve, resolve.worlds[world].imports.iter())
        .into_iter()
        .map(|interface| {
            // Types alone need nothing behind them.
            let lent = match interface.functions.is_empty() {
                true => Some("types only"),
                false => imports::lender(&interface.name),
            };
            Import {
                provider: lent.is_none().then(|| imports::provider(&interface.name)),
                lent,
                interface,
            }
        })
        .collect();
    Ok(Inspection {
        size: file.len() as u64,
        imports,
        exports: interfaces(&resolve, resolve.worlds[world].exports.iter()),
        parts: anatomy.parts,
        memories: anatomy.memories,
        toolchain: anatomy.toolchain,
        size_class: SizeClass::of(initial.unwrap_or(0)).name(),
        python: anatomy.python,
        wit: wit(&resolve, world).map_err(|problem| error(&format!("{problem:#}")))?,
    })
}

fn interfaces<'a>(
    resolve: &Resolve,
    items: impl Iterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> Vec<Interface> {
    items
        .filter_map(|(key, item)| {
            let functions = match item {
                WorldItem::Interface { id, .. } => {
                    resolve.interfaces[*id].functions.keys().cloned().collect()
                }
                WorldItem::Function(function) => vec![function.name.clone()],
                WorldItem::Type { .. } => return None,
            };
            Some(Interface {
                name: resolve.name_world_key(key),
                functions,
            })
        })
        .collect()
}

fn wit(resolve: &Resolve, world: WorldId) -> anyhow::Result<String> {
    let Some(package) = resolve.worlds[world].package else {
        return Ok(String::new());
    };
    let others: Vec<_> = resolve
        .packages
        .iter()
        .map(|(id, _)| id)
        .filter(|id| *id != package)
        .collect();
    let mut printer = WitPrinter::default();
    printer.print(resolve, package, &others)?;
    Ok(printer.output.to_string())
}

/// What the sections say.
struct Anatomy {
    parts: Vec<Part>,
    memories: Vec<Memory>,
    toolchain: Vec<Tool>,
    python: Option<Report>,
}

fn anatomy(file: &[u8]) -> wasmparser::Result<Anatomy> {
    let mut sizes: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut memories = Vec::new();
    let mut toolchain = Vec::new();
    let mut python = None;
    for payload in Parser::new(0).parse_all(file) {
        let payload = payload?;
        let name = match &payload {
            Payload::CodeSectionStart { .. } => "code",
            Payload::DataSection(_) => "data",
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let memory = memory?;
                    let page = 1_u64 << memory.page_size_log2.unwrap_or(16);
                    memories.push(Memory {
                        initial: memory.initial.saturating_mul(page),
                        maximum: memory.maximum.map(|pages| pages.saturating_mul(page)),
                    });
                }
                "the rest"
            }
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::Name(_) | KnownCustom::ComponentName(_) => "names",
                KnownCustom::Producers(_) => {
                    let producers = Producers::from_bytes(section.data(), section.data_offset());
                    toolchain.extend(producers.iter().flat_map(tools));
                    "the rest"
                }
                _ if section.name().starts_with(".debug_") => "debugging information",
                _ if section.name() == SECTION => {
                    python = serde_json::from_slice(section.data()).ok();
                    "the rest"
                }
                _ => "the rest",
            },
            _ => "the rest",
        };
        // Modules and components are counted by what is in them.
        let whole = matches!(
            payload,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
        );
        if let Some((_, range)) = payload.as_section().filter(|_| !whole) {
            *sizes.entry(name).or_default() += (range.end - range.start) as u64;
        }
    }
    let counted: u64 = sizes.values().sum();
    *sizes.entry("the rest").or_default() += (file.len() as u64).saturating_sub(counted);
    let mut parts: Vec<Part> = sizes
        .into_iter()
        .map(|(name, size)| Part { name, size })
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.size));
    toolchain.sort();
    toolchain.dedup();
    Ok(Anatomy {
        parts,
        memories,
        toolchain,
        python,
    })
}

fn tools(producers: &Producers) -> Vec<Tool> {
    producers
        .iter()
        .flat_map(|(field, tools)| {
            let tools: Vec<Tool> = tools
                .iter()
                .map(|(name, version)| Tool {
                    field: field.clone(),
                    name: name.clone(),
                    version: version.clone(),
                })
                .collect();
            tools
        })
        .collect()
}
