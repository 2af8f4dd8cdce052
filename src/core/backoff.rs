//! How long to wait: exponential ceilings from the `backoff` crate, full jitter from our own dice.
//!
//! Not here: randomness (`dice` is an argument), sleeping, and what is being waited for.
//!
//! The crate's own randomisation stays off: it overshoots the cap (measured with 0.4.0).

use std::time::Duration;

use backoff::backoff::Backoff as _;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// The ceiling of the wait before try number `step + 1`: `initial × multiplier^step`, at most `max`.
#[must_use]
pub fn ceiling(initial: Duration, multiplier: f64, max: Duration, step: u32) -> Duration {
    let mut intervals: ExponentialBackoff = ExponentialBackoffBuilder::new()
        .with_initial_interval(initial.min(max))
        .with_multiplier(multiplier)
        .with_max_interval(max)
        .with_randomization_factor(0.0)
        .with_max_elapsed_time(None)
        .build();
    let mut wait = initial.min(max);
    for _ in 0..=step {
        wait = intervals.next_backoff().unwrap_or(max).min(max);
        if wait == max {
            break;
        }
    }
    wait
}

/// Full jitter: a wait between zero and `ceiling`, chosen by `dice` in 0..1.
#[must_use]
pub fn jittered(ceiling: Duration, dice: f64) -> Duration {
    ceiling.mul_f64(dice.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ceilings_double_up_to_the_cap() {
        let waits: Vec<u64> = (0..7).map(|step| ceiling(SECOND, 2.0, 30 * SECOND, step).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_multiplier_of_one_never_reaches_the_cap_and_still_ends() {
        assert_eq!(ceiling(SECOND, 1.0, 30 * SECOND, 10_000), SECOND);
    }

    #[test]
    fn an_initial_wait_above_the_cap_is_the_cap() {
        assert_eq!(ceiling(60 * SECOND, 2.0, 30 * SECOND, 0), 30 * SECOND);
    }

    #[test]
    fn the_dice_choose_anywhere_below_the_ceiling_and_never_above() {
        assert_eq!(jittered(SECOND, 0.0), Duration::ZERO);
        assert_eq!(jittered(SECOND, 0.5), SECOND / 2);
        assert_eq!(jittered(SECOND, 7.0), SECOND);
    }
}
