//! The keys, from the environment of the application.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

const CURRENT: &str = "SECRET_KEY";
const FALLBACKS: &str = "SECRET_KEY_FALLBACKS";

/// The fewest octets of a key: those of the hash (RFC 2104, section 3).
const FEWEST: usize = 32;

/// The most keys: each forged cookie costs a hash for each.
const MOST: usize = 8;

/// The current key, then those that were current before.
pub(super) struct Keys(Vec<Hmac<Sha256>>);

impl Keys {
    /// The keys of the application that answers this request.
    pub(super) fn of(request: &Request) -> Result<Keys, Rejection> {
        let current = request.variable(CURRENT);
        let fallbacks = request.variable(FALLBACKS).unwrap_or_default();
        Keys::new(current.as_deref(), &fallbacks).map_err(|problem| {
            let status = Status::INTERNAL_SERVER_ERROR;
            Rejection::new(status, status.reason()).because(problem)
        })
    }

    pub(super) fn new(current: Option<&str>, fallbacks: &str) -> Result<Keys, String> {
        let current = current.ok_or_else(|| {
            format!("the environment variable {CURRENT} is not set: cookies are signed with it")
        })?;
        let mut keys = vec![key(CURRENT, current)?];
        for fallback in fallbacks.split_ascii_whitespace() {
            if keys.len() == MOST {
                return Err(format!(
                    "the environment variable {FALLBACKS} holds more than {} keys",
                    MOST - 1
                ));
            }
            keys.push(key(FALLBACKS, fallback)?);
        }
        Ok(Keys(keys))
    }

    /// The current key's code for a text.
    pub(super) fn sign(&self, text: &str) -> impl AsRef<[u8]> + use<> {
        self.0[0]
            .clone()
            .chain_update(text.as_bytes())
            .finalize()
            .into_bytes()
    }

    /// Whether one of the keys made this code. The time that it takes says
    /// nothing about the octets of the code.
    pub(super) fn verify(&self, text: &str, code: &[u8]) -> bool {
        self.0.iter().any(|key| {
            key.clone()
                .chain_update(text.as_bytes())
                .verify_slice(code)
                .is_ok()
        })
    }
}

fn key(variable: &str, key: &str) -> Result<Hmac<Sha256>, String> {
    if key.len() < FEWEST {
        return Err(format!(
            "a key of the environment variable {variable} has {} octets, and {FEWEST} are the fewest",
            key.len()
        ));
    }
    Hmac::new_from_slice(key.as_bytes()).map_err(|error| error.to_string())
}
