//! [`Method`]: the methods that a route can have.

use std::fmt;

/// A method that a route can answer (RFC 9110, section 9.3; PATCH: RFC 5789).
///
/// As an argument of a handler it says which method was asked for: in a route
/// for GET that may also be [`Head`](Method::Head).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// OPTIONS
    Options,
}

impl Method {
    const ALL: [Method; 7] = [
        Method::Get,
        Method::Head,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
        Method::Options,
    ];

    /// The method of this name, which is case-sensitive (RFC 9110, section
    /// 9.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL
            .into_iter()
            .find(|method| method.as_str() == name)
    }

    /// The name, as `GET`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A set of methods, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Methods(u8);

impl Methods {
    pub(crate) fn insert(&mut self, method: Method) {
        self.0 |= 1 << method as u8;
    }

    pub(crate) fn contains(self, method: Method) -> bool {
        self.0 & 1 << method as u8 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The value of an Allow field (RFC 9110, section 10.2.1). It names what
    /// the site answers by itself too: HEAD where there is a GET, and OPTIONS.
    #[cold]
    pub(crate) fn allow(mut self) -> String {
        if self.contains(Method::Get) {
            self.insert(Method::Head);
        }
        self.insert(Method::Options);
        let mut value = String::new();
        for method in Method::ALL {
            if self.contains(method) {
                if !value.is_empty() {
                    value.push_str(", ");
                }
                value.push_str(method.as_str());
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, Methods};

    #[test]
    fn is_case_sensitive() {
        assert_eq!(Method::from_name("GET"), Some(Method::Get));
        assert_eq!(Method::from_name("get"), None);
    }

    #[test]
    fn allows_what_the_site_answers_by_itself() {
        let mut methods = Methods::default();
        methods.insert(Method::Delete);
        methods.insert(Method::Get);
        assert_eq!(methods.allow(), "GET, HEAD, DELETE, OPTIONS");
    }
}
