use super::*;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

fn account(weight: u32) -> Accounts {
    Account::on_each(1, weight)
}

/// What was done, in order.
type Done = Arc<Mutex<Vec<&'static str>>>;

fn times(done: &Done, name: &str) -> usize {
    let done = done.lock().unwrap();
    done.iter().filter(|one| **one == name).count()
}

/// A guest that runs on for `turns` turns, a tick each.
async fn run_on(name: &'static str, account: Accounts, turns: usize, done: Done) {
    let mut held = None;
    for _ in 0..turns {
        // It waits for the next one before it gives this one up.
        let mut next = pin!(Turn::next(&account, Stage::RunsOn, held.is_some()));
        let polled = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        drop(held.take());
        held = Some(next.await);
        done.lock().unwrap().push(name);
        charge(&account, TICK);
    }
}

const TICK: Duration = Duration::from_nanos(LEAD);

#[tokio::test]
async fn one_at_a_time_and_each_in_its_turn() {
    let (one, done) = (account(100), Done::default());
    let guests = ["a", "b", "c"].map(|name| {
        let (one, done) = (one.clone(), done.clone());
        tokio::spawn(run_on(name, one, 2, done))
    });
    for guest in guests {
        guest.await.unwrap();
    }
    assert_eq!(*done.lock().unwrap(), ["a", "b", "c", "a", "b", "c"]);
}

/// However many guests a tenant has, its turns are its share.
#[tokio::test]
async fn turns_are_shared_by_weight_and_not_by_number() {
    let done = Done::default();
    let (one, other) = (account(100), account(300));
    for _ in 0..50 {
        tokio::spawn(run_on("many", one.clone(), 100, done.clone()));
    }
    tokio::spawn(run_on("heavy", other, 300, done.clone()))
        .await
        .unwrap();
    let many = times(&done, "many");
    assert!((99..=102).contains(&many), "{many}");
}

/// As long as two with a hundred turns each both run, every second one is `late`'s.
fn assert_half_is_late(done: &Done) {
    let done = done.lock().unwrap();
    for begun in done[..190].chunks(10) {
        let late = begun.iter().filter(|one| **one == "late").count();
        assert!((4..=6).contains(&late), "{done:?}");
    }
}

/// Who comes late has saved nothing up, and owes nothing.
#[tokio::test]
async fn who_was_idle_begins_where_the_others_are() {
    let done = Done::default();
    let (early, late) = (account(100), account(100));
    tokio::spawn(run_on("early", early.clone(), 500, done.clone()))
        .await
        .unwrap();
    done.lock().unwrap().clear();
    let early = tokio::spawn(run_on("early", early, 100, done.clone()));
    let late = tokio::spawn(run_on("late", late, 100, done.clone()));
    late.await.unwrap();
    early.await.unwrap();
    assert_half_is_late(&done);
}

/// What one used while nobody else wanted it is nobody's to claim: whoever comes later would
/// have the thread for as long.
#[tokio::test]
async fn who_was_alone_owes_nothing() {
    let done = Done::default();
    let (alone, late) = (account(100), account(100));
    for _ in 0..500 {
        charge(&alone, TICK);
        sleep();
    }
    let late = tokio::spawn(run_on("late", late, 100, done.clone()));
    let alone = tokio::spawn(run_on("alone", alone, 100, done.clone()));
    late.await.unwrap();
    alone.await.unwrap();
    assert_half_is_late(&done);
}

/// What is used without a turn counts: a tenant of many small requests has its share,
/// and no more, before one that runs on has its own.
#[tokio::test]
async fn what_newcomers_use_counts() {
    let done = Done::default();
    let (long, short) = (account(100), account(100));
    let runs_on = tokio::spawn(run_on("long", long, usize::MAX, done.clone()));
    tokio::task::yield_now().await;
    for _ in 0..400 {
        charge(&short, TICK / 4);
        done.lock().unwrap().push("short");
        tokio::task::yield_now().await;
    }
    runs_on.abort();
    let long = times(&done, "long");
    assert!((95..=105).contains(&long), "{long}");
}

/// As long as there is anything to do for who has used less, even next to nothing, it is not
/// the turn of who has used more.
#[tokio::test]
async fn who_is_owed_time_is_served_to_the_end() {
    let done = Done::default();
    let (long, short) = (account(100), account(100));
    charge(&long, TICK * 10);
    let runs_on = tokio::spawn(run_on("long", long, usize::MAX, done.clone()));
    for _ in 0..200 {
        charge(&short, Duration::from_nanos(LITTLE / 10));
        tokio::task::yield_now().await;
    }
    assert_eq!(times(&done, "long"), 0);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(times(&done, "long") > 0);
    runs_on.abort();
}

/// A guest that runs on takes a tick, which no answer is to wait for. It takes none before it
/// has looked what others have to do.
#[tokio::test]
async fn answers_wait_for_others_unless_one_runs_on() {
    let one = account(100);
    let waits = async || {
        let mut pass = pin!(let_others_pass());
        poll_fn(|cx| Poll::Ready(pass.as_mut().poll(cx).is_pending())).await
    };
    assert!(waits().await);
    let held = Turn::next(&one, Stage::RunsOn, false).await;
    assert!(!waits().await);
    drop(held);
    {
        let mut next = pin!(Turn::next(&one, Stage::RunsOn, false));
        let polled = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx).is_ready()));
        assert!(!polled.await);
        assert!(waits().await && this_thread().is_looking());
    }
    assert!(!this_thread().is_looking());
}

#[tokio::test]
async fn newcomers_of_who_has_used_more_wait() {
    let done = Done::default();
    let (greedy, modest) = (account(100), account(100));
    // Nobody waits: nobody has to.
    charge(&greedy, TICK * 10);
    sleep();
    assert!(!has_to_wait(&greedy));
    let held = Turn::next(&greedy, Stage::RunsOn, false).await;
    charge(&greedy, TICK * 10);
    sleep();
    let waits = tokio::spawn(run_on("modest", modest.clone(), 1, done));
    tokio::task::yield_now().await;
    assert!(has_to_wait(&greedy) && !has_to_wait(&modest));
    // A weight a hundred times as large makes little of it.
    let rich = account(10_000);
    charge(&rich, TICK * 10);
    sleep();
    assert!(!has_to_wait(&rich));
    drop(held);
    waits.await.unwrap();
    sleep();
    assert!(!has_to_wait(&greedy));
}

#[tokio::test]
async fn a_turn_for_one_who_has_left_is_the_next_ones() {
    let (one, done) = (account(100), Done::default());
    let held = Turn::next(&one, Stage::RunsOn, false).await;
    let gone: Vec<_> = (0..100)
        .map(|_| tokio::spawn(run_on("gone", one.clone(), 1, done.clone())))
        .collect();
    let stays = tokio::spawn(run_on("stays", one.clone(), 1, done.clone()));
    tokio::task::yield_now().await;
    for guest in gone {
        guest.abort();
        let _ = guest.await;
    }
    drop(held);
    stays.await.unwrap();
    assert_eq!(*done.lock().unwrap(), ["stays"]);
    assert_eq!(this_thread().running_on(), 0);
}

/// One that leaves after it was given a turn, and before it knows.
#[tokio::test]
async fn a_turn_that_was_given_and_not_taken_is_not_lost() {
    let one = account(100);
    let held = Turn::next(&one, Stage::RunsOn, false).await;
    {
        let mut waits = pin!(Turn::next(&one, Stage::RunsOn, false));
        let polled = poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        drop(held);
        assert_eq!(this_thread().running_on(), 1);
    }
    assert_eq!(this_thread().running_on(), 0);
}

/// So many newcomers that nobody looks at the sockets.
#[tokio::test]
async fn newcomers_wait_until_the_sockets_were_looked_at() {
    let (many, other) = (account(100), account(100));
    charge(&many, Duration::from_nanos(UNSEEN));
    assert!(!has_to_wait(&many));
    charge(&many, Duration::from_nanos(1));
    assert!(has_to_wait(&many) && has_to_wait(&other));
    drop(Turn::next(&many, Stage::Newcomer, false).await);
    assert!(!has_to_wait(&many) && !has_to_wait(&other));
}

/// Nobody overtakes those of its own tenant who came before.
#[tokio::test]
async fn who_comes_after_newcomers_that_wait_waits_behind_them() {
    let (many, other) = (account(100), account(100));
    charge(&many, TICK);
    let held = Turn::next(&many, Stage::RunsOn, false).await;
    charge(&many, TICK);
    let mut waits = pin!(Turn::next(&many, Stage::Newcomer, false));
    let polled = poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx))).await;
    assert!(polled.is_pending());
    sleep();
    assert!(has_to_wait(&many) && !has_to_wait(&other));
    drop(held);
    drop(waits.await);
    assert!(!has_to_wait(&many));
}

/// One that is polled while it waits is charged for that, and does not wait for itself.
#[tokio::test]
async fn nobody_waits_for_its_own_tenant() {
    let one = account(100);
    let own = one.clone();
    let busy = tokio::spawn(async move {
        loop {
            charge(&own, Duration::from_nanos(100));
            charge(&own, Duration::from_nanos(100));
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..10 {
        drop(Turn::next(&one, Stage::RunsOn, false).await);
    }
    busy.abort();
}

/// A thread that sleeps, of a crew with this one, until it is dropped.
struct Asleep(
    Option<std::thread::JoinHandle<()>>,
    tokio::sync::oneshot::Sender<()>,
);

impl Asleep {
    fn beside_this_thread() -> Self {
        let mut crew = crew(2);
        let other = crew.pop().unwrap();
        serve_as(crew.pop().unwrap());
        let mut visits = other.visits().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(sleep)
            .on_thread_unpark(wake)
            .build()
            .unwrap();
        let thread = std::thread::spawn({
            let other = other.clone();
            move || {
                serve_as(other);
                runtime.spawn(async move {
                    while let Some(visit) = visits.recv().await {
                        tokio::spawn(visit);
                    }
                });
                let _ = runtime.block_on(ended);
            }
        });
        while !other.is_asleep() {
            std::thread::yield_now();
        }
        Asleep(Some(thread), end)
    }

    fn end(self) {
        let Asleep(thread, end) = self;
        end.send(()).unwrap();
        thread.unwrap().join().unwrap();
    }
}

/// Who waits for a turn here has one on a thread that has nothing to do; the next one
/// waits, since that is not idle any more.
#[tokio::test]
async fn one_that_waits_is_called_to_a_thread_that_sleeps() {
    let asleep = Asleep::beside_this_thread();
    let one = Account::on_each(2, 100);
    let held = Turn::next(&one, Stage::RunsOn, false).await;
    assert!(held.is_here());
    let away = Turn::next(&one, Stage::RunsOn, false).await;
    assert!(!away.is_here());
    let mut third = pin!(Turn::next(&one, Stage::RunsOn, false));
    let polled = poll_fn(|cx| Poll::Ready(third.as_mut().poll(cx).is_ready())).await;
    assert!(!polled);
    // What becomes free over there is for who waits here.
    drop(away);
    assert!(!third.await.is_here());
    drop(held);
    asleep.end();
}

/// A tenant has its share of each thread, even if all its guests come to one of them: the
/// first one waits there, and the next one on the other thread.
#[tokio::test]
async fn who_is_not_next_here_waits_where_it_is() {
    let mut threads = crew(2);
    let there = threads.pop().unwrap();
    serve_as(threads.pop().unwrap());
    let [greedy, modest] = [100, 100].map(|weight| Account::on_each(2, weight));
    let _held = [
        Turn::next(&greedy, Stage::RunsOn, false).await,
        there.turn(&greedy[1], Stage::RunsOn, false).await,
    ];
    for account in [&greedy, &modest] {
        (0..20).for_each(|_| charge(account, TICK));
    }
    // Nobody waits but for one.
    assert!(sooner(&modest).is_none());
    let mut first = pin!(Turn::next(&modest, Stage::Newcomer, false));
    let polled = poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_ready()));
    assert!(!polled.await && sooner(&modest).is_none());
    let mut many = pin!(there.turn(&greedy[1], Stage::RunsOn, false));
    let polled = poll_fn(|cx| Poll::Ready(many.as_mut().poll(cx).is_ready()));
    assert!(!polled.await && sooner(&greedy).is_none());
    assert!(sooner(&modest).is_some_and(|thread| thread.is(&there)));
    let mut second = pin!(there.turn(&modest[1], Stage::Newcomer, false));
    let polled = poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_ready()));
    assert!(!polled.await && sooner(&modest).is_none());
}

/// It is not worth the way for guests that take next to no time, nor to wait where others
/// have used less.
#[tokio::test]
async fn who_gains_nothing_elsewhere_stays() {
    let mut threads = crew(2);
    let there = threads.pop().unwrap();
    serve_as(threads.pop().unwrap());
    let [greedy, short, spent] = [100, 100, 100].map(|weight| Account::on_each(2, weight));
    let _held = [
        Turn::next(&greedy, Stage::RunsOn, false).await,
        there.turn(&greedy[1], Stage::RunsOn, false).await,
    ];
    (0..20).for_each(|_| charge(&short, TICK / 200));
    (0..20).for_each(|_| charge(&spent, TICK));
    let mut many = pin!(there.turn(&greedy[1], Stage::RunsOn, false));
    let mut some = [&short, &spent].map(|one| Box::pin(Turn::next(one, Stage::Newcomer, false)));
    poll_fn(|cx| {
        assert!(many.as_mut().poll(cx).is_pending());
        for one in &mut some {
            assert!(one.as_mut().poll(cx).is_pending());
        }
        Poll::Ready(())
    })
    .await;
    assert!(sooner(&short).is_none() && sooner(&spent).is_some());
    there.charge(&spent[1], LEAD * 3, LEAD * 3);
    assert!(sooner(&spent).is_none());
}

/// Nobody who is alone is sent away, only to come back.
#[tokio::test]
async fn one_alone_stays() {
    let asleep = Asleep::beside_this_thread();
    let done = Done::default();
    let one = Account::on_each(2, 100);
    let stays = tokio::spawn(async move {
        let mut held: Option<Turn> = None;
        for _ in 0..100 {
            let mut next = pin!(Turn::next(&one, Stage::RunsOn, held.is_some()));
            let at_once = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
            drop(held.take());
            held = Some(match at_once {
                Poll::Ready(turn) => turn,
                Poll::Pending => next.await,
            });
            assert!(held.as_ref().is_some_and(Turn::is_here));
            charge(&one, TICK);
            done.lock().unwrap().push("here");
        }
    });
    stays.await.unwrap();
    asleep.end();
}
