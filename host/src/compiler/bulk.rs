//! Instructions that work on much of a memory or a table at once, in pieces.
//!
//! A guest is stopped at loops and calls. `memory.fill` is neither: one of 230 MiB runs for 100 ms,
//! whatever its limits are and whoever waits. So before a component is compiled, each such
//! instruction becomes a call of a function that is added to its module, and that does the same
//! piece by piece, in a loop. What it does is the same to the last byte and to the trap: the bounds
//! of all of it are checked first, and what overlaps is copied from the right end.
//!
//! A call is written over the instruction with as many bytes as that had. So all code stays where it
//! was, and so does what DWARF and names say of it. Where it cannot (a module of more than 16,000
//! functions has too few bytes for the number of one more; see `module`) code moves, and
//! debugging information, which would then be wrong, is left out.
//!
//! Left as they are: what is given a length that is constant and small, segments that are no longer
//! than a piece, `memory.grow`, which only makes pages accessible, and `table.grow`, whose elements
//! `--table-elements` bounds.

#[cfg(test)]
mod cost;
mod helper;
mod module;
mod survey;
#[cfg(test)]
mod tests;

use crate::sections::rewritten;
use std::borrow::Cow;
use wasm_encoder::ComponentSectionId;
use wasmparser::{Parser, Result};

/// Which way code is written. It is a part of the name under which compiled code is kept, and
/// changes whenever this module does, or [`super::bounds`] refuses more.
pub const VERSION: u32 = 2;

/// Returns `component` with all its bulk instructions in pieces. Fails if it cannot be read.
pub fn in_pieces(component: &[u8]) -> Result<Cow<'_, [u8]>> {
    if !Parser::is_component(component) {
        return Ok(Cow::Borrowed(component));
    }
    Ok(match of_component(component)? {
        Some(rewritten) => Cow::Owned(rewritten),
        None => Cow::Borrowed(component),
    })
}

/// The component with its modules rewritten; none if there is nothing to do. How deep components
/// lie in one another was bounded before.
fn of_component(component: &[u8]) -> Result<Option<Vec<u8>>> {
    const MODULE: u8 = ComponentSectionId::CoreModule as u8;
    const COMPONENT: u8 = ComponentSectionId::Component as u8;
    rewritten(component, |id, content| match id {
        MODULE => module::rewritten(content),
        COMPONENT => of_component(content),
        _ => Ok(None),
    })
}
