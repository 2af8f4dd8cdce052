//! What reaches the dispatcher beside the path: an operator's wish to pause, and word of a new token.
//!
//! Not here: who may wish (`admin`), how a new token is noticed (`chakra::token`), and what either does (`core::gate`).

use tokio::sync::watch;

use super::dispatch::Dispatcher;

/// Where wishes come in. A sender that is gone wishes nothing more.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Whether to pause.
    pub paused: watch::Receiver<bool>,
    /// Counts the tokens since the start.
    pub token: watch::Receiver<u64>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Pause,
    Resume,
    NewToken,
}

impl Wishes {
    /// The next one. Loses none if it is dropped while it waits.
    pub(super) async fn next(&mut self) -> Wish {
        tokio::select! {
            () = changed(&mut self.paused) => {
                if *self.paused.borrow_and_update() { Wish::Pause } else { Wish::Resume }
            }
            () = changed(&mut self.token) => Wish::NewToken,
        }
    }
}

async fn changed<T>(wish: &mut watch::Receiver<T>) {
    if wish.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Dispatcher {
    /// Does as was wished.
    pub(super) fn wished(&mut self, wish: Wish) {
        let now = self.clock.now();
        let changes = match wish {
            Wish::Pause => self.gate.pause(now).into_iter().collect(),
            Wish::Resume => self.gate.resume(now).into_iter().collect(),
            Wish::NewToken => self.gate.token_changed(now),
        };
        self.teller.gate(&self.gate, &changes);
    }
}
