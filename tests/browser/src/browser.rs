//! [`Browser`]: a Chromium of a test's own.

use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{env, panic};

use crate::PATIENCE;
use crate::find;
use crate::page::{Page, must};
use crate::process::Process;
use crate::protocol::Connection;

/// Starts a browser. `None` where there is no Chromium: stderr says so, and the
/// test that called returns.
///
/// # Panics
///
/// There is none, and `RHOST_REQUIRE_BROWSER` is `1`; or it does not start.
#[track_caller]
#[must_use]
pub fn start() -> Option<Browser> {
    let caller = panic::Location::caller();
    match find::chromium() {
        Ok(program) => Some(must(Browser::start(&program))),
        Err(problem) if env::var_os(find::REQUIRED).is_some_and(|value| value == "1") => {
            panic!("{problem}")
        }
        Err(problem) => {
            eprintln!("{caller}: nothing was tested in a browser: {problem}");
            None
        }
    }
}

/// A Chromium with a profile of its own, which ends, and is removed, when this is
/// dropped.
pub struct Browser {
    shared: Arc<Mutex<Shared>>,
}

/// What lives as long as the browser or a page of it does.
pub(crate) struct Shared {
    connection: Connection,
    /// The address of a page, up to its ID.
    pages: String,
    _process: Process,
}

impl Browser {
    fn start(program: &std::path::Path) -> Result<Browser, String> {
        let (process, address) = Process::start(program)?;
        let connection = Connection::open(&address)?;
        let (origin, _) = address
            .split_once("/devtools/")
            .ok_or_else(|| format!("{address} is no address of DevTools"))?;
        Ok(Browser {
            shared: Arc::new(Mutex::new(Shared {
                connection,
                pages: format!("{origin}/devtools/page/"),
                _process: process,
            })),
        })
    }

    /// A new page, which shares cookies with the other pages that this made.
    #[track_caller]
    #[must_use]
    pub fn page(&self) -> Page {
        self.open(json!({ "url": "about:blank", "newWindow": true }))
    }

    /// A new page with cookies of its own: another user.
    #[track_caller]
    #[must_use]
    pub fn private_page(&self) -> Page {
        let made = self.call("Target.createBrowserContext", json!({}));
        let context = must(made)["browserContextId"].take();
        self.open(json!({ "url": "about:blank", "newWindow": true, "browserContextId": context }))
    }

    #[track_caller]
    fn open(&self, target: Value) -> Page {
        must(self.try_open(target))
    }

    fn try_open(&self, target: Value) -> Result<Page, String> {
        let target = self.call("Target.createTarget", target)?;
        let id = target["targetId"].as_str().unwrap_or_default();
        let address = format!("{}{id}", self.shared().pages);
        Page::new(Connection::open(&address)?, self.shared.clone())
    }

    fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        self.shared().connection.call(method, params, PATIENCE)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
