//! Whether a server has its limits: before a figure, a loop has to be stopped on that very
//! server.
//!
//! An example has no loop. So what is measured is the example with one more place: asked
//! for [`TARGET`] it computes for ever, and in all else it is the example, to the byte. That
//! costs it some comparisons a request.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::admin::Admin;
use crate::ask;
use crate::binary::{self, Reader, leb, section};
use crate::request::Request;

/// Where an app that is measured computes for ever.
pub const TARGET: &str = "/endless";

/// The host of an app that is there for the loop alone.
pub const HOST: &str = "endless.test";

/// The CPU limit of servers whose limits nobody says: short, so that the check is.
pub const CPU: &str = "1s";

/// The CPU limit of an app that is there for the loop alone.
const OWN_CPU: &str = "100ms";

/// How a function says in an export what it is; the end of it.
const HANDLE: &[u8] = b"rhost:gateway/app@0.1.0#handle";

/// Asks the app of `host` for its loop, which has to be stopped.
pub fn prove(addr: SocketAddr, host: &str) -> Result<()> {
    const WHAT: &str = "a loop is not stopped on this server, so its figures would say nothing";
    let reply = ask::ask(addr, &Request::get_from(host, TARGET)).context(WHAT)?;
    let status = reply.answer.map(|answer| answer.status);
    ensure!(
        status == Some(504),
        "{WHAT}: after {:.1?} the status is {status:?}",
        reply.took
    );
    Ok(())
}

/// Proves the same by an app that is deployed for it, and deleted. `component` is hello.
pub fn prove_by_deploy(addr: SocketAddr, admin: &Admin, component: &Path) -> Result<()> {
    let settings = format!("{{\"hosts\": \"{HOST}\", \"cpu\": \"{OWN_CPU}\"}}");
    let component = endless(&fs::read(component)?)?;
    admin.deploy_with("endless", &settings, &component)?;
    prove(addr, HOST)?;
    admin.ask("DELETE", "/v1/apps/endless", "", b"").map(drop)
}

/// An app with that loop beside others of a file; goes after them.
pub fn app(component: &Path) -> String {
    format!(
        "[apps.endless]\nhosts = [\"{HOST}\"]\ncpu = \"{OWN_CPU}\"\ntimeout = \"60s\"\ncomponent = '{}'\n",
        component.display()
    )
}

/// Writes `component` with a loop into `dir`, under its own name.
pub fn write_endless(component: &Path, dir: &Path) -> Result<PathBuf> {
    let name = component.file_name().context("a component has a name")?;
    let file = fs::read(component).with_context(|| component.display().to_string())?;
    let made = endless(&file).with_context(|| format!("{} gets no loop", component.display()))?;
    fs::create_dir_all(dir)?;
    let path = dir.join(name);
    fs::write(&path, made)?;
    Ok(path)
}

/// `component`, which computes for ever when it is asked for [`TARGET`].
pub fn endless(component: &[u8]) -> Result<Vec<u8>> {
    let mut made = component[..binary::PREAMBLE.min(component.len())].to_vec();
    let mut is_done = false;
    for (number, content) in binary::sections(component)? {
        // A core module (component model, binary format).
        let module = match number == 1 && !is_done {
            true => looping(content)?,
            false => None,
        };
        is_done |= module.is_some();
        made.extend(section(number, module.as_deref().unwrap_or(content)));
    }
    ensure!(is_done, "no module of it exports `handle`");
    Ok(made)
}

/// The module with another `handle` around its own; none if it has no such export.
fn looping(module: &[u8]) -> Result<Option<Vec<u8>>> {
    let sections = binary::sections(module)?;
    let content = |number| {
        let found = sections.iter().find(|(other, _)| *other == number);
        found.map_or(&[][..], |(_, content)| *content)
    };
    let imported = imported_functions(content(2))?;
    let Some(handle) = exported_handle(content(7))? else {
        return Ok(None);
    };
    let types = type_indices(content(3))?;
    let own = handle
        .checked_sub(imported)
        .context("`handle` is imported")?;
    let ty = *types.get(own).context("`handle` has no type")?;
    let new = imported + types.len();
    let mut made = module[..binary::PREAMBLE].to_vec();
    for &(number, content) in &sections {
        made.extend(section(
            number,
            &match number {
                3 => one_more(content, &leb(ty))?,
                7 => exported_as(content, new)?,
                10 => one_more(content, &sized(&body(handle)))?,
                _ => content.to_vec(),
            },
        ));
    }
    Ok(Some(made))
}

/// What is done instead of `handle`. Its parameter points to its arguments: of the environ,
/// the list of bytes `path-info` is the third member, and each before it is a string.
fn body(handle: usize) -> Vec<u8> {
    const POINTER: u8 = 16;
    const LENGTH: u8 = 20;
    let path = u64::from_le_bytes(*TARGET.as_bytes().first_chunk().expect("eight letters"));
    let mut code = vec![0];
    // local.get 0, i32.load, i32.const, i32.eq, if
    code.extend([
        0x20,
        0,
        0x28,
        2,
        LENGTH,
        0x41,
        TARGET.len() as u8,
        0x46,
        0x04,
        0x40,
    ]);
    // local.get 0, i32.load, i64.load, i64.const
    code.extend([0x20, 0, 0x28, 2, POINTER, 0x29, 0, 0, 0x42]);
    code.extend(signed_leb(path as i64));
    // i64.eq, if, loop, br, end, end, end
    code.extend([0x51, 0x04, 0x40, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, 0x0b]);
    // local.get 0, call, end
    code.extend([0x20, 0, 0x10]);
    code.extend(leb(handle));
    code.push(0x0b);
    code
}

fn signed_leb(mut number: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = number as u8 & 0x7f;
        number >>= 7;
        let is_last = matches!((number, byte & 0x40), (0, 0) | (-1, 0x40));
        bytes.push(if is_last { byte } else { byte | 0x80 });
        if is_last {
            return bytes;
        }
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [&leb(bytes.len()), bytes].concat()
}

/// A list with one more at its end.
fn one_more(list: &[u8], item: &[u8]) -> Result<Vec<u8>> {
    let mut reader = Reader(list);
    let length = reader.leb()?;
    Ok([&leb(length + 1), reader.0, item].concat())
}

fn imported_functions(imports: &[u8]) -> Result<usize> {
    let mut functions = 0;
    let mut reader = Reader(imports);
    if imports.is_empty() {
        return Ok(0);
    }
    for _ in 0..reader.leb()? {
        reader.sized()?;
        reader.sized()?;
        match reader.take(1)?[0] {
            0 => {
                functions += 1;
                reader.leb()?;
            }
            kind @ (1 | 2) => {
                if kind == 1 {
                    reader.take(1)?;
                }
                let has_maximum = reader.leb()? & 1 == 1;
                reader.leb()?;
                if has_maximum {
                    reader.leb()?;
                }
            }
            3 => drop(reader.take(2)?),
            kind => bail!("an import is of kind {kind}"),
        }
    }
    Ok(functions)
}

fn type_indices(functions: &[u8]) -> Result<Vec<usize>> {
    let mut reader = Reader(functions);
    (0..reader.leb()?).map(|_| reader.leb()).collect()
}

/// The function that is exported as `handle`.
fn exported_handle(exports: &[u8]) -> Result<Option<usize>> {
    let mut found = None;
    each_export(exports, |name, kind, index| {
        if is_handle(name, kind) {
            found = Some(index);
        }
        index
    })?;
    Ok(found)
}

/// The exports with that function as `handle`.
fn exported_as(exports: &[u8], new: usize) -> Result<Vec<u8>> {
    each_export(exports, |name, kind, index| match is_handle(name, kind) {
        true => new,
        false => index,
    })
}

fn is_handle(name: &[u8], kind: u8) -> bool {
    // Not what is done after it, whose name begins with another word.
    kind == 0 && name.ends_with(HANDLE) && !name.starts_with(b"cabi_post_")
}

/// The exports with other indices.
fn each_export(
    exports: &[u8],
    mut index_of: impl FnMut(&[u8], u8, usize) -> usize,
) -> Result<Vec<u8>> {
    if exports.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader(exports);
    let length = reader.leb()?;
    let mut made = leb(length);
    for _ in 0..length {
        let name = reader.sized()?;
        let kind = reader.take(1)?[0];
        let index = index_of(name, kind, reader.leb()?);
        made.extend(sized(name));
        made.push(kind);
        made.extend(leb(index));
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_gets_a_handle_that_loops() {
        let text = r#"(module
            (type $unused (func))
            (import "a" "f" (func $f (param i32)))
            (import "a" "m" (memory 1 2))
            (import "a" "t" (table 1 funcref))
            (import "a" "g" (global i32))
            (func $other)
            (func $handle (param i32) (result i32) (call $f (local.get 0)) (i32.const 7))
            (export "other" (func $other))
            (export "rhost:gateway/app@0.1.0#handle" (func $handle))
            (export "cabi_post_rhost:gateway/app@0.1.0#handle" (func $f)))"#;
        let module = wat::parse_str(text).unwrap();
        let made = looping(&module).unwrap().unwrap();
        let sections = binary::sections(&made).unwrap();
        let content = |number| {
            sections
                .iter()
                .find(|(other, _)| *other == number)
                .unwrap()
                .1
        };
        assert_eq!(exported_handle(content(7)).unwrap(), Some(3));
        assert_eq!(type_indices(content(3)).unwrap().len(), 3);
        assert!(content(10).ends_with(&body(2)));
        let without = wat::parse_str("(module (func (export \"handle\")))").unwrap();
        assert!(looping(&without).unwrap().is_none());
    }

    #[test]
    fn numbers_with_a_sign() {
        assert_eq!(signed_leb(0x3f), [0x3f]);
        assert_eq!(signed_leb(0x40), [0xc0, 0]);
        assert_eq!(signed_leb(-1), [0x7f]);
    }
}
