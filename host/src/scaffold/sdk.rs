//! The SDK of a new project: its source, carried in this command, as long as it
//! is in no registry; or a directory of the user's.

use include_dir::{Dir, include_dir};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, TableLike};

/// Where the source goes in a project, in the notation of its manifest.
const VENDORED: &str = "vendor/rhost-sdk";

static SOURCE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/src");
static MACROS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../guest-sdk/macros/src");
static GATEWAY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../wit");
const MANIFEST: &str = include_str!("../../../guest-sdk/Cargo.toml");
const MACROS_MANIFEST: &str = include_str!("../../../guest-sdk/macros/Cargo.toml");
const WORKSPACE: &str = include_str!("../../../Cargo.toml");
const TEXTS: [(&str, &str); 3] = [
    ("README.md", include_str!("../../../guest-sdk/README.md")),
    ("LICENSE-APACHE", include_str!("../../../LICENSE-APACHE")),
    ("LICENSE-MIT", include_str!("../../../LICENSE-MIT")),
];

/// What only the workspace needs that the SDK is developed in.
const DEVELOPMENT: [&str; 3] = ["dev-dependencies", "test", "lints"];

/// Why a directory is not the SDK's.
#[derive(Debug, thiserror::Error)]
#[error("--sdk {}: there is no Cargo.toml of rhost-sdk; give the directory guest-sdk of a checkout of rhost", .0.display())]
pub struct SdkError(PathBuf);

/// Which SDK a project depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sdk {
    /// A copy in the project.
    Vendored,
    /// That in a directory, which stays where it is.
    At(PathBuf),
}

impl Sdk {
    /// The SDK in `dir`.
    pub fn at(dir: &Path) -> Result<Sdk, SdkError> {
        let not_it = || SdkError(dir.to_owned());
        let manifest = std::fs::read_to_string(dir.join("Cargo.toml")).map_err(|_| not_it())?;
        let manifest: DocumentMut = manifest.parse().map_err(|_| not_it())?;
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"));
        if name.and_then(Item::as_str) != Some("rhost-sdk") {
            return Err(not_it());
        }
        // The project lies elsewhere, so that a relative path would not do.
        dir.canonicalize().map(Sdk::At).map_err(|_| not_it())
    }

    /// What a manifest says of it, to stand between braces.
    pub(super) fn requirement(&self) -> String {
        match self {
            Sdk::Vendored => format!(
                "version = \"{}\", path = \"{VENDORED}\"",
                env!("CARGO_PKG_VERSION")
            ),
            Sdk::At(dir) => {
                let path = toml_edit::Value::from(dir.to_string_lossy().into_owned());
                format!("path = {path}")
            }
        }
    }

    /// What a project's README says of it.
    pub(super) fn note(&self) -> &'static str {
        match self {
            Sdk::Vendored => {
                "\n`vendor/rhost-sdk` is the source of the SDK, which is not on crates.io yet. Once it is, delete the directory, and\n\
                 `path` in `Cargo.toml`.\n"
            }
            Sdk::At(_) => "",
        }
    }

    /// The files that it adds to a project.
    pub(super) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        if *self != Sdk::Vendored {
            return Vec::new();
        }
        let mut files = Vec::new();
        let home = Path::new(VENDORED);
        for (dir, at) in [(&SOURCE, "src"), (&MACROS, "macros/src"), (&GATEWAY, "wit")] {
            add(&mut files, dir, &home.join(at));
        }
        let mut text = |at: &str, text: &str| files.push((home.join(at), text.into()));
        text("Cargo.toml", &standalone(MANIFEST));
        text("macros/Cargo.toml", &standalone(MACROS_MANIFEST));
        TEXTS.iter().for_each(|(at, words)| text(at, words));
        files
    }
}

/// Adds the files of `dir`, and of the directories in it.
pub(super) fn add(files: &mut Vec<(PathBuf, Vec<u8>)>, dir: &Dir<'_>, at: &Path) {
    for file in dir.files() {
        let name = file.path().file_name().unwrap_or_default();
        files.push((at.join(name), file.contents().to_vec()));
    }
    for below in dir.dirs() {
        let name = below.path().file_name().unwrap_or_default();
        add(files, below, &at.join(name));
    }
}

/// A manifest that needs no workspace around it: what it inherits is written
/// out, and what serves development is left out.
fn standalone(manifest: &str) -> String {
    let mut manifest = parse(manifest);
    let workspace = parse(WORKSPACE);
    for part in DEVELOPMENT {
        manifest.remove(part);
    }
    let shared = &workspace["workspace"]["package"];
    if let Some(package) = manifest["package"].as_table_like_mut() {
        inherit(package, shared);
    }
    manifest.to_string()
}

fn inherit(package: &mut dyn TableLike, shared: &Item) {
    let inherits = |item: &Item| item.get("workspace").is_some();
    for (key, item) in package.iter_mut() {
        if inherits(item)
            && let Some(value) = shared.get(key.get()).and_then(Item::as_value)
        {
            *item = toml_edit::value(value.clone());
        }
    }
}

fn parse(manifest: &str) -> DocumentMut {
    manifest.parse().expect("cargo read it when this was built")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_stand_alone() {
        for manifest in [MANIFEST, MACROS_MANIFEST] {
            let text = standalone(manifest);
            assert!(!text.contains("workspace"), "{text}");
            assert!(!text.contains("dev-dependencies"), "{text}");
            let manifest = parse(&text);
            assert_eq!(manifest["package"]["edition"].as_str(), Some("2024"));
            assert_eq!(
                manifest["package"]["version"].as_str(),
                Some(env!("CARGO_PKG_VERSION"))
            );
            assert!(manifest["dependencies"].is_table());
        }
    }

    #[test]
    fn the_source_is_whole_and_has_no_tests() {
        let files = Sdk::Vendored.files();
        let has = |name: &str| files.iter().any(|(path, _)| path.ends_with(name));
        for name in [
            "rhost-sdk/src/lib.rs",
            "rhost-sdk/src/extract/multipart/mod.rs",
            "rhost-sdk/macros/src/lib.rs",
            "rhost-sdk/wit/gateway.wit",
            "rhost-sdk/LICENSE-MIT",
        ] {
            assert!(has(name), "{name}");
        }
        assert!(!has("ui.rs"));
    }

    #[test]
    fn a_path_is_written_as_toml_has_it() {
        let sdk = Sdk::At(PathBuf::from("/a \"b\""));
        let line: DocumentMut = format!("sdk = {{ {} }}", sdk.requirement())
            .parse()
            .unwrap();
        assert_eq!(line["sdk"]["path"].as_str(), Some("/a \"b\""));
    }
}
