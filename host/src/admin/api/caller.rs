//! Who asks, and what they may see and change.

use crate::admin::places::Whose;
use crate::roster::{Refused, Why};
use crate::store::{Good, Scope, Tokens};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Who asks.
#[derive(Debug, Clone)]
pub(in crate::admin) struct Caller {
    /// What they may see and change.
    pub(in crate::admin) scope: Scope,
    /// How long their token is good; none without one.
    good: Option<Good>,
}

impl Caller {
    /// Whoever sent these fields. Over a Unix socket that is the operator without a
    /// token: its file is for this user alone.
    pub(super) fn of(
        headers: &HeaderMap,
        is_local: bool,
        tokens: Option<&Tokens>,
    ) -> Result<Self, Refused> {
        let unknown = |text: &str| Refused::new(Why::Unknown, text);
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let token = match (given.next(), given.next()) {
            (None, _) if is_local => {
                return Ok(Caller {
                    scope: Scope::All,
                    good: None,
                });
            }
            (None, _) => {
                return Err(unknown(
                    "there is no token; give one as `Authorization: Bearer TOKEN`, or ask on the admin socket",
                ));
            }
            (Some(field), None) => bearer(field.as_bytes()),
            (Some(_), Some(_)) => None,
        };
        let Some(token) = token else {
            return Err(unknown("the field Authorization is not `Bearer TOKEN`"));
        };
        let known = tokens.and_then(|tokens| tokens.scope(token));
        let (scope, good) = known.ok_or_else(not_good)?;
        let good = Some(good);
        Ok(Caller { scope, good })
    }

    /// Whose the request is.
    pub(super) fn whose(&self) -> Whose {
        match (&self.scope, &self.good) {
            (Scope::Tenant(tenant), _) => Whose::Tenant(tenant.clone()),
            (Scope::All, Some(good)) => Whose::Token(good.id.clone()),
            (Scope::All, None) => Whose::Socket,
        }
    }

    /// Fails if the token is revoked by now: what takes its time asks again.
    pub(super) fn check(&self) -> Result<(), Refused> {
        match self.good.as_ref().is_none_or(Good::is_good) {
            true => Ok(()),
            false => Err(not_good()),
        }
    }

    /// Returns when the token is revoked.
    pub(super) fn revoked(&self) -> impl Future<Output = ()> + Send + 'static {
        let good = self.good.clone();
        async {
            match good {
                Some(good) => good.revoked().await,
                None => std::future::pending().await,
            }
        }
    }

    /// What `work` comes to, or that the token is revoked meanwhile.
    pub(super) async fn while_good<T>(
        &self,
        work: impl Future<Output = Result<T, Refused>>,
    ) -> Result<T, Refused> {
        tokio::select! {
            biased;
            () = self.revoked() => Err(not_good()),
            done = work => done,
        }
    }
}

fn not_good() -> Refused {
    Refused::new(
        Why::Unknown,
        "the token is not good here, or not any more; `rhost token create` makes another",
    )
}

/// The token in a field (RFC 6750, section 2.1). The scheme's case does not count
/// (RFC 9110, section 11.1).
fn bearer(field: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(field).ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn over_tcp_nothing_is_seen_without_a_token() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&home.path().join("state")).unwrap();
        let acme = Scope::Tenant("acme".into());
        let (_, token) = store.make_token(&acme, "").unwrap();
        let ask = |fields: &[&str], is_local| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(AUTHORIZATION, field.parse().unwrap());
            }
            let caller = Caller::of(&headers, is_local, Some(store.tokens()));
            caller
                .map(|caller| caller.scope)
                .map_err(|refused| refused.why)
        };
        assert_eq!(ask(&[], true), Ok(Scope::All));
        assert_eq!(ask(&[], false), Err(Why::Unknown));
        let good = format!("bearer {token}");
        for is_local in [false, true] {
            // One that is given counts, wherever.
            assert_eq!(ask(&[&good], is_local), Ok(acme.clone()));
            let cut = &good[..good.len() - 1];
            for fields in [
                &["Bearer x"][..],
                &["Basic eDp5"],
                &[cut],
                &[&token],
                &[&good, &good],
            ] {
                assert_eq!(ask(fields, is_local), Err(Why::Unknown), "{fields:?}");
            }
        }
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, good.parse().unwrap());
        assert!(Caller::of(&headers, false, None).is_err());
        let caller = Caller::of(&headers, false, Some(store.tokens())).unwrap();
        assert!(caller.check().is_ok());
        store
            .tokens()
            .all()
            .iter()
            .for_each(|token| store.revoke_token(&token.id).unwrap());
        assert!(caller.check().is_err());
    }
}
