//! C: what events of a shut procedure cost the broker, and how late they come after it opens.
//!
//! Not here: what they cost others (`procedures`).
#![allow(dead_code, reason = "the bench uses it")]

use std::time::Duration;

use tokio::time::Instant;

use crate::row::{Row, seconds};
use crate::stage::{FAILING, Stage, TWO, pass};
use crate::support::standin::{Canned, Rule};

const SHUT_FOR: Duration = Duration::from_secs(120);

/// Confirmed publishes a second while all came round every ten seconds were a tenth of the events; once it has been shut for a
/// minute none comes round more often than that.
const ROUNDS_APART: u64 = 60;

/// The longest waits for a gate that was shut: of few and of many events; and at most as long as it was shut.
const FEW: usize = 1_000;
const LONGEST_OF_FEW: Duration = Duration::from_secs(60);

/// A ramp from two requests a second, beyond the wait.
const RAMP: Duration = Duration::from_secs(30);

/// Measures what so many events cost.
pub async fn measure(events: usize) -> Vec<Row> {
    let mut stage = Stage::new(TWO, 64).await;
    stage.plays([Rule::always(Canned::new(503)).procedure("ticket")]);
    stage.publish(FAILING, events).await;
    let mut rounds = Vec::new();
    for minute in 1..=SHUT_FOR.as_secs() / ROUNDS_APART {
        let before = stage.delayed().await;
        pass(Duration::from_secs(ROUNDS_APART)).await;
        let a_second = (stage.delayed().await - before) as f64 / ROUNDS_APART as f64;
        let what = format!("C {events} events of a shut procedure, minute {minute}: publishes");
        let most = events as f64 / ROUNDS_APART as f64 * 1.1;
        let seen = format!("{a_second:.1}/s");
        let row = if minute == 1 {
            Row::plain(what, seen)
        } else {
            Row::new(what, seen, format!("at most {most:.1}/s"), a_second <= most)
        };
        rounds.push(row.printed());
    }
    rounds.push(opened(&stage, events).await.printed());
    stage.end().await;
    rounds
}

/// How late the last one comes after the gate has opened: the first that is created opens it.
async fn opened(stage: &Stage, events: usize) -> Row {
    stage.plays([]);
    let works = Instant::now();
    let begun = stage.created(FAILING, 1, SHUT_FOR).await.expect("it opens");
    Row::plain(format!("C {events} events, works again: the gate opens"), seconds(begun - works)).printed();
    let wait = if events <= FEW { LONGEST_OF_FEW } else { SHUT_FOR };
    let longest = wait + RAMP;
    let created = stage.created(FAILING, events, longest * 2).await;
    let some = format!("{} of {events} in {:?}", created.err().unwrap_or_default(), longest * 2);
    let what = format!("C {events} events, the gate has opened: the last is created");
    Row::time(what, created.ok().map(|at| at - begun), longest, some)
}
