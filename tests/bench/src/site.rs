//! Sites of any number of routes, written as crates and built.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::artefacts::{build_components, target_directory, workspace};

/// What is asked for; every site has it.
pub const TARGET: &str = "/things-0/7/parts/screw";
/// The answer.
pub const ANSWER: &[u8] = b"screw of 7\n";

/// Writes a site of so many routes into the target directory, and builds it.
/// Returns its component.
pub fn build(routes: usize) -> Result<PathBuf> {
    let target = target_directory()?;
    let name = format!("routes-{routes}");
    let dir = target.join("bench-sites").join(&name);
    write(&dir, &name, routes).with_context(|| format!("{} cannot be written", dir.display()))?;
    build_components(&dir, &["--target-dir", &target.to_string_lossy()])?;
    let file = format!("wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
    Ok(target.join(file))
}

fn write(dir: &Path, name: &str, routes: usize) -> Result<()> {
    fs::create_dir_all(dir.join("src"))?;
    fs::write(dir.join("Cargo.toml"), manifest(name)?)?;
    // The versions that the workspace is tested with.
    fs::copy(workspace().join("Cargo.lock"), dir.join("Cargo.lock"))?;
    fs::write(dir.join("src/lib.rs"), source(routes))?;
    Ok(())
}

/// As that of an example, with the workspace's release profile.
fn manifest(name: &str) -> Result<String> {
    let sdk = workspace().join("guest-sdk").canonicalize()?;
    Ok(format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dependencies]\nrhost-sdk = {{ path = {sdk:?}, default-features = false }}\n\n\
         [profile.release]\nlto = \"thin\"\ncodegen-units = 1\nstrip = \"debuginfo\"\n\n[workspace]\n"
    ))
}

/// Five routes for each thing, as an API would have them: text, parameters that
/// are parsed, several methods at a path. The first is the one that is asked for.
// What the answers say is alike, since text of the application's own lies in
// its memory, which is not the routes' cost.
fn source(routes: usize) -> String {
    let mut source = String::from("use rhost_sdk::prelude::*;\n");
    for route in 0..routes {
        let thing = route / 5;
        let (attribute, function) = match route % 5 {
            0 => (
                format!("get(\"/things-{thing}/{{id}}/parts/{{part}}\")"),
                "(id: u32, part: &str) -> String { format!(\"{part} of {id}\\n\") }",
            ),
            1 => (
                format!("get(\"/things-{thing}\")"),
                "() -> &'static str { \"things\\n\" }",
            ),
            2 => (
                format!("post(\"/things-{thing}\")"),
                "(body: Vec<u8>) -> String { body.len().to_string() }",
            ),
            3 => (
                format!("get(\"/things-{thing}/{{id}}\")"),
                "(id: u32) -> String { id.to_string() }",
            ),
            _ => (
                format!("delete(\"/things-{thing}/{{id}}\")"),
                "(id: u32) -> Status { if id == 0 { Status::NOT_FOUND } else { Status::NO_CONTENT } }",
            ),
        };
        writeln!(source, "#[{attribute}]\nfn route_{route}{function}").expect("a string takes all");
    }
    let names: Vec<_> = (0..routes).map(|route| format!("route_{route}")).collect();
    source + "app!(" + &names.join(", ") + ");\n"
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn has_so_many_routes_and_what_is_asked_for() {
        for routes in [1, 7, 1000] {
            let source = source(routes);
            assert_eq!(source.matches("#[").count(), routes);
            assert!(source.contains("#[get(\"/things-0/{id}/parts/{part}\")]"));
            assert!(source.ends_with(&format!("route_{});\n", routes - 1)));
        }
    }
}
