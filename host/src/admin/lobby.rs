//! Connections before anybody has said who they are. There are so many; when another
//! comes, the one that has been here longest is closed for it. So whoever keeps silent, or
//! takes no answer, holds no place from one who asks how the server is.

use super::places::Place;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;

/// Connections whose requests are nobody's yet.
#[derive(Clone)]
pub(super) struct Lobby(Arc<Mutex<Waiting>>);

struct Waiting {
    most: usize,
    next: u64,
    /// By when they came. One that has only just come cannot be closed yet.
    tasks: BTreeMap<u64, Option<AbortHandle>>,
}

/// One of them. Dropped, it is gone.
pub(super) struct Visit {
    lobby: Lobby,
    number: u64,
    /// Where it is let in.
    place: Mutex<Option<Place>>,
}

impl Lobby {
    /// With room for so many.
    pub(super) fn new(most: usize) -> Self {
        Lobby(Arc::new(Mutex::new(Waiting {
            most,
            next: 0,
            tasks: BTreeMap::new(),
        })))
    }

    /// One more comes; the one that has been here longest goes, if there is no room.
    pub(super) fn enter(&self) -> Visit {
        let mut waiting = self.lock();
        while waiting.tasks.len() >= waiting.most
            && let Some((_, task)) = waiting.tasks.pop_first()
        {
            if let Some(task) = task {
                task.abort();
            }
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.tasks.insert(number, None);
        drop(waiting);
        Visit {
            lobby: self.clone(),
            number,
            place: Mutex::default(),
        }
    }

    /// The visit of this number can be closed from here on.
    pub(super) fn closes(&self, number: u64, task: AbortHandle) {
        if let Some(known) = self.lock().tasks.get_mut(&number) {
            *known = Some(task);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// Which it is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// It is known whose it is. It has `place` until it ends.
    pub(super) fn let_in(&self, place: Place) {
        self.lobby.lock().tasks.remove(&self.number);
        let mut last = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(place);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.lobby.lock().tasks.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::places::{Errand, Places, Whose};
    use super::*;
    use crate::settings::ApiQuota;
    use std::future::pending;

    #[tokio::test]
    async fn who_has_waited_longest_goes_for_another() {
        let lobby = Lobby::new(2);
        let come = || {
            let visit = lobby.enter();
            let number = visit.number();
            let task = tokio::spawn(async move {
                let _visit = visit;
                pending::<()>().await;
            });
            lobby.closes(number, task.abort_handle());
            task
        };
        let (first, second) = (come(), come());
        let third = come();
        assert!(first.await.unwrap_err().is_cancelled());
        assert!(!second.is_finished() && !third.is_finished());
        // One that was let in is closed for nobody, and makes room.
        let places = Places::default();
        let quota = ApiQuota::default();
        second.abort();
        let _ = second.await;
        let visit = lobby.enter();
        visit.let_in(places.take(&Whose::Socket, Errand::Short, &quota).unwrap());
        assert_eq!(lobby.lock().tasks.len(), 1);
        let _more = [come(), come(), come()];
        assert_eq!(lobby.lock().tasks.len(), 2);
        drop(visit);
        assert_eq!(lobby.lock().tasks.len(), 2);
    }
}
