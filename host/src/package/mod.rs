//! From a crate to a component: `cargo build` for wasm32-wasip2, linked as a
//! guest should be.

mod messages;

use cargo_metadata::CrateType;
use messages::Messages;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The target that guests are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// The stack of a guest, in octets, unless another is asked for. It lies in the
/// guest's memory, which has to be cleaned after each request, so a large one
/// costs every request; with this one a small app fits into a single page of 64
/// KiB. Only what has an address lies there, so it goes further than a native
/// stack of that size. The linker's own default is 1 MiB.
pub const STACK: u64 = 32 << 10;

/// The profile with line tables.
const LINES: [&str; 8] = [
    "--config",
    "profile.release.debug=\"line-tables-only\"",
    "--config",
    "profile.release.strip=\"none\"",
    // Macros and build scripts would inherit both, and nobody looks at their lines:
    // the first build of a new site takes 45 s of CPU time instead of 54. As they
    // are now, `cargo build --release` has them already.
    "--config",
    "profile.release.build-override.debug=false",
    "--config",
    "profile.release.build-override.strip=\"debuginfo\"",
];

/// Why a crate could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The directory has no manifest.
    #[error("{} has no Cargo.toml; give a component (app.wasm) or the directory of a crate", .0.display())]
    NoManifest(PathBuf),
    /// A tool could not be run.
    #[error("`{tool}` cannot be run: {error}; install Rust from https://rustup.rs")]
    Tool {
        /// The command.
        tool: &'static str,
        /// What the system said.
        error: std::io::Error,
    },
    /// The target is missing and could not be added.
    #[error(
        "the target {TARGET} is not installed and `rustup target add {TARGET}` failed{}; add it with whatever \
         installed your Rust",
        .0.as_ref().map(|error| format!(" ({error})")).unwrap_or_default()
    )]
    Target(Option<std::io::Error>),
    /// Cargo failed, and has said why.
    #[error("the crate in {} does not build; cargo's messages are above", dir.display())]
    Cargo {
        /// The crate's directory.
        dir: PathBuf,
        /// The errors as a terminal shows them, colours included.
        said: String,
    },
    /// It built, but not a component.
    #[error(
        "the crate in {} makes no component; its Cargo.toml needs\n  [lib]\n  crate-type = [\"cdylib\"]",
        .0.display()
    )]
    NoComponent(PathBuf),
}

/// How a crate is to be built.
#[derive(Debug, Clone)]
pub struct Build {
    /// Its directory.
    pub dir: PathBuf,
    /// The guest's stack, in octets.
    pub stack: u64,
    /// Whether it is to hold line tables, from which a backtrace has its files and
    /// lines. They lie beside the code, and cost a request nothing.
    pub lines: bool,
    /// Further arguments for `cargo build`.
    pub cargo_args: Vec<String>,
}

impl Build {
    /// The crate in `dir`, built as a release with the usual stack.
    pub fn release(dir: &Path) -> Self {
        Build {
            dir: dir.to_owned(),
            stack: STACK,
            lines: false,
            cargo_args: vec!["--release".into()],
        }
    }

    /// Builds it, and returns its components: usually one, the crate's library.
    /// Cargo's progress and messages go to standard error.
    pub fn run(&self) -> Result<Vec<PathBuf>, BuildError> {
        if !self.dir.join("Cargo.toml").is_file() {
            return Err(BuildError::NoManifest(self.dir.clone()));
        }
        self.ensure_target()?;
        let mut cargo = self.command("cargo");
        cargo
            .args(["build", "--target", TARGET])
            .args(messages::FORMAT)
            .args(&self.cargo_args)
            .stdin(Stdio::null());
        if self.lines {
            cargo.args(LINES);
        }
        self.link(&mut cargo);
        let Messages {
            artifacts,
            errors,
            status,
        } = Messages::of(cargo).map_err(|error| BuildError::Tool {
            tool: "cargo",
            error,
        })?;
        if !status.success() {
            return Err(BuildError::Cargo {
                dir: self.dir.clone(),
                said: errors,
            });
        }
        let components: Vec<PathBuf> = artifacts
            .into_iter()
            .filter(|artifact| artifact.target.crate_types.contains(&CrateType::CDyLib))
            .filter(|artifact| self.holds(artifact.manifest_path.as_std_path()))
            .flat_map(|artifact| artifact.filenames)
            .filter(|file| file.extension() == Some("wasm"))
            .map(PathBuf::from)
            .collect();
        if components.is_empty() {
            return Err(BuildError::NoComponent(self.dir.clone()));
        }
        Ok(components)
    }

    /// Whether `manifest` is the crate's own, and not that of a dependency.
    fn holds(&self, manifest: &Path) -> bool {
        let own = self.dir.join("Cargo.toml").canonicalize();
        own.is_ok_and(|own| {
            manifest
                .canonicalize()
                .is_ok_and(|manifest| manifest == own)
        })
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(tool);
        command.current_dir(&self.dir);
        // Under `cargo run` and `cargo test` these speak of another package.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_MANIFEST_")
                || name == "CARGO_CRATE_NAME"
            {
                command.env_remove(name);
            }
        }
        command
    }

    /// Adds the linker's arguments wherever cargo will look for them: flags in
    /// the environment hide those of the configuration.
    fn link(&self, cargo: &mut Command) {
        let stack = format!("-Clink-arg=-zstack-size={}", self.stack);
        let joined = |flags: OsString, separator: &str| {
            let mut flags = flags;
            flags.push(separator);
            flags.push(&stack);
            flags
        };
        if let Some(flags) =
            std::env::var_os("CARGO_ENCODED_RUSTFLAGS").filter(|flags| !flags.is_empty())
        {
            cargo.env("CARGO_ENCODED_RUSTFLAGS", joined(flags, "\u{1f}"));
        } else if let Some(flags) = std::env::var_os("RUSTFLAGS").filter(|flags| !flags.is_empty())
        {
            cargo.env("RUSTFLAGS", joined(flags, " "));
        } else {
            cargo.args([
                "--config",
                &format!("target.{TARGET}.rustflags=[\"{stack}\"]"),
            ]);
        }
    }

    /// Adds the target if this toolchain lacks it. rust-toolchain.toml alone does
    /// not, where rustup is told not to install by itself.
    fn ensure_target(&self) -> Result<(), BuildError> {
        let rustc = self
            .command("rustc")
            .args(["--print", "target-libdir", "--target", TARGET])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| BuildError::Tool {
                tool: "rustc",
                error,
            })?;
        let libdir = String::from_utf8_lossy(&rustc.stdout);
        if rustc.status.success() && Path::new(libdir.trim()).is_dir() {
            return Ok(());
        }
        eprintln!("rhost: adding the target {TARGET}");
        let added = self
            .command("rustup")
            .args(["target", "add", TARGET])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .map_err(|error| BuildError::Target(Some(error)))?;
        if added.success() {
            Ok(())
        } else {
            Err(BuildError::Target(None))
        }
    }
}
