//! What can be seen: screenshots, and how the page is to look.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::fs;
use std::path::Path;

use crate::page::{Page, must};

impl Page {
    /// Writes a picture of the whole page, as PNG.
    #[track_caller]
    pub fn screenshot(&mut self, path: &Path) {
        must(self.try_screenshot(path));
    }

    fn try_screenshot(&mut self, path: &Path) -> Result<(), String> {
        let picture = self.call(
            "Page.captureScreenshot",
            json!({ "format": "png", "captureBeyondViewport": true }),
        )?;
        let octets = STANDARD
            .decode(picture["data"].as_str().unwrap_or_default())
            .map_err(|error| format!("the picture: {error}"))?;
        fs::write(path, octets).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Makes the window so wide and so high, in CSS pixels. Below 600 it is a
    /// phone's.
    #[track_caller]
    pub fn resize(&mut self, width: u32, height: u32) {
        must(self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": width,
                "height": height,
                "deviceScaleFactor": 1,
                "mobile": width < 600,
            }),
        ));
    }

    /// Makes `prefers-color-scheme` dark, or light.
    #[track_caller]
    pub fn prefer_dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        must(self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] }),
        ));
    }

    /// Turns the scripts of pages off, or on again, from the next page on.
    #[track_caller]
    pub fn run_scripts(&mut self, run: bool) {
        must(self.call(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": !run }),
        ));
    }
}
