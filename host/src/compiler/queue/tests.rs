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
    let now = Instant::now();
    let afford = |after: Duration| queue.state().afford(&payer, now + after);
    assert_eq!(afford(Duration::ZERO), Ok(()));
    place.charge(16 * SECOND);
    drop(place);
    let Err(Refusal::Spent { wait, .. }) = queue.enter(&payer).map(drop) else {
        panic!("it has used 45 s of 30");
    };
    // 15 s too many, at half a second for each.
    assert!(wait <= 30 * SECOND && wait > 25 * SECOND, "{wait:?}");
    assert!(afford(20 * SECOND).is_err());
    assert!(afford(31 * SECOND).is_ok());
    assert!(queue.enter(&Payer::operator()).is_ok());
}

/// Whose turn it is changes with time: once it is somebody's, it stays so.
#[test]
fn a_place_that_is_given_is_not_given_again_at_another_time() {
    let queue = Queue::new(2);
    let now = Instant::now();
    let (first, second) = (tenant("first"), tenant("second"));
    let mut state = queue.state();
    let running = ["a", "b"].map(|name| state.line_up(&tenant(name), true));
    state.call(now);
    assert!(running.iter().all(|ticket| state.is_running(*ticket)));
    // Of who came first some is left, which will be gone a second later.
    state.charge(&first, SECOND, now);
    let tickets = [&first, &second].map(|payer| state.line_up(payer, true));
    state.leave(running[0]);
    state.call(now);
    for later in 0..3 {
        state.call(now + later * SECOND);
        assert_eq!(
            tickets.map(|ticket| state.is_running(ticket)),
            [false, true]
        );
    }
    state.leave(running[1]);
    state.call(now + 3 * SECOND);
    assert!(state.is_running(tickets[0]), "no place is left free");
}

#[test]
fn who_has_used_its_quota_comes_after_who_has_not() {
    let queue = Queue::new(2);
    let now = Instant::now();
    let (small, large) = (
        Payer::tenant("small", SECOND),
        Payer::tenant("large", 600 * SECOND),
    );
    let mut state = queue.state();
    state.charge(&small, 2 * SECOND, now);
    state.charge(&large, 60 * SECOND, now);
    let running = ["a", "b"].map(|name| state.line_up(&tenant(name), true));
    state.call(now);
    let tickets = [&small, &large].map(|payer| state.line_up(payer, false));
    state.leave(running[0]);
    state.call(now);
    assert_eq!(
        tickets.map(|ticket| state.is_running(ticket)),
        [false, true]
    );
}

#[test]
fn what_is_served_already_is_compiled_whatever_its_tenant_does() {
    let queue = Queue::new(2);
    let payer = tenant("acme");
    let place = queue.enter(&payer).unwrap();
    place.charge(1000 * SECOND);
    assert!(queue.enter(&payer).is_err());
    let tickets: Vec<_> = (0..10 * WAITING).map(|_| queue.line_up(&payer)).collect();
    drop(place);
    for ticket in tickets {
        drop(ticket.wait());
    }
    assert!(queue.state().running.is_empty());
    // Nor do they take the places of changes.
    let other = tenant("other");
    let _running = queue.line_up(&other);
    let _waiting: Vec<_> = (0..10 * WAITING).map(|_| queue.line_up(&other)).collect();
    assert_eq!(queue.state().changes_of(&other), 0);
}

#[tokio::test]
async fn who_waits_no_more_is_passed_over() {
    let queue = Queue::new(2);
    let payer = tenant("acme");
    let running = queue.line_up(&payer).turn().await;
    let gone = queue.line_up(&payer);
    let mut turn = Box::pin(queue.line_up(&payer).turn());
    // Before its turn and after it.
    for _ in 0..2 {
        let waited = tokio::time::timeout(Duration::ZERO, &mut turn).await;
        assert!(waited.is_err());
    }
    drop(running);
    assert!(queue.state().is_running(gone.number));
    drop(gone);
    let place = turn.await;
    drop(place);
    assert!(queue.state().running.is_empty() && queue.state().waiting.is_empty());
}
