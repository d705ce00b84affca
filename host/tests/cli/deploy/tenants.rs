//! Tokens of one tenant, and what they are not good for.

use super::{Home, greeting};
use std::fs;

#[test]
fn a_tenants_token_is_good_for_its_own_apps() {
    let home = Home::new();
    home.write(
        "rhost.toml",
        "[defaults]\nmemory = \"16MiB\"\n[tenants.acme]\n[tenants.other]\n",
    );
    let serving = home.serve(&["-c", "rhost.toml"]);
    home.deploy("free", "first");
    fs::create_dir(home.path("lent")).unwrap();
    let tokens: Vec<String> = ["acme", "other"]
        .map(|tenant| {
            let token = home.done(&["token", "create", "--tenant", tenant]);
            fs::write(home.path(tenant), token).unwrap();
            tenant.to_owned()
        })
        .into();
    let of = |tenant: usize, line: &[&str]| {
        let line: Vec<String> = line.iter().map(ToString::to_string).collect();
        [line, vec!["--token-file".into(), tokens[tenant].clone()]].concat()
    };
    let done = |tenant, line: &[&str]| {
        let line = of(tenant, line);
        home.done(&line.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = |tenant, line: &[&str]| {
        let line = of(tenant, line);
        home.refused(&line.iter().map(String::as_str).collect::<Vec<_>>(), 1)
    };
    let deploy = ["deploy", "first.wasm", "--app"];
    done(
        0,
        &[
            &deploy[..],
            &["shop", "--host", "shop.test", "--host", "*.shop.test"],
        ]
        .concat(),
    );
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
    assert!(
        home.done(&["app", "show", "shop"])
            .contains("tenant    acme")
    );
    // Each sees its own.
    assert!(done(0, &["apps"]).contains("shop") && !done(0, &["apps"]).contains("free"));
    assert!(done(1, &["apps"]).is_empty());
    for line in [
        &["app", "show", "shop"][..],
        &["app", "disable", "shop"],
        &["app", "delete", "shop"],
        &["rollback", "shop"],
        &["logs", "shop"],
        &["app", "delete", "free"],
    ] {
        let said = refused(1, line);
        assert!(said.contains("there is no app `"), "{line:?}: {said}");
    }
    for (more, says) in [
        (
            &["shop", "--host", "new.test"][..],
            "the name `shop` is another's",
        ),
        (
            &["free", "--host", "new.test"],
            "the name `free` is another's",
        ),
        (&["new", "--host", "shop.test"], "is another tenant's"),
        (
            &["new", "--host", "shop.test", "--mount", "/x"],
            "is another tenant's",
        ),
        (
            &["new", "--host", "pay.shop.test"],
            "overlaps a host of another tenant",
        ),
        (&["new", "--host", "*.test"], "a public suffix"),
        (&["new"], "is not for every host"),
        (
            &["new", "--host", "new.test", "--tenant", "acme"],
            "the token is for tenant `other`",
        ),
        (
            &["new", "--host", "new.test", "--set", "memory=17MiB"],
            "more than [defaults] has",
        ),
        (
            &["new", "--host", "new.test", "--set", "dir=lent:/lent"],
            "lent by the operator",
        ),
        (
            &[
                "new",
                "--host",
                "new.test",
                "--set",
                "secrets={A={env=\"PATH\"}}",
            ],
            "lent by the operator",
        ),
    ] {
        let said = refused(1, &[&deploy[..], more].concat());
        assert!(said.contains(says), "{more:?}: {said}");
    }
    for line in [
        &["token", "list"][..],
        &["token", "create"],
        &["token", "revoke", "00"],
    ] {
        assert!(refused(0, line).contains("is not for tokens"), "{line:?}");
    }
    // What the operator gave to an app stays with it, and is not taken up again.
    home.done(&[&deploy[..], &["shop", "--set", "dir=lent:/lent"]].concat());
    done(0, &[&deploy[..], &["shop", "--env", "A=b"]].concat());
    home.done(&[&deploy[..], &["shop", "--unset", "dir"]].concat());
    let said = refused(0, &["rollback", "shop"]);
    assert!(
        said.contains("apps.shop.dir: directories are lent by the operator"),
        "{said}"
    );
    done(0, &["rollback", "shop", "1"]);
    done(0, &["app", "delete", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "421");
}
