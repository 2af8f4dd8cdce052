//! What the delivery machine wants done, and when it wants to be woken.
//!
//! Not here: doing it.

use std::sync::Arc;

use super::{EventId, ReceiptId, RecordId, Report};
use crate::core::gate::Moment;
use crate::core::ledger::{Claim, Record};
use crate::core::lookup::Lookup;
use crate::core::photo::Photo;
use crate::core::process::{CreateProcess, Procedure};
use crate::core::settlement::Settlement;

/// How many events are wanted from the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantedPrefetch {
    /// As many as the configuration says.
    #[default]
    Full,
    /// One, to probe with while everything has been shut for long.
    One,
    /// Twice as many, since dead letters that nobody takes hold the places of others.
    Double,
}

/// One thing to do.
#[derive(Debug)]
pub enum Effect {
    /// Send this create; answer with [`Input::Replied`](super::Input::Replied) or [`Input::Panicked`](super::Input::Panicked). Where
    /// there is a claim, make it first: unless it is granted with leave to send, and the lease lasts for the whole request, send
    /// nothing and answer with [`Input::Withheld`](super::Input::Withheld).
    Create {
        /// The event it is for.
        event: EventId,
        /// The request.
        request: Arc<CreateProcess>,
        /// Whether an earlier create of it lost its answer: it goes on a connection of its own.
        is_repeat: bool,
        /// What the ledger is asked first.
        claim: Option<Box<Claim>>,
    },
    /// Bring this photo up; answer with [`Input::PhotoReplied`](super::Input::PhotoReplied) or
    /// [`Input::Panicked`](super::Input::Panicked). Where there is a claim, make it first: unless the row is the asker's, and nothing
    /// was sent by others that it does not know of, ask nobody and answer with [`Input::Withheld`](super::Input::Withheld).
    Photo {
        /// The event it is for.
        event: EventId,
        /// The photo.
        photo: Arc<Photo>,
        /// What the ledger is asked first.
        claim: Option<Box<Claim>>,
    },
    /// Tell the ledger this; answer with [`Input::Recorded`](super::Input::Recorded).
    Record {
        /// Its number.
        id: RecordId,
        /// What to tell.
        record: Box<Record>,
    },
    /// Send this lookup; answer with [`Input::Replied`](super::Input::Replied) or [`Input::Panicked`](super::Input::Panicked).
    LookUp {
        /// The event it is for.
        event: EventId,
        /// Where to look.
        lookup: Arc<Lookup>,
    },
    /// Send this lookup to check that of a rule; answer with [`Input::Checked`](super::Input::Checked).
    Check {
        /// The rule.
        rule: Arc<str>,
        /// Where to look.
        lookup: Arc<Lookup>,
    },
    /// Ask for a list of nothing of this procedure; answer with [`Input::Listed`](super::Input::Listed).
    List {
        /// The procedure.
        procedure: Procedure,
    },
    /// Settle a message so. Each receipt is named exactly once, and once more after each [`Input::Refused`](super::Input::Refused)
    /// and each [`Input::KeptFirst`](super::Input::KeptFirst). What is published is answered with one of these or with
    /// [`Input::Kept`](super::Input::Kept).
    Settle {
        /// The receipt.
        receipt: ReceiptId,
        /// How.
        settlement: Settlement,
    },
    /// Ask the broker for so many events.
    Want(WantedPrefetch),
    /// Tell this: a log line, metrics, readiness.
    Tell(Report),
}

/// What is to be done after an input, in this order, and when to come back.
#[derive(Debug)]
pub struct Effects {
    /// What is to be done.
    pub list: Vec<Effect>,
    /// When [`Input::Timer`](super::Input::Timer) is due, if nothing else comes before.
    pub wake: Moment,
}
