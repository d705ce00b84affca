//! Tokens: who may change what over TCP. A token is shown once, when it is made; what
//! is kept is its SHA-256, from which nobody gets it back: it has 256 random bits.

use super::records::{self, TokenRecord};
use super::{Digest, StoreError};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

/// What a token begins with, so that one that leaked is known for what it is.
const PREFIX: &str = "rhost_";

/// Whose apps may be seen and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those of one tenant.
    Tenant(String),
}

impl Scope {
    /// Whether apps of `tenant` are among them.
    pub fn has(&self, tenant: Option<&str>) -> bool {
        match self {
            Scope::All => true,
            Scope::Tenant(own) => tenant == Some(own),
        }
    }
}

/// A token as it is listed.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it is called.
    pub id: String,
    /// What it is for, as whoever made it said.
    pub note: String,
    /// What it is good for.
    pub scope: Scope,
    /// When it was made.
    pub at: SystemTime,
}

/// Whether a token is good still. It is until it is revoked.
#[derive(Debug, Clone)]
pub struct Good {
    /// What the token is called.
    pub id: String,
    still: watch::Receiver<()>,
}

impl Good {
    /// Whether it is now.
    pub fn is_good(&self) -> bool {
        self.still.has_changed().is_ok()
    }

    /// Returns when it is not any more.
    pub async fn revoked(mut self) {
        while self.still.changed().await.is_ok() {}
    }
}

/// The tokens that are good now. Clones are of the same ones.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Arc<RwLock<Vec<Known>>>);

/// A token that is good.
#[derive(Debug)]
struct Known {
    token: Token,
    hash: Digest,
    /// Those who came with it hear when this is dropped.
    good: watch::Sender<()>,
}

impl Tokens {
    /// What `token` is good for, and for how long; none if it is none of these. How long
    /// it takes does not depend on how much of it is right.
    pub fn scope(&self, token: &str) -> Option<(Scope, Good)> {
        let hash = Digest::of(token.as_bytes());
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for known in tokens.iter() {
            if bool::from(known.hash.0.ct_eq(&hash.0)) {
                found = Some(known);
            }
        }
        found.map(|Known { token, good, .. }| {
            let good = Good {
                id: token.id.clone(),
                still: good.subscribe(),
            };
            (token.scope.clone(), good)
        })
    }

    /// All of them.
    pub fn all(&self) -> Vec<Token> {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.iter().map(|known| known.token.clone()).collect()
    }

    pub(super) fn add(&self, id: &str, record: &TokenRecord) {
        let token = Token {
            id: id.to_owned(),
            note: record.note.clone(),
            scope: match &record.tenant {
                None => Scope::All,
                Some(tenant) => Scope::Tenant(tenant.clone()),
            },
            at: records::time(record.at),
        };
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tokens.push(Known {
            token,
            hash: record.hash,
            good: watch::Sender::new(()),
        });
    }

    pub(super) fn remove(&self, id: &str) {
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|known| known.token.id != id);
    }
}

/// A token that nobody knows yet, and what it is called.
pub(super) fn make() -> Result<(String, String), StoreError> {
    let (mut secret, mut id) = ([0; 32], [0; 4]);
    for octets in [&mut secret[..], &mut id[..]] {
        getrandom::fill(octets).map_err(|error| StoreError::Random(error.to_string()))?;
    }
    let id = id.iter().map(|octet| format!("{octet:02x}")).collect();
    Ok((
        id,
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(secret)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_scope_until_it_is_revoked() {
        let tokens = Tokens::default();
        let mut secrets = Vec::new();
        for tenant in [None, Some("acme")] {
            let (id, secret) = make().unwrap();
            let record = TokenRecord {
                note: String::new(),
                hash: Digest::of(secret.as_bytes()),
                tenant: tenant.map(str::to_owned),
                at: 0,
            };
            tokens.add(&id, &record);
            secrets.push((id, secret));
        }
        let (all, good) = tokens.scope(&secrets[0].1).unwrap();
        assert!(all == Scope::All && good.is_good());
        let (acme, good_too) = tokens.scope(&secrets[1].1).unwrap();
        assert!(acme.has(Some("acme")) && !acme.has(Some("other")) && !acme.has(None));
        for text in ["", PREFIX, &secrets[0].0, &secrets[0].1[1..]] {
            assert!(tokens.scope(text).is_none(), "{text}");
        }
        tokens.remove(&secrets[0].0);
        assert!(tokens.scope(&secrets[0].1).is_none());
        assert!(!good.is_good() && good_too.is_good());
        assert_eq!(tokens.all().len(), 1);
        // 256 bits in base64, without padding.
        assert_eq!(secrets[0].1.len(), PREFIX.len() + 43);
    }
}
