//! What the browser keeps for a site, also what its scripts may not see.

use serde_json::json;

use crate::page::{Page, must};

impl Page {
    /// The value of a cookie that is sent with this page's requests.
    #[track_caller]
    pub fn cookie(&mut self, name: &str) -> Option<String> {
        let result = must(self.call("Network.getCookies", json!({})));
        let cookies = result["cookies"].as_array()?;
        let cookie = cookies.iter().find(|cookie| cookie["name"] == name)?;
        cookie["value"].as_str().map(str::to_owned)
    }

    /// Puts a cookie for this page's site into the browser, as somebody does who
    /// makes one up.
    #[track_caller]
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        let url = self.url();
        let result = must(self.call(
            "Network.setCookie",
            json!({ "url": url, "name": name, "value": value, "httpOnly": true }),
        ));
        assert!(
            result["success"] == true,
            "the browser takes no cookie {name}={value}"
        );
    }
}
