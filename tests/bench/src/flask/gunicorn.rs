//! gunicorn with what the program depends on, in an environment that the benchmark
//! makes for itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::artefacts::version;
use crate::servers::Server;

/// What is compared with.
const GUNICORN: &str = "gunicorn==27.0.1";

/// How long it may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// An environment that is complete.
pub struct Gunicorn {
    environment: PathBuf,
}

impl Gunicorn {
    /// The one in `dir`, made from the index of packages if it is not there, for the
    /// program in `app`.
    pub fn ensure(dir: &Path, app: &Path) -> Result<Self> {
        let requirements = app.join("requirements.txt");
        let listed = fs::read_to_string(&requirements)
            .with_context(|| format!("{} cannot be read", requirements.display()))?;
        let wanted = format!("{GUNICORN}\n{listed}");
        let environment = dir.join("venv");
        // Written last.
        let installed = environment.join("installed");
        let ready = Gunicorn { environment };
        if fs::read_to_string(&installed).is_ok_and(|there| there == wanted)
            && version(&ready.program("python")).is_some()
        {
            return Ok(ready);
        }
        eprintln!("installing {GUNICORN} and {}", requirements.display());
        fs::create_dir_all(dir)?;
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&ready.environment);
        run(venv, "python3 -m venv")?;
        let mut pip = Command::new(ready.program("python"));
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--no-input", "--disable-pip-version-check"])
            .arg(GUNICORN)
            .arg("-r")
            .arg(&requirements);
        run(pip, "pip")?;
        fs::write(&installed, wanted)?;
        Ok(ready)
    }

    /// Starts it for the program in `app`, with so many workers of its default kind.
    pub fn start(&self, app: &Path, workers: u16) -> Result<Server> {
        let mut command = Command::new(self.program("gunicorn"));
        command
            .args(["--bind", "127.0.0.1:0", "--workers", &workers.to_string()])
            .arg("--chdir")
            .arg(app)
            .arg("wsgi_app:app")
            // The example's directory is left as it is.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("GUNICORN_CMD_ARGS");
        Server::start_within(PATIENCE, command, Stdio::null()).context("gunicorn does not start")
    }

    /// What it says it is.
    pub fn version(&self) -> String {
        version(&self.program("gunicorn")).unwrap_or_else(|| GUNICORN.into())
    }

    /// What it runs on.
    pub fn python(&self) -> String {
        version(&self.program("python")).unwrap_or_else(|| "Python".into())
    }

    fn program(&self, name: &str) -> PathBuf {
        self.environment.join("bin").join(name)
    }
}

fn run(mut command: Command, what: &str) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        // Standard output is for the report.
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("{what} cannot be run; install python3 with venv"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}
