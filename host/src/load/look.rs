//! A component as it can be looked at without compiling it: whether it would load.

use super::needs::Needs;
use super::{LoadError, recognise};
use crate::compiler::{CompileError, bounds};
use crate::gateway;
use crate::imports;
use wasmparser::{
    ComponentExternalKind, ComponentTypeRef, Parser, Payload, Validator, WasmFeatures,
};

/// Fails if the component in `file` would not load, as far as that is known before it is
/// compiled.
pub fn look(file: &[u8]) -> Result<(), LoadError> {
    recognise(file)?;
    bounds::check(file).map_err(LoadError::Compile)?;
    let invalid = |error: wasmparser::BinaryReaderError| {
        LoadError::Compile(CompileError::Invalid(error.to_string()))
    };
    let mut validator = Validator::new_with_features(lent());
    validator.validate_all(file).map_err(invalid)?;
    face(file).map_err(invalid)?.fits()?;
    Needs::of(file).possible()
}

/// What WebAssembly guests may be made of: what the engines compile (`sandbox::pool`).
fn lent() -> WasmFeatures {
    let off = WasmFeatures::GC
        | WasmFeatures::GC_TYPES
        | WasmFeatures::FUNCTION_REFERENCES
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::THREADS
        | WasmFeatures::MEMORY64;
    (WasmFeatures::WASM3 | WasmFeatures::COMPONENT_MODEL) & !off
}

/// The names of what a component imports and exports, types by themselves aside.
#[derive(Default)]
struct Face {
    imports: Vec<String>,
    exports: Vec<String>,
    is_app: bool,
}

impl Face {
    fn fits(self) -> Result<(), LoadError> {
        if !self.is_app {
            return Err(LoadError::Exports(self.exports));
        }
        let unmet = self.imports.into_iter();
        let unmet: Vec<_> = unmet
            .filter(|name| imports::lender(name).is_none())
            .collect();
        match unmet.is_empty() {
            true => Ok(()),
            false => Err(LoadError::Imports(unmet)),
        }
    }
}

fn face(file: &[u8]) -> wasmparser::Result<Face> {
    let (mut face, mut depth) = (Face::default(), 0_u32);
    for payload in Parser::new(0).parse_all(file) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            // The outermost one was not counted in.
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import?;
                    if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                        face.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export?;
                    let name = export.name.name;
                    face.is_app |=
                        name == gateway::APP && export.kind == ComponentExternalKind::Instance;
                    face.exports.push(name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(face)
}
