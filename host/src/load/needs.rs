//! What the sandboxes of a component start with, read from its file.

use super::LoadError;
use crate::compiler::CompileError;
use crate::meter::TABLE_ELEMENT;
use crate::sandbox::{MOST_PARTS, Parts};
use crate::settings::Limits;
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Instance, MemoryType, Parser, Payload, Result,
};

/// What one sandbox has before its guest runs. It has no less than this: of what is handed
/// from one component to another, nothing is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// What it is made of.
    pub parts: Parts,
    /// Bytes of its memories and tables.
    pub memory: u64,
    /// Elements of its largest table.
    pub table: u64,
}

impl Needs {
    /// Those of the component in `file`. What does not parse has none: that is told when it is
    /// compiled.
    pub fn of(file: &[u8]) -> Self {
        let mut frames = vec![Frame::default()];
        for payload in Parser::new(0).parse_all(file) {
            let read = payload.and_then(|payload| read(&mut frames, &payload));
            if read.is_err() {
                return Needs::default();
            }
        }
        frames.pop().unwrap_or_default().needs
    }

    /// Fails if it has more than `limits` allow, so that no request would be answered.
    pub fn fit(&self, limits: &Limits) -> std::result::Result<(), LoadError> {
        let table = limits.table_elements as u64;
        if self.memory > limits.memory {
            Err(LoadError::Memory(self.memory, limits.memory))
        } else if self.table > table {
            Err(LoadError::Table(self.table, table))
        } else {
            Ok(())
        }
    }

    /// Fails if no sandbox has so many parts.
    pub fn possible(&self) -> std::result::Result<(), LoadError> {
        let (found, most) = (&self.parts, &MOST_PARTS);
        for (what, found, most) in [
            ("instances of core modules", found.instances, most.instances),
            (
                "memories in one module",
                found.memories_of_one,
                most.memories_of_one,
            ),
            ("memories in its instances", found.memories, most.memories),
            (
                "tables in one module",
                found.tables_of_one,
                most.tables_of_one,
            ),
            ("tables in its instances", found.tables, most.tables),
        ] {
            if found > most {
                let bounds = CompileError::Bounds { what, found, most };
                return Err(LoadError::Compile(bounds));
            }
        }
        Ok(())
    }

    fn add(&mut self, other: Needs) {
        let (own, more) = (&mut self.parts, &other.parts);
        own.instances = own.instances.saturating_add(more.instances);
        own.memories = own.memories.saturating_add(more.memories);
        own.tables = own.tables.saturating_add(more.tables);
        own.memories_of_one = own.memories_of_one.max(more.memories_of_one);
        own.tables_of_one = own.tables_of_one.max(more.tables_of_one);
        self.memory = self.memory.saturating_add(other.memory);
        self.table = self.table.max(other.table);
    }
}

/// A component or a module that is being read, and what each instance of it needs.
#[derive(Default)]
struct Frame {
    is_module: bool,
    needs: Needs,
    /// The modules and components that have a number in it, and what is known of them.
    modules: Vec<Needs>,
    components: Vec<Needs>,
}

impl Frame {
    fn module() -> Self {
        Frame {
            is_module: true,
            needs: Needs {
                parts: Parts {
                    instances: 1,
                    ..Parts::default()
                },
                ..Needs::default()
            },
            ..Frame::default()
        }
    }

    /// What has this number, or nothing that is known.
    fn known(known: &[Needs], number: u32) -> Needs {
        known.get(number as usize).copied().unwrap_or_default()
    }
}

fn read(frames: &mut Vec<Frame>, payload: &Payload<'_>) -> Result<()> {
    match payload {
        Payload::ModuleSection { .. } => frames.push(Frame::module()),
        Payload::ComponentSection { .. } => frames.push(Frame::default()),
        Payload::End(_) if frames.len() > 1 => {
            let done = frames.pop().unwrap_or_default();
            if let Some(outer) = frames.last_mut() {
                match done.is_module {
                    true => outer.modules.push(done.needs),
                    false => outer.components.push(done.needs),
                }
            }
        }
        Payload::ComponentAliasSection(section) => {
            for alias in section.clone() {
                name_again(frames, &alias?);
            }
        }
        payload => {
            if let Some(frame) = frames.last_mut() {
                frame.read(payload)?;
            }
        }
    }
    Ok(())
}

/// What an alias names has one more number.
fn name_again(frames: &mut [Frame], alias: &ComponentAlias<'_>) {
    let outer = |count: u32| frames.iter().rev().nth(count as usize);
    let (is_module, known) = match *alias {
        ComponentAlias::Outer { kind, count, index } => match kind {
            ComponentOuterAliasKind::CoreModule => (
                true,
                outer(count).map(|outer| Frame::known(&outer.modules, index)),
            ),
            ComponentOuterAliasKind::Component => (
                false,
                outer(count).map(|outer| Frame::known(&outer.components, index)),
            ),
            _ => return,
        },
        ComponentAlias::InstanceExport { kind, .. } => match kind {
            ComponentExternalKind::Module => (true, None),
            ComponentExternalKind::Component => (false, None),
            _ => return,
        },
        ComponentAlias::CoreInstanceExport { .. } => return,
    };
    if let Some(frame) = frames.last_mut() {
        match is_module {
            true => frame.modules.push(known.unwrap_or_default()),
            false => frame.components.push(known.unwrap_or_default()),
        }
    }
}

impl Frame {
    fn read(&mut self, payload: &Payload<'_>) -> Result<()> {
        match payload {
            Payload::MemorySection(section) => {
                let parts = &mut self.needs.parts;
                parts.memories = section.count().into();
                parts.memories_of_one = parts.memories;
                for memory in section.clone() {
                    let bytes = bytes(&memory?);
                    self.needs.memory = self.needs.memory.saturating_add(bytes);
                }
            }
            Payload::TableSection(section) => {
                let parts = &mut self.needs.parts;
                parts.tables = section.count().into();
                parts.tables_of_one = parts.tables;
                for table in section.clone() {
                    let elements = table?.ty.initial;
                    let bytes = elements.saturating_mul(TABLE_ELEMENT);
                    self.needs.memory = self.needs.memory.saturating_add(bytes);
                    self.needs.table = self.needs.table.max(elements);
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.needs.add(Frame::known(&self.modules, module_index));
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance?
                    {
                        self.needs
                            .add(Frame::known(&self.components, component_index));
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    match import?.ty {
                        ComponentTypeRef::Module(_) => self.modules.push(Needs::default()),
                        ComponentTypeRef::Component(_) => self.components.push(Needs::default()),
                        _ => {}
                    }
                }
            }
            // What is exported has one more number.
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    match export.kind {
                        ComponentExternalKind::Module => {
                            let known = Frame::known(&self.modules, export.index);
                            self.modules.push(known);
                        }
                        ComponentExternalKind::Component => {
                            let known = Frame::known(&self.components, export.index);
                            self.components.push(known);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a memory starts with.
fn bytes(memory: &MemoryType) -> u64 {
    let page = 1_u64.checked_shl(memory.page_size_log2.unwrap_or(16));
    memory.initial.saturating_mul(page.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> (u64, u64, u64) {
        let needs = Needs::of(&wat::parse_str(text).unwrap());
        (needs.parts.instances, needs.memory, needs.table)
    }

    #[test]
    fn what_is_instantiated_is_counted_as_often() {
        const MODULE: &str = "(core module $m (memory 2) (memory 1) (table 7 funcref))";
        const BYTES: u64 = (3 << 16) + 56;
        assert_eq!(needs(&format!("(component {MODULE})")), (0, 0, 0));
        let twice = format!(
            "(component {MODULE} (core module $n (table 3 funcref))
               (core instance (instantiate $m)) (core instance (instantiate $n))
               (core instance (instantiate $m)))"
        );
        assert_eq!(needs(&twice), (3, 2 * BYTES + 24, 7));
        let within = format!(
            "(component $outer {MODULE}
               (component $c
                 (alias outer $outer $m (core module $again))
                 (core instance (instantiate $again)))
               (component $d
                 (alias outer $outer $c (component $c))
                 (instance (instantiate $c)) (instance (instantiate $c)))
               (instance (instantiate $d)) (instance (instantiate $c)))"
        );
        assert_eq!(needs(&within), (3, 3 * BYTES, 7));
    }

    #[test]
    fn no_sandbox_has_more_parts() {
        let refusal = |text: &str| {
            let needs = Needs::of(&wat::parse_str(text).unwrap());
            needs.possible().err().map(|error| error.to_string())
        };
        let component = |module: &str, count: usize| {
            let instances = "(core instance (instantiate $m))".repeat(count);
            format!("(component (core module $m {module}) {instances})")
        };
        let (memory, table) = ("(memory 1)", "(table 1 funcref)");
        let four = table.repeat(4);
        for (module, count, says) in [
            ("", 64, None),
            (
                "",
                65,
                Some("it has 65 instances of core modules, and may have 64"),
            ),
            (memory, 8, None),
            (
                memory,
                9,
                Some("it has 9 memories in its instances, and may have 8"),
            ),
            (&memory.repeat(2), 0, None),
            (
                &memory.repeat(2),
                1,
                Some("it has 2 memories in one module, and may have 1"),
            ),
            (&four, 4, None),
            (
                &four,
                5,
                Some("it has 20 tables in its instances, and may have 16"),
            ),
            (
                &table.repeat(5),
                1,
                Some("it has 5 tables in one module, and may have 4"),
            ),
        ] {
            assert_eq!(refusal(&component(module, count)).as_deref(), says);
        }
    }

    #[test]
    fn numbers_count_what_is_imported_and_exported() {
        let text = "(component
            (import \"a\" (core module $a)) (import \"c\" (component $c))
            (core module $m (memory 1))
            (export \"m\" (core module $m))
            (core module $n (memory 10))
            (core instance (instantiate $a)) (core instance (instantiate $n))
            (instance (instantiate $c)))";
        assert_eq!(needs(text), (1, 10 << 16, 0));
    }

    #[test]
    fn what_does_not_parse_needs_nothing() {
        assert_eq!(Needs::of(b"\0asm\x0d\0\x01\0\xff"), Needs::default());
        assert_eq!(Needs::of(b""), Needs::default());
    }
}
