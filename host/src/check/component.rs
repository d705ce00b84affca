//! What a component shows before any of it runs.

use super::findings::Findings;
use super::rules::component as rules;
use crate::gateway;
use crate::imports;
use crate::inspect::Inspection;
use crate::load::LoadError;
use crate::settings::Limits;
use wasmparser::{Parser, Payload};

/// Holds the component in `file`, of which `inspection` is known, against the
/// rules.
pub fn check(file: &[u8], inspection: &Inspection, limits: &Limits, findings: &mut Findings) {
    let exported = inspection.exports.iter().find(|it| it.name == gateway::APP);
    if !exported.is_some_and(|it| it.functions.iter().any(|name| name == gateway::HANDLE)) {
        let names = inspection.exports.iter().map(|it| it.name.clone());
        let error = LoadError::Exports(names.collect());
        findings.add(&rules::EXPORT, None, error.to_string());
    }
    for import in inspection.imports.iter().filter(|it| it.lent.is_none()) {
        let name = &import.interface.name;
        let mut happened = format!("{name} is not lent");
        if let Some(nearest) = imports::nearest(name) {
            happened += &format!("; the nearest that is: {nearest}");
        }
        if let Some(provider) = import.provider {
            happened += &format!(" ({provider})");
        }
        findings.add(&rules::IMPORT, None, happened);
    }
    let memories = inspection.memories.iter().map(|memory| memory.initial);
    if let Some(most) = memories.max().filter(|most| *most > limits.memory) {
        let error = LoadError::Memory(most, limits.memory);
        findings.add(&rules::MEMORY, None, error.to_string());
    }
    let most = limits.table_elements as u64;
    for elements in tables(file).filter(|elements| *elements > most) {
        let happened = format!("a table starts with {elements} elements, and may have {most}");
        findings.add(&rules::TABLE, None, happened);
    }
}

/// Elements that each table starts with. What does not parse is not looked at:
/// whoever inspected the file knows already.
fn tables(file: &[u8]) -> impl Iterator<Item = u64> {
    Parser::new(0)
        .parse_all(file)
        .map_while(Result::ok)
        .filter_map(|payload| match payload {
            Payload::TableSection(section) => Some(section),
            _ => None,
        })
        .flat_map(|section| section.into_iter().map_while(Result::ok))
        .map(|table| table.ty.initial)
}

/// What is found when a component that was read cannot be loaded. Gives the error
/// back where the fault is not the component's, or it is none at all.
pub fn refused(error: LoadError, findings: &mut Findings) -> Result<(), LoadError> {
    let rule = match &error {
        LoadError::Exports(_) => &rules::EXPORT,
        LoadError::Imports(_) => &rules::IMPORT,
        LoadError::Types(_) => &rules::TYPES,
        LoadError::Memory(..) => &rules::MEMORY,
        LoadError::Table(..) => &rules::TABLE,
        LoadError::CoreModule
        | LoadError::Text
        | LoadError::Compiled
        | LoadError::NotWasm
        | LoadError::Compile(_)
        | LoadError::Unreadable(..)
        | LoadError::Damaged(_)
        | LoadError::Engine(_) => return Err(error),
    };
    findings.add(rule, None, error.to_string());
    Ok(())
}
