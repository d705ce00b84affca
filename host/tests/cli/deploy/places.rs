//! Hosts: whose they are, and stay.

use super::{Home, greeting, heard};
use crate::serving::get;
use std::fs;

const TENANTS: &str = "[tenants.acme]\n[tenants.other]\n";

/// The status and the body at `path` of `host`, for a client with a cookie.
fn ask(addr: &str, host: &str, path: &str) -> String {
    let fields = format!("host: {host}\r\ncookie: session=acme\r\n");
    let text = get(addr, path, &fields);
    match text.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => body.trim_end().to_owned(),
        _ => text.get(9..12).unwrap_or_default().to_owned(),
    }
}

/// Deploys as the operator: `name` says what is answered.
fn deploy(home: &Home, app: &str, name: &str, more: &[&str]) {
    let file = home.component(name);
    home.done(&[&["deploy", &file, "--app", app], more].concat());
}

/// With an app there or without, before the first and after the last.
#[test]
fn the_hosts_that_a_tenant_was_given_are_nobody_elses() {
    let home = Home::new();
    home.write(
        "rhost.toml",
        "[tenants.acme]\nhosts = [\"shop.wide.test\", \"*.all.test\"]\n[tenants.other]\n",
    );
    let serving = home.serve(&["-c", "rhost.toml"]);
    deploy(&home, "rest", "other", &["--tenant", "other"]);
    let answers = |host: &str| ask(&serving.addr, host, "/");
    let given = ["shop.wide.test", "a.all.test", "b.a.all.test"];
    let nobody = || {
        for host in given {
            assert_eq!(answers(host), "404", "{host}");
        }
        for host in ["any.test", "wide.test", "all.test"] {
            assert_eq!(answers(host), "Hello, other!", "{host}");
        }
    };
    nobody();
    let acme = ["--tenant", "acme", "--host"];
    deploy(
        &home,
        "shop",
        "first",
        &[&acme[..], &["shop.wide.test"]].concat(),
    );
    deploy(&home, "a", "third", &[&acme[..], &["a.all.test"]].concat());
    assert_eq!(
        given.map(answers),
        ["Hello, first!", "Hello, third!", "404"]
    );
    // One of its own for all takes those that have none.
    deploy(
        &home,
        "all",
        "wide.",
        &[&acme[..], &["*.all.test"]].concat(),
    );
    assert_eq!(answers("b.a.all.test"), "Hello, wide.!");
    for app in ["shop", "a", "all"] {
        home.done(&["app", "delete", app]);
    }
    nobody();
}

#[test]
fn the_hosts_of_an_app_that_is_not_served_are_nobody_elses() {
    let home = Home::new();
    home.write("rhost.toml", TENANTS);
    let serving = home.serve(&["-c", "rhost.toml"]);
    let acme = ["--tenant", "acme"];
    deploy(
        &home,
        "shop",
        "first",
        &[
            &acme[..],
            &["--host", "shop.wide.test", "--host", "*.sub.shop.test"],
        ]
        .concat(),
    );
    let blog = ["--host", "shop.wide.test", "--mount", "/blog"];
    deploy(&home, "blog", "third", &[&acme[..], &blog].concat());
    // Another tenant's, for every host; and one for all below.
    deploy(&home, "rest", "other", &["--tenant", "other"]);
    let wide = ["--tenant", "other", "--host", "*.wide.test"];
    deploy(&home, "wide", "wide.", &wide);
    let answers = |host: &str, path: &str| ask(&serving.addr, host, path);
    assert_eq!(answers("shop.wide.test", "/"), "Hello, first!");
    assert_eq!(answers("shop.wide.test", "/blog"), "Hello, third!");
    assert_eq!(answers("x.wide.test", "/"), "Hello, wide.!");
    assert_eq!(answers("any.test", "/"), "Hello, other!");
    home.done(&["app", "disable", "shop"]);
    for host in ["shop.wide.test", "a.sub.shop.test", "b.a.sub.shop.test"] {
        assert_eq!(answers(host, "/"), "503", "{host}");
    }
    // What is mounted beside it is served on, and the others of other hosts.
    assert_eq!(answers("shop.wide.test", "/blog"), "Hello, third!");
    assert_eq!(answers("x.wide.test", "/"), "Hello, wide.!");
    assert_eq!(answers("any.test", "/"), "Hello, other!");
    // The other way round: the place of one that is mounted is not that of the one above.
    home.done(&["app", "enable", "shop"]);
    home.done(&["app", "disable", "blog"]);
    assert_eq!(answers("shop.wide.test", "/blog"), "503");
    // Another page of the one above, which it does not have.
    assert_eq!(answers("shop.wide.test", "/blogs"), "404");
    // It has other hosts from its next version on, though it is not served.
    let moved = ["--host", "moved.wide.test", "--mount", "/"];
    deploy(&home, "blog", "third", &moved);
    assert_eq!(answers("moved.wide.test", "/"), "503");
    // The app above has this place again, and no such page.
    assert_eq!(answers("shop.wide.test", "/blog"), "404");
    home.done(&["rollback", "blog", "1"]);
    assert_eq!(answers("moved.wide.test", "/"), "Hello, wide.!");
    assert_eq!(answers("shop.wide.test", "/blog"), "503");
    // And after the next start.
    home.done(&["app", "disable", "shop"]);
    drop(serving.stop());
    let serving = home.serve(&["-c", "rhost.toml"]);
    assert_eq!(ask(&serving.addr, "shop.wide.test", "/"), "503");
    assert_eq!(ask(&serving.addr, "shop.wide.test", "/blog"), "503");
    // What is deleted has no hosts any more.
    home.done(&["app", "delete", "shop"]);
    assert_eq!(ask(&serving.addr, "a.sub.shop.test", "/"), "Hello, other!");
    assert_eq!(ask(&serving.addr, "shop.wide.test", "/"), "404");
    home.done(&["app", "delete", "blog"]);
    assert_eq!(ask(&serving.addr, "shop.wide.test", "/"), "Hello, wide.!");
}

#[test]
fn the_hosts_of_an_app_with_a_fault_are_nobody_elses() {
    let home = Home::new();
    home.write("rhost.toml", TENANTS);
    fs::create_dir(home.path("lent")).unwrap();
    let serving = home.serve(&["-c", "rhost.toml"]);
    let acme = ["--tenant", "acme", "--host", "shop.test"];
    deploy(
        &home,
        "shop",
        "first",
        &[&acme[..], &["--set", "dir=lent:/lent"]].concat(),
    );
    deploy(&home, "rest", "other", &["--tenant", "other"]);
    assert_eq!(ask(&serving.addr, "shop.test", "/"), "Hello, first!");
    drop(serving.stop());
    // Its directory is gone, so that it cannot be served.
    fs::remove_dir(home.path("lent")).unwrap();
    let mut serving = home.serve(&["-c", "rhost.toml"]);
    assert!(home.done(&["apps"]).contains("faulty"));
    assert_eq!(ask(&serving.addr, "shop.test", "/"), "503");
    assert_eq!(ask(&serving.addr, "any.test", "/"), "Hello, other!");
    // Nobody takes them, and its next version has them again.
    let file = home.component("other");
    let take = [
        "deploy",
        &file,
        "--app",
        "new",
        "--tenant",
        "other",
        "--host",
        "shop.test",
    ];
    assert!(home.refused(&take, 1).contains("of another tenant"));
    // Its tenant is no tenant any more: neither is it anybody else's.
    home.write("rhost.toml", "[tenants.other]\n");
    serving.signal(rustix::process::Signal::HUP);
    heard(&mut serving, "rhost.toml is applied");
    assert_eq!(ask(&serving.addr, "shop.test", "/"), "503");
    home.done(&[
        "deploy", &file, "--app", "shop", "--unset", "dir", "--unset", "tenant",
    ]);
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
}

/// A home with a token of each tenant in a file of its name.
fn with_tokens(file: &str) -> (Home, crate::serving::Serving) {
    let home = Home::new();
    home.write("rhost.toml", file);
    let serving = home.serve(&["-c", "rhost.toml"]);
    for tenant in ["acme", "other"] {
        let token = home.done(&["token", "create", "--tenant", tenant]);
        fs::write(home.path(tenant), token).unwrap();
    }
    (home, serving)
}

#[test]
fn a_tenant_takes_no_name_above_or_below_anothers_and_no_public_suffix() {
    let (home, serving) = with_tokens(TENANTS);
    let file = home.component("first");
    let line = |tenant: &'static str, hosts: &[&'static str]| {
        let app = format!("{tenant}-{}", hosts.join("-").replace('*', "all"));
        let mut line: Vec<String> = ["deploy", &file, "--app", &app, "--token-file", tenant]
            .map(str::to_owned)
            .into();
        for host in hosts {
            line.extend(["--host".to_owned(), (*host).to_owned()]);
        }
        line
    };
    let done = |tenant, hosts: &[&'static str]| {
        let line = line(tenant, hosts);
        home.done(&line.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let refused = |tenant, hosts: &[&'static str]| {
        let line = line(tenant, hosts);
        home.refused(&line.iter().map(String::as_str).collect::<Vec<_>>(), 1)
    };
    done("acme", &["shop.example"]);
    home.done(&[
        "deploy",
        &file,
        "--app",
        "own",
        "--host",
        "operator.example",
    ]);
    for host in [
        "x.shop.example",
        "b.a.shop.example",
        "*.shop.example",
        "*.a.shop.example",
        "x.operator.example",
    ] {
        let said = refused("other", &[host]);
        assert!(
            said.contains("overlaps a host of another tenant"),
            "{host}: {said}"
        );
    }
    for host in [
        "*.example",
        "example",
        "localhost",
        "*.localhost",
        "com",
        "*.com",
        "co.uk",
        "*.co.uk",
        "github.io",
        "*.github.io",
        "xn--55qx5d.cn",
    ] {
        let said = refused("other", &[host]);
        assert!(said.contains("a public suffix"), "{host}: {said}");
        // One of several is enough.
        let said = refused("other", &["fine.test", host]);
        assert!(said.contains("a public suffix"), "{host}: {said}");
    }
    // It is its own, and the operator may do what he likes.
    done("acme", &["x.shop.example", "*.y.shop.example"]);
    done(
        "other",
        &["myshop.example", "me.github.io", "me.co.uk", "192.0.2.1"],
    );
    home.done(&["deploy", &file, "--app", "all", "--host", "*.localhost"]);
    let given = [
        "--tenant",
        "other",
        "--host",
        "given.shop.example",
        "--host",
        "localhost",
    ];
    home.done(&[&["deploy", &file, "--app", "given"][..], &given].concat());
    // What he gave to an app stays with it, through the tenant's own deploys.
    let token = ["--token-file", "other"];
    home.done(&[&["deploy", &file, "--app", "given"][..], &token].concat());
    let given = get(&serving.addr, "/", "host: given.shop.example\r\n");
    assert!(given.ends_with("Hello, first!\n"), "{given}");
}

#[test]
fn the_operator_says_which_hosts_a_tenant_may_take() {
    let file = "[tenants.acme]\nhosts = [\"*.acme.example\", \"acme.github.io\", \"co.uk\"]\n[tenants.other]\n";
    let (home, _serving) = with_tokens(file);
    let component = home.component("first");
    let deploy = |tenant: &str, app: &str, host: &str| {
        let line = [
            "deploy",
            &component,
            "--app",
            app,
            "--host",
            host,
            "--token-file",
            tenant,
        ];
        home.run(&line)
    };
    for (number, host) in [
        "a.acme.example",
        "*.b.acme.example",
        "acme.github.io",
        "co.uk",
    ]
    .into_iter()
    .enumerate()
    {
        let output = deploy("acme", &format!("good-{number}"), host);
        assert!(output.status.success(), "{host}: {output:?}");
    }
    for (tenant, host, says) in [
        (
            "acme",
            "acme.example",
            "none of those that tenant `acme` may deploy to",
        ),
        ("acme", "free.example", "tenants.acme.hosts"),
        ("other", "c.acme.example", "is kept for another tenant"),
        ("other", "*.example", "a public suffix"),
        ("other", "*.z.acme.example", "is kept for another tenant"),
        ("other", "x.acme.github.io", "is kept for another tenant"),
        ("other", "acme.example", "is kept for another tenant"),
    ] {
        let output = deploy(tenant, "bad", host);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(says), "{tenant} {host}: {said}");
    }
    assert!(deploy("other", "free", "free.example").status.success());
}

/// What is deployed beside an app of the file that has its name can be deleted, and that
/// is all that goes.
#[test]
fn what_has_the_name_of_an_app_of_the_file_does_not_touch_that() {
    let home = Home::new();
    home.write("rhost.toml", "");
    let mut serving = home.serve(&["-c", "rhost.toml"]);
    home.deploy("shop", "first");
    let file = home.component("other");
    let app = format!("[apps.shop]\ncomponent = \"{file}\"\nhosts = \"shop.test\"\n");
    home.write("rhost.toml", &app);
    serving.signal(rustix::process::Signal::HUP);
    serving.until("rhost.toml is applied");
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
    for line in [
        &["app", "enable", "shop"][..],
        &["app", "disable", "shop"],
        &["rollback", "shop", "1"],
    ] {
        let said = home.refused(line, 1);
        assert!(
            said.contains("is one of rhost.toml; change it there"),
            "{said}"
        );
    }
    home.done(&["app", "delete", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
    let shown = home.done(&["apps"]);
    assert!(
        shown.contains("shop") && !shown.contains("faulty"),
        "{shown}"
    );
}

/// What a tenant has deployed stays its own when the file has an app of its name for
/// another tenant: its hosts, its versions, and its place among those that it may have.
#[test]
fn a_name_that_the_file_takes_gives_nothing_of_the_app_to_another_tenant() {
    let tenants = "[tenants.acme]\nmax-apps = 2\n[tenants.other]\n";
    let (home, mut serving) = with_tokens(tenants);
    let file = home.component("other");
    deploy(&home, "rest", "third", &["--tenant", "other"]);
    for app in ["shop", "off"] {
        let host = format!("{app}.test");
        let line = ["--host", &host, "--token-file", "acme"];
        deploy(&home, app, "first", &line);
    }
    home.done(&["app", "disable", "off"]);
    let apps = ["shop", "off"].map(|app| {
        format!(
            "[apps.{app}]\ncomponent = \"{file}\"\ntenant = \"other\"\nhosts = \"{app}.else.test\"\n"
        )
    });
    home.write("rhost.toml", &format!("{tenants}{}", apps.concat()));
    serving.signal(rustix::process::Signal::HUP);
    heard(&mut serving, "rhost.toml is applied");
    for app in ["shop", "off"] {
        let host = format!("{app}.test");
        assert_eq!(ask(&serving.addr, &host, "/"), "503", "{app}");
        let there = format!("{app}.else.test");
        assert_eq!(ask(&serving.addr, &there, "/"), "Hello, other!");
        // Nobody takes its hosts: it would come after it in the order of names.
        let take = ["deploy", &file, "--app", "aaa", "--host", &host];
        let said = home.refused(&[&take[..], &["--token-file", "other"]].concat(), 1);
        assert!(said.contains("is another tenant's"), "{said}");
        // Whose the file's is may not delete what has its name.
        let said = home.refused(&["app", "delete", app, "--token-file", "other"], 1);
        assert!(
            said.contains("is one of rhost.toml; change it there"),
            "{said}"
        );
        let listed = home.done(&["apps", "--token-file", "acme"]);
        assert!(listed.contains(app), "{listed}");
    }
    // Both count.
    let more = ["deploy", &file, "--app", "more", "--host", "more.test"];
    let said = home.refused(&[&more[..], &["--token-file", "acme"]].concat(), 1);
    assert!(said.contains("max-apps"), "{said}");
    // The one of the two that its owner deletes has no hosts any more.
    home.done(&["app", "delete", "off", "--token-file", "acme"]);
    assert_eq!(ask(&serving.addr, "off.test", "/"), "Hello, third!");
    assert_eq!(ask(&serving.addr, "off.else.test", "/"), "Hello, other!");
    home.done(&[&more[..], &["--token-file", "acme"]].concat());
    // The file gives the name back.
    home.write("rhost.toml", tenants);
    serving.said.clear();
    serving.signal(rustix::process::Signal::HUP);
    heard(&mut serving, "rhost.toml is applied");
    assert_eq!(ask(&serving.addr, "shop.test", "/"), "Hello, first!");
    assert_eq!(ask(&serving.addr, "shop.else.test", "/"), "Hello, third!");
}

/// Nobody serves what is to be disabled because it had a fault in between.
#[test]
fn a_disabled_app_with_a_fault_stays_disabled() {
    let home = Home::new();
    home.write("rhost.toml", TENANTS);
    let mut serving = home.serve(&["-c", "rhost.toml"]);
    let file = home.component("first");
    let acme = ["--tenant", "acme", "--host", "shop.test"];
    deploy(&home, "shop", "first", &acme);
    home.done(&["app", "disable", "shop"]);
    home.write("rhost.toml", "[tenants.other]\n");
    serving.signal(rustix::process::Signal::HUP);
    heard(&mut serving, "rhost.toml is applied");
    assert!(home.done(&["apps"]).contains("faulty"));
    home.done(&["deploy", &file, "--app", "shop", "--unset", "tenant"]);
    assert_eq!(greeting(&serving, "shop"), "503");
    assert!(home.done(&["apps"]).contains("disabled"));
    home.done(&["app", "enable", "shop"]);
    assert_eq!(greeting(&serving, "shop"), "Hello, first!");
}
