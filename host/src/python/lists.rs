//! What the guest's Python hands to the host it frees.
//!
//! componentize-py's runtime copies each `list<u8>` that Python hands to an import, as a block of a
//! body, and never frees the copy: a response of 250 MB took 250 MB of the guest, and one that
//! serves many requests grew until it was stopped. The runtime frees at the end of a call what it
//! is told to (`wit_dylib_dealloc_bytes`), and the lists it makes where `wit_dylib_pop_list` says.
//! So that function gets another body here: it calls what it was, and has freed what that made.

use crate::sections::{longer, rewritten};
use wasm_encoder::{BlockType, ComponentSectionId, Encode, Function, MemArg, SectionId, ValType};
use wasmparser::{BinaryReader, Export, ExternalKind, Parser, Payload, Result, TypeRef};

/// Takes a list that is handed over. Returns its length, and has its address written where its
/// last argument says; null if the list is to be taken item by item.
const TAKE: &str = "wit_dylib_pop_list";
/// Frees octets, if its last argument says so at the end of the call.
const FREE: &str = "wit_dylib_dealloc_bytes";

const MODULE: u8 = ComponentSectionId::CoreModule as u8;
const FUNCTIONS: u8 = SectionId::Function as u8;
const CODE: u8 = SectionId::Code as u8;

/// Returns `component` with a runtime that frees; none if it has no such runtime.
pub fn freed(component: &[u8]) -> Result<Option<Vec<u8>>> {
    rewritten(component, |id, content| match id {
        MODULE => of_module(content),
        _ => Ok(None),
    })
}

/// The functions of the runtime that matter here.
struct Runtime {
    imported: u32,
    functions: u32,
    /// The number of the type of the function that takes a list.
    ty: u32,
    take: u32,
    free: u32,
}

fn of_module(module: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some(runtime) = Runtime::find(module)? else {
        return Ok(None);
    };
    rewritten(module, |id, content| match id {
        FUNCTIONS => {
            let mut ty = Vec::new();
            runtime.ty.encode(&mut ty);
            longer(content, vec![ty]).map(Some)
        }
        CODE => runtime.code(content).map(Some),
        _ => Ok(None),
    })
}

impl Runtime {
    /// Those of `module`, if it is the runtime.
    fn find(module: &[u8]) -> Result<Option<Self>> {
        let (mut imported, mut types) = (0, Vec::new());
        let (mut take, mut free) = (None, None);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let is_function = matches!(import?.ty, TypeRef::Func(_));
                        imported += u32::from(is_function);
                    }
                }
                Payload::FunctionSection(section) => {
                    types = section.into_iter().collect::<Result<_>>()?;
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let Export { name, kind, index } = export?;
                        match (name, kind) {
                            (TAKE, ExternalKind::Func) => take = Some(index),
                            (FREE, ExternalKind::Func) => free = Some(index),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let found = take.zip(free).and_then(|(take, free)| {
            let own = take.checked_sub(imported)?;
            Some(Runtime {
                imported,
                functions: types.len() as u32,
                ty: *types.get(own as usize)?,
                take,
                free,
            })
        });
        Ok(found)
    }

    /// A section of code in which the function that takes has its new body, and the old one is
    /// that of a function at the end.
    fn code(&self, content: &[u8]) -> Result<Vec<u8>> {
        let mut reader = BinaryReader::new(content, 0);
        let count = reader.read_var_u32()?;
        let mut code = Vec::with_capacity(content.len());
        (count + 1).encode(&mut code);
        let mut before = Vec::new();
        for number in self.imported.. {
            if reader.eof() {
                break;
            }
            let start = reader.original_position();
            let length = reader.read_var_u32()? as usize;
            reader.read_bytes(length)?;
            let body = &content[start..reader.original_position()];
            match number == self.take {
                true => {
                    before = body.to_vec();
                    self.body().encode(&mut code);
                }
                false => code.extend_from_slice(body),
            }
        }
        code.extend(before);
        Ok(code)
    }

    fn body(&self) -> Function {
        const CALL: u32 = 0;
        const ADDRESS: u32 = 2;
        const LENGTH: u32 = 3;
        let word = MemArg {
            offset: 0,
            align: 2,
            memory_index: 0,
        };
        let mut function = Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        code.local_get(CALL).local_get(1).local_get(ADDRESS);
        code.call(self.imported + self.functions).local_set(LENGTH);
        code.local_get(ADDRESS).i32_load(word);
        code.if_(BlockType::Empty);
        code.local_get(CALL).local_get(ADDRESS).i32_load(word);
        // Of octets, which lie anywhere; and not before the call is over.
        code.local_get(LENGTH).i32_const(1).i32_const(1);
        code.call(self.free).end();
        code.local_get(LENGTH).end();
        function
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Details, compiling_engine};
    use wasm_encoder::{Component, RawSection};
    use wasmtime::{Instance, Module, Store};

    /// A runtime that hands out a list at 64 of so many octets as it is asked for, or none for
    /// none, and counts what it is told to free.
    const RUNTIME: &str = r#"(module
        (import "env" "other" (func))
        (memory (export "memory") 1)
        (global $freed (export "freed") (mut i32) (i32.const 0))
        (func $unused)
        (func (export "wit_dylib_pop_list") (param i32 i32 i32) (result i32)
          (i32.store (local.get 2) (select (i32.const 64) (i32.const 0) (local.get 1)))
          (local.get 1))
        (func $last (export "wit_dylib_dealloc_bytes") (param i32 i32 i32 i32 i32)
          (if (i32.ne (local.get 1) (i32.const 64)) (then (unreachable)))
          (if (i32.eqz (local.get 4)) (then (unreachable)))
          (global.set $freed (i32.add (global.get $freed)
            (i32.mul (local.get 0) (local.get 2))))))"#;

    #[test]
    fn what_is_handed_over_is_freed() {
        let mut component = Component::new();
        let module = wat::parse_str(RUNTIME).unwrap();
        component.section(&RawSection {
            id: MODULE,
            data: &module,
        });
        let freed = freed(&component.finish()).unwrap().expect("a runtime");
        let module = Parser::new(0).parse_all(&freed).find_map(|payload| {
            let Payload::ModuleSection {
                unchecked_range, ..
            } = payload.unwrap()
            else {
                return None;
            };
            Some(freed[unchecked_range].to_vec())
        });
        let engine = compiling_engine(Details::Names).unwrap();
        let module = Module::new(&engine, module.expect("it is there")).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        let other = wasmtime::Func::wrap(&mut store, || {});
        let instance = Instance::new(&mut store, &module, &[other.into()]).unwrap();
        let take =
            instance.get_typed_func::<(u32, u32, u32), u32>(&mut store, "wit_dylib_pop_list");
        let take = take.unwrap();
        for (octets, freed) in [(7, 21), (0, 21), (100, 321)] {
            assert_eq!(take.call(&mut store, (3, octets, 16)).unwrap(), octets);
            let told = instance.get_global(&mut store, "freed").unwrap();
            assert_eq!(told.get(&mut store).unwrap_i32(), freed);
        }
    }

    #[test]
    fn others_stay_as_they_are() {
        let module = wat::parse_str("(module (func (export \"wit_dylib_pop_list\")))").unwrap();
        let mut component = Component::new();
        component.section(&RawSection {
            id: MODULE,
            data: &module,
        });
        assert_eq!(freed(&component.finish()).unwrap(), None);
    }
}
