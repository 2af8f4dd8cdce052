//! The last hour in pieces of half a minute, and what flows now: made of sums that are looked at every two seconds. It has a bound,
//! however long the daemon runs and however seldom it is looked at.
//!
//! Not here: what is counted (`metrics`), clocks, and how it is drawn (`page`).

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::millis;
use crate::metrics::Totals;

/// Between two samples.
pub const EVERY: Duration = Duration::from_secs(2);

/// How long a piece is, if the samples come in time.
const PIECE: Duration = Duration::from_secs(30);

/// So many of them are an hour.
const PIECES_MAX: usize = 120;

/// What is told as now is told of so long.
const NOW: Duration = Duration::from_secs(10);

/// What stood in the way at the time of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Something was shut, or a rule was held.
    pub is_shut: bool,
    /// Nothing came in from the broker.
    pub is_away: bool,
}

/// One sample.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The time of day, in epoch milliseconds: only shown.
    pub now_ms: u64,
    /// The time since some start, which nobody can set: what is reckoned with.
    pub at: Duration,
    /// The sums.
    pub totals: Totals,
    /// What stood in the way.
    pub standing: Standing,
}

/// A piece of the hour.
#[derive(Clone, Debug)]
struct Piece {
    from_ms: u64,
    begun: Duration,
    lasts: Duration,
    /// What came meanwhile, and the highest levels.
    flowed: Totals,
    standing: Standing,
}

impl Piece {
    fn begin(seen: &Seen) -> Self {
        Self {
            from_ms: seen.now_ms,
            begun: seen.at,
            lasts: Duration::ZERO,
            flowed: Totals::default(),
            standing: Standing::default(),
        }
    }

    fn add(&mut self, first: &Totals, seen: &Seen) {
        let most = self.flowed;
        let flowed = seen.totals.since(first);
        self.flowed = Totals {
            held: most.held.max(flowed.held),
            waiting: most.waiting.max(flowed.waiting),
            in_flight: most.in_flight.max(flowed.in_flight),
            ..flowed
        };
        self.lasts = seen.at.saturating_sub(self.begun);
        self.standing.is_shut |= seen.standing.is_shut;
        self.standing.is_away |= seen.standing.is_away;
    }

    fn row(&self) -> Value {
        let Totals { received, processes, dead, delayed, requests, failed, requests_us, held, waiting, .. } =
            self.flowed;
        let Standing { is_shut, is_away } = self.standing;
        let mean = mean(requests_us, requests).map(|mean| mean / 1000.0);
        json!([
            self.from_ms,
            millis(self.lasts),
            received,
            processes,
            dead,
            delayed,
            requests,
            failed,
            mean,
            held,
            waiting,
            is_shut,
            is_away
        ])
    }
}

/// The names of what stands in a row, in its order.
const COLUMNS: [&str; 13] = [
    "from_ms",
    "lasts_ms",
    "received",
    "processes",
    "dead",
    "delayed",
    "requests",
    "failed",
    "request_ms",
    "held",
    "waiting",
    "is_shut",
    "is_away",
];

/// A mean with three digits behind the point; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "it is shown to people")]
fn mean(sum: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| (sum as f64 / count as f64 * 1000.0).round() / 1000.0)
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Hour {
    /// The pieces that are whole, the oldest first.
    whole: VecDeque<Piece>,
    open: Piece,
    /// The sums as the open piece began.
    first: Totals,
    /// The last samples, the oldest first; never empty.
    samples: VecDeque<Seen>,
}

impl Hour {
    /// An hour that begins.
    #[must_use]
    pub fn begin(seen: Seen) -> Self {
        Self { whole: VecDeque::new(), open: Piece::begin(&seen), first: seen.totals, samples: VecDeque::from([seen]) }
    }

    /// Takes a sample in.
    pub fn take(&mut self, seen: Seen) {
        self.open.add(&self.first, &seen);
        if self.open.lasts >= PIECE {
            let whole = std::mem::replace(&mut self.open, Piece::begin(&seen));
            self.whole.push_back(whole);
            self.first = seen.totals;
        }
        let hour = PIECE * u32::try_from(PIECES_MAX).unwrap_or(u32::MAX);
        let is_old = |piece: &Piece| seen.at.saturating_sub(piece.begun + piece.lasts) >= hour;
        while self.whole.len() >= PIECES_MAX || self.whole.front().is_some_and(is_old) {
            self.whole.pop_front();
        }
        self.samples.push_back(seen);
        // One sample stays that is as old as that, or older.
        while self.samples.get(1).is_some_and(|next| seen.at.saturating_sub(next.at) >= NOW) {
            self.samples.pop_front();
        }
    }

    /// What came within the last samples, and how long that took; nothing before the second sample.
    fn lately(&self) -> Option<(Totals, Duration)> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let took = last.at.saturating_sub(first.at);
        (!took.is_zero()).then(|| (last.totals.since(&first.totals), took))
    }

    /// Whether an event came in, came to an end or waits for a request.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.lately().is_some_and(|(flowed, _)| flowed.received > 0 || flowed.ends > 0 || flowed.requests > 0)
    }

    /// What flows now: so many a second, and how long requests and events took in the mean, in milliseconds.
    #[must_use]
    pub fn now(&self) -> Value {
        let Some((flowed, took)) = self.lately() else { return Value::Null };
        let rate = |count: u64| mean(count.saturating_mul(1000), millis(took)).unwrap_or_default();
        json!({
            "over_ms": millis(took),
            "received": rate(flowed.received),
            "processes": rate(flowed.processes),
            "skipped": rate(flowed.skipped),
            "dead": rate(flowed.dead),
            "delayed": rate(flowed.delayed),
            "requests": rate(flowed.requests),
            "failed": rate(flowed.failed),
            "request_ms": mean(flowed.requests_us, flowed.requests).map(|mean| mean / 1000.0),
            "event_ms": mean(flowed.took_ms, flowed.ends),
            "age_ms": mean(flowed.ages_ms, flowed.aged),
        })
    }

    /// The pieces as a table, the oldest first; the last one is not over yet.
    #[must_use]
    pub fn table(&self) -> Value {
        let rows: Vec<Value> = self.whole.iter().chain([&self.open]).map(Piece::row).collect();
        json!({ "columns": COLUMNS, "rows": rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at_s: u64, received: u64) -> Seen {
        let totals = Totals { received, held: received % 7, ..Totals::default() };
        Seen { now_ms: 1_000_000 + at_s * 1000, at: Duration::from_secs(at_s), totals, standing: Standing::default() }
    }

    fn rows(hour: &Hour) -> Vec<Value> {
        hour.table()["rows"].as_array().unwrap().clone()
    }

    #[test]
    fn every_event_stands_in_one_piece_and_no_more_than_an_hour_is_kept() {
        let mut hour = Hour::begin(seen(0, 0));
        (1..=1800).for_each(|sample| hour.take(seen(sample * 2, sample * 3)));
        let sum = |hour: &Hour| rows(hour).iter().map(|row| row[2].as_u64().unwrap()).sum::<u64>();
        assert_eq!((rows(&hour).len(), sum(&hour)), (120, 5400 - 45), "what is an hour old has gone");
        (1801..=9000).for_each(|sample| hour.take(seen(sample * 2, sample * 3)));
        assert_eq!((rows(&hour).len(), sum(&hour)), (120, 119 * 45));
        assert!(rows(&hour).iter().all(|row| row.as_array().unwrap().len() == COLUMNS.len()));
    }

    #[test]
    fn what_flows_now_is_told_of_the_last_ten_seconds_and_of_nothing_before_the_second_sample() {
        let mut hour = Hour::begin(seen(0, 1000));
        assert_eq!((hour.now(), hour.is_moving()), (Value::Null, false));
        for at in 1..=50 {
            hour.take(seen(at * 2, 1000 + at * 2 * 5));
        }
        assert_eq!((hour.now()["received"].as_f64(), hour.now()["over_ms"].as_u64()), (Some(5.0), Some(10_000)));
        assert!(hour.is_moving());
        (51..=56).for_each(|at| hour.take(seen(at * 2, 1500)));
        assert_eq!((hour.now()["received"].as_f64(), hour.is_moving()), (Some(0.0), false));
    }

    #[test]
    fn a_process_that_stood_still_has_one_long_piece_and_no_false_rate() {
        let mut hour = Hour::begin(seen(0, 0));
        hour.take(seen(2, 10));
        hour.take(seen(1202, 1210));
        let long = rows(&hour)[0].clone();
        assert_eq!((long[1].as_u64(), long[2].as_u64()), (Some(1_202_000), Some(1210)));
        assert_eq!(hour.now()["received"].as_f64(), Some(1.0));
        hour.take(seen(1202 + 7200, 1210));
        assert_eq!(rows(&hour).len(), 2, "what came before the hour is gone");
    }

    #[test]
    fn a_piece_keeps_the_highest_levels_and_whatever_stood_in_the_way() {
        let mut hour = Hour::begin(seen(0, 0));
        let shut = Standing { is_shut: true, is_away: false };
        hour.take(Seen { standing: shut, ..seen(2, 6) });
        hour.take(seen(4, 7));
        let row = rows(&hour)[0].clone();
        assert_eq!((row[9].as_u64(), row[11].as_bool(), row[12].as_bool()), (Some(6), Some(true), Some(false)));
    }
}
