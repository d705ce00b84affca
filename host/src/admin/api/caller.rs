//! Who asks, and what they may see and change.

use crate::roster::{Refused, Why};
use crate::store::{Scope, Tokens};
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What whoever sent these fields may see and change. Over a Unix socket that is all
/// without a token: its file is for this user alone.
pub(super) fn scope(
    headers: &HeaderMap,
    is_local: bool,
    tokens: Option<&Tokens>,
) -> Result<Scope, Refused> {
    let unknown = |text: &str| Refused::new(Why::Unknown, text);
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let token = match (given.next(), given.next()) {
        (None, _) if is_local => return Ok(Scope::All),
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
    let scope = tokens.and_then(|tokens| tokens.scope(token));
    scope.ok_or_else(|| {
        unknown("the token is not good here, or not any more; `rhost token create` makes another")
    })
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
            scope(&headers, is_local, Some(store.tokens())).map_err(|refused| refused.why)
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
        assert!(scope(&headers, false, None).is_err());
    }
}
