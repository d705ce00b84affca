//! What a user does: pointing and typing.

use serde_json::{Value, json};
use std::path::Path;

use crate::page::{Page, element, must, quoted};

/// The middle of an element that a user could point at: in view, and under
/// nothing else.
const MIDDLE: &str = "(element => {
    element.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = element.getBoundingClientRect();
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    const top = document.elementFromPoint(x, y);
    if (!box.width || !box.height) throw new Error('nobody can see it');
    if (!top || !(element.contains(top) || top.contains(element)))
        throw new Error('it is behind ' + (top ? top.outerHTML.slice(0, 80) : 'the page'));
    return { x, y };
})";

impl Page {
    /// Clicks an element with the mouse, so it has to be in sight. For what leads
    /// to another page, see [`click_through`](Page::click_through).
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        must(self.press(selector));
    }

    /// Clicks a link or a button that leads to another page, and waits until that
    /// is loaded.
    #[track_caller]
    pub fn click_through(&mut self, selector: &str) {
        must(self.through(|page| page.press(selector)));
    }

    fn press(&mut self, selector: &str) -> Result<(), String> {
        let middle = self
            .evaluate(&format!("{MIDDLE}({})", element(selector)))
            .map_err(|problem| format!("{selector} cannot be clicked: {problem}"))?;
        for (kind, buttons) in [("mousePressed", 1), ("mouseReleased", 0)] {
            self.call(
                "Input.dispatchMouseEvent",
                json!({
                    "type": kind,
                    "x": middle["x"],
                    "y": middle["y"],
                    "button": "left",
                    "buttons": buttons,
                    "clickCount": 1,
                }),
            )?;
        }
        Ok(())
    }

    /// Types a text into a field of a form, in place of what it holds.
    #[track_caller]
    pub fn fill(&mut self, selector: &str, text: &str) {
        must(self.try_fill(selector, text));
    }

    fn try_fill(&mut self, selector: &str, text: &str) -> Result<(), String> {
        let field = element(selector);
        self.evaluate(&format!(
            "(field => {{ field.focus(); field.select(); \
             if (document.activeElement !== field) throw new Error('it takes no focus'); \
             if ({}) {{ field.value = ''; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }} }})({field})",
            text.is_empty()
        ))
        .map_err(|problem| format!("{selector} cannot be filled: {problem}"))?;
        if !text.is_empty() {
            self.call("Input.insertText", json!({ "text": text }))?;
        }
        Ok(())
    }

    /// Presses Enter where the focus is.
    #[track_caller]
    pub fn press_enter(&mut self) {
        must(self.enter());
    }

    /// Presses Enter, which leads to another page, and waits until that is loaded.
    #[track_caller]
    pub fn press_enter_through(&mut self) {
        must(self.through(Page::enter));
    }

    fn enter(&mut self) -> Result<(), String> {
        for kind in ["keyDown", "keyUp"] {
            self.call(
                "Input.dispatchKeyEvent",
                json!({
                    "type": kind,
                    "key": "Enter",
                    "code": "Enter",
                    "text": "\r",
                    "windowsVirtualKeyCode": 13,
                }),
            )?;
        }
        Ok(())
    }

    /// Chooses a file in `<input type=file>`.
    #[track_caller]
    pub fn choose_file(&mut self, selector: &str, path: &Path) {
        must(self.try_choose_file(selector, path));
    }

    fn try_choose_file(&mut self, selector: &str, path: &Path) -> Result<(), String> {
        let found = self.call(
            "Runtime.evaluate",
            json!({ "expression": format!("document.querySelector({})", quoted(selector)) }),
        )?;
        let object = match &found["result"]["objectId"] {
            Value::Null => return Err(format!("no element fits {selector}")),
            object => object.clone(),
        };
        self.call(
            "DOM.setFileInputFiles",
            json!({ "objectId": object, "files": [path] }),
        )?;
        Ok(())
    }
}
