//! What one event, or one procedure, does to the others: each figure with its bar, and `falls short` where it is not kept.
//! `cargo bench --bench neighbours` for all; `-- A.2 C` for the parts of these names. `NEIGHBOURS_SECONDS` is how long each
//! run at a rate lasts, 60 if it is not set; `NEIGHBOURS_FAILURE=503` takes the failures with that in their name alone; `NEIGHBOURS_LOGS`
//! names a folder for what the daemons said.
//!
//! Not here: the bars that a test keeps at every commit (`tests/neighbours.rs`).
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a bench may fail this way")]

#[path = "../neighbours/procedures.rs"]
mod procedures;
#[path = "../neighbours/refusals.rs"]
mod refusals;
#[path = "../neighbours/rejections.rs"]
mod rejections;
#[path = "../neighbours/row.rs"]
mod row;
#[path = "../neighbours/shut.rs"]
mod shut;
#[path = "../neighbours/stage.rs"]
mod stage;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use rejections::Mended;
use row::Row;

const SECONDS: u64 = 60;

/// The parts, in their order.
const PARTS: [&str; 7] = ["A.1", "A.2.crowd", "A.2.rates", "B.run", "B.mixed", "C.few", "C.many"];

#[tokio::main]
async fn main() -> ExitCode {
    let seconds = std::env::var("NEIGHBOURS_SECONDS").map_or(SECONDS, |text| text.parse().expect("seconds"));
    let named: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    let is_wanted = |part: &str| named.is_empty() || named.iter().any(|name| part.starts_with(name.as_str()));
    let mut rows = Vec::new();
    println!("| what | figure | bar | |\n| --- | --- | --- | --- |");
    for part in PARTS.into_iter().filter(|part| is_wanted(part)) {
        rows.extend(measured(part, seconds).await);
    }
    let short = rows.iter().filter(|row| !row.holds).count();
    println!("{} figures, {short} fall short", rows.len());
    if short == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measured(part: &str, seconds: u64) -> Vec<Row> {
    match part {
        "A.1" => refusals::all().await,
        "A.2.crowd" => {
            vec![
                procedures::crowd("503 of creates").await.printed(),
                procedures::crowd("hanging creates").await.printed(),
            ]
        }
        "A.2.rates" => procedures::rates(seconds).await,
        "B.run" => {
            let mut rows = Vec::new();
            for (prefetch, mended) in [(64, Mended::BySignal), (256, Mended::ByFile)] {
                rows.extend(rejections::measure(prefetch, mended).await.map(Row::printed));
            }
            rows
        }
        "B.mixed" => vec![procedures::mixed(seconds).await.printed()],
        "C.few" => shut::measure(900).await,
        _ => shut::measure(10_000).await,
    }
}
