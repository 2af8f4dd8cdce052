//! One event, or one procedure, must not stop the others: the bars that are kept at every commit, on a real broker.
//!
//! Not here: those that take minutes or a quiet machine, and all figures (`cargo bench --bench neighbours`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test may fail this way")]

mod support;

#[path = "neighbours/procedures.rs"]
mod procedures;
#[path = "neighbours/refusals.rs"]
mod refusals;
#[path = "neighbours/rejections.rs"]
mod rejections;
#[path = "neighbours/row.rs"]
mod row;
#[path = "neighbours/stage.rs"]
mod stage;

use refusals::CASES;
use rejections::Mended;
use row::Row;
use support::deadline::within;

/// Longer than any of them takes, with the start of the broker.
const DEADLINE: u64 = 500;

fn holds(row: Row) {
    let Row { what, seen, bar, holds } = row.printed();
    assert!(holds, "{what}: {seen}, {bar}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_refused_by_a_page_holds_up_none_that_come_later() {
    holds(within(DEADLINE, "the figure", Box::pin(refusals::measure("a page with 200", CASES[0]))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_events_refused_by_a_redirect_hold_up_none_of_thirty() {
    holds(within(DEADLINE, "the figure", Box::pin(refusals::measure("302", CASES[1]))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_a_procedure_whose_creates_fail_holds_up_no_other() {
    holds(within(DEADLINE, "the figure", Box::pin(procedures::crowd("503 of creates"))).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_whose_events_are_all_refused_costs_few_dead_letters_and_goes_on_when_mended() {
    for row in within(DEADLINE, "the figures", Box::pin(rejections::measure(256, Mended::ByFile))).await {
        holds(row);
    }
}
