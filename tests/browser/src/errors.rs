//! What the console says of errors.

use serde_json::Value;

use crate::page::Page;
use crate::protocol::Event;

impl Page {
    /// Takes the errors since the last time: what scripts threw or logged as an
    /// error, and what the browser itself has to say, as of a resource that is not
    /// there. A page whose status is 400 or more is such a resource.
    #[track_caller]
    #[must_use]
    pub fn take_errors(&mut self) -> Vec<String> {
        // An answer comes after what happened before its question.
        self.eval("0");
        self.keep_errors();
        std::mem::take(&mut self.errors)
    }

    pub(crate) fn keep_errors(&mut self) {
        let events = self.connection.take(is_report);
        self.errors.extend(events.iter().filter_map(error));
    }
}

fn is_report(event: &Event) -> bool {
    matches!(
        event.method.as_str(),
        "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded"
    )
}

fn error(event: &Event) -> Option<String> {
    let params = &event.params;
    match event.method.as_str() {
        "Runtime.consoleAPICalled" if params["type"] == "error" => {
            let arguments = params["args"].as_array()?;
            let said: Vec<String> = arguments.iter().map(argument).collect();
            Some(said.join(" "))
        }
        "Runtime.exceptionThrown" => {
            let details = &params["exceptionDetails"];
            let said = &details["exception"]["description"];
            let said = said.as_str().or(details["text"].as_str())?;
            Some(said.to_owned())
        }
        "Log.entryAdded" if params["entry"]["level"] == "error" => {
            let entry = &params["entry"];
            let said = entry["text"].as_str()?;
            match entry["url"].as_str() {
                Some(url) => Some(format!("{said} ({url})")),
                None => Some(said.to_owned()),
            }
        }
        _ => None,
    }
}

fn argument(argument: &Value) -> String {
    match (&argument["value"], argument["description"].as_str()) {
        (Value::String(text), _) => text.clone(),
        (Value::Null, Some(description)) => description.to_owned(),
        (value, _) => value.to_string(),
    }
}
