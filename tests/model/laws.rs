//! What is counted over all walks, and what must stay zero.
//!
//! Not here: when it is counted (`ledger`, `shell`).

/// What became of the events of all walks.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) walks: u64,
    pub(crate) events: u64,
    pub(crate) inputs: u64,
    pub(crate) created: u64,
    pub(crate) found: u64,
    pub(crate) already_created: u64,
    pub(crate) skipped: u64,
    pub(crate) dead: u64,
    pub(crate) delayed: u64,
    pub(crate) killed: u64,
    /// Replicas that stood still for a while.
    pub(crate) frozen: u64,
    pub(crate) disconnected: u64,
    pub(crate) restarted: u64,
    pub(crate) copied: u64,
    pub(crate) announced: u64,
    /// The longest that an event was about after the last trouble, in seconds of simulated time.
    pub(crate) latest: u64,
    /// More than one process of an event, each announced before.
    pub(crate) doubled: u64,
    /// Two processes by two copies in two lives of the daemon, the second of which could not see the first: not promised.
    pub(crate) doubled_by_copies: u64,
    /// Two processes since the rules were changed and the daemon killed: nobody knows where the first one went.
    pub(crate) doubled_by_other_rules: u64,
    /// Two processes by two messages of one event in two lives of the daemon: what one life remembers the next does not.
    pub(crate) doubled_by_producers: u64,
    /// Creates that the ledger did not allow.
    pub(crate) withheld: u64,
    /// Messages that were recognised as repeats of what is a process.
    pub(crate) duplicates: u64,
    /// Outcomes that the broker keeps.
    pub(crate) told: u64,
    /// Photos that came up, and those that processes were created without.
    pub(crate) photos: u64,
    pub(crate) left_out: u64,
    pub(crate) sins: Sins,
}

/// What breaks the promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sins {
    /// Neither a process, nor a dead letter, nor queued.
    pub(crate) lost: u64,
    /// Two processes by one copy of an event that can be looked up.
    pub(crate) doubled_by_one_copy: u64,
    /// Two processes by two copies that one daemon knew of.
    pub(crate) doubled_in_one_life: u64,
    pub(crate) doubled_without_a_word: u64,
    pub(crate) dead_for_our_fault: u64,
    pub(crate) acknowledged_without_a_process: u64,
    /// A third create after two of unknown outcome.
    pub(crate) repeats_beyond_the_limit: u64,
    /// A second process that nobody announced, although there is a ledger.
    pub(crate) doubled_with_a_ledger: u64,
    /// A process that was acknowledged before the ledger had it, and nobody said so.
    pub(crate) acknowledged_unrecorded: u64,
    /// An event that was acknowledged though its producer was not told.
    pub(crate) untold: u64,
    /// Two outcomes of one id that say different things, or two ids of one outcome.
    pub(crate) told_otherwise: u64,
    /// A process that names a photo which is not up.
    pub(crate) named_unseen: u64,
    /// A process without a photo that could be had.
    pub(crate) left_out_for_nothing: u64,
    /// A picture that was uploaded under a second id.
    pub(crate) uploaded_otherwise: u64,
    /// A receipt that was named again.
    pub(crate) settled_twice: u64,
    /// A receipt that was not named although nothing is held any more.
    pub(crate) never_settled: u64,
    /// A request for an event whose receipt was settled, or for one whose request is under way.
    pub(crate) sent_for_nobody: u64,
    /// A request begun while paused or at the end.
    pub(crate) sent_while_paused: u64,
    /// More requests under way than events held, or other ones than the machine says.
    pub(crate) running_beyond_held: u64,
    /// Woken again and again for nothing.
    pub(crate) busy: u64,
    /// The API was asked for an event whose verdict stands.
    pub(crate) asked_after_the_verdict: u64,
    /// A second letter of one event by a daemon that knew of the first.
    pub(crate) buried_twice: u64,
    /// A healthy event that waited for longer than `stage::timeout`.
    pub(crate) starved: u64,
}

impl Count {
    /// Whether the promise held in every walk.
    pub(crate) fn is_clean(&self) -> bool {
        self.sins == Sins::default()
    }

    /// Whether enough happened for the walks to mean something.
    pub(crate) fn is_not_tame(&self) -> bool {
        let happened =
            [self.created, self.dead, self.delayed, self.killed, self.disconnected, self.restarted, self.copied];
        happened.iter().all(|times| *times > 0)
    }
}
