//! What a component may be made of, before anything is compiled.

#[cfg(test)]
mod tests;

use super::CompileError;
use crate::sandbox::CORE_INSTANCES;
use wasmparser::{
    BinaryReaderError, ComponentInstance, ElementItems, ElementKind, ElementSectionReader,
    Instance, Parser, Payload, TableSectionReader,
};

/// The most of each that a component may have, over all that is in it. In brackets, what
/// CPython has with its standard library and an app.
const OCTETS: u64 = 256 << 20; // (35 << 20)
const FUNCTIONS: u64 = 200_000; // (13_357)
const FUNCTION_OCTETS: u64 = 2 << 20;
const MODULES: u64 = 1_000; // (16)
const DEPTH: u64 = 16; // (1)
const MEMORIES: u64 = 100; // (1)
const MEMORY_OCTETS: u64 = 4 << 30;
const TABLES: u64 = 100; // (2)
const TABLE_ELEMENTS: u64 = 1_000_000;
const GLOBALS: u64 = 20_000; // (874)
const TAGS: u64 = 1_000;
const TYPES: u64 = 50_000; // (1_238)
const IMPORTS: u64 = 50_000; // (2_314)
const EXPORTS: u64 = 100_000; // (4_213)
const INSTANCES: u64 = 1_000; // (67)
const ALIASES: u64 = 50_000; // (1_358)
const ADAPTERS: u64 = 20_000; // (127)
const ELEMENT_SEGMENTS: u64 = 20_000; // (8)
const DATA_SEGMENTS: u64 = 100_000; // (7_076)
/// Bytes that wasmtime keeps of passive element segments in the instances of one sandbox. No
/// limit of a sandbox counts them.
const PASSIVE_OCTETS: u64 = 128 << 10; // (0)
/// Bytes of a passive element segment, and of an element of it, in each instance of its module.
const PASSIVE_SEGMENT: u64 = 32;
const PASSIVE_ELEMENT: u64 = 16;

/// Octets in a page of a memory that names no size of its own.
const PAGE: u64 = 64 << 10;

/// Fails with the first bound that `component` is beyond. What is no component is
/// found when it is compiled.
pub fn check(component: &[u8]) -> Result<(), CompileError> {
    within("octets", component.len() as u64, OCTETS)?;
    let (mut sums, mut depth) = (Sums::default(), 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(invalid)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth += 1;
                within("modules in one another", depth, DEPTH)?;
                sums.modules.add(1_u64)?;
            }
            // The outermost one was not counted in.
            Payload::End(_) => depth = depth.saturating_sub(1),
            payload => sums.count(&payload)?,
        }
    }
    sums.passive.check()
}

/// What has been found so far, of each kind.
struct Sums {
    functions: Sum,
    modules: Sum,
    memories: Sum,
    memory_octets: Sum,
    tables: Sum,
    table_elements: Sum,
    globals: Sum,
    tags: Sum,
    types: Sum,
    imports: Sum,
    exports: Sum,
    instances: Sum,
    aliases: Sum,
    adapters: Sum,
    element_segments: Sum,
    data_segments: Sum,
    passive: Passive,
}

impl Default for Sums {
    fn default() -> Self {
        Sums {
            functions: Sum::of("functions", FUNCTIONS),
            modules: Sum::of("modules", MODULES),
            memories: Sum::of("memories", MEMORIES),
            memory_octets: Sum::of("octets of memory to start with", MEMORY_OCTETS),
            tables: Sum::of("tables", TABLES),
            table_elements: Sum::of("elements in tables to start with", TABLE_ELEMENTS),
            globals: Sum::of("globals", GLOBALS),
            tags: Sum::of("tags", TAGS),
            types: Sum::of("types", TYPES),
            imports: Sum::of("imports", IMPORTS),
            exports: Sum::of("exports", EXPORTS),
            instances: Sum::of("instances", INSTANCES),
            aliases: Sum::of("aliases", ALIASES),
            adapters: Sum::of("canonical functions", ADAPTERS),
            element_segments: Sum::of("element segments", ELEMENT_SEGMENTS),
            data_segments: Sum::of("data segments", DATA_SEGMENTS),
            passive: Passive::default(),
        }
    }
}

impl Sums {
    fn count(&mut self, payload: &Payload<'_>) -> Result<(), CompileError> {
        match payload {
            Payload::FunctionSection(section) => self.functions.add(section.count()),
            Payload::CodeSectionEntry(body) => within(
                "octets in one function",
                body.range().len() as u64,
                FUNCTION_OCTETS,
            ),
            Payload::MemorySection(section) => {
                self.memories.add(section.count())?;
                for memory in section.clone() {
                    let memory = memory.map_err(invalid)?;
                    let page = memory.page_size_log2.map_or(Some(PAGE), power_of_two);
                    let octets = page.and_then(|page| memory.initial.checked_mul(page));
                    self.memory_octets.add(octets.unwrap_or(u64::MAX))?;
                }
                Ok(())
            }
            Payload::TableSection(section) => self.count_tables(section),
            Payload::GlobalSection(section) => self.globals.add(section.count()),
            Payload::TagSection(section) => self.tags.add(section.count()),
            Payload::TypeSection(section) => self.types.add(section.count()),
            Payload::CoreTypeSection(section) => self.types.add(section.count()),
            Payload::ComponentTypeSection(section) => self.types.add(section.count()),
            Payload::ImportSection(section) => self.imports.add(section.count()),
            Payload::ComponentImportSection(section) => self.imports.add(section.count()),
            Payload::ExportSection(section) => self.exports.add(section.count()),
            Payload::ComponentExportSection(section) => self.exports.add(section.count()),
            Payload::InstanceSection(section) => {
                self.instances.add(section.count())?;
                for instance in section.clone() {
                    if let Instance::Instantiate { .. } = instance.map_err(invalid)? {
                        self.passive.instances += 1;
                    }
                }
                Ok(())
            }
            Payload::ComponentInstanceSection(section) => {
                self.instances.add(section.count())?;
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate { .. } = instance.map_err(invalid)? {
                        // Its own instances are made each time that it is.
                        self.passive.instances = CORE_INSTANCES as u64;
                    }
                }
                Ok(())
            }
            Payload::ComponentAliasSection(section) => self.aliases.add(section.count()),
            Payload::ComponentCanonicalSection(section) => self.adapters.add(section.count()),
            Payload::ElementSection(section) => {
                self.element_segments.add(section.count())?;
                self.passive.of_module(section)
            }
            Payload::DataSection(section) => self.data_segments.add(section.count()),
            _ => Ok(()),
        }
    }

    fn count_tables(&mut self, section: &TableSectionReader<'_>) -> Result<(), CompileError> {
        self.tables.add(section.count())?;
        for table in section.clone() {
            let table = table.map_err(invalid)?;
            self.table_elements.add(table.ty.initial)?;
        }
        Ok(())
    }
}

/// The passive element segments of a component's instances.
#[derive(Default)]
struct Passive {
    /// Bytes for each instance of the module that has most of them.
    most: u64,
    /// Instances of modules.
    instances: u64,
}

impl Passive {
    /// Looks at the segments of a module.
    fn of_module(&mut self, section: &ElementSectionReader<'_>) -> Result<(), CompileError> {
        let mut octets = 0_u64;
        for segment in section.clone() {
            let segment = segment.map_err(invalid)?;
            if let ElementKind::Passive = segment.kind {
                let elements = match segment.items {
                    ElementItems::Functions(items) => items.count(),
                    ElementItems::Expressions(_, items) => items.count(),
                };
                octets += PASSIVE_SEGMENT + u64::from(elements) * PASSIVE_ELEMENT;
            }
        }
        self.most = self.most.max(octets);
        Ok(())
    }

    /// Fails if they may be too many. Of a component with more instances than a sandbox has
    /// there is no sandbox.
    fn check(&self) -> Result<(), CompileError> {
        let instances = self.instances.min(CORE_INSTANCES as u64);
        within(
            "octets of passive element segments in its instances",
            self.most.saturating_mul(instances),
            PASSIVE_OCTETS,
        )
    }
}

/// How many there are of something, and may be.
struct Sum {
    what: &'static str,
    found: u64,
    most: u64,
}

impl Sum {
    fn of(what: &'static str, most: u64) -> Self {
        Sum {
            what,
            found: 0,
            most,
        }
    }

    fn add(&mut self, more: impl Into<u64>) -> Result<(), CompileError> {
        self.found = self.found.saturating_add(more.into());
        within(self.what, self.found, self.most)
    }
}

fn power_of_two(log2: u32) -> Option<u64> {
    1_u64.checked_shl(log2)
}

fn invalid(error: BinaryReaderError) -> CompileError {
    CompileError::Invalid(error.to_string())
}

fn within(what: &'static str, found: u64, most: u64) -> Result<(), CompileError> {
    match found <= most {
        true => Ok(()),
        false => Err(CompileError::Bounds { what, found, most }),
    }
}
