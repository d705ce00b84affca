use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Jobs that run until they are told to end.
struct Gates {
    begun: Receiver<&'static str>,
    tells: Sender<&'static str>,
    open: Vec<Sender<()>>,
    results: Vec<oneshot::Receiver<()>>,
}

impl Gates {
    fn new() -> Self {
        let (tells, begun) = channel();
        Gates {
            begun,
            tells,
            open: Vec::new(),
            results: Vec::new(),
        }
    }

    fn push(&mut self, share: &Arc<FileShare>, name: &'static str) {
        let (open, opened) = channel::<()>();
        let tells = self.tells.clone();
        let job = move || {
            tells.send(name).unwrap();
            let _ = opened.recv();
        };
        self.open.push(open);
        self.results.push(share.run(&Arc::default(), job));
    }

    /// The names of those that began, of which there are so many.
    fn begun(&self, count: usize) -> Vec<&'static str> {
        let one = |_| self.begun.recv_timeout(Duration::from_secs(30)).unwrap();
        (0..count).map(one).collect()
    }
}

fn state(threads: &FileThreads) -> (usize, usize) {
    let state = threads.state();
    (state.threads, state.running.len())
}

/// Waits until it is so.
fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never is");
        std::thread::yield_now();
    }
}

#[test]
fn a_tenant_whose_disk_hangs_leaves_threads_to_others() {
    let threads = FileThreads::new(2);
    let (stuck, second, third) = (threads.share(), threads.share(), threads.share());
    let mut gates = Gates::new();
    for _ in 0..20 {
        gates.push(&stuck, "stuck");
    }
    // Half of eight.
    assert_eq!(gates.begun(4), ["stuck"; 4]);
    for _ in 0..20 {
        gates.push(&second, "second");
    }
    // The last two are for who has none.
    assert_eq!(gates.begun(2), ["second"; 2]);
    gates.push(&third, "third");
    assert_eq!(gates.begun(1), ["third"]);
    assert_eq!(state(&threads).1, 7);
    drop(gates.open.drain(..));
    let rest = gates.begun(34);
    assert_eq!(rest.iter().filter(|name| **name == "stuck").count(), 16);
    until(|| state(&threads).1 == 0);
    assert!(state(&threads).0 <= 9, "{:?}", state(&threads));
}

#[test]
fn a_tenant_that_has_no_thread_finds_one_however_many_disks_hang() {
    let threads = FileThreads::new(2);
    let tenants: Vec<_> = (0..30).map(|_| threads.share()).collect();
    let mut gates = Gates::new();
    for (number, tenant) in tenants.iter().enumerate() {
        for _ in 0..10 {
            gates.push(tenant, "stuck");
        }
        // Half of eight, the next two, and then one for each.
        gates.begun(match number {
            0 => 4,
            1 => 2,
            _ => 1,
        });
    }
    let last = threads.share().run(&Arc::default(), || 7);
    assert_eq!(last.blocking_recv(), Ok(7));
    until(|| state(&threads).1 == 34);
    assert!(state(&threads).0 <= 36, "{:?}", state(&threads));
    drop(gates.open.drain(..));
    gates.begun(300 - 34);
    until(|| state(&threads).1 == 0);
}

#[test]
fn what_nobody_waits_for_is_not_begun() {
    let threads = FileThreads::new(1);
    let share = threads.share();
    let mut gates = Gates::new();
    for _ in 0..4 {
        gates.push(&share, "first");
    }
    assert_eq!(gates.begun(4), ["first"; 4]);
    for _ in 0..10_000 {
        gates.push(&share, "left");
        drop(gates.results.pop());
    }
    // They are not kept until it is their turn either.
    let waiting = threads.state().parties[0].waiting.len();
    assert!(waiting <= 2 * MANY, "{waiting} wait");
    let (tells, written) = channel();
    let anyway = share.run_anyway(&Arc::default(), move || tells.send(()).unwrap());
    drop(anyway);
    gates.push(&share, "last");
    drop(gates.open.drain(..));
    assert_eq!(gates.begun(1), ["last"]);
    written.recv_timeout(Duration::from_secs(30)).unwrap();
}

#[test]
fn what_uses_a_processor_is_put_on_the_bill() {
    let threads = FileThreads::new(1);
    let bill = Arc::new(Bill::default());
    let work = || (0..3_000_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b));
    let result = threads.share().run(&bill, work);
    result.blocking_recv().unwrap();
    assert!(bill.take() > Duration::ZERO);
    assert_eq!(bill.take(), Duration::ZERO);
}

#[test]
fn what_is_done_when_its_sandbox_is_no_more_is_its_tenants_debt() {
    let threads = FileThreads::new(1);
    let (share, other) = (threads.share(), threads.share());
    let bill = share.bill();
    let work = || (0..3_000_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b));
    let result = share.run_anyway(&bill, work);
    drop((bill, result));
    let mut debt = Duration::ZERO;
    until(|| {
        debt += share.take_debt();
        debt > Duration::ZERO
    });
    assert_eq!(other.take_debt(), Duration::ZERO);
    // What its sandbox was charged is no debt.
    let bill = share.bill();
    share.run(&bill, work).blocking_recv().unwrap();
    until(|| Arc::strong_count(&bill) == 1);
    assert!(bill.take() > Duration::ZERO);
    drop(bill);
    assert_eq!(share.take_debt(), Duration::ZERO);
}

#[test]
fn a_job_that_panics_harms_nobody() {
    let threads = FileThreads::new(1);
    let share = threads.share();
    for _ in 0..3 {
        let failed = share.run(&Arc::default(), || panic!("on purpose"));
        assert!(failed.blocking_recv().is_err());
    }
    let works = share.run(&Arc::default(), || 7);
    assert_eq!(works.blocking_recv(), Ok(7));
    until(|| state(&threads).1 == 0);
}

#[test]
fn of_those_who_wait_the_one_goes_first_that_has_fewest() {
    let mut state = State::default();
    let threads = FileThreads::new(4);
    let (one, other) = (threads.share(), threads.share());
    let job = || {
        Box::new(Work {
            work: || (),
            reply: oneshot::channel().0,
            bill: Arc::default(),
            anyway: true,
        })
    };
    for _ in 0..3 {
        state.push(&one, job());
    }
    state.push(&other, job());
    let mut order = Vec::new();
    while let Some((..)) = state.begin(&threads.sizes) {
        let last = &state.running.last().unwrap().share;
        order.push(last.ptr_eq(&Arc::downgrade(&one)));
        // Long enough ago to wait for a disk.
        state.running.last_mut().unwrap().since = Instant::now() - BRIEF;
    }
    assert_eq!(order, [true, false, true, true]);
}
