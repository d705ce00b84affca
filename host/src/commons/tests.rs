//! What is taken is given back once, and nobody has all of it.

use super::*;
use std::time::Instant;

const NOTHING: Held = Held::nothing_of(Good::Memory);

fn commons(memory: u64) -> Arc<Commons> {
    Commons::new(Sizes { memory, files: 0 })
}

/// Takes one by one until there is no more.
fn all(room: &Arc<Room>) -> (Vec<Held>, Short) {
    let mut taken = Vec::new();
    loop {
        let mut held = NOTHING;
        match held.set(1, room) {
            Ok(()) => taken.push(held),
            Err(short) => return (taken, short),
        }
    }
}

#[test]
fn what_is_taken_is_given_back_once() {
    let commons = commons(100);
    let room = commons.room();
    let taken = || (commons.taken(Good::Memory), room.taken(Good::Memory));
    let mut held = NOTHING;
    held.set(0, &room).unwrap();
    assert!(held.room.is_none());
    held.set(60, &room).unwrap();
    held.set(70, &room).unwrap();
    assert_eq!(taken(), (70, 70));
    // What is refused changes nothing.
    assert_eq!(held.set(101, &room), Err(Short::All(100)));
    assert_eq!((held.amount(), taken()), (70, (70, 70)));
    held.set(10, &room).unwrap();
    assert_eq!(taken(), (10, 10));
    let mut other = NOTHING;
    other.set(90, &room).unwrap();
    drop(held);
    assert_eq!(taken(), (90, 90));
    other.set(0, &room).unwrap();
    drop(other);
    assert_eq!(taken(), (0, 0));
}

#[test]
fn one_leaves_some_for_others() {
    let commons = commons(80);
    let (one, other, third) = (commons.room(), commons.room(), commons.room());
    let (first, short) = all(&one);
    assert_eq!((first.len(), short), (60, Short::Share(80)));
    let (second, _) = all(&other);
    assert_eq!(second.len(), 15);
    // Whoever has nothing may have all that is left.
    let mut held = NOTHING;
    assert_eq!(held.set(6, &third), Err(Short::All(80)));
    held.set(5, &third).unwrap();
    assert_eq!(held.set(6, &third), Err(Short::All(80)));
    drop((first, second, held));
    assert_eq!(commons.taken(Good::Memory), 0);
    assert_eq!(all(&one).0.len(), 60);
}

#[test]
fn who_is_the_only_one_has_all() {
    let commons = commons(80);
    let one = commons.room();
    let (taken, short) = all(&one);
    assert_eq!((taken.len(), short), (80, Short::All(80)));
    drop(taken);
    let other = commons.room();
    assert_eq!(all(&one).0.len(), 60);
    drop(other);
    assert_eq!(all(&one).0.len(), 80);
}

#[test]
fn a_limit_of_its_own_is_instead_of_the_share() {
    let commons = commons(80);
    let (one, other) = (commons.room(), commons.room());
    one.limit_memory(Some(70));
    let (mut first, short) = all(&one);
    assert_eq!((first.len(), short), (70, Short::Own(70)));
    // It holds from when it is said, whatever was taken before.
    one.limit_memory(Some(50));
    first.truncate(50);
    let (more, short) = all(&one);
    assert_eq!((more.len(), short), (0, Short::Own(50)));
    one.limit_memory(Some(100));
    let (more, short) = all(&one);
    assert_eq!((more.len(), short), (30, Short::All(80)));
    assert_eq!(all(&other).1, Short::All(80));
}

#[test]
fn goods_are_counted_apart() {
    let commons = Commons::new(Sizes {
        memory: 5,
        files: 2,
    });
    let room = commons.room();
    room.limit_memory(Some(1));
    let mut files = Held::nothing_of(Good::Files);
    files.set(2, &room).unwrap();
    assert_eq!(files.set(3, &room), Err(Short::All(2)));
    assert_eq!(commons.taken(Good::Memory), 0);
    let mut memory = NOTHING;
    memory.set(1, &room).unwrap();
    drop(files);
    assert_eq!((room.taken(Good::Files), room.taken(Good::Memory)), (0, 1));
    let (size, taken) = sum(Good::Memory);
    assert!(size >= 5 && taken >= 1);
}

#[test]
fn many_at_once_never_have_more_than_there_is() {
    let commons = commons(100);
    let rooms: Vec<_> = (0..4).map(|_| commons.room()).collect();
    let granted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for room in &rooms {
            scope.spawn(|| {
                for round in 0..10_000 {
                    let (mut held, amount) = (NOTHING, round % 40 + 1);
                    if held.set(amount, room).is_ok() {
                        let all = granted.fetch_add(amount, Relaxed) + amount;
                        assert!(all <= 100, "{all}");
                        granted.fetch_sub(amount, Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(commons.taken(Good::Memory), 0);
    assert!(rooms.iter().all(|room| room.taken(Good::Memory) == 0));
}

/// Sandboxes that wait, which have one each.
struct Waiting(Mutex<Vec<Held>>, Instant);

impl Idle for Waiting {
    fn waits_since(&self) -> Option<Instant> {
        let some = !self.0.lock().unwrap().is_empty();
        some.then_some(self.1)
    }

    fn end_longest(&self) -> bool {
        self.0.lock().unwrap().pop().is_some()
    }
}

#[test]
fn those_that_wait_give_way() {
    let commons = commons(10);
    let (one, other) = (commons.room(), commons.room());
    for room in [&one, &other] {
        room.limit_memory(Some(5));
    }
    let begun = Instant::now();
    let wait = |room: &Arc<Room>, since| {
        let waiting = Arc::new(Waiting(Mutex::new(all(room).0), since));
        let idler: Arc<dyn Idle> = waiting.clone();
        room.yields(Arc::downgrade(&idler));
        waiting
    };
    let later = wait(&one, begun + std::time::Duration::from_secs(1));
    let sooner = wait(&other, begun);
    let count = |waiting: &Waiting| waiting.0.lock().unwrap().len();
    assert_eq!((count(&later), count(&sooner)), (5, 5));
    // At a limit of its own it is its own that give way.
    let mut held = NOTHING;
    held.set(2, &one).unwrap();
    assert_eq!((count(&later), count(&sooner)), (3, 5));
    // Where there is no more for anybody, the one that waits longest.
    one.limit_memory(None);
    let third = commons.room();
    let mut all_left = NOTHING;
    all_left.set(3, &third).unwrap();
    assert_eq!((count(&later), count(&sooner)), (3, 2));
    assert_eq!(all_left.set(20, &third), Err(Short::All(10)));
    assert_eq!((count(&later), count(&sooner)), (3, 2));
}

#[test]
fn files_are_left_for_connections() {
    assert_eq!(files_beside(524_288, 16_384), 507_648);
    assert_eq!(files_beside(20_000, 16_384), 3360);
    assert_eq!(files_beside(1024, 16_384), 128);
    assert_eq!(files_beside(1024, 0), 512);
    assert_eq!(files_beside(u64::MAX, u64::MAX), u64::MAX / 8);
    let sizes = Sizes::of_this_machine(None, 16_384);
    assert!(sizes.memory > 0 && sizes.files > 0);
    assert_eq!(Sizes::of_this_machine(Some(7), 1).memory, 7);
}
