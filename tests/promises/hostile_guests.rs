//! Guests that mean no good, where no other promise has them (hostile guests 2, 6, 7,
//! 10, 14, 16, 24, 25, 37 and 38): each is refused or stopped, its place is free again,
//! and the host goes on. The table in docs/security.md has all of them.

use crate::strangers::{misfit, refusal};
use http::Request;
use rhost::settings::Limits;
use rhost_tests::{Server, Test};

/// What is in an application that is written by hand, in the places that
/// `application.wat` has for it. Left alone it begins no answer.
#[derive(Default)]
struct Application<'a> {
    /// More imports of the component.
    imports: &'a str,
    /// What `realloc` does first.
    realloc: &'a str,
    /// More fields of the module.
    module: &'a str,
    /// What `handle` does.
    handle: &'a str,
    /// What is done when the host has read the result of `handle`.
    post_return: &'a str,
}

impl Application<'_> {
    fn component(&self) -> Vec<u8> {
        let text = include_str!("hostile_guests/application.wat")
            .replace("(;imports;)", self.imports)
            .replace("(;realloc;)", self.realloc)
            .replace("(;module;)", self.module)
            .replace("(;handle;)", self.handle)
            .replace("(;post-return;)", self.post_return);
        wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn serving(&self) -> Test {
        Test::serving("by-hand").component(self.component())
    }
}

/// Begins an answer of 200.
const ANSWERS: &str = "(call $answer (i32.const 200))";
/// Never ends, outside the module of the application.
const SPINS: &str = "(loop $again (br $again))";

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_written_by_hand_is_served() {
    let answers = Application {
        handle: ANSWERS,
        ..Application::default()
    };
    assert_eq!(answers.serving().get("/").await.status, 200);
    let answer = Application::default().serving().get("/").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.log.contains("without having called start-response"),
        "{}",
        answer.log
    );
}

/// Hostile guest 2: also where it has answered all but its end.
#[tokio::test(flavor = "multi_thread")]
async fn loops_in_start_realloc_and_post_return_are_stopped() {
    let plain = Application {
        handle: ANSWERS,
        ..Application::default()
    };
    for (place, guest) in [
        (
            "start",
            Application {
                module: "(start $spin)",
                ..plain
            },
        ),
        (
            "realloc",
            Application {
                realloc: SPINS,
                ..plain
            },
        ),
        (
            "post-return",
            Application {
                post_return: "(call $spin)",
                ..plain
            },
        ),
    ] {
        for (test, said) in [
            (
                guest.serving().cpu("50ms"),
                "CPU limit of 50ms reached (--cpu)",
            ),
            (
                guest.serving().timeout("50ms"),
                "time limit of 50ms reached (--timeout)",
            ),
        ] {
            // Whoever had the only place for good would let nobody else have an answer.
            let server = test.concurrency(1).queue_timeout("30s").start().await;
            for _ in 0..3 {
                assert_eq!(server.get("/").await.status, 504, "{place}");
            }
            let log = server.stop().await.log;
            assert_eq!(log.matches(said).count(), 3, "{place}: {log}");
        }
    }
}

/// Hostile guest 6.
#[tokio::test(flavor = "multi_thread")]
async fn a_giant_table_is_refused() {
    let begun = |elements: u32| {
        let table = format!("(table {elements} funcref)");
        Application {
            module: &table,
            handle: ANSWERS,
            ..Application::default()
        }
        .component()
    };
    let said = refusal(&begun(1_000_001)).unwrap();
    assert_eq!(
        said,
        "it has 1000001 elements in tables to start with, and may have 1000000"
    );
    // One that the app may not have is never served.
    let serving = |elements| Test::serving("by-hand").component(begun(elements));
    let limits = Limits {
        table_elements: 1000,
        ..Limits::default()
    };
    assert_eq!(
        misfit(&begun(1001), &limits).unwrap(),
        "it starts with a table of 1001 elements and may have 1000; allow it more with --table-elements"
    );
    let answer = serving(1000).table_elements(1000).get("/").await;
    assert_eq!(answer.status, 200, "{}", answer.log);
    // One that grows does so up to the limit; it is told, and may go on.
    let grows = Application {
        module: "(table $table 10 funcref)",
        handle: "
            (if (i32.ne (i32.const 10) (table.grow $table (ref.null func) (i32.const 990)))
                (then (unreachable)))
            (if (i32.ne (i32.const -1) (table.grow $table (ref.null func) (i32.const 1)))
                (then (unreachable)))
            (if (i32.ne (i32.const -1) (table.grow $table (ref.null func) (i32.const -1)))
                (then (unreachable)))
            (call $answer (i32.const 200))",
        ..Application::default()
    };
    let answer = grows.serving().table_elements(1000).get("/").await;
    assert_eq!(answer.status, 200, "{}", answer.log);
}

/// Hostile guest 6: eight bytes for each element.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_memory_of_their_sandbox() {
    let grows = Application {
        module: "(table $one 10 funcref) (table $other 10 funcref)",
        handle: "
            (if (i32.eq (i32.const -1) (table.grow $one (ref.null func) (i32.const 400000)))
                (then (unreachable)))
            (if (i32.eq (i32.const -1) (table.grow $other (ref.null func) (i32.const 400000)))
                (then (unreachable)))
            (call $answer (i32.const 200))",
        ..Application::default()
    };
    let serving = |memory| grows.serving().table_elements(1_000_000).memory(memory);
    // It has 1 MiB of linear memory.
    let answer = serving("6MiB").get("/").await;
    assert_eq!(answer.status, 500);
    assert!(
        answer.log.contains("memory limit of 6 MiB reached"),
        "{}",
        answer.log
    );
    let answer = serving("8MiB").get("/").await;
    assert_eq!(answer.status, 200, "{}", answer.log);
}

/// Hostile guests 6 and 37: memory that 64 bits address, and memory that threads share.
#[test]
fn memory_of_another_kind_is_refused() {
    for (memory, says) in [
        ("(memory i64 1)", "memory64 must be enabled"),
        ("(memory 1 1 shared)", "threads must be enabled"),
    ] {
        let module = format!("(core module {memory})");
        let guest = Application {
            imports: &module,
            ..Application::default()
        };
        let said = refusal(&guest.component()).unwrap();
        assert!(
            said.starts_with("not a valid component: ") && said.contains(says),
            "{said}"
        );
    }
}

/// Hostile guest 7: more than a sandbox has, over all instances of its modules.
#[test]
fn too_many_memories_and_tables_are_refused() {
    // It has a memory of its own.
    for (what, field, most) in [
        ("memories", "(memory 1)", 7),
        ("tables", "(table 1 funcref)", 16),
    ] {
        let of = |count| {
            let instances = "(core instance (instantiate $one))".repeat(count);
            let more = format!("(core module $one {field}) {instances}");
            let guest = Application {
                imports: &more,
                ..Application::default()
            };
            guest.component()
        };
        assert_eq!(refusal(&of(most)), None, "{what}");
        let said = refusal(&of(most + 1)).unwrap();
        assert!(said.contains(what) && !said.contains('\n'), "{said}");
    }
}

/// Hostile guest 10.
#[test]
fn deeply_nested_types_are_refused() {
    // Each is a list of the one before it.
    let nested = |depth: usize| {
        let mut types = "(type $t0 (list u8))".to_owned();
        for level in 1..depth {
            types += &format!("(type $t{level} (list $t{}))", level - 1);
        }
        let guest = Application {
            imports: &types,
            ..Application::default()
        };
        guest.component()
    };
    assert_eq!(refusal(&nested(50)), None);
    for depth in [1000, 40_000] {
        let said = refusal(&nested(depth)).unwrap();
        assert!(said.starts_with("not a valid component: "), "{said}");
    }
}

/// Hostile guest 14.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_handles_is_stopped() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let server = Test::serving("keeps-handles")
        .dir(home.path(), "/data", true)
        .cpu("20s")
        .timeout("60s")
        // Why each failed counts beside what it tells itself.
        .log_rate("16MiB")
        .concurrency(1)
        .queue_timeout("30s")
        .start()
        .await;
    for _ in 0..3 {
        assert_eq!(server.get("/outputs").await.status, 500);
        assert_eq!(server.get("/files").await.status, 500);
    }
    let log = server.stop().await.log;
    let of = |says| log.lines().filter(|line| line.contains(says)).count();
    assert_eq!(of("store handle limit exceeded"), 3, "{log}");
    assert_eq!(of("table has no free keys"), 3, "{log}");
}

/// Hostile guest 16: a read gives as much as the host copies at a time, whatever is
/// asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_huge_read_gives_a_block() {
    let size = 8 << 20;
    let answer = Test::serving("reads-greedily")
        .post("/", vec![b'x'; size])
        .await;
    let (all, most) = answer.text().split_once(' ').unwrap();
    assert_eq!(all.parse(), Ok(size));
    let most: usize = most.parse().unwrap();
    assert!((1..=64 << 10).contains(&most), "{most}");
}

/// Hostile guest 16.
#[tokio::test(flavor = "multi_thread")]
async fn more_chance_than_anyone_needs_is_refused() {
    for octets in ["-1", "65537"] {
        let handle = format!("(call $get-random-bytes (i64.const {octets}) (i32.const 128))");
        let guest = Application {
            handle: &handle,
            ..Application::default()
        };
        let server = guest.serving().concurrency(1).start().await;
        for _ in 0..3 {
            assert_eq!(server.get("/").await.status, 500);
        }
        let log = server.stop().await.log;
        assert_eq!(log.matches("exceeds limit 65536").count(), 3, "{log}");
    }
}

/// A server of the guest that has much to say, of which little is let through.
async fn talkative() -> Server {
    let test = Test::serving("log-flood").log_rate("10KiB");
    test.cpu("20s").timeout("60s").start().await
}

/// Hostile guest 24: what a guest tells of exceptions is as bounded as what it prints.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_exceptions_is_bounded_and_counted() {
    for (path, status) in [("/tells", 200), ("/fails", 500)] {
        let server = talkative().await;
        assert_eq!(server.get(path).await.status, status);
        let log = server.stop().await.log;
        let length = log.len();
        assert!(length < 1 << 20, "{path}: {length} octets were logged");
        // The share fills up again while there are more, as for what is printed.
        if path == "/tells" {
            assert!(
                log.contains("lines of this app were dropped (--log-rate)"),
                "{}",
                &log[length.saturating_sub(500)..]
            );
        }
    }
}

/// Hostile guest 25: a line of the host's own cannot be forged with one either.
#[tokio::test(flavor = "multi_thread")]
async fn an_exception_becomes_tagged_and_escaped_lines() {
    let server = talkative().await;
    let answer = server.request(Request::get("/told"), "").await;
    assert_eq!(answer.text(), "logged");
    let stopped = server.stop().await;
    let id = stopped.access_log.trim_end().rsplit(' ').next().unwrap();
    let lines: Vec<_> = stopped
        .log
        .lines()
        .map(|line| line.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(
        lines,
        [
            format!("log-flood {id} rhost: exc-info: TestError: told"),
            format!(
                "log-flood {id} rhost: \\u{{1b}}[31mred\\u{{1b}}[0m 2026-01-01 forged request line"
            ),
            format!("log-flood {id} rhost: in the guest"),
        ]
    );
}

/// Hostile guest 38.
#[test]
fn an_unknown_import_is_named() {
    let guest = Application {
        imports: r#"
            (import "acme:db/sql@1.0.0" (instance (export "query" (func))))
            (import "wasi:http/outgoing-handler@0.2.3" (instance (export "x" (func))))"#,
        ..Application::default()
    };
    let said = refusal(&guest.component()).unwrap();
    for says in [
        "imports what rhost does not lend: acme:db/sql@1.0.0 (",
        "; wasi:http/outgoing-handler@0.2.3 (",
    ] {
        assert!(said.contains(says), "{said}");
    }
}
