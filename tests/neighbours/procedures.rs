//! A.2: a procedure that fails beside one that does not.
//!
//! Not here: events that are refused for their own words (`refusals`), and what a shut procedure costs (`shut`).
#![allow(dead_code, reason = "the test and the bench each use a part of it")]

use std::time::Duration;

use tokio::time::Instant;

use crate::row::{Row, milliseconds};
use crate::stage::{BAD, FAILING, GOOD, Kind, ONE, Stage, TWO};
use crate::support::standin::{Canned, Fault, Rule};

/// Events of each procedure a second.
const A_SECOND: usize = 200;

/// The rate of the healthy one beside that without the other, at least.
const RATE_MIN: f64 = 0.9;

/// Its 99th percentile beside that without the other, at most, and so much more.
const SLOWER_MAX: f64 = 1.1;
const MORE: Duration = Duration::from_millis(5);

/// How long the last ones are waited for.
const REST: Duration = Duration::from_secs(20);

/// The bar of those that stand behind a crowd.
const BEHIND: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(120);

/// How the other procedure fails.
pub const FAILURES: [&str; 6] = ["403", "404", "429", "503 of creates", "hanging creates", "pages"];

fn failing(how: &str) -> Rule {
    let rule = match how {
        "503 of creates" => Rule::always(Canned::new(503)),
        "hanging creates" => Rule::always(Fault::NeverAnswer),
        "pages" => Rule::anywhere(Fault::SuccessHtml),
        status => Rule::anywhere(Canned::new(status.parse().expect("a status"))),
    };
    rule.procedure("ticket")
}

/// How the good events fared.
#[derive(Clone, Copy, Debug)]
pub struct Fared {
    /// Created within the time of publishing, a second.
    rate: f64,
    half: Duration,
    slowest: Duration,
    most: Duration,
}

impl Fared {
    fn told(self) -> String {
        format!("{:.1}/s, 99 % in {}", self.rate, milliseconds(self.slowest))
    }

    fn more(self) -> String {
        format!("half in {}, all in {}", milliseconds(self.half), milliseconds(self.most))
    }

    /// Beside how they fare alone.
    fn beside(self, alone: Self, what: &str) -> Row {
        let slowest = alone.slowest.mul_f64(SLOWER_MAX) + MORE;
        let bar = format!("{:.1}/s, {}", alone.rate * RATE_MIN, milliseconds(slowest));
        let holds = self.rate >= alone.rate * RATE_MIN && self.slowest <= slowest;
        Row::new(format!("{what}: {}", self.more()), self.told(), bar, holds)
    }
}

/// Publishes these kinds in turn, and says how the good ones fared.
async fn fared(rules: &str, fault: Option<Rule>, kinds: &[Kind], a_second: usize, seconds: u64) -> Fared {
    let mut stage = Stage::new(rules, 64).await;
    // What is new to the daemon once (connections, the check of a lookup) is behind it when the clock starts.
    stage.publish(Kind { marker: "first", ..GOOD }, 50).await;
    stage.created(Kind { marker: "first", ..GOOD }, 50, REST).await.expect("it delivers");
    stage.plays(fault);
    let begun = stage.publish_at_rate(kinds, a_second, seconds).await;
    let good = stage.times(GOOD).len();
    // Those that are late for it count as never created.
    let _: Result<_, usize> = stage.created(GOOD, good, REST).await;
    let times = stage.times(GOOD);
    let within = stage.created_between(GOOD, begun, begun + Duration::from_secs(seconds));
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let (half, slowest, most) = (at(0.5), at(0.99), at(1.0));
    stage.end().await;
    Fared { rate: within as f64 / seconds as f64, half, slowest, most }
}

/// Each failure, beside the run without the other procedure just before it.
pub async fn rates(seconds: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    let wanted = std::env::var("NEIGHBOURS_FAILURE").unwrap_or_default();
    for how in std::iter::once("nothing").chain(FAILURES).filter(|how| how.contains(&wanted)) {
        let alone = fared(TWO, None, &[GOOD], A_SECOND, seconds).await;
        Row::plain(format!("A.2 alone: {}", alone.more()), alone.told()).printed();
        let fault = (how != "nothing").then(|| failing(how));
        let beside = fared(TWO, fault, &[FAILING, GOOD], 2 * A_SECOND, seconds).await;
        let row = beside.beside(alone, &format!("A.2 beside {how}"));
        // Both well is what the machine gives: the bar is read against it, and it has none itself.
        rows.push(if how == "nothing" { Row { holds: true, ..row } } else { row }.printed());
    }
    rows
}

/// A crowd of the failing procedure, and some of a healthy one behind it.
pub async fn crowd(how: &str) -> Row {
    let (crowd, behind) = (300, 20);
    let mut stage = Stage::new(TWO, 64).await;
    stage.plays([failing(how)]);
    stage.publish(FAILING, crowd).await;
    let begun = Instant::now();
    stage.publish(GOOD, behind).await;
    let created = stage.created(GOOD, behind, LONGEST).await;
    let some = format!("{} of {behind} in {LONGEST:?}", created.err().unwrap_or_default());
    let what = format!("A.2 {crowd} with {how}, then {behind} of a healthy procedure");
    let row = Row::time(what, created.ok().map(|at| at - begun), BEHIND, some);
    stage.end().await;
    row
}

/// B: one bad event in three, refused by the API in words, delays no good one.
pub async fn mixed(seconds: u64) -> Row {
    let alone = fared(ONE, None, &[GOOD], A_SECOND, seconds).await;
    Row::plain(format!("B alone: {}", alone.more()), alone.told()).printed();
    let refused = Rule::always(Canned::new(422)).attribute("marker", "bad");
    let beside = fared(ONE, Some(refused), &[GOOD, BAD, GOOD], A_SECOND * 3 / 2, seconds).await;
    beside.beside(alone, "B one bad in three")
}
