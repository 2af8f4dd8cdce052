//! A.1: events whose creates are always refused by what is not the API's word, and good ones of the same procedure that
//! come half a second after the first refusal.
//!
//! Not here: procedures that fail (`procedures`), and events that the API itself refuses (`rejections`).
#![allow(dead_code, reason = "the test and the bench each use a part of it")]

use std::time::Duration;

use tokio::time::Instant;

use crate::row::Row;
use crate::stage::{BAD, GOOD, ONE, Stage, pass};
use crate::support::deadline::within;
use crate::support::standin::{Canned, ErrorBody, Fault, Rule};

/// The good ones are created so soon after the first refusal.
const BAR: Duration = Duration::from_secs(10);

/// Where the bar is not kept, so long is waited for the true figure.
const LONGEST: Duration = Duration::from_secs(90);

/// After the first refusal.
const LATER: Duration = Duration::from_millis(500);

/// What the creates of some events are answered with.
pub const REFUSALS: [&str; 6] = ["a page with 200", "a page with 400", "402", "406", "302", "403"];

/// How many such events, how many good ones behind them, and the prefetch.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub bad: usize,
    pub good: usize,
    pub prefetch: usize,
}

pub const CASES: [Case; 3] = [
    Case { bad: 1, good: 3, prefetch: 64 },
    Case { bad: 2, good: 30, prefetch: 64 },
    Case { bad: 10, good: 20, prefetch: 8 },
];

fn fault(refusal: &str) -> Fault {
    let page = |status| Canned::new(status).body(ErrorBody::Html).into();
    match refusal {
        "a page with 200" => Fault::SuccessHtml,
        "a page with 400" => page(400),
        "302" => Fault::Redirect,
        // The API's own word, for its procedure.
        "403" => Canned::new(403).into(),
        status => page(status.parse().expect("a status")),
    }
}

/// Measures one case.
pub async fn measure(refusal: &str, case: Case) -> Row {
    let mut stage = Stage::new(ONE, case.prefetch).await;
    stage.plays([Rule::always(fault(refusal)).attribute("marker", "bad")]);
    stage.publish(BAD, case.bad).await;
    let refused = stage.scene.api.until(|books| books.requests.iter().any(|seen| seen.status.is_some()));
    within(60, "a refusal", refused).await;
    let first = Instant::now();
    pass(LATER).await;
    stage.publish(GOOD, case.good).await;
    let created = stage.created(GOOD, case.good, LONGEST).await;
    let Case { bad, good, prefetch } = case;
    let what = format!("A.1 {bad} refused by {refusal}, then {good} good, prefetch {prefetch}");
    let some = format!("{} of {good} in {LONGEST:?}", created.err().unwrap_or_default());
    let row = Row::time(what, created.ok().map(|at| at - first), BAR, some);
    stage.end().await;
    row
}

/// All cases, in turn.
pub async fn all() -> Vec<Row> {
    let mut rows = Vec::new();
    for refusal in REFUSALS {
        for case in CASES {
            rows.push(measure(refusal, case).await.printed());
        }
    }
    rows
}
