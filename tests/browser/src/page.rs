//! [`Page`]: one page of a browser.

use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

use crate::PATIENCE;
use crate::browser::Shared;
use crate::protocol::{Connection, Event};

/// A page. Its methods panic, at the line that called them, where the browser says
/// no or says nothing.
///
/// Selectors are CSS, and mean the first element that they fit.
pub struct Page {
    pub(crate) connection: Connection,
    /// What the console said, up to the last navigation.
    pub(crate) errors: Vec<String>,
    /// The browser lives as long as its last page.
    _browser: Arc<Mutex<Shared>>,
}

impl Page {
    pub(crate) fn new(connection: Connection, browser: Arc<Mutex<Shared>>) -> Result<Page, String> {
        let mut page = Page {
            connection,
            errors: Vec::new(),
            _browser: browser,
        };
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"] {
            page.call(&format!("{domain}.enable"), json!({}))?;
        }
        page.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true }))?;
        Ok(page)
    }

    /// Opens an address, and waits until the page is loaded, whatever its status.
    #[track_caller]
    pub fn open(&mut self, url: &str) {
        must(self.try_open(url));
    }

    fn try_open(&mut self, url: &str) -> Result<(), String> {
        self.forget_loads();
        let result = self.call("Page.navigate", json!({ "url": url }))?;
        if let Some(problem) = result["errorText"].as_str() {
            return Err(format!("{url}: {problem}"));
        }
        match result["loaderId"].as_str() {
            Some(loader) => self.loaded(loader),
            // A fragment of the same page.
            None => Ok(()),
        }
    }

    /// Loads the page again, as a user does.
    #[track_caller]
    pub fn reload(&mut self) {
        must(self.through(|page| page.call("Page.reload", json!({})).map(drop)));
    }

    /// Does something that leads to another page, and waits until that is loaded.
    pub(crate) fn through(
        &mut self,
        act: impl FnOnce(&mut Page) -> Result<(), String>,
    ) -> Result<(), String> {
        self.forget_loads();
        act(self)?;
        let navigated = self.connection.event("another page", PATIENCE, |event| {
            event.method == "Page.frameNavigated" && event.params["frame"].get("parentId").is_none()
        })?;
        let loader = navigated.params["frame"]["loaderId"].as_str();
        self.loaded(loader.unwrap_or_default())
    }

    fn loaded(&mut self, loader: &str) -> Result<(), String> {
        let is_load = |event: &Event| {
            event.method == "Page.lifecycleEvent"
                && event.params["name"] == "load"
                && event.params["loaderId"] == loader
        };
        self.connection
            .event("the end of the page", PATIENCE, is_load)?;
        Ok(())
    }

    /// Earlier pages are not taken for the one that is to come.
    fn forget_loads(&mut self) {
        self.keep_errors();
        self.connection.take(|_| true);
    }

    /// The value of a JavaScript expression, which may be a promise.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        must(self.evaluate(expression))
    }

    pub(crate) fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let mut answer = self.call(
            "Runtime.evaluate",
            json!({
                "expression": expression,
                "awaitPromise": true,
                "returnByValue": true,
                "userGesture": true,
            }),
        )?;
        if let Some(exception) = answer.get("exceptionDetails") {
            let text = exception["exception"]["description"]
                .as_str()
                .or(exception["text"].as_str());
            return Err(format!("{expression}: {}", text.unwrap_or("failed")));
        }
        Ok(answer["result"]["value"].take())
    }

    /// The address that the page has now.
    #[track_caller]
    pub fn url(&mut self) -> String {
        must(self.string("location.href"))
    }

    /// The page's title.
    #[track_caller]
    pub fn title(&mut self) -> String {
        must(self.string("document.title"))
    }

    /// The text of an element, as a user sees it.
    #[track_caller]
    pub fn text(&mut self, selector: &str) -> String {
        must(self.string(&format!("{}.innerText.trim()", element(selector))))
    }

    /// What a field of a form holds.
    #[track_caller]
    pub fn value(&mut self, selector: &str) -> String {
        must(self.string(&format!("{}.value", element(selector))))
    }

    /// An attribute of an element.
    #[track_caller]
    pub fn attribute(&mut self, selector: &str, name: &str) -> Option<String> {
        let expression = format!("{}.getAttribute({})", element(selector), quoted(name));
        match must(self.evaluate(&expression)) {
            Value::String(value) => Some(value),
            _ => None,
        }
    }

    /// Whether there is such an element.
    #[track_caller]
    pub fn has(&mut self, selector: &str) -> bool {
        let expression = format!("document.querySelector({}) !== null", quoted(selector));
        must(self.evaluate(&expression)) == true
    }

    fn string(&mut self, expression: &str) -> Result<String, String> {
        match self.evaluate(expression)? {
            Value::String(text) => Ok(text),
            other => Err(format!("{expression} is {other}, and no text")),
        }
    }

    pub(crate) fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.connection.call(method, params, PATIENCE)
    }
}

/// An expression for an element that has to be there.
pub(crate) fn element(selector: &str) -> String {
    let selector = quoted(selector);
    format!(
        "(document.querySelector({selector}) ?? \
         (() => {{ throw new Error('no element fits ' + {selector}) }})())"
    )
}

/// A literal of JavaScript: what JSON is, too.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A test's assertion.
#[track_caller]
pub(crate) fn must<T>(result: Result<T, String>) -> T {
    match result {
        Ok(value) => value,
        Err(problem) => panic!("{problem}"),
    }
}
