//! The threads that serve together, the turns of each, and how a thread that has nothing
//! to do helps one that has too much.

use super::account::{self, Account, Accounts};
use super::order::{Order, Stage};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// For how long newcomers may keep the thread from its sockets, in nanoseconds. Whoever is
/// shed learns of it after as much, and one tick.
pub const UNSEEN: u64 = 500_000;

/// What is not worth another look at the sockets, in nanoseconds.
pub const LITTLE: u64 = 20_000;

/// How long a guest runs that is worth the way to another thread, in nanoseconds.
const WORTH_MOVING: u64 = 100_000;

/// What one thread has another do: it comes with a turn on that thread, or to wait for one.
pub type Visit = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The right to run on until the next tick, on one thread; the next guest's when dropped.
/// None if it has been passed on.
pub struct Turn(Option<Thread>);

/// One of the threads that serve together.
#[derive(Clone)]
pub struct Thread {
    crew: Arc<[Turns]>,
    number: usize,
}

/// The turns of one thread. Alone on its cache lines: it is the only one that writes here
/// as long as there is not too much for it.
#[repr(align(128))]
struct Turns {
    /// Whether it is the turn of one of its guests.
    is_taken: AtomicBool,
    /// How many of them run on, whose turn it is or who wait for it.
    running_on: AtomicUsize,
    /// Those who wait for that one. They are given the turn, which if nobody is there any
    /// more to take it is the next one's.
    waiting: Mutex<Order<oneshot::Sender<Turn>>>,
    surplus: Surplus,
    is_asleep: AtomicBool,
    /// Where what it is to do for others comes in.
    visits: OnceLock<mpsc::UnboundedSender<Visit>>,
    /// What the tenant had used whose turn it is, when that began; or the most that any
    /// had, when there was nothing to do last. Nobody is held to have used less: who was
    /// idle has saved nothing up.
    floor: AtomicU64,
    /// The most that any tenant has used.
    most: AtomicU64,
    /// The least that is used of those who run on and wait, and of newcomers that do.
    least_running_on: AtomicU64,
    least_new: AtomicU64,
    /// Who has the turn and looks what others have to do: where its account is. None if
    /// it runs.
    looking: AtomicUsize,
    /// The least that is used of others who ran since that one began to look.
    least_seen: AtomicU64,
    /// Nanoseconds that guests ran since the thread looked at its sockets.
    unseen: AtomicU64,
}

/// How many of those who wait could run on another thread meanwhile: all but the one whose
/// turn it still is. On cache lines of its own: all others look here before they sleep.
#[repr(align(128))]
struct Surplus(AtomicUsize);

impl Turns {
    fn new() -> Self {
        Turns {
            is_taken: AtomicBool::new(false),
            running_on: AtomicUsize::new(0),
            waiting: Mutex::new(Order::new()),
            surplus: Surplus(AtomicUsize::new(0)),
            is_asleep: AtomicBool::new(false),
            visits: OnceLock::new(),
            floor: AtomicU64::new(0),
            most: AtomicU64::new(0),
            least_running_on: AtomicU64::new(u64::MAX),
            least_new: AtomicU64::new(u64::MAX),
            looking: AtomicUsize::new(0),
            least_seen: AtomicU64::new(u64::MAX),
            unseen: AtomicU64::new(0),
        }
    }

    /// Whether it sleeps, and it is nobody's turn.
    fn is_idle(&self) -> bool {
        self.is_asleep.load(SeqCst) && !self.is_taken.load(SeqCst)
    }

    /// Whether a guest of `account` would be the next of those who wait. What these have
    /// used was noted when one of them came or went; by now it is no less than the floor.
    fn is_next(&self, account: &Account) -> bool {
        let least_running_on = self.least_running_on.load(Relaxed);
        let least = least_running_on.min(self.least_new.load(Relaxed));
        account.waiting() == 0 && account.used() <= least.max(self.floor.load(Relaxed))
    }

    /// Whether anybody waits for another one's turn to end.
    fn is_scarce(&self) -> bool {
        self.surplus.0.load(Relaxed) > 0
    }

    fn waiting(&self) -> MutexGuard<'_, Order<oneshot::Sender<Turn>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes who wait, while it is the turn of one at stage `next`.
    fn note(&self, waiting: &Order<oneshot::Sender<Turn>>, next: Option<Stage>) {
        let next = usize::from(next == Some(Stage::RunsOn));
        self.running_on.store(waiting.running_on() + next, Relaxed);
        self.surplus.0.store(waiting.len(), SeqCst);
        self.note_least(waiting);
    }

    /// Notes what newcomers have to know of those who wait.
    fn note_least(&self, waiting: &Order<oneshot::Sender<Turn>>) {
        let least = waiting.least(Stage::RunsOn);
        self.least_running_on.store(least, Relaxed);
        self.least_new
            .store(waiting.least(Stage::Newcomer), Relaxed);
    }
}

/// So many threads that serve together.
pub fn crew(threads: usize) -> Vec<Thread> {
    let crew: Arc<[Turns]> = (0..threads.max(1)).map(|_| Turns::new()).collect();
    let thread = |number| Thread {
        crew: crew.clone(),
        number,
    };
    (0..crew.len()).map(thread).collect()
}

impl Thread {
    /// Its number among those it serves with.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Whether both are the same one.
    pub fn is(&self, other: &Thread) -> bool {
        self.number == other.number && Arc::ptr_eq(&self.crew, &other.crew)
    }

    /// Whether it sleeps.
    #[cfg(test)]
    pub fn is_asleep(&self) -> bool {
        self.turns().is_asleep.load(SeqCst)
    }

    /// How many guests run on.
    pub fn running_on(&self) -> usize {
        self.turns().running_on.load(Relaxed)
    }

    /// Where what it is to do for others comes in. None who asked before.
    pub fn visits(&self) -> Option<mpsc::UnboundedReceiver<Visit>> {
        let (door, visits) = mpsc::unbounded_channel();
        self.turns().visits.set(door).is_ok().then_some(visits)
    }

    /// Has it do that. Says whether it will.
    pub fn visit(&self, visit: Visit) -> bool {
        let door = self.turns().visits.get();
        door.is_some_and(|door| door.send(visit).is_ok())
    }

    /// A guest of `account` ran on it for so many nanoseconds, which are worth `worth`.
    pub fn charge(&self, account: &Account, nanoseconds: u64, worth: u64) {
        let turns = self.turns();
        let used = account.charge(worth, turns.floor.load(Relaxed));
        if nanoseconds >= LITTLE {
            account.note_stretch(nanoseconds);
        }
        if used > turns.most.load(Relaxed) {
            turns.most.store(used, Relaxed);
        }
        let looks = turns.looking.load(Relaxed) == place(account);
        if !looks && used < turns.least_seen.load(Relaxed) {
            turns.least_seen.store(used, Relaxed);
        }
        let unseen = turns.unseen.load(Relaxed).saturating_add(nanoseconds);
        turns.unseen.store(unseen, Relaxed);
    }

    /// Nanoseconds that guests ran since it looked at its sockets.
    pub fn unseen(&self) -> u64 {
        self.turns().unseen.load(Relaxed)
    }

    /// It looks at its sockets.
    pub fn look(&self) {
        self.turns().unseen.store(0, Relaxed);
    }

    /// Nobody begins without a turn until it looks at its sockets again.
    pub fn close(&self) {
        self.turns().unseen.store(u64::MAX, Relaxed);
    }

    /// The least that any tenant has used whose guests wait at this stage.
    pub fn least_waiting(&self, stage: Stage) -> u64 {
        match stage {
            Stage::RunsOn => self.turns().least_running_on.load(Relaxed),
            Stage::Newcomer => self.turns().least_new.load(Relaxed),
        }
    }

    /// Who has the turn, of `account`, looks whether others have work who used less.
    pub fn begin_to_look(&self, account: &Account) {
        let turns = self.turns();
        turns.looking.store(place(account), Relaxed);
        turns.least_seen.store(u64::MAX, Relaxed);
        // Those who come meanwhile have as much again, so that few have to wait.
        self.look();
    }

    /// Whether who has the turn looks what others have to do, before it runs.
    pub fn is_looking(&self) -> bool {
        self.turns().looking.load(Relaxed) != 0
    }

    /// The nanoseconds that others ran since then, and the least that any of them has used.
    pub fn seen(&self) -> (u64, u64) {
        let turns = self.turns();
        let ran = turns.unseen.swap(0, Relaxed);
        (ran, turns.least_seen.load(Relaxed))
    }

    /// It is the turn of a guest of `account` from now on.
    pub fn begins(&self, account: &Account) {
        let turns = self.turns();
        turns.floor.fetch_max(account.used(), Relaxed);
        turns.looking.store(0, Relaxed);
    }

    /// The next turn that is for `account`, on this thread or on one that is idle.
    /// `has_one` says that the guest which asks still has its last.
    pub async fn turn(&self, account: &Arc<Account>, stage: Stage, has_one: bool) -> Turn {
        let turns = self.turns();
        let given = {
            let mut waiting = turns.waiting();
            account.begin_at(turns.floor.load(Relaxed));
            if !turns.is_taken.load(Relaxed) {
                turns.is_taken.store(true, Relaxed);
                turns.note(&waiting, Some(stage));
                return Turn(Some(self.clone()));
            }
            let (giver, given) = oneshot::channel();
            waiting.push(account, stage, giver);
            let more = usize::from(stage == Stage::RunsOn);
            turns.running_on.fetch_add(more, Relaxed);
            let surplus = waiting.len() - usize::from(has_one);
            turns.surplus.0.store(surplus, SeqCst);
            turns.note_least(&waiting);
            given
        };
        // After that is known: who falls asleep now sees it, or is seen.
        self.ask_for_help();
        given.await.expect("who waits is given a turn")
    }

    /// Another one, on which a guest with these `accounts` would be the next of those who
    /// wait, if here it would wait for others of its own, and for so long that it is worth
    /// the way.
    pub fn sooner(&self, accounts: &Accounts) -> Option<Thread> {
        let here = account::of(accounts, self.number);
        let (ahead, stretch) = (here.waiting() as u64, here.stretch());
        if stretch < WORTH_MOVING || ahead * stretch < UNSEEN {
            return None;
        }
        let next_there = |number: &usize| {
            let there = &self.crew[*number];
            there.is_scarce() && there.is_next(account::of(accounts, *number))
        };
        self.others().find(next_there).map(|number| Thread {
            crew: self.crew.clone(),
            number,
        })
    }

    fn others(&self) -> impl Iterator<Item = usize> {
        let own = self.number;
        (0..self.crew.len()).filter(move |number| *number != own)
    }

    /// Lets a thread that sleeps take one of those who wait here.
    fn ask_for_help(&self) {
        if self.turns().surplus.0.load(SeqCst) > 0
            && let Some(turn) = self.turn_elsewhere(Stage::RunsOn)
        {
            self.give(turn);
        }
    }

    /// The turn of a thread that sleeps, for a guest at this stage, if one does.
    pub fn turn_elsewhere(&self, stage: Stage) -> Option<Turn> {
        self.others()
            .filter(|number| self.crew[*number].is_idle())
            .find_map(|number| {
                let other = Thread {
                    crew: self.crew.clone(),
                    number,
                };
                other.claim(stage)
            })
    }

    /// The turn, if it is nobody's and this thread sleeps.
    fn claim(self, stage: Stage) -> Option<Turn> {
        let turns = self.turns();
        {
            let waiting = turns.waiting();
            if !turns.is_idle() {
                return None;
            }
            turns.is_taken.store(true, Relaxed);
            turns.note(&waiting, Some(stage));
        }
        Some(Turn(Some(self)))
    }

    /// Gives `turn`, which may be another thread's, to the next who waits here. It is
    /// that thread's next one's if nobody does.
    fn give(&self, mut turn: Turn) {
        let turns = self.turns();
        loop {
            let next = {
                let mut waiting = turns.waiting();
                let next = waiting.pop();
                // One of them may still have the turn, which is not known here; it will
                // note that when it gives it up.
                let left = turns.surplus.0.load(SeqCst).saturating_sub(1);
                let has_turn = usize::from(turns.is_taken.load(Relaxed));
                turns
                    .running_on
                    .store(waiting.running_on() + has_turn, Relaxed);
                turns.surplus.0.store(left.min(waiting.len()), SeqCst);
                turns.note_least(&waiting);
                next
            };
            let Some((_, guest)) = next else {
                return;
            };
            // Who takes it is woken outside the lock.
            match guest.send(turn) {
                Ok(()) => return,
                Err(untaken) => turn = untaken,
            }
        }
    }

    /// Nothing is left to do: it is about to sleep, unless one that waits for another
    /// thread can run here.
    pub fn sleep(&self) {
        self.look();
        let own = self.turns();
        // Whoever wanted this thread's time has had it. Otherwise a tenant that was alone
        // here, and never needed a turn, would owe all of it to the next one who comes.
        if !own.is_taken.load(Relaxed) {
            own.floor.store(own.most.load(Relaxed), Relaxed);
        }
        if self.crew.len() == 1 {
            return;
        }
        own.is_asleep.store(true, SeqCst);
        self.help();
    }

    /// Calls one here who waits for another thread, if this one is idle.
    fn help(&self) {
        let busy = self
            .others()
            .map(|number| (number, &self.crew[number]))
            .find(|(_, turns)| turns.surplus.0.load(SeqCst) > 0);
        if let Some((number, _)) = busy
            && let Some(turn) = self.clone().claim(Stage::RunsOn)
        {
            let busy = Thread {
                crew: self.crew.clone(),
                number,
            };
            busy.give(turn);
        }
    }

    /// It has something to do again.
    pub fn wake(&self) {
        if self.crew.len() > 1 {
            self.turns().is_asleep.store(false, Relaxed);
        }
    }

    fn turns(&self) -> &Turns {
        &self.crew[self.number]
    }

    /// Gives its turn to the next who waits.
    fn pass_on(self) {
        // Whoever had it may be gone before it ran.
        self.turns().looking.store(0, Relaxed);
        loop {
            let turns = self.turns();
            let next = {
                let mut waiting = turns.waiting();
                let next = waiting.pop();
                turns.note(&waiting, next.as_ref().map(|(stage, _)| *stage));
                turns.is_taken.store(next.is_some(), Relaxed);
                next
            };
            let Some((_, guest)) = next else {
                // It may have been given up on another thread, while this one sleeps.
                return self.help();
            };
            // Who takes it is woken outside the lock.
            match guest.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                Err(mut untaken) => untaken.0 = None,
            }
        }
    }
}

impl Turn {
    /// Whose turn it is; none if it has been passed on.
    pub fn thread(&self) -> Option<&Thread> {
        self.0.as_ref()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            thread.pass_on();
        }
    }
}

fn place(account: &Account) -> usize {
    std::ptr::from_ref(account).addr()
}
