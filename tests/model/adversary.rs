//! Who chooses: every way there is, one walk after the other, or at random from a seed.
//!
//! Not here: what there is to choose.

/// The choices of one walk.
pub(crate) struct Choices(Kind);

enum Kind {
    /// A counter whose digits are the choices made so far, each with its base.
    Exhaustive {
        digits: Vec<(usize, usize)>,
        at: usize,
    },
    Random(fastrand::Rng),
}

impl Choices {
    pub(crate) fn exhaustive() -> Self {
        Self(Kind::Exhaustive { digits: Vec::new(), at: 0 })
    }

    pub(crate) fn at_random(seed: u64) -> Self {
        Self(Kind::Random(fastrand::Rng::with_seed(seed)))
    }

    /// One of the first `count` numbers.
    pub(crate) fn of(&mut self, count: usize) -> usize {
        match &mut self.0 {
            Kind::Random(dice) => dice.usize(..count),
            Kind::Exhaustive { digits, at } => {
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

    /// Counts up; false after the last walk.
    pub(crate) fn next_walk(&mut self) -> bool {
        let Kind::Exhaustive { digits, at } = &mut self.0 else { return false };
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
