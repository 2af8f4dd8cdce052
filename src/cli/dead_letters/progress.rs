//! How far it is, in one line of a terminal, on standard error.
//!
//! Not here: what is done.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(200);

/// See the head of this file.
pub(super) struct Progress {
    what: &'static str,
    of: u64,
    is_on: bool,
    shown: Instant,
    is_shown: bool,
}

impl Progress {
    /// Of so many. Nothing is shown where nobody looks, or where lines on standard output say the same.
    pub(super) fn of(what: &'static str, of: u64, prints_lines: bool) -> Self {
        let is_on = io::stderr().is_terminal() && !(prints_lines && io::stdout().is_terminal());
        Self { what, of, is_on, shown: Instant::now(), is_shown: false }
    }

    /// So many are done.
    pub(super) fn at(&mut self, done: u64) {
        if !self.is_on || self.shown.elapsed() < EVERY {
            return;
        }
        (self.shown, self.is_shown) = (Instant::now(), true);
        let percent = (done * 100).checked_div(self.of).unwrap_or(100);
        let bar: String = (0..20).map(|step| if step * 5 < percent { '#' } else { '.' }).collect();
        // Where nobody can be told, nobody need be.
        drop(write!(io::stderr(), "\r[{bar}] {} {done} of {}", self.what, self.of));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}
