//! Which request asks for what.

use http::Method;
use percent_encoding::percent_decode_str;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Describe,
    ListApps,
    ShowApp,
    Delete,
    Deploy,
    RollBack,
    Enable,
    Disable,
    Logs,
    ListTokens,
    MakeToken,
    RevokeToken,
    Top,
}

/// All of it, by path and method.
pub(super) const ROUTES: [(&str, &[(Method, Operation)]); 11] = [
    ("/v1/openapi.json", &[(Method::GET, Operation::Describe)]),
    ("/v1/apps", &[(Method::GET, Operation::ListApps)]),
    (
        "/v1/apps/{app}",
        &[
            (Method::GET, Operation::ShowApp),
            (Method::DELETE, Operation::Delete),
        ],
    ),
    (
        "/v1/apps/{app}/versions",
        &[(Method::POST, Operation::Deploy)],
    ),
    (
        "/v1/apps/{app}/rollback",
        &[(Method::POST, Operation::RollBack)],
    ),
    (
        "/v1/apps/{app}/enable",
        &[(Method::POST, Operation::Enable)],
    ),
    (
        "/v1/apps/{app}/disable",
        &[(Method::POST, Operation::Disable)],
    ),
    ("/v1/apps/{app}/logs", &[(Method::GET, Operation::Logs)]),
    (
        "/v1/tokens",
        &[
            (Method::GET, Operation::ListTokens),
            (Method::POST, Operation::MakeToken),
        ],
    ),
    (
        "/v1/tokens/{id}",
        &[(Method::DELETE, Operation::RevokeToken)],
    ),
    ("/v1/top", &[(Method::GET, Operation::Top)]),
];

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This, of what has these names.
    Operation(Operation, Vec<String>),
    /// Something that is there, in none of the ways that it can be asked for: these.
    OtherMethods(String),
    Nothing,
}

/// What a request with this method and path asks for.
pub(super) fn find(method: &Method, path: &str) -> Found {
    for (template, operations) in ROUTES {
        let Some(names) = names(template, path) else {
            continue;
        };
        let found = operations.iter().find(|(allowed, _)| allowed == method);
        if let Some((_, operation)) = found {
            return Found::Operation(*operation, names);
        }
        let allowed: Vec<&str> = operations
            .iter()
            .map(|(allowed, _)| allowed.as_str())
            .collect();
        return Found::OtherMethods(allowed.join(", "));
    }
    Found::Nothing
}

/// What stands in `path` for the names in `template`; none if it is another path.
fn names(template: &str, path: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') {
            let name = percent_decode_str(segment).decode_utf8().ok()?;
            names.push(name.into_owned());
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn paths_and_methods_are_told_apart() {
        let found = |method, path| find(&method, path);
        assert_eq!(
            found(Method::POST, "/v1/apps/a%2Eb/rollback"),
            Found::Operation(Operation::RollBack, vec!["a.b".into()])
        );
        assert_eq!(
            found(Method::PUT, "/v1/apps/a"),
            Found::OtherMethods("GET, DELETE".into())
        );
        for path in [
            "/v1/",
            "/v1/apps/",
            "/v1/apps/a/b",
            "/v1/apps/a/logs/",
            "/v2/apps",
        ] {
            let found = found(Method::GET, path);
            let is_nothing = found == Found::Nothing;
            assert!(is_nothing || path == "/v1/apps/", "{path}: {found:?}");
        }
    }

    /// The description has each route, and no other.
    #[test]
    fn the_description_is_of_these_routes() {
        let description: Value = serde_json::from_str(super::super::DESCRIPTION).unwrap();
        assert_eq!(description["openapi"], "3.1.0");
        let mut described = BTreeSet::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if method == "parameters" {
                    continue;
                }
                assert!(operation["summary"].is_string(), "{path} {method}");
                assert!(operation["operationId"].is_string(), "{path} {method}");
                assert!(operation["responses"].is_object(), "{path} {method}");
                described.insert((path.clone(), method.to_uppercase()));
            }
        }
        let all = ROUTES.iter().flat_map(|(path, operations)| {
            operations
                .iter()
                .map(|(method, _)| ((*path).to_owned(), method.to_string()))
        });
        assert_eq!(described, all.collect());
        references(&description, &description);
    }

    /// Whatever it refers to is there.
    fn references(of: &Value, all: &Value) {
        match of {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
                Value::String(target) if name == "$ref" => {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(all.pointer(pointer).is_some(), "{target}");
                }
                value => references(value, all),
            }),
            Value::Array(values) => values.iter().for_each(|value| references(value, all)),
            _ => {}
        }
    }
}
