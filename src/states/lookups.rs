//! How many events wait for the window of their lookup to end.
//!
//! Not here: which (`core::delivery`), and who asks.

use jiff::Timestamp;

/// How many events wait, those in delay queues among them, and until when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupWaits {
    /// How many at most: one that is found earlier is counted until then.
    pub events: usize,
    /// When the last of them is through, in seconds since the Unix epoch.
    pub until_s: u64,
}

impl LookupWaits {
    /// The time in the form of RFC 3339; none while none waits.
    #[must_use]
    pub fn until(&self) -> Option<String> {
        let until = i64::try_from(self.until_s).ok().and_then(|until| Timestamp::from_second(until).ok());
        until.filter(|_| self.events > 0).map(|until| until.to_string())
    }
}
