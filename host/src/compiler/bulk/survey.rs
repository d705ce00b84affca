//! What there is in a module, before anything is added to it.

use wasmparser::{
    ElementItems, FunctionBody, MemoryType, Parser, Payload, RefType, Result, TableType, TypeRef,
};

/// What there is in a module, as far as it matters here.
#[derive(Default)]
pub struct Survey {
    /// How many types there are.
    pub types: u32,
    /// How many functions are imported.
    pub imported: u32,
    /// How many are not.
    pub functions: u32,
    /// Of each memory, whether it is a plain one of 32 bits.
    pub memories: Vec<bool>,
    /// Of each table its elements, if it is a plain one of 32 bits.
    pub tables: Vec<Option<RefType>>,
    /// The length of each data segment.
    pub data: Vec<u32>,
    /// The length of each element segment.
    pub elements: Vec<u32>,
}

/// Looks at a module, and returns its functions' bodies too.
pub fn survey(module: &[u8]) -> Result<(Survey, Vec<FunctionBody<'_>>)> {
    let (mut survey, mut bodies) = (Survey::default(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    survey.types += group?.types().len() as u32;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    match import?.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => survey.imported += 1,
                        TypeRef::Memory(memory) => survey.memories.push(is_plain(&memory)),
                        TypeRef::Table(table) => survey.tables.push(elements(&table)),
                        TypeRef::Global(_) | TypeRef::Tag(_) => {}
                    }
                }
            }
            Payload::FunctionSection(section) => survey.functions = section.count(),
            Payload::MemorySection(section) => {
                for memory in section {
                    survey.memories.push(is_plain(&memory?));
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    survey.tables.push(elements(&table?.ty));
                }
            }
            Payload::ElementSection(section) => {
                for segment in section {
                    survey.elements.push(match segment?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    });
                }
            }
            Payload::DataSection(section) => {
                for segment in section {
                    // No file has so many bytes that 32 bits do not count them.
                    survey.data.push(segment?.data.len() as u32);
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => {}
        }
    }
    Ok((survey, bodies))
}

fn is_plain(memory: &MemoryType) -> bool {
    !memory.memory64 && !memory.shared && memory.page_size_log2.is_none()
}

fn elements(table: &TableType) -> Option<RefType> {
    let is_plain = !table.table64 && !table.shared;
    let known = [RefType::FUNCREF, RefType::EXTERNREF];
    (is_plain && known.contains(&table.element_type)).then_some(table.element_type)
}
