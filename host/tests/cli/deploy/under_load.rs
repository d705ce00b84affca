//! Deploys while requests are served, and while another process takes over.

use super::{Home, greeting};
use crate::loader::{Loader, Target};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn no_request_fails_while_its_own_app_is_deployed() {
    let home = Home::new();
    home.write("rhost.toml", "");
    let mut serving = home.serve(&["-c", "rhost.toml"]);
    let world = home.component("world");
    home.done(&["deploy", &world, "--app", "rest"]);
    let addr = serving.addr.parse().unwrap();
    let loader = Loader::start(&[Target::Http1(addr), Target::Http2(addr)], true);
    for round in 0..10 {
        loader.wait_for(20);
        home.done(&[
            "deploy",
            &world,
            "--app",
            "rest",
            "--env",
            &format!("ROUND={round}"),
        ]);
        home.deploy("other", "other");
        match round % 3 {
            0 => drop(home.done(&["rollback", "rest"])),
            1 => drop(home.done(&["app", "delete", "other"])),
            _ => {
                home.write(
                    "rhost.toml",
                    &format!("[defaults]\ncpu = \"{}s\"\n", round + 1),
                );
                serving.signal(Signal::HUP);
                serving.until("rhost.toml is applied");
            }
        }
    }
    let tally = loader.stop();
    assert!(tally.failed.is_empty(), "{tally:?}");
}

#[test]
fn another_process_takes_over_what_is_deployed() {
    let home = Home::new();
    let mut serving = home.serve(&[]);
    home.deploy("shop", "first");
    serving.signal(Signal::USR2);
    let line = serving.until(" has taken over");
    let pid = line.split(' ').nth(2).and_then(|pid| pid.parse().ok());
    let pid = pid.and_then(Pid::from_raw).expect("it says which");
    // The last one may still have the socket for a moment, and then says so.
    let other = home.component("other");
    let deploy = ["deploy", &other, "--app", "shop"];
    let deployed = (0..1000).any(|_| home.run(&deploy).status.success());
    assert!(deployed);
    let mut answers = (0..10_000).map(|_| greeting(&serving, "shop"));
    assert!(answers.any(|answer| answer == "Hello, other!"));
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(serving.rest().0, Some(0));
    let serving = home.serve(&[]);
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
}

/// A process that cannot take over leaves the one before as it was, store and all.
#[test]
fn a_handover_that_fails_leaves_the_store_where_it_was() {
    let home = Home::new();
    home.write("rhost.toml", "");
    let mut serving = home.serve(&["-c", "rhost.toml"]);
    home.deploy("shop", "first");
    home.write("rhost.toml", "[apps.bad]\n");
    serving.signal(Signal::USR2);
    serving.until("this process serves on");
    // It takes the store back at once, and until then says so.
    let other = home.component("other");
    let deploy = ["deploy", &other, "--app", "shop"];
    let deployed = (0..1000).any(|_| home.run(&deploy).status.success());
    assert!(deployed);
    assert_eq!(greeting(&serving, "shop"), "Hello, other!");
}
