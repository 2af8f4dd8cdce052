//! The ledger of events: a row for each, what is asked of it before a create and told after it, and what follows from a row. Values
//! and pure functions: the stores keep rows and decide nothing.
//!
//! Not here: where rows are kept (`crate::ledger`), and when the ledger is asked (`delivery`).

mod claimed;
mod recorded;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

pub use self::claimed::claimed;
pub use self::recorded::recorded;
use crate::core::event::Digest;
use crate::core::lookup::Lookup;

/// Which row of a queue is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    /// Of the event's key.
    pub key: Digest,
    /// 0 where all messages of the key share one row; otherwise the digest of the body, for keys that name several events.
    pub slot: u64,
}

/// One row, as it is kept. Times are milliseconds since the Unix epoch by the store's own clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The key as text, for `trace`.
    pub key: Arc<str>,
    /// Who claimed it last: the name of one run of one replica.
    pub owner: Arc<str>,
    /// Counts the claims: what an earlier owner says is not taken.
    pub epoch: i64,
    /// [`Claim::ticket`] of the last claim.
    pub ticket: u64,
    /// What its owner has of it.
    pub hold: Hold,
    /// Creates that may have been applied and whose answer nobody has.
    pub unsure_creates: u32,
    /// When a create was sent last; 0 for never.
    pub sent_ms: i64,
    /// Where the last create was sent, to look it up there.
    pub sent: Option<Arc<Lookup>>,
    /// How it ended, if it did.
    pub end: Option<RowEnd>,
    /// Digest of the body.
    pub body: u64,
    /// Digest of the request.
    pub request: u64,
    /// [`DIGEST_VERSION`](crate::core::event::DIGEST_VERSION) of both.
    pub digest_version: u8,
    /// The rule that it was handled by.
    pub rule: Arc<str>,
    /// The procedure that it went to.
    pub procedure: Arc<str>,
    /// Requests that came to an outcome.
    pub attempts: u32,
    /// When it was first claimed.
    pub first_ms: i64,
    /// When it ended; 0 while it has not.
    pub ended_ms: i64,
}

/// What the owner of a row has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing any more: it gave the row back.
    Free,
    /// The row, and its last claim was not let create.
    Claimed,
    /// The row, and its last claim was let create.
    Sends,
}

/// How an event ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowEnd {
    /// It is a process, with this id if the API told it.
    Created(Option<String>),
    /// It is a dead letter, by this fixed word (`Reason::as_str`).
    Dead(String),
}

/// How events are delivered where there is a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerPolicy {
    /// The longest that a request takes: for so long after a create was sent it may still be under way.
    pub timeout: Duration,
}

/// What is asked before a create.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The row.
    pub id: RowId,
    /// The key as text.
    pub key: Arc<str>,
    /// Digest of the body.
    pub body: u64,
    /// Digest of the request.
    pub request: u64,
    /// The rule.
    pub rule: Arc<str>,
    /// The procedure.
    pub procedure: Arc<str>,
    /// Counts the events of a run that claim: one that asks again has the same number until it is answered that the row is another's or
    /// has ended. So a claim whose answer was lost, and under which nothing was sent, is told from an earlier event's, and one that is
    /// applied late does nothing. Never 0.
    pub ticket: u64,
    /// The epoch that an earlier claim of this event in this run was answered with, if one was: then what the asker knows of its
    /// creates overwrites the row.
    pub epoch: Option<i64>,
    /// Creates that may have been applied, as far as the asker knows.
    pub unsure_creates: u32,
    /// Requests that came to an outcome, as far as the asker knows.
    pub attempts: u32,
    /// Whether a create is sent at once if the claim is granted: that it was is committed with the claim.
    pub sends: Option<Sends>,
    /// Which row that has ended is opened again. What may have been created stays in doubt.
    pub opens: Opens,
}

/// Which row that has ended a claim opens again: none that became something else since the asker was told how it ended, for that was
/// done by another message of the same event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opens {
    /// None.
    #[default]
    Nothing,
    /// That of a dead letter: an operator retries it, or a producer publishes it anew.
    Dead,
    /// That of a process as well: an operator says *again*.
    Created,
}

/// A create that is about to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sends {
    /// Where it can be looked up afterwards.
    pub lookup: Option<Arc<Lookup>>,
}

/// What the ledger answers to a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Claimed {
    /// The row is the asker's.
    Mine {
        /// Of this claim.
        epoch: i64,
        /// Whether the create that was asked for is committed as sent, and may go. If it was asked for and is not: an earlier owner
        /// sent one whose answer nobody has, and the asker does not know of it.
        may_send: bool,
        /// What earlier owners left, as of the store's clock.
        left: Left,
    },
    /// A living replica has it.
    Held {
        /// How long its lease still runs.
        rest: Duration,
    },
    /// It ended. The row says how, and by which body and request.
    Ended(Box<Row>),
    /// The ledger cannot be asked now, or did not answer: whether a claim was committed nobody knows.
    Away,
}

/// What earlier owners of a row may have done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Left {
    /// Creates that may have been applied.
    pub unsure_creates: u32,
    /// How long ago the last was sent, if one was.
    pub since_sent: Option<Duration>,
    /// Where.
    pub sent: Option<Arc<Lookup>>,
    /// By which body and request.
    pub digests: (u64, u64),
}

/// What is told after a create, or when an event leaves without one.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What the asker knows of the row and of its event, as it would claim it now. Under another epoch than the row's it is not taken;
    /// none where nothing was claimed (found by a lookup, dead before a create).
    pub claim: Box<Claim>,
    /// How it ended; none where it is given back, so that another replica may claim it at once.
    pub end: Option<RowEnd>,
}

/// What the ledger answers to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is committed.
    Yes,
    /// The row is another's by now, or ended otherwise: what was told is not taken.
    Superseded,
    /// The ledger cannot be asked now, or did not answer: whether it was committed nobody knows. To tell it again is safe.
    Away,
}

/// Who asks, and by which clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker<'a> {
    /// The name of this run of this replica.
    pub owner: &'a str,
    /// Milliseconds since the Unix epoch by the store's clock.
    pub now_ms: i64,
    /// How long the lease of the row's owner still runs by the store's clock; zero if it is over or there is none.
    pub lease: Duration,
}
