//! A directory for what a server is told, which goes with this.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// A directory with a configuration in it.
pub struct Home(PathBuf);

impl Home {
    /// The directory of the command `name`: a server on a port of the system's choice,
    /// without an access log, of `apps`.
    pub fn new(name: &str, apps: &str) -> Result<Self> {
        let name = format!("rhost-bench-{name}-{}", std::process::id());
        let home = Home(std::env::temp_dir().join(name));
        fs::create_dir_all(&home.0)?;
        home.write(apps)?;
        Ok(home)
    }

    /// The same server, of other `apps`.
    pub fn write(&self, apps: &str) -> Result<()> {
        let text = format!("[server]\naddr = [\"127.0.0.1:0\"]\naccess-log = false\n{apps}");
        Ok(fs::write(self.config(), text)?)
    }

    /// The same server, of these as well, unless they are there.
    pub fn append(&self, apps: &str) -> Result<()> {
        let mut text = fs::read_to_string(self.config())?;
        if !text.contains(apps) {
            text += apps;
        }
        Ok(fs::write(self.config(), text)?)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.0.join("rhost.toml")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
