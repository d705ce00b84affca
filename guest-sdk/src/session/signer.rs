//! [`Signer`]: text that comes back as it was sent.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::extract::{Cookies, FromRequest};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::respond::Cookie;
use crate::session::keys::Keys;

/// The most octets that name and value of a cookie have: a client drops what
/// has more (RFC 6265bis, "Storage Model").
pub(super) const MOST: usize = 4096;

/// Signs cookies, and reads those that it signed.
///
/// A value holds its text, the time when it expires and the code for both and
/// for the cookie's name (HMAC-SHA-256, RFC 2104): it is no good under another
/// name, and no longer than it was meant to be.
///
/// As an argument it is a 500 where there is no key, see
/// [`session`](crate::session#keys).
///
/// ```
/// use std::time::Duration;
/// use rhost_sdk::prelude::*;
///
/// #[post("/trial")]
/// fn begin(signer: Signer) -> (Cookie, &'static str) {
///     (signer.sign("trial", "gold", Duration::from_secs(86_400)), "Enjoy!\n")
/// }
///
/// #[get("/trial")]
/// fn show(signer: Signer, cookies: Cookies<'_>) -> Option<String> {
///     signer.read(&cookies, "trial")
/// }
///
/// app!(begin, show);
/// # let key = "0123456789abcdef0123456789abcdef";
/// # let answer = rhost_sdk::testing::post(&APP, "/trial").variable("SECRET_KEY", key).send();
/// # let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
/// # let show = rhost_sdk::testing::get(&APP, "/trial").variable("SECRET_KEY", key);
/// # assert_eq!(show.clone().header("cookie", cookie).send().text(), "gold");
/// # assert_eq!(show.header("cookie", "trial=gold").send().status(), 404);
/// ```
pub struct Signer {
    keys: Keys,
    /// The time of the request, in seconds since 1970.
    now: u64,
}

impl Signer {
    /// A cookie with this text, which the client keeps for so long, in whole
    /// seconds, and which is read for no longer.
    #[must_use]
    pub fn sign(
        &self,
        name: impl Into<Cow<'static, str>>,
        text: impl AsRef<str>,
        lifetime: Duration,
    ) -> Cookie {
        let name = name.into();
        let value = self.value(&name, text.as_ref(), lifetime);
        Cookie::new(name, value).max_age(lifetime)
    }

    /// The text of the first cookie of this name that was signed with one of
    /// the keys, and has not expired.
    #[must_use]
    pub fn read(&self, cookies: &Cookies<'_>, name: &str) -> Option<String> {
        cookies
            .get_all(name)
            .find_map(|value| self.open(name, &value))
    }

    /// `TEXT.EXPIRY.CODE`, the first and the last in base64url (RFC 4648,
    /// section 5).
    pub(super) fn value(&self, name: &str, text: &str, lifetime: Duration) -> String {
        let expiry = self.now.saturating_add(lifetime.as_secs());
        let text = format!("{}.{expiry}", BASE64.encode(text));
        let code = self.keys.sign(&signed(name, &text));
        format!("{text}.{}", BASE64.encode(code))
    }

    fn open(&self, name: &str, value: &str) -> Option<String> {
        if value.len() > MOST {
            return None;
        }
        let (text, code) = value.rsplit_once('.')?;
        let code = BASE64.decode(code).ok()?;
        if !self.keys.verify(&signed(name, text), &code) {
            return None;
        }
        let (text, expiry) = text.split_once('.')?;
        if expiry.parse::<u64>().ok()? <= self.now {
            return None;
        }
        String::from_utf8(BASE64.decode(text).ok()?).ok()
    }
}

/// What the code is for. A name holds no `=`, and so ends at the first one.
fn signed(name: &str, text: &str) -> String {
    format!("{name}={text}")
}

impl FromRequest<'_> for Signer {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Ok(Signer {
            keys: Keys::of(request)?,
            now: now.unwrap_or_default().as_secs(),
        })
    }
}

/// Without the keys.
impl fmt::Debug for Signer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Signer")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Signer;
    use crate::session::keys::Keys;

    const OLD: &str = "an_old_key_of_thirty-two_octets!";
    const NEW: &str = "a newer key of thirty-two octets";

    fn signer(current: &str, fallbacks: &str, now: u64) -> Signer {
        let keys = Keys::new(Some(current), fallbacks).unwrap();
        Signer { keys, now }
    }

    fn value() -> String {
        signer(OLD, "", 1000).value("a", "café; =.", Duration::from_secs(60))
    }

    #[test]
    fn reads_what_it_signed_until_it_expires() {
        assert_eq!(
            signer(OLD, "", 1059).open("a", &value()).as_deref(),
            Some("café; =.")
        );
        assert_eq!(signer(OLD, "", 1060).open("a", &value()), None);
        assert_eq!(signer(OLD, "", 1000).open("b", &value()), None);
    }

    #[test]
    fn a_lifetime_without_end_ends_never() {
        let value = signer(OLD, "", 1000).value("a", "", Duration::MAX);
        assert_eq!(
            signer(OLD, "", u64::MAX - 1).open("a", &value).as_deref(),
            Some("")
        );
    }

    #[test]
    fn each_octet_of_a_value_counts() {
        let signer = signer(OLD, "", 1000);
        let value = value();
        for position in 0..value.len() {
            for other in [b'A', b'B', b'.', b'1', b'='] {
                let mut octets = value.clone().into_bytes();
                if octets[position] != other {
                    octets[position] = other;
                    let forged = String::from_utf8(octets).unwrap();
                    assert_eq!(signer.open("a", &forged), None, "{forged}");
                }
            }
            assert_eq!(signer.open("a", &value[..position]), None);
        }
        assert_eq!(signer.open("a", &(value.clone() + "A")), None);
        assert_eq!(signer.open("a", &"a".repeat(5000)), None);
        assert_eq!(signer.open("a", ".."), None);
    }

    #[test]
    fn keys_are_replaced_without_signing_with_the_old_one() {
        let text = Some("café; =.");
        assert_eq!(signer(NEW, "", 1000).open("a", &value()), None);
        let both = signer(NEW, OLD, 1000);
        assert_eq!(both.open("a", &value()).as_deref(), text);
        let renewed = both.value("a", "café; =.", Duration::from_secs(60));
        assert_eq!(signer(OLD, "", 1000).open("a", &renewed), None);
        assert_eq!(signer(NEW, "", 1000).open("a", &renewed).as_deref(), text);
    }

    #[test]
    fn keys_are_long_and_few() {
        let problem = |current, fallbacks: &str| match Keys::new(current, fallbacks) {
            Ok(_) => panic!("these are no keys"),
            Err(problem) => problem,
        };
        assert!(problem(None, OLD).starts_with("the environment variable SECRET_KEY is not set"));
        assert!(problem(Some(&NEW[1..]), "").contains("SECRET_KEY has 31 octets"));
        assert!(problem(Some(NEW), "short").contains("SECRET_KEY_FALLBACKS has 5 octets"));
        let many = [OLD; 8].join(" ");
        assert!(problem(Some(NEW), &many).contains("more than 7 keys"));
    }
}
