//! What is asked of the driver, and where the answer goes.
//!
//! Not here: who asks (`handle`), and what is answered (`core::ledger`).

use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;

use crate::core::ledger::{Claim, Claimed, Record, Recorded, RowId};

/// What is asked, and where the answer goes.
#[derive(Debug)]
pub(super) enum Ask {
    /// Before a create.
    Claim(Box<Claim>, oneshot::Sender<Claimed>),
    /// After it.
    Record(Box<Record>, oneshot::Sender<Recorded>),
}

impl Ask {
    /// The row that it is about.
    pub(super) fn row_id(&self) -> RowId {
        match self {
            Self::Claim(claim, _) => claim.id,
            Self::Record(record, _) => record.claim.id,
        }
    }

    /// Whether nobody waits for the answer any more: a claim that nobody hears of would only leave a doubt.
    pub(super) fn is_forsaken(&self) -> bool {
        match self {
            Self::Claim(_, answer) => answer.is_closed(),
            Self::Record(_, answer) => answer.is_closed(),
        }
    }

    /// Answers that the ledger is away.
    pub(super) fn refuse(self) {
        // Whoever asked may be gone.
        match self {
            Self::Claim(_, answer) => drop(answer.send(Claimed::Away)),
            Self::Record(_, answer) => drop(answer.send(Recorded::Away)),
        }
    }
}

/// How many turns others have at most.
const TURNS: usize = 4;

/// Takes what others are about to ask beside what is `taken`, up to so many: they have a turn first, and another while each brings
/// something. Where there are none that takes no time.
pub(super) async fn gather(asks: &mut mpsc::Receiver<Ask>, taken: &mut Vec<Ask>, most: usize) {
    for _ in 0..TURNS {
        yield_now().await;
        let before = taken.len();
        while taken.len() < most
            && let Ok(ask) = asks.try_recv()
        {
            taken.push(ask);
        }
        if taken.len() == before {
            return;
        }
    }
}
