//! [`Method`]: the methods that a route can have.

use std::fmt;

/// A method that a route can answer (RFC 9110, section 9.3; PATCH: RFC 5789).
///
/// As an argument of a handler it says which method was asked for: in a route
/// for GET that may also be [`Head`](Method::Head).
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn index(method: Method) -> &'static str {
///     match method {
///         // Nobody will see it.
///         Method::Head => "",
///         _ => "a page that is dear to make\n",
///     }
/// }
///
/// app!(index);
///
/// let answer = rhost_sdk::testing::head(&APP, "/").send();
/// assert_eq!(answer.status(), 200);
/// assert_eq!(Method::from_name("PATCH"), Some(Method::Patch));
/// ```
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

/// The methods of a route.
///
/// ```
/// use rhost_sdk::{Method, Methods};
///
/// const SAFE: Methods = Methods::of(&[Method::Get, Method::Head, Method::Options]);
///
/// assert!(SAFE.contains(Method::Head));
/// assert!(SAFE.and(Methods::of(&[Method::Post])).is_empty());
/// ```
// One bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    /// None.
    pub const NONE: Methods = Methods(0);

    /// These methods.
    #[must_use]
    pub const fn of(methods: &[Method]) -> Methods {
        let mut bits = 0;
        let mut place = 0;
        while place < methods.len() {
            bits |= 1 << methods[place] as u8;
            place += 1;
        }
        Methods(bits)
    }

    /// Whether this is one of them.
    #[must_use]
    pub const fn contains(self, method: Method) -> bool {
        self.0 & 1 << method as u8 != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The methods of either.
    #[must_use]
    pub const fn or(self, other: Methods) -> Methods {
        Methods(self.0 | other.0)
    }

    /// The methods of both.
    #[must_use]
    pub const fn and(self, other: Methods) -> Methods {
        Methods(self.0 & other.0)
    }

    /// The first of them, in the order of [`Method`].
    #[must_use]
    pub const fn first(self) -> Option<Method> {
        let mut place = 0;
        while place < Method::ALL.len() {
            if self.contains(Method::ALL[place]) {
                return Some(Method::ALL[place]);
            }
            place += 1;
        }
        None
    }

    pub(crate) fn insert(&mut self, method: Method) {
        *self = self.or(Methods::of(&[method]));
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
    fn sets_are_compared() {
        let some = Methods::of(&[Method::Put, Method::Get]);
        assert_eq!(some.first(), Some(Method::Get));
        assert_eq!(
            some.and(Methods::of(&[Method::Put, Method::Head])).first(),
            Some(Method::Put)
        );
        assert!(some.and(Methods::of(&[Method::Head])).is_empty());
        assert_eq!(Methods::NONE.first(), None);
    }

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
