//! Components of strangers (issue 6): whatever is in one, the loader refuses it or it is
//! served, and the host goes on. All of it is the same in each run.

use rhost::compiler::Compiler;
use rhost::load::{LoadError, Loaded, Loader};
use rhost::settings::Limits;
use rhost_tests::{Server, Test, engines, file};
use std::ops::Range;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Octets that a changed guest may have.
const MEMORY: u64 = 16 << 20;

/// Numbers that look like chance and are not (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Loads `component` as the host does.
pub fn load(component: &[u8]) -> Result<Loaded, LoadError> {
    let loader = Loader {
        engines: engines(),
        compiler: &Compiler::Here,
        cache: None,
    };
    loader.load(component, || ())
}

/// What is said of it, in a line.
pub fn refusal(component: &[u8]) -> Option<String> {
    load(component).err().map(|error| error.to_string())
}

/// Why an app with these `limits` cannot be served by `component`, which is a good one.
pub fn misfit(component: &[u8], limits: &Limits) -> Option<String> {
    let loaded = load(component).unwrap_or_else(|error| panic!("{error}"));
    loaded.fit(limits).err().map(|error| error.to_string())
}

#[test]
fn octets_by_chance_are_refused() {
    let mut numbers = Numbers(1);
    for length in 0..200 {
        let octets = numbers.octets(length);
        assert!(refusal(&octets).is_some(), "{octets:?}");
        // The same behind the first octets of a component.
        let octets = [&b"\0asm\x0d\0\x01\0"[..], &octets].concat();
        assert!(refusal(&octets).is_some(), "{octets:?}");
    }
}

#[test]
fn what_is_cut_short_is_refused() {
    let (component, mut numbers) = (file("answers"), Numbers(2));
    for _ in 0..200 {
        let length = numbers.below(component.len());
        assert!(refusal(&component[..length]).is_some(), "{length} octets");
    }
}

/// Each sandbox has so many instances of modules, and none has another's.
#[test]
fn more_instances_than_a_sandbox_has_are_refused() {
    let component = file("answers");
    let modules = sections(&component)
        .iter()
        .filter(|(number, _)| *number == 1)
        .count();
    // An empty module, and instances of it without arguments.
    let with = |count: u8| {
        let module = b"\x01\x08\0asm\x01\0\0\0";
        let instances = [0, modules as u8, 0].repeat(count.into());
        let length = instances.len() as u8 + 1;
        [&component[..], module, &[2, length, count], &instances].concat()
    };
    assert_eq!(refusal(&with(30)), None);
    let twice = [&with(40)[..], &with(40)[component.len() + 10..]].concat();
    let said = refusal(&twice).unwrap();
    assert!(said.contains("instances of core modules"), "{said}");
}

/// A guest in which something was changed runs as what it has become, within its
/// limits, and nobody else is the worse for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_guest_harms_nobody() {
    let well = Test::serving("answers").start().await;
    let component = file("answers");
    let (mut numbers, mut served) = (Numbers(4), 0);
    for _ in 0..40 {
        let changed = changed(&component, &mut numbers);
        let limits = Limits {
            memory: MEMORY,
            ..Limits::default()
        };
        if refusal(&changed).is_some() || misfit(&changed, &limits).is_some() {
            continue;
        }
        let server = Test::serving("answers")
            .component(changed)
            .cpu("50ms")
            .timeout("5s")
            .memory(&MEMORY.to_string())
            .start()
            .await;
        for path in ["/200?1", "/200?2"] {
            ask(&server, path).await;
        }
        server.stop().await;
        served += 1;
        assert_eq!(well.get("/200?1").await.status, 200);
    }
    assert!(served > 4, "{served}");
}

/// Asks, and reads whatever comes until the connection ends.
async fn ask(server: &Server, path: &str) {
    let mut stream = server.connect().await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // It may also be cut.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 "), "{answer:?}");
}

/// `component` with something else in the code of its largest module: some other bits, or
/// octets that are elsewhere in it.
fn changed(component: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let module = largest_module(component);
    let (start, most) = (module.start + module.len() / 4, module.len() / 2);
    let mut octets = component.to_vec();
    let (to, from) = (start + numbers.below(most), start + numbers.below(most));
    match numbers.below(2) {
        0 => octets[to] ^= 1 << numbers.below(8),
        _ => octets.copy_within(from..from + 1 + numbers.below(4), to),
    }
    octets
}

/// The largest module of a component. Those are its sections of number 1.
fn largest_module(component: &[u8]) -> Range<usize> {
    let sections = sections(component).into_iter();
    let modules = sections.filter(|(number, _)| *number == 1);
    let largest = modules.max_by_key(|(_, module)| module.len());
    largest.expect("there is a module").1
}

/// The sections of a component: each is a number, its length and so many octets.
fn sections(component: &[u8]) -> Vec<(u8, Range<usize>)> {
    let (mut place, mut sections) = (8, Vec::new());
    while place < component.len() {
        let (id, mut length, mut shift) = (component[place], 0, 0);
        loop {
            place += 1;
            length |= usize::from(component[place] & 0x7f) << shift;
            shift += 7;
            if component[place] < 0x80 {
                break;
            }
        }
        place += 1;
        sections.push((id, place..place + length));
        place += length;
    }
    sections
}
