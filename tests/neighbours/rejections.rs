//! B: a rule whose events are all refused by the API in words costs some dead letters, and is mended.
//!
//! Not here: refusals that are not the API's word (`refusals`).
#![allow(dead_code, reason = "the test and the bench each use a part of it")]

use std::time::Duration;

use tokio::time::Instant;

use crate::row::Row;
use crate::stage::{GOOD, ONE, Stage, pass};
use crate::support::standin::{Canned, Rule};

const EVENTS: usize = 400;

/// Dead letters at most, within this time.
const DEAD_MAX: usize = 25;
const WITHIN: Duration = Duration::from_secs(15);

/// After the rules are mended, the rest is created within this.
const MENDED: Duration = Duration::from_secs(90);
const LONGEST: Duration = Duration::from_secs(240);

/// How it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mended {
    /// In ChakraHQ, and told by SIGHUP with unchanged files.
    BySignal,
    /// In the rules, and the daemon sees it by itself.
    ByFile,
}

/// Measures both bars.
pub async fn measure(prefetch: usize, mended: Mended) -> [Row; 2] {
    let mut stage = Stage::new(ONE, prefetch).await;
    stage.plays([Rule::always(Canned::new(422)).marker("marker")]);
    stage.publish(GOOD, EVENTS).await;
    pass(WITHIN).await;
    let dead = stage.dead().await;
    let bar = format!("at most {DEAD_MAX}");
    let what = format!("B {EVENTS} refused in words, prefetch {prefetch}: dead letters in {WITHIN:?}");
    let first = Row::new(what, dead.to_string(), bar, dead <= DEAD_MAX);
    mend(&stage, mended);
    let begun = Instant::now();
    // Whatever became a dead letter until it was mended never comes.
    let rest = EVENTS - stage.dead().await;
    let created = stage.created(GOOD, rest, LONGEST).await;
    let lost = stage.dead().await - (EVENTS - rest);
    let some = format!("{} of {rest} in {LONGEST:?}", created.err().unwrap_or_default());
    let what = format!("B {mended:?}, prefetch {prefetch}: the rest created ({lost} more dead letters)");
    let second = Row::time(what, created.ok().map(|at| at - begun), MENDED, some);
    stage.end().await;
    [first, second]
}

fn mend(stage: &Stage, mended: Mended) {
    match mended {
        Mended::BySignal => {
            stage.plays([]);
            stage.daemon.signal("HUP");
        }
        Mended::ByFile => {
            let rules = ONE.replace("marker = ", "renamed = ");
            let (config, next) = (stage.daemon.config(), stage.daemon.config().with_extension("next"));
            std::fs::write(&next, stage.setup.clone().sections(&rules).toml()).expect("a file");
            std::fs::rename(next, config).expect("a file");
        }
    }
}
