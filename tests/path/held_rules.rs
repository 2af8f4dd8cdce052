//! A run of rejections holds a rule; it goes on by a command or by a reload, and says all the while that it is held.
//!
//! Not here: the brake by itself (`core::delivery`), and HTTP (`admin::server`).

use chakra_bridge::admin::resume::RuleResumed;
use chakra_bridge::core::reason::Reason;
use chakra_bridge::core::settlement::Settlement;

use super::dispatcher::{Session, Stage, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

/// As many rejections as hold a rule by default.
const RUN: u64 = 20;
const SAID: &str = "rule lead: held after a run of rejections";

/// Twenty events of the rule `lead` were refused, and each is a dead letter.
async fn held() -> (Stage, Session) {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.connected(true).await;
    dispatcher.api.plan(vec![Rule::always(Canned::new(422)).attribute("name", "bad")]);
    for number in 0..RUN {
        dispatcher.send(&session, number, lead(&format!("m{number}"), "bad")).await;
        let dead_letter = within(10, "its letter", session.dead_letter()).await;
        assert_eq!(dead_letter.fault.reason, Reason::Refused);
    }
    let is_said = dispatcher.shut.wait_for(|shut| shut.iter().any(|said| said == SAID));
    drop(within(10, "the word", is_said).await.unwrap());
    (dispatcher, session)
}

fn shown(dispatcher: &Stage, is_held: u8) -> bool {
    dispatcher.metrics.text().contains(&format!("chakra_bridge_rule_held{{rule=\"lead\"}} {is_held}\n"))
}

async fn until_released(dispatcher: &mut Stage) {
    drop(within(10, "the release", dispatcher.shut.wait_for(|shut| shut.is_empty())).await.unwrap());
}

/// The next event of the rule is created at once.
async fn goes_on(dispatcher: &Stage, session: &mut Session, number: u64) {
    dispatcher.send(session, number, lead(&format!("m{number}"), "good")).await;
    assert_eq!(within(10, "its answer", session.answer()).await, (number, Settlement::Ack));
}

#[tokio::test]
async fn a_rule_is_held_after_twenty_refusals_and_goes_on_by_the_command() {
    let (mut dispatcher, mut session) = held().await;
    assert!(shown(&dispatcher, 1));
    dispatcher.send(&session, 20, lead("m20", "good")).await;
    let (_, delayed) = within(10, "its answer", session.answer()).await;
    assert!(matches!(delayed, Settlement::Delay(..)), "{delayed:?}");
    dispatcher.send(&session, 21, event("m21", "sought", "{}")).await;
    assert_eq!(within(10, "another rule", session.answer()).await, (21, Settlement::Ack));
    assert_eq!(dispatcher.resume_rule("lead").await, Some(RuleResumed::Released));
    until_released(&mut dispatcher).await;
    assert!(shown(&dispatcher, 0));
    goes_on(&dispatcher, &mut session, 22).await;
    assert_eq!(dispatcher.resume_rule("lead").await, Some(RuleResumed::NotHeld));
}

#[tokio::test]
async fn a_reload_of_the_same_rules_lets_a_held_rule_go_on() {
    let (mut dispatcher, mut session) = held().await;
    dispatcher.reload_unchanged();
    until_released(&mut dispatcher).await;
    goes_on(&dispatcher, &mut session, 20).await;
}

#[tokio::test]
async fn each_rule_that_creates_shows_that_it_is_not_held_until_it_is_gone() {
    let (mut dispatcher, _session) = held().await;
    dispatcher.reload("name = \"lead\"", "name = \"leads\"");
    until_released(&mut dispatcher).await;
    let renewed = async {
        while !dispatcher.metrics.text().contains("rule_held{rule=\"leads\"} 0\n") {
            tokio::task::yield_now().await;
        }
    };
    within(10, "the new rules", renewed).await;
    let text = dispatcher.metrics.text();
    assert!(!text.contains("rule_held{rule=\"lead\"}") && !text.contains("rule_held{rule=\"noise\"}"), "{text}");
}

#[tokio::test]
async fn the_pause_of_everything_outlasts_a_rule_that_goes_on() {
    let (mut dispatcher, mut session) = held().await;
    dispatcher.paused.send_replace(true);
    drop(within(10, "the pause", dispatcher.shut.wait_for(|shut| shut.len() == 2)).await.unwrap());
    assert_eq!(dispatcher.resume_rule("lead").await, Some(RuleResumed::Released));
    let only_the_pause = dispatcher.shut.wait_for(|shut| shut == &["everything: paused"]);
    drop(within(10, "the word", only_the_pause).await.unwrap());
    dispatcher.paused.send_replace(false);
    goes_on(&dispatcher, &mut session, 20).await;
}

#[tokio::test]
async fn a_rule_that_is_none_is_answered_with_the_nearest_name() {
    let dispatcher = Stage::new().await;
    let near = RuleResumed::Unknown { nearest: Some("lead".to_owned()) };
    assert_eq!(within(10, "an answer", dispatcher.resume_rule("laed")).await, Some(near));
    let far = within(10, "an answer", dispatcher.resume_rule("0123456789")).await;
    assert_eq!(far, Some(RuleResumed::Unknown { nearest: None }));
}

#[tokio::test]
async fn a_dispatcher_that_drains_keeps_nobody_waiting_for_a_rule() {
    let (dispatcher, session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 2_000 })]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "its request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    dispatcher.begin_stop();
    let draining = async { while dispatcher.resume_rule("lead").await.is_some() {} };
    within(10, "the refusal", draining).await;
}
