//! What is measured, built as needed: the host, its apps, and the guest for
//! `wasmtime serve`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::Args;

const TARGET: &str = "wasm32-wasip2";

/// As `rhost serve` links a crate that it builds: a guest's stack is cleaned
/// after every request, and Rust's usual one is sixteen times as large.
const RUSTFLAGS: &str = r#"target.wasm32-wasip2.rustflags=["-Clink-arg=-zstack-size=32768"]"#;

/// What is there already, and need not be built.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What is measured")]
pub struct Ready {
    /// A rhost to measure [default: build it as a release]
    #[arg(long, value_name = "PATH")]
    rhost: Option<PathBuf>,

    /// Directory of the apps: hello.wasm, stream.wasm, environ.wasm, and for
    /// `stop` spin_forever.wasm and hangs.wasm, there or in examples/
    /// [default: build them]
    #[arg(long, value_name = "DIR")]
    apps: Option<PathBuf>,
}

/// Where everything is.
pub struct Artefacts {
    /// The command `rhost`.
    pub rhost: PathBuf,
    /// `wasmtime` and the guest that it serves; none when it is not installed.
    pub wasmtime: Option<(PathBuf, PathBuf)>,
    apps: PathBuf,
}

impl Artefacts {
    /// Builds the host and the crates `packages`, which are examples, unless
    /// they are ready.
    pub fn of_examples(ready: &Ready, packages: &[&str]) -> Result<Self> {
        let packages = packages.iter().flat_map(|package| ["-p", package]);
        Self::build(ready, &packages.collect::<Vec<_>>())
    }

    /// Builds the host, the example hello and some test guests, unless they are
    /// ready.
    pub fn of_guests(ready: &Ready, guests: &[&str]) -> Result<Self> {
        let artefacts = Self::of_examples(ready, &["hello"])?;
        if ready.apps.is_none() {
            let mut arguments = vec!["-p", "rhost-test-guests"];
            arguments.extend(guests.iter().flat_map(|guest| ["--example", guest]));
            build_components(&workspace(), &arguments)?;
        }
        Ok(artefacts)
    }

    /// Builds the host alone, unless it is at `rhost`.
    pub fn of_host(rhost: Option<&Path>) -> Result<Self> {
        let target = target_directory()?;
        Ok(Artefacts {
            rhost: host(rhost, &target)?,
            wasmtime: None,
            apps: target.join(TARGET).join("release"),
        })
    }

    fn build(ready: &Ready, packages: &[&str]) -> Result<Self> {
        if let (Some(rhost), Some(apps)) = (&ready.rhost, &ready.apps) {
            return Ok(Artefacts {
                rhost: rhost.clone(),
                wasmtime: None,
                apps: apps.clone(),
            });
        }
        let target = target_directory()?;
        let rhost = host(ready.rhost.as_deref(), &target)?;
        let apps = match &ready.apps {
            Some(apps) => apps.clone(),
            None => {
                build_components(&workspace(), packages)?;
                target.join(TARGET).join("release")
            }
        };
        Ok(Artefacts {
            rhost,
            wasmtime: None,
            apps,
        })
    }

    /// Adds wasmtime: the one at `path`, or that on the PATH if there is one.
    pub fn with_wasmtime(mut self, path: Option<&Path>) -> Result<Self> {
        let wasmtime = path.unwrap_or(Path::new("wasmtime"));
        match version(wasmtime) {
            Some(_) => {
                let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("wasi-http-guest");
                let target = target_directory()?;
                let target_dir = target.to_string_lossy();
                build_components(&guest, &["--target-dir", &target_dir])?;
                let component = target.join(TARGET).join("release/wasi_http_guest.wasm");
                self.wasmtime = Some((wasmtime.to_owned(), component));
            }
            None => ensure!(path.is_none(), "{} is no wasmtime", wasmtime.display()),
        }
        Ok(self)
    }

    /// The component of an example or a test guest.
    pub fn example(&self, name: &str) -> Result<PathBuf> {
        let file = format!("{}.wasm", name.replace('-', "_"));
        let places = [
            self.apps.join(&file),
            self.apps.join("examples").join(&file),
        ];
        let found = places.into_iter().find(|path| path.is_file());
        found.with_context(|| format!("there is no {file} in {}", self.apps.display()))
    }
}

/// The host at `ready`, or one that is built.
fn host(ready: Option<&Path>, target: &Path) -> Result<PathBuf> {
    if let Some(rhost) = ready {
        return Ok(rhost.to_owned());
    }
    cargo(&workspace(), &["build", "--release", "-p", "rhost"])?;
    Ok(target.join("release").join("rhost"))
}

/// What `program --version` says; none when it cannot be run.
pub fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let version = String::from_utf8_lossy(&output.stdout);
    let line = version.lines().next()?.trim();
    output.status.success().then(|| line.to_owned())
}

/// The root of the workspace that the bench belongs to.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where cargo builds the workspace.
pub fn target_directory() -> Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(workspace())
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    ensure!(output.status.success(), "cargo metadata failed");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let target = metadata["target_directory"].as_str();
    Ok(target.context("cargo names no target directory")?.into())
}

/// Builds components of the crate or workspace in `dir`, as releases.
pub fn build_components(dir: &Path, arguments: &[&str]) -> Result<()> {
    ensure_target()?;
    let mut all = vec![
        "build",
        "--release",
        "--target",
        TARGET,
        "--config",
        RUSTFLAGS,
    ];
    all.extend_from_slice(arguments);
    cargo(dir, &all)
}

fn cargo(dir: &Path, arguments: &[impl AsRef<OsStr>]) -> Result<()> {
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(dir)
        // They would hide the flags of the configuration.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stdin(Stdio::null())
        // Standard output is for the report.
        .stdout(std::io::stderr())
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "cargo could not build what is measured");
    Ok(())
}

/// Adds the target if this toolchain lacks it.
fn ensure_target() -> Result<()> {
    let rustc = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc cannot be run")?;
    let libdir = String::from_utf8_lossy(&rustc.stdout);
    if rustc.status.success() && Path::new(libdir.trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .stdout(std::io::stderr())
        .status()
        .context("the target wasm32-wasip2 is missing, and there is no rustup to add it")?;
    ensure!(added.success(), "rustup could not add {TARGET}");
    Ok(())
}
