//! Decoding and mapping under mutated events, rules and expressions, from a seed. Whatever comes in: no panic, bounded
//! output, nothing sent for a field that is missing, and no error that holds a piece of the event.
//!
//! Ten seconds by default; `FUZZ_SECONDS=600 cargo test --release --test fuzz -- --nocapture` is ten minutes.
//! A failure prints its seed, and `FUZZ_SEED` repeats it.
//!
//! Not here: what is right in each case (the tests of the rules).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

#[path = "fuzz/corpus.rs"]
mod corpus;
#[path = "fuzz/laws.rs"]
mod laws;
#[path = "fuzz/mutate.rs"]
mod mutate;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use fastrand::Rng;

use laws::End;

/// How long a test looks for trouble.
fn time() -> Duration {
    let seconds = std::env::var("FUZZ_SECONDS").map_or(10, |text| text.parse().expect("FUZZ_SECONDS is whole seconds"));
    Duration::from_secs(seconds)
}

/// Plays one case after another, each from its own seed, until the time is over; how often each end was met.
fn play() -> BTreeMap<End, u64> {
    let mut ends = BTreeMap::new();
    if let Ok(seed) = std::env::var("FUZZ_SEED") {
        let case = mutate::case(&mut Rng::with_seed(seed.parse().expect("FUZZ_SEED is a number")));
        println!("{case:?}\n{:?}", laws::hold(&case));
        return ends;
    }
    let (end, mut seeds) = (Instant::now() + time(), Rng::new());
    while Instant::now() < end {
        let seed = seeds.u64(..);
        let outcome = catch_unwind(|| laws::hold(&mutate::case(&mut Rng::with_seed(seed))));
        let met = outcome.unwrap_or_else(|_| panic!("repeat it with FUZZ_SEED={seed}"));
        met.into_iter().for_each(|end| *ends.entry(end).or_default() += 1);
    }
    let all = [End::Mistaken, End::Undecodable, End::Refused, End::Created];
    assert!(all.iter().all(|end| ends.contains_key(end)), "an end was never met: {ends:?}");
    ends
}

#[test]
fn whatever_comes_in_nothing_breaks_and_nothing_leaks() {
    println!("{:?}", play());
}
