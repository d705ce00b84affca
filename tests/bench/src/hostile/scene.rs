//! The scene of a row: a server as an operator starts it, with a victim's app and an
//! adversary's, each of a tenant with a token.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::adversaries::{Adversary, App};
use crate::admin::Admin;
use crate::artefacts::Artefacts;
use crate::home::Home;
use crate::limits;
use crate::servers::Server;

/// The victim's host, and those of the adversary.
pub const VICTIM: &str = "alice.test";
/// See [`VICTIM`].
pub const ADVERSARY: &str = "mallory.test";

/// Files of the directory that is listed.
const FILES: u32 = 20_000;

/// Time that a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(120);

/// Time after which an operator's call counts as lost.
const CALL: Duration = Duration::from_secs(60);

/// What all rows share: compiled code, and the directory that is lent to adversaries.
pub struct Stage {
    home: Home,
    cache: PathBuf,
}

impl Stage {
    /// Makes it.
    pub fn new() -> Result<Self> {
        let home = Home::new("hostile", "")?;
        let cache = home.path().join("cache");
        let data = home.path().join("data");
        fs::create_dir_all(data.join("many"))?;
        for file in 0..FILES {
            fs::File::create(data.join("many").join(format!("file-{file:05}")))?;
        }
        fs::write(data.join("file"), "one\n")?;
        // Of holes: it takes no room.
        fs::File::create(data.join("large"))?.set_len(64 << 20)?;
        mknodat(CWD, data.join("fifo"), FileType::Fifo, Mode::RWXU, 0)
            .context("a FIFO cannot be made")?;
        Ok(Stage { home, cache })
    }

    /// The directory that adversaries are lent.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }
}

/// A server with both apps.
pub struct Scene {
    /// The server.
    pub server: Server,
    /// The operator's door.
    pub operator: Admin,
    /// The adversary's door, with a token for its tenant.
    pub token: Admin,
    /// Where that is.
    pub admin: SocketAddr,
    /// The directory that adversaries are lent.
    pub data: PathBuf,
    /// The state directory, which goes with this.
    _home: Home,
}

impl Scene {
    /// Starts it for `adversary`.
    pub fn set(artefacts: &Artefacts, stage: &Stage, adversary: &Adversary) -> Result<Self> {
        let data = stage.data();
        let home = Home::new(&format!("hostile-{}", adversary.name), "")?;
        let state = home.path().join("state");
        home.write(&format!(
            "admin = \"127.0.0.1:0\"\nstate = '{}'\ncache-dir = '{}'\n{}\n\
             [tenants.alice]\n[tenants.mallory]\n",
            state.display(),
            stage.cache.display(),
            adversary.server,
        ))?;
        let mut command = Command::new(&artefacts.rhost);
        command.args(["serve", "-c"]).arg(home.config());
        let server = Server::start_within(PATIENCE, command, Stdio::null())?;
        let operator = Admin::of(&state).patient_for(CALL);
        let admin = server.admin.context("the admin listener is not there")?;
        let token = token(&operator, "mallory")?;
        let scene = Scene {
            token: Admin::with_token(admin, &token).patient_for(CALL),
            server,
            operator,
            admin,
            data,
            _home: home,
        };
        scene
            .deploy(artefacts, adversary)
            .with_context(|| scene.server.said())?;
        Ok(scene)
    }

    fn deploy(&self, artefacts: &Artefacts, adversary: &Adversary) -> Result<()> {
        limits::prove_by_deploy(
            self.server.addr,
            &self.operator,
            &artefacts.example("hello")?,
        )?;
        let example = |name| -> Result<Vec<u8>> { Ok(fs::read(artefacts.example(name)?)?) };
        let settings = format!("{{\"tenant\": \"alice\", \"hosts\": [\"{VICTIM}\"]}}");
        self.operator
            .deploy_with("alice", &settings, &example("hello")?)?;
        let component = match adversary.app {
            App::Example(name) => example(name)?,
            App::Made(make) => make()?,
        };
        let lent = format!("\"{}:/data\"", self.data.display());
        // `test` is what requests over HTTP/2 are for.
        let hosts = format!("[\"{ADVERSARY}\", \"test\"]");
        let settings =
            format!("{{\"tenant\": \"mallory\", \"hosts\": {hosts}, \"dir\": [{lent}]}}");
        self.operator.deploy_with("mallory", &settings, &component)
    }
}

/// A token for the apps of one tenant.
fn token(operator: &Admin, tenant: &str) -> Result<String> {
    let body = format!("{{\"tenant\": \"{tenant}\"}}");
    let made = operator.ask("POST", "/v1/tokens", "", body.as_bytes())?;
    let made: serde_json::Value = serde_json::from_str(&made)?;
    let token = made["token"].as_str().context("no token was made")?;
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_has_what_adversaries_are_lent() {
        let stage = Stage::new().unwrap();
        let many = fs::read_dir(stage.data().join("many")).unwrap();
        assert_eq!(many.count(), FILES as usize);
        assert!(stage.data().join("fifo").exists());
    }
}
