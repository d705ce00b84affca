//! A module, and the functions that are added to it.
//!
//! They come after all others, so that no function has another number than before, and so do their
//! types. A call with its number is as long as the instruction that it replaces if that has bytes for
//! it: 3 of `memory.fill` and `table.fill` are enough for 16,384 functions, 4 of the others for
//! 2,097,152. Where one is too short, or the number of functions takes a byte more than before, code
//! moves.

use super::helper::{Bulk, Takes};
use super::survey::{Survey, survey};
use crate::sections::{HEADER, Section, longer, sections};
use std::ops::Range;
use wasm_encoder::{Encode, NameMap, NameSection, SectionId};
use wasmparser::{BinaryReader, FunctionBody, Operator, RefType, Result};

const TYPES: u8 = SectionId::Type as u8;
const FUNCTIONS: u8 = SectionId::Function as u8;
const CODE: u8 = SectionId::Code as u8;
const CUSTOM: u8 = SectionId::Custom as u8;

/// The code of a call.
const CALL: u8 = 0x10;
/// The code of nothing.
const NOP: u8 = 0x01;
/// The most bytes of a number of 32 bits (LEB128).
const LONGEST: usize = 5;

/// An instruction that becomes a call.
struct Found {
    at: Range<usize>,
    /// Which of the functions that are added is called.
    helper: usize,
}

/// Returns `module` with its bulk instructions in pieces; none if it has none.
pub fn rewritten(module: &[u8]) -> Result<Option<Vec<u8>>> {
    let (survey, bodies) = survey(module)?;
    let mut helpers = Vec::new();
    let mut found = Vec::with_capacity(bodies.len());
    for body in &bodies {
        found.push(look(body, &survey, &mut helpers)?);
    }
    if helpers.is_empty() {
        return Ok(None);
    }
    Rewriting {
        module,
        survey,
        bodies,
        helpers,
        found,
    }
    .module()
    .map(Some)
}

/// Finds the instructions of `body` that are to be calls, and adds to `helpers` what they call.
fn look(body: &FunctionBody<'_>, survey: &Survey, helpers: &mut Vec<Bulk>) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut reader = body.get_operators_reader()?;
    // The number on top of the stack, if the last instruction has put it there.
    let mut top = None;
    while !reader.eof() {
        let start = reader.original_position();
        let operator = reader.read()?;
        let at = start..reader.original_position();
        let constant = match operator {
            Operator::I32Const { value } => Some(value as u32),
            _ => None,
        };
        if let Some(bulk) = Bulk::of(&operator, survey)
            && top.is_none_or(|count| count > bulk.piece())
        {
            let known = helpers.iter().position(|it| *it == bulk);
            let helper = known.unwrap_or_else(|| {
                helpers.push(bulk);
                helpers.len() - 1
            });
            found.push(Found { at, helper });
        }
        top = constant;
    }
    Ok(found)
}

/// What is written anew.
struct Rewriting<'a> {
    module: &'a [u8],
    survey: Survey,
    bodies: Vec<FunctionBody<'a>>,
    helpers: Vec<Bulk>,
    /// Of each body.
    found: Vec<Vec<Found>>,
}

impl Rewriting<'_> {
    fn module(&self) -> Result<Vec<u8>> {
        let sections = sections(self.module)?;
        let types = self.types();
        let code = sections.iter().find(|section| section.id == CODE);
        let (code, has_moved) = match code {
            Some(section) => self.code(section)?,
            None => Default::default(),
        };
        let mut is_named = false;
        let mut module = self.module[..HEADER].to_vec();
        for section in &sections {
            let content = &self.module[section.content.clone()];
            let content = match section.id {
                TYPES => {
                    let added = types.iter().map(|takes| takes.encoded()).collect();
                    longer(content, added)?
                }
                FUNCTIONS => longer(content, self.numbers_of_types(&types))?,
                CODE => code.clone(),
                CUSTOM => match custom_name(content)? {
                    name if has_moved && is_of_places(name) => continue,
                    "name" if !is_named => {
                        is_named = true;
                        self.named(content)
                    }
                    _ => content.to_vec(),
                },
                _ => {
                    module.extend_from_slice(&self.module[section.whole.clone()]);
                    continue;
                }
            };
            module.push(section.id);
            content.encode(&mut module);
        }
        if !is_named {
            let mut names = NameSection::new();
            names.functions(&self.names());
            wasm_encoder::Section::append_to(&names, &mut module);
        }
        Ok(module)
    }

    /// The number of the function that is the first to be added.
    fn first(&self) -> u32 {
        self.survey.imported + self.survey.functions
    }

    /// The types that are added.
    fn types(&self) -> Vec<Takes> {
        let mut types = Vec::new();
        for helper in &self.helpers {
            let takes = helper.takes(&self.survey);
            if !types.contains(&takes) {
                types.push(takes);
            }
        }
        types
    }

    /// Of each function that is added the number of its type, encoded.
    fn numbers_of_types(&self, types: &[Takes]) -> Vec<Vec<u8>> {
        let number = |helper: &Bulk| {
            let takes = helper.takes(&self.survey);
            let place = types.iter().position(|it| *it == takes).unwrap_or(0);
            encoded(self.survey.types + place as u32)
        };
        self.helpers.iter().map(number).collect()
    }

    /// What is in the section of code, and whether any code has moved.
    fn code(&self, section: &Section) -> Result<(Vec<u8>, bool)> {
        let content = &self.module[section.content.clone()];
        let mut reader = BinaryReader::new(content, section.content.start);
        let before = reader.read_var_u32()?;
        let (start, first) = (section.content.start, reader.original_position());
        let count = leb(before + self.helpers.len() as u32, first - start);
        let mut has_moved = count.len() > first - start;
        let mut code = count;
        match self.patched() {
            Some(patched) => code.extend_from_slice(&patched[first..section.content.end]),
            None => {
                has_moved = true;
                for (body, found) in self.bodies.iter().zip(&self.found) {
                    self.body(body, found).encode(&mut code);
                }
            }
        }
        for helper in &self.helpers {
            helper.function(&self.survey).encode(&mut code);
        }
        Ok((code, has_moved))
    }

    /// The module with calls in place of what was found, where each is as long; none if one is too
    /// long.
    fn patched(&self) -> Option<Vec<u8>> {
        let mut patched = self.module.to_vec();
        for Found { at, helper } in self.found.iter().flatten() {
            let call = self.call(*helper, at.len());
            if call.len() > at.len() {
                return None;
            }
            patched[at.clone()].copy_from_slice(&call);
        }
        Some(patched)
    }

    /// A body with calls of any length.
    fn body(&self, body: &FunctionBody<'_>, found: &[Found]) -> Vec<u8> {
        let range = body.range();
        let (mut written, mut done) = (Vec::with_capacity(range.len()), range.start);
        for Found { at, helper } in found {
            written.extend_from_slice(&self.module[done..at.start]);
            written.extend(self.call(*helper, at.len()));
            done = at.end;
        }
        written.extend_from_slice(&self.module[done..range.end]);
        written
    }

    /// A call of a function that is added, of `length` bytes if it is not longer.
    fn call(&self, helper: usize, length: usize) -> Vec<u8> {
        let mut call = vec![CALL];
        let most = LONGEST.min(length.saturating_sub(1));
        call.extend(leb(self.first() + helper as u32, most));
        call.resize(call.len().max(length), NOP);
        call
    }

    /// What the functions that are added are called.
    fn names(&self) -> NameMap {
        let mut names = NameMap::new();
        for (number, helper) in self.helpers.iter().enumerate() {
            names.append(self.first() + number as u32, helper.name());
        }
        names
    }

    /// A section of names with theirs. One that cannot be read stays as it is: nobody else can
    /// read it either.
    fn named(&self, content: &[u8]) -> Vec<u8> {
        self.try_named(content).unwrap_or_else(|_| content.to_vec())
    }

    fn try_named(&self, content: &[u8]) -> Result<Vec<u8>> {
        /// The part of a section of names that has functions.
        const OF_FUNCTIONS: u8 = 1;
        let mut reader = BinaryReader::new(content, 0);
        reader.read_string()?;
        let mut named = content[..reader.original_position()].to_vec();
        let added: Vec<Vec<u8>> = (0..)
            .zip(&self.helpers)
            .map(|(number, helper)| {
                let mut name = encoded(self.first() + number);
                helper.name().encode(&mut name);
                name
            })
            .collect();
        let mut is_done = false;
        while !reader.eof() {
            let start = reader.original_position();
            let id = reader.read_u8()?;
            let length = reader.read_var_u32()? as usize;
            let part = reader.read_bytes(length)?;
            if id >= OF_FUNCTIONS && !is_done {
                is_done = true;
                let old = if id == OF_FUNCTIONS { part } else { &[0][..] };
                named.push(OF_FUNCTIONS);
                longer(old, added.clone())?.encode(&mut named);
            }
            if id != OF_FUNCTIONS {
                named.extend_from_slice(&content[start..reader.original_position()]);
            }
        }
        if !is_done {
            named.push(OF_FUNCTIONS);
            longer(&[0], added)?.encode(&mut named);
        }
        Ok(named)
    }
}

impl Takes {
    /// A type of a function that takes this.
    fn encoded(self) -> Vec<u8> {
        const FUNCTION: u8 = 0x60;
        const NUMBER: u8 = 0x7f;
        let second = match self {
            Takes::Numbers => NUMBER,
            Takes::Element(RefType::EXTERNREF) => 0x6f,
            Takes::Element(_) => 0x70,
        };
        vec![FUNCTION, 3, NUMBER, second, NUMBER, 0]
    }
}

/// Whether a custom section of this name says of places in the code where they are.
fn is_of_places(name: &str) -> bool {
    name.starts_with(".debug_") || name.starts_with("metadata.code.")
}

fn custom_name(content: &[u8]) -> Result<&str> {
    BinaryReader::new(content, 0).read_string()
}

fn encoded(number: u32) -> Vec<u8> {
    leb(number, 0)
}

/// `number` as LEB128, of `length` bytes if it takes no more.
fn leb(mut number: u32, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(LONGEST);
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        let is_last = number == 0 && bytes.len() + 1 >= length;
        bytes.push(if is_last { low } else { low | 0x80 });
        if is_last {
            return bytes;
        }
    }
}
