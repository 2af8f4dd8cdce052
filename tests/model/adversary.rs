//! Who chooses: every way there is, one walk after the other, or at random from a seed; and the means there are.
//!
//! Not here: what there is to choose.

use chakra_bridge::core::policy::{OnAbsent, OnUnknown};

use crate::stage::Kind;

/// What a walk is about, and what is left of the adversary's means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// What the events ask for; each walk takes some.
    pub(crate) kinds: &'static [Kind],
    /// At most so many events.
    pub(crate) events: usize,
    pub(crate) places: usize,
    /// How many daemons serve the queue at once, over one ledger.
    pub(crate) replicas: usize,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) on_absent: OnAbsent,
    /// Creates that are bent.
    pub(crate) creates: u32,
    /// Lookups that are bent.
    pub(crate) lookups: u32,
    /// Kills, lost connections and restarts.
    pub(crate) strikes: u32,
    /// Fetches of pictures and uploads that are bent.
    pub(crate) pictures: u32,
    /// Publishes that are refused or confirmed late.
    pub(crate) publishes: u32,
    /// Pauses, reloads, new tokens, times in which the API answers all alike, producers that repeat: at random alone.
    pub(crate) episodes: u32,
    /// How many messages more than one a producer may publish of each event.
    pub(crate) repeats: usize,
    /// Whether there is a ledger.
    pub(crate) has_ledger: bool,
    /// Writes to it that are lost, or applied although they failed, or late.
    pub(crate) writes: u32,
    /// Whether outcomes are told to producers.
    pub(crate) tells: bool,
    /// Whether some processes show only after a while.
    pub(crate) lag_varies: bool,
    /// Whether an event, or a procedure, never succeeds.
    pub(crate) has_neighbour: bool,
    pub(crate) sabotage: Sabotage,
}

impl Setting {
    /// Nothing is bent but what a test bends.
    pub(crate) const QUIET: Self = Self {
        kinds: &[],
        events: 0,
        places: 0,
        replicas: 1,
        on_unknown: OnUnknown::Resend,
        on_absent: OnAbsent::Create,
        creates: 0,
        lookups: 0,
        strikes: 0,
        pictures: 0,
        publishes: 0,
        episodes: 0,
        repeats: 0,
        has_ledger: false,
        writes: 0,
        tells: false,
        lag_varies: false,
        has_neighbour: false,
        sabotage: Sabotage::None,
    };
}

/// What a bad daemon would do: to see that the walk notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    None,
    /// It announces no possible duplicate.
    Mute,
    /// It tells the machine that a lookup found nothing, and never looks.
    LooksNever,
    /// The window of its lookups is shorter than the API is slow.
    ShortWindow,
    /// It acknowledges before a publish is confirmed.
    AcksFirst,
    /// It delays an event without its state.
    ForgetsState,
    /// It acknowledges what is to go back.
    AcksReleases,
    /// It carries out no acknowledgement.
    DropsAcks,
    /// It sends each create twice.
    SendsTwice,
    /// It never wakes the machine.
    NeverWakes,
    /// It acknowledges what a producer repeats, whatever became of it.
    SwallowsRepeats,
    /// It takes what a producer repeats for another event.
    ForgetsRepeats,
    /// It sends each create, whatever the ledger answers to its claim.
    IgnoresClaims,
    /// It says of what it is to record that it is recorded, and leaves it.
    RecordsNothing,
    /// The same, and records it a second later.
    RecordsLate,
    /// It sends the create for which its lease was too short when it woke.
    SendsWhenItWakes,
    /// It says of outcomes that they are told, and leaves them.
    TellsNothing,
    /// It says of photos that they are up, and uploads none.
    UploadsNothing,
}

/// The choices of one walk.
pub(crate) struct Choices(Source);

enum Source {
    /// Nothing is chosen; the random numbers of the machine are the same each time.
    Quiet(fastrand::Rng),
    /// A counter whose digits are the choices made so far, each with its base.
    Exhaustive {
        digits: Vec<(usize, usize)>,
        at: usize,
    },
    Random(fastrand::Rng),
}

impl Choices {
    pub(crate) fn exhaustive() -> Self {
        Self(Source::Exhaustive { digits: Vec::new(), at: 0 })
    }

    /// For a test that chooses itself.
    pub(crate) fn quiet() -> Self {
        Self(Source::Quiet(fastrand::Rng::with_seed(17)))
    }

    pub(crate) fn at_random(seed: u64) -> Self {
        Self(Source::Random(fastrand::Rng::with_seed(seed)))
    }

    pub(crate) fn is_random(&self) -> bool {
        matches!(self.0, Source::Random(_))
    }

    /// One of the first `count` numbers.
    pub(crate) fn of(&mut self, count: usize) -> usize {
        match &mut self.0 {
            Source::Quiet(_) => 0,
            Source::Random(random) => random.usize(..count),
            Source::Exhaustive { digits, at } => {
                if *at == digits.len() {
                    digits.push((0, count));
                }
                *at += 1;
                digits[*at - 1].0
            }
        }
    }

    /// One of these.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.of(of.len())]
    }

    /// Whether it happens: once in so many times at random, and both ways otherwise.
    pub(crate) fn happens(&mut self, in_times: usize) -> bool {
        let times = if self.is_random() { in_times } else { 2 };
        self.of(times) == 1
    }

    /// Whether something of which so much is left happens; if so, it is spent.
    pub(crate) fn spends(&mut self, left: &mut u32, in_times: usize) -> bool {
        let happens = *left > 0 && self.happens(in_times);
        *left -= u32::from(happens);
        happens
    }

    /// The random number of an input: in the middle, where all is walked.
    pub(crate) fn dice(&mut self) -> f64 {
        match &mut self.0 {
            Source::Random(random) | Source::Quiet(random) => random.f64(),
            Source::Exhaustive { .. } => 0.5,
        }
    }

    /// The same choices once more.
    pub(crate) fn again(&self) -> Self {
        match &self.0 {
            Source::Quiet(random) => Self(Source::Quiet(random.clone())),
            Source::Random(random) => Self(Source::Random(random.clone())),
            Source::Exhaustive { digits, .. } => Self(Source::Exhaustive { digits: digits.clone(), at: 0 }),
        }
    }

    /// Counts up; false after the last walk.
    pub(crate) fn next_walk(&mut self) -> bool {
        let Source::Exhaustive { digits, at } = &mut self.0 else { return false };
        *at = 0;
        while let Some((digit, base)) = digits.pop() {
            if digit + 1 < base {
                digits.push((digit + 1, base));
                return true;
            }
        }
        false
    }
}
