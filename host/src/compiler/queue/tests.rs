use super::*;
use std::sync::mpsc::{Sender, channel};
use std::thread::Scope;

const SECOND: Duration = Duration::from_secs(1);

fn tenant(name: &str) -> Payer {
    Payer::tenant(name, 60 * SECOND)
}

/// Waits until so many wait in `queue`.
fn until_waiting(queue: &Queue, count: usize) {
    let begun = Instant::now();
    while queue.state().waiting.len() < count {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
}

/// Enters on a thread of its own, says so, and leaves at once.
fn visit<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    queue: &'env Queue,
    name: &'static str,
    order: &Sender<&'static str>,
) {
    let order = order.clone();
    let waiting = queue.state().waiting.len();
    scope.spawn(move || {
        let place = queue.enter(&tenant(name)).unwrap();
        order.send(name).unwrap();
        drop(place);
    });
    until_waiting(queue, waiting + 1);
}

#[test]
fn a_tenant_has_one_place_and_another_does_not_wait_for_it() {
    let queue = Queue::new(2);
    let slow = queue.enter(&tenant("slow")).unwrap();
    let (order, came) = channel();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            visit(scope, &queue, "slow", &order);
        }
        // Neither another tenant nor the operator is behind them.
        drop(queue.enter(&tenant("victim")).unwrap());
        let operators = [
            queue.enter(&Payer::operator()),
            queue.enter(&Payer::operator()),
        ];
        assert!(operators.iter().all(Result::is_ok));
        assert!(came.try_recv().is_err());
        drop(slow);
        assert_eq!(came.iter().take(3).collect::<Vec<_>>(), ["slow"; 3]);
    });
}

#[test]
fn of_those_that_wait_who_used_least_is_next() {
    let queue = Queue::new(2);
    for (name, seconds) in [("much", 30), ("some", 10)] {
        let place = queue.enter(&tenant(name)).unwrap();
        place.charge(seconds * SECOND);
    }
    let places = [
        queue.enter(&tenant("a")).unwrap(),
        queue.enter(&tenant("b")).unwrap(),
    ];
    let (order, came) = channel();
    std::thread::scope(|scope| {
        for name in ["much", "much", "some", "none"] {
            visit(scope, &queue, name, &order);
        }
        let [one, other] = places;
        // There is one place only, so that they go one after the other.
        drop(one);
        let came: Vec<_> = came.iter().take(4).collect();
        assert_eq!(came, ["none", "some", "much", "much"]);
        drop(other);
    });
}

#[test]
fn a_queue_is_as_long_as_it_is_for_each_tenant() {
    let queue = Queue::new(2);
    let slow = queue.enter(&tenant("slow")).unwrap();
    let (order, came) = channel();
    std::thread::scope(|scope| {
        for _ in 0..WAITING {
            visit(scope, &queue, "slow", &order);
        }
        assert_eq!(
            queue.enter(&tenant("slow")).unwrap_err(),
            Refusal::Full(WAITING)
        );
        assert!(queue.enter(&tenant("other")).is_ok());
        drop(slow);
        assert_eq!(came.iter().take(WAITING).count(), WAITING);
    });
}

#[test]
fn a_quota_comes_back_with_time() {
    let queue = Queue::new(2);
    let payer = Payer::tenant("acme", 30 * SECOND);
    let place = queue.enter(&payer).unwrap();
    place.charge(29 * SECOND);
    assert_eq!(queue.afford(&payer), Ok(()));
    place.charge(16 * SECOND);
    let now = Instant::now();
    let afford = |after: Duration| queue.state().afford(&payer, now + after);
    let Err(Refusal::Spent { wait, .. }) = afford(Duration::ZERO) else {
        panic!("it has used 45 s of 30");
    };
    // 15 s too many, at half a second for each.
    assert!(wait <= 30 * SECOND && wait > 25 * SECOND, "{wait:?}");
    assert!(afford(20 * SECOND).is_err());
    assert!(afford(31 * SECOND).is_ok());
    assert_eq!(queue.afford(&Payer::operator()), Ok(()));
}
