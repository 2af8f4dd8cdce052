//! What is counted over all walks, and what must stay zero.
//!
//! Not here: the walks.

/// What became of the events of all walks.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) walks: u64,
    pub(crate) created: u64,
    pub(crate) found: u64,
    pub(crate) dead: u64,
    pub(crate) delayed: u64,
    pub(crate) killed: u64,
    /// The adversary's means ended first.
    pub(crate) unfinished: u64,
    /// More than one process, whatever was announced.
    pub(crate) doubled: u64,
    /// Two processes by two copies, each of which looked before the other could be seen: not promised.
    pub(crate) doubled_by_copies: u64,
    /// Two processes by one copy of an event that can be looked up.
    pub(crate) doubled_by_one_copy: u64,
    pub(crate) doubled_without_a_word: u64,
    pub(crate) dead_for_our_fault: u64,
    pub(crate) acknowledged_without_a_process: u64,
    pub(crate) repeats_beyond_the_limit: u64,
    /// Neither a process, nor a dead letter, nor queued.
    pub(crate) lost: u64,
}

impl Count {
    /// Whether the promise held in every walk.
    pub(crate) fn is_clean(&self) -> bool {
        let sins = [
            self.doubled_by_one_copy,
            self.doubled_without_a_word,
            self.dead_for_our_fault,
            self.acknowledged_without_a_process,
            self.repeats_beyond_the_limit,
            self.lost,
        ];
        sins == [0; 6]
    }

    /// Whether enough happened for the walks to mean something.
    pub(crate) fn is_not_tame(&self) -> bool {
        self.created > 0 && self.dead > 0 && self.delayed > 0 && self.killed > 0
    }
}
