//! Apps that were deployed are in memory while they are used, and no longer than there
//! is room for them.

use rhost::residency::Budget;
use rhost_tests::Fleet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ROOM: Budget = Budget {
    octets: u64::MAX,
    components: usize::MAX,
};

/// An app of each component, for the host of its name.
fn apps(components: &[&str]) -> String {
    let app = |name: &&str| {
        format!("[apps.{name}]\ncomponent = \"{name}.wasm\"\nhosts = [\"{name}.test\"]\n")
    };
    components.iter().map(app).collect()
}

async fn status(fleet: &Fleet, name: &str) -> u16 {
    fleet.get(&format!("{name}.test"), "/").await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_with_the_first_request_and_goes_when_others_were_used_more_recently() {
    let all = ["hello", "environ", "echoes", "remembers"];
    let room = Budget {
        components: 3,
        ..ROOM
    };
    let fleet = Fleet::deployed(&all, &apps(&all), room).await;
    assert!(all.iter().all(|name| !fleet.app(name).is_loaded()));
    assert_eq!(fleet.residency().taken().components, 0);
    for name in ["hello", "environ", "echoes", "hello", "remembers"] {
        assert_eq!(status(&fleet, name).await, 200, "{name}");
    }
    // Nobody waits for room to be made, so it may be made a moment later.
    while fleet.residency().taken().components > 3 {
        tokio::task::yield_now().await;
    }
    let loaded = all.map(|name| fleet.app(name).is_loaded());
    assert_eq!(loaded, [true, false, true, true]);
    assert_eq!(status(&fleet, "environ").await, 200, "it comes back");
    assert!(fleet.app("environ").is_loaded());
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_of_one_component_share_it() {
    let app = |number| {
        format!("[apps.a{number}]\ncomponent = \"hello.wasm\"\nhosts = [\"a{number}.test\"]\n")
    };
    let text: String = (0..10).map(app).collect();
    let fleet = Fleet::deployed(&["hello"], &text, ROOM).await;
    for number in 0..10 {
        assert_eq!(status(&fleet, &format!("a{number}")).await, 200);
    }
    assert_eq!(fleet.residency().taken().components, 1);
    // With the last of them it goes.
    let taken = fleet.residency().taken().octets;
    let mut fleet = fleet;
    fleet.apply(&text.replace("a0", "b0")).unwrap();
    assert!(fleet.residency().taken().octets < taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_requests_that_come_at_once_load_it_once() {
    let fleet = Fleet::deployed(&["hello"], &apps(&["hello"]), ROOM).await;
    let asking = (0..32).map(|_| status(&fleet, "hello"));
    let statuses = futures_util::future::join_all(asking).await;
    assert_eq!(statuses, [200; 32]);
    assert_eq!(fleet.residency().clock(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_places_are_counted_from_one_load_to_the_next() {
    let text = apps(&["hangs", "hello"]).replace(
        "hosts = [\"hangs.test\"]",
        "hosts = [\"hangs.test\"]\nconcurrency = 1\nqueue = 0",
    );
    let room = Budget {
        components: 1,
        ..ROOM
    };
    let fleet = Fleet::deployed(&["hangs", "hello"], &text, room).await;
    let mut held = TcpStream::connect(fleet.server.addr).await.unwrap();
    held.write_all(b"GET /write HTTP/1.1\r\nhost: hangs.test\r\n\r\n")
        .await
        .unwrap();
    held.read_exact(&mut [0; 64]).await.unwrap();
    assert_eq!(status(&fleet, "hello").await, 200);
    while fleet.residency().taken().components > 1 {
        tokio::task::yield_now().await;
    }
    assert!(!fleet.app("hangs").is_loaded());
    let answer = || fleet.get("hangs.test", "/answer");
    assert_eq!(answer().await.status, 503, "its one place is taken");
    drop(held);
    while fleet.app("hangs").running() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(answer().await.status, 200);
}

/// A component that is not what was deployed costs its app, and nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_and_costs_its_app_only() {
    let mut fleet = Fleet::deployed(&["hello"], &apps(&["hello"]), ROOM).await;
    let hello = std::fs::read(fleet.home().join("hello.wasm")).unwrap();
    let all = ["hello", "changed", "gone"];
    for (number, name) in all.iter().enumerate().skip(1) {
        // With a section of no meaning it is another one, whose code nobody kept.
        let id = std::process::id().to_le_bytes();
        let own = [&[0, 7, 1, b'x', number as u8][..], &id].concat();
        let file = fleet.home().join(format!("{name}.wasm"));
        std::fs::write(file, [&hello[..], &own].concat()).unwrap();
    }
    fleet.apply(&apps(&all)).unwrap();
    let changed = fleet.home().join("changed.wasm");
    let mut octets = std::fs::read(&changed).unwrap();
    octets[5000] ^= 1;
    std::fs::write(&changed, octets).unwrap();
    std::fs::remove_file(fleet.home().join("gone.wasm")).unwrap();
    for _ in 0..3 {
        assert_eq!(status(&fleet, "changed").await, 503);
        assert_eq!(status(&fleet, "gone").await, 503);
        assert_eq!(status(&fleet, "hello").await, 200);
    }
    let log = fleet.stop().await.log;
    assert!(
        log.contains("changed.wasm is not the one that was deployed"),
        "{log}"
    );
    assert!(
        log.contains("gone.wasm cannot be read: No such file"),
        "{log}"
    );
}
