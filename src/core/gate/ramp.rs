//! The ramp after a breaker has opened: as many requests a second as the API has just shown it can take, at most doubled.
//!
//! Not here: which breaker it belongs to (`breaker`), and who waits for the end of a step.

use std::time::Duration;

use super::Moment;

/// The length of one step.
const STEP: Duration = Duration::from_secs(1);

/// Requests in the first step, and in any other at least.
const FIRST: u32 = 2;

/// Requests a second beyond which there is nothing left to hold back.
const TOP: u32 = 1000;

/// After this a ramp ends with the first step that was not used up, since then nothing is held back; and a failure in a step,
/// of which a busy API always has some, no longer keeps the next one from growing.
const LENGTH: Duration = Duration::from_secs(60);

/// Where a ramp stands in its present step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ramp {
    opened: Moment,
    step_began: Moment,
    allowance: u32,
    begun: u32,
    good: u32,
    has_failed: bool,
}

impl Ramp {
    /// The first step of a ramp that begins now.
    pub(super) fn new(now: Moment) -> Self {
        Self { opened: now, step_began: now, allowance: FIRST, begun: 0, good: 0, has_failed: false }
    }

    /// The same ramp as it stands now; none once it is over.
    pub(super) fn at(self, now: Moment) -> Option<Self> {
        let is_long = now.saturating_sub(self.opened) >= LENGTH;
        match now.saturating_sub(self.step_began).as_secs() {
            0 => Some(self),
            _ if is_long && self.full_until().is_none() => None,
            1 => self.next(is_long),
            // In the steps between nothing came back, so that there is nothing to double.
            steps => self.next(is_long).map(|ramp| ramp.step(self.step_began + STEP * count(steps), FIRST)),
        }
    }

    /// Requests that may begin in the present step.
    pub(super) fn allowance(self) -> u32 {
        self.allowance
    }

    /// When the next request may begin, if none may now.
    pub(super) fn full_until(self) -> Option<Moment> {
        (self.begun >= self.allowance).then(|| self.step_began + STEP)
    }

    /// A request has begun.
    pub(super) fn begun(self) -> Self {
        Self { begun: self.begun.saturating_add(1), ..self }
    }

    /// A request has ended, well or by a failure of the moment.
    pub(super) fn ended(self, is_good: bool) -> Self {
        let good = self.good.saturating_add(is_good.into());
        Self { good, has_failed: self.has_failed || !is_good, ..self }
    }

    fn next(self, is_long: bool) -> Option<Self> {
        let may_grow = is_long || !self.has_failed;
        let most = if may_grow { self.allowance.saturating_mul(2) } else { self.allowance };
        let allowance = self.good.saturating_mul(2).min(most).max(FIRST);
        (allowance <= TOP).then(|| self.step(self.step_began + STEP, allowance))
    }

    fn step(self, began: Moment, allowance: u32) -> Self {
        Self { step_began: began, allowance, begun: 0, good: 0, has_failed: false, ..self }
    }
}

/// So many steps.
fn count(steps: u64) -> u32 {
    u32::try_from(steps).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// One step in which `begun` requests began, `good` came back well and `failed` did not.
    fn step(ramp: Ramp, begun: u32, good: u32, failed: u32) -> Ramp {
        let ramp = (0..begun).fold(ramp, |ramp, _| ramp.begun());
        let ramp = (0..good).fold(ramp, |ramp, _| ramp.ended(true));
        (0..failed).fold(ramp, |ramp, _| ramp.ended(false))
    }

    #[test]
    fn the_next_step_allows_twice_what_came_back_well_and_never_more_than_double() {
        // (begun, good, failed) of a step that allowed 8, and what the next one allows.
        let cases = [
            ((8, 8, 0), 16),
            ((8, 5, 0), 10),
            ((8, 1, 0), 2),
            ((0, 0, 0), 2),
            ((8, 0, 0), 2),
            ((8, 40, 0), 16),
            ((8, 7, 1), 8),
            ((8, 3, 1), 6),
            ((8, 0, 8), 2),
        ];
        for ((begun, good, failed), expected) in cases {
            let ramp = step(Ramp { allowance: 8, ..Ramp::new(secs(0)) }, begun, good, failed);
            let next = ramp.at(secs(1)).unwrap().allowance();
            assert_eq!(next, expected, "{begun} begun, {good} good, {failed} failed");
        }
    }

    #[test]
    fn a_used_up_step_lasts_to_its_end_and_no_longer() {
        let ramp = Ramp::new(secs(7));
        assert_eq!(ramp.begun().full_until(), None);
        let full = ramp.begun().begun();
        assert_eq!(full.full_until(), Some(secs(8)));
        assert_eq!(full.at(secs(8) - Duration::from_nanos(1)).unwrap().full_until(), Some(secs(8)));
        assert_eq!(full.at(secs(8)).unwrap().full_until(), None);
    }

    #[test]
    fn it_ends_above_a_thousand_a_second() {
        let mut ramp = Ramp::new(secs(0));
        let mut allowed = vec![ramp.allowance()];
        for second in 1.. {
            let Some(next) = step(ramp, ramp.allowance(), ramp.allowance(), 0).at(secs(second)) else { break };
            ramp = next;
            allowed.push(ramp.allowance());
        }
        assert_eq!(allowed, [2, 4, 8, 16, 32, 64, 128, 256, 512]);
    }

    #[test]
    fn it_ends_after_a_minute_however_little_there_was_to_do() {
        let ramp = Ramp::new(secs(5));
        assert!(ramp.at(secs(65) - Duration::from_nanos(1)).is_some());
        assert_eq!(ramp.at(secs(65)), None);
    }

    #[test]
    fn it_lasts_beyond_a_minute_while_it_holds_back_and_grows_then_though_some_fail() {
        let mut ramp = Ramp::new(secs(0));
        let mut allowed = Vec::new();
        for second in 1..70 {
            allowed.push(ramp.allowance());
            // Four a second are all that the API takes, and there is more to do than may go.
            let (good, failed) = (ramp.allowance().min(4), ramp.allowance().saturating_sub(4));
            ramp = step(ramp, ramp.allowance(), good, failed).at(secs(second)).expect("it holds back");
        }
        assert_eq!(allowed.iter().max(), Some(&8));
        for second in 70.. {
            // It recovers but for one in ten.
            let allowance = ramp.allowance();
            let failed = allowance.div_ceil(10);
            let Some(next) = step(ramp, allowance, allowance - failed, failed).at(secs(second)) else {
                assert!(second < 80, "a ramp of {allowance} until {second}");
                return;
            };
            assert!(next.allowance() <= 2 * (allowance - failed).max(1));
            ramp = next;
        }
    }

    #[test]
    fn beyond_a_minute_it_ends_with_a_step_that_was_not_used_up() {
        let full = step(Ramp { step_began: secs(64), ..Ramp::new(secs(0)) }, 2, 2, 0);
        assert_eq!(full.at(secs(65)).map(Ramp::allowance), Some(4));
        let idle = step(Ramp { step_began: secs(64), ..Ramp::new(secs(0)) }, 1, 1, 0);
        assert_eq!((idle.at(secs(65)), idle.at(secs(300))), (None, None));
        // It held back, and nobody has looked since.
        assert_eq!(full.at(secs(66)).map(Ramp::allowance), Some(FIRST));
    }

    #[test]
    fn steps_without_an_answer_begin_again_from_the_first_allowance() {
        let ramp = step(Ramp { allowance: 64, ..Ramp::new(secs(0)) }, 64, 64, 0);
        assert_eq!(ramp.at(secs(1)).unwrap().allowance(), 128);
        let later = ramp.at(secs(4)).unwrap();
        assert_eq!((later.allowance(), later.step_began), (2, secs(4)));
    }

    #[test]
    fn no_step_allows_more_than_twice_the_step_before_whatever_came_back() {
        let mut ramp = Ramp::new(secs(0));
        for second in 1..60 {
            let (good, failed) = ((second * 7919) % 41, u32::from(second % 5 == 0));
            let Some(next) = step(ramp, ramp.allowance(), good, failed).at(secs(second.into())) else { return };
            let most = if failed > 0 { ramp.allowance() } else { 2 * ramp.allowance() };
            assert!(next.allowance() <= most.max(2) && next.allowance() <= (2 * good).max(2), "{ramp:?} {next:?}");
            ramp = next;
        }
    }
}
