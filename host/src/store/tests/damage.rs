//! Files that were damaged, in some hundred ways: never a panic, and what is wrong in a
//! line.

use super::*;
use fastrand::Rng;

/// Ways of damage that are tried.
const WAYS: u64 = 400;

/// Apps, versions and tokens, some of them gone again.
fn fill(store: &Store) {
    for app in 0..8 {
        for version in 0..12 {
            deploy(store, &format!("app-{app}"), &[app, version]).unwrap();
        }
    }
    store.delete("app-3").unwrap();
    store.enable("app-4", false).unwrap();
    store.choose("app-5", 7).unwrap();
    for number in 0..4 {
        store.make_token(&Scope::All, &format!("{number}")).unwrap();
    }
}

/// Damages `octets` in a way that `rng` says.
fn damage(octets: &mut Vec<u8>, rng: &mut Rng) {
    const PAGE: usize = 4096;
    let pages = octets.len() / PAGE;
    // Little is at random places: the first pages have what leads to all others.
    let at = match rng.bool() {
        true => rng.usize(..octets.len()),
        false => rng.usize(..octets.len().min(16 * PAGE)),
    };
    match rng.u8(..7) {
        0 | 1 => octets[at] ^= 1 << rng.u8(..8),
        2 => {
            let end = (at + rng.usize(1..64)).min(octets.len());
            rng.fill(&mut octets[at..end]);
        }
        3 => {
            let end = (at + 512).min(octets.len());
            octets[at..end].fill(0);
        }
        4 => octets.truncate(at),
        5 => {
            let (one, other) = (rng.usize(..pages), rng.usize(..pages));
            let page = octets[one * PAGE..][..PAGE].to_vec();
            octets.copy_within(other * PAGE..(other + 1) * PAGE, one * PAGE);
            octets[other * PAGE..][..PAGE].copy_from_slice(&page);
        }
        _ => {
            let more = rng.usize(1..3 * PAGE);
            octets.extend(std::iter::repeat_with(|| rng.u8(..)).take(more));
        }
    }
}

/// Does with `store` what a server does.
fn exercise(store: &Store) -> Result<(), StoreError> {
    for (name, _) in store.apps()? {
        store.versions(&name)?;
        let _ = store.app(&name);
    }
    deploy(store, "new", b"new")?;
    store.delete("app-1")?;
    store.make_token(&Scope::All, "new")?;
    Ok(())
}

#[test]
fn a_damaged_file_is_an_error_in_a_line() {
    let (_home, path) = home();
    let store = Store::open(&path).unwrap();
    fill(&store);
    let file = path.join(DATABASE);
    // As a process leaves it that was killed, and as one leaves it that ended.
    let killed = fs::read(&file).unwrap();
    drop(store);
    let ended = fs::read(&file).unwrap();
    let (mut refused, mut served) = (0, 0);
    for way in 0..WAYS {
        let mut rng = Rng::with_seed(way);
        let mut octets = if way % 3 == 0 {
            killed.clone()
        } else {
            ended.clone()
        };
        damage(&mut octets, &mut rng);
        let (_home, path) = home();
        drop(Store::open(&path).unwrap());
        fs::write(path.join(DATABASE), octets).unwrap();
        let done = Store::open(&path).and_then(|store| exercise(&store));
        match done {
            Ok(()) => served += 1,
            Err(error) => {
                refused += 1;
                let said = error.to_string();
                assert!(!said.contains('\n'), "{way}: {said}");
                assert!(said.contains(DATABASE), "{way}: {said}");
            }
        }
    }
    // What is not looked at any more does no harm.
    assert!(refused > WAYS / 4 && served > 0, "{refused} {served}");
}

#[test]
fn an_empty_file_is_not_taken_for_a_new_one() {
    let (_home, path) = home();
    let store = Store::open(&path).unwrap();
    deploy(&store, "shop", b"one").unwrap();
    drop(store);
    fs::write(path.join(DATABASE), b"").unwrap();
    let said = Store::open(&path).unwrap_err().to_string();
    assert!(said.contains("it is damaged (it is empty)"), "{said}");
    assert_eq!(components(&path), 1);
}
