//! Flags that say which app, and what it is lent: the same for every command that
//! runs one.

use super::app_limits::LimitArgs;
use super::compile::CompileArgs;
use super::parse::{cache_size, dir, env, mount, octets};
use super::reuse::ReuseArgs;
use clap::Args;
use rhost::settings::{AppSettings, LentDir, Limits};
use std::path::PathBuf;

/// An app, and what it is lent.
#[derive(Debug, Args)]
pub struct AppArgs {
    /// A component (app.wasm), the directory of a crate to build, a WSGI program (wsgi_app:app), or
    /// with --cgi a script (hello.py)
    #[arg(default_value = ".")]
    pub app: PathBuf,

    /// Directory in which APP is looked for, as gunicorn has it
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".",
        hide_default_value = true
    )]
    pub chdir: PathBuf,

    /// Run a Python script that prints its answer (CGI, RFC 3875) for each request; of a directory,
    /// the script that the path names
    #[arg(long)]
    pub cgi: bool,

    /// Path under which the app is mounted (its script-name)
    #[arg(long, value_name = "/PREFIX", default_value = "", hide_default_value = true, value_parser = mount)]
    pub mount: String,

    /// Environment variable for the app; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = env)]
    pub env: Vec<(String, String)>,

    /// Directory to lend to the app; may be repeated
    #[arg(long, value_name = "HOST:GUEST[:ro]", value_parser = dir)]
    pub dir: Vec<LentDir>,

    /// Where compiled code is kept; must be a directory of your own
    /// [default: rhost in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Compiled code that is kept; what was used least recently goes
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = cache_size)]
    pub cache_size: u64,

    /// Stack of the guest when a crate is built
    #[arg(long, value_name = "SIZE", default_value = "32KiB", value_parser = octets)]
    pub stack: u64,

    #[command(flatten)]
    pub limits: LimitArgs,

    #[command(flatten)]
    pub reuse: ReuseArgs,

    #[command(flatten)]
    pub compile: CompileArgs,
}

impl AppArgs {
    /// Where what is to be served is.
    pub fn place(&self) -> PathBuf {
        match self.chdir.as_os_str() == "." {
            true => self.app.clone(),
            false => self.chdir.join(&self.app),
        }
    }

    /// The app's settings, but for what depends on what is served.
    pub fn settings(&self, name: String) -> AppSettings {
        let limits = &self.limits;
        AppSettings {
            name,
            tenant: None,
            mount: self.mount.clone(),
            env: self.env.clone(),
            secrets: Vec::new(),
            dirs: self.dir.clone(),
            dev: false,
            source: None,
            limits: Limits {
                cpu: limits.cpu,
                wall: limits.timeout,
                memory: limits.memory,
                table_elements: limits.table_elements,
                request_body: limits.max_request_body,
                response_body: limits.max_response_body,
                response_headers: limits.max_response_headers,
                log_rate: limits.log_rate,
                concurrency: limits.concurrency.map(|places| places as usize),
                queue: limits.queue,
                queue_timeout: limits.queue_timeout,
            },
            reuse: self.reuse.reuse(),
        }
    }

    /// Where what is made once is kept.
    pub fn cache_dir(&self) -> Option<PathBuf> {
        self.cache_dir
            .clone()
            .or_else(|| Some(dirs::cache_dir()?.join("rhost")))
    }
}
