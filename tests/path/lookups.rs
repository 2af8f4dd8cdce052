//! With `reconcile_by` the API is asked before anything is sent again, and its answer is believed only where it can be.
//!
//! Not here: what each answer means (`core::lookup`), and a real broker (`broker/lookups.rs`).

use std::time::Duration;

use chakra_bridge::core::delayed_state::DelayedState;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::settlement::Settlement;

use super::dispatcher::{Commands, Session, Stage, again, event};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

fn lookup_target(id: &str) -> Message {
    event(id, "sought", "{}")
}

fn lookups(dispatcher: &Stage) -> usize {
    dispatcher.api.requests().iter().filter(|request| request.path.ends_with("/list")).count()
}

async fn acknowledged(session: &mut Session) {
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_found() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    dispatcher.send(&session, 1, lookup_target("m1")).await;
    acknowledged(&mut session).await;
    assert_eq!((dispatcher.api.created().len(), lookups(&dispatcher)), (1, 1));
}

#[tokio::test]
async fn what_was_refused_with_an_error_text_is_looked_up_and_found() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(409)).applied(true)]);
    dispatcher.send(&session, 1, lookup_target("m1")).await;
    acknowledged(&mut session).await;
    assert_eq!((dispatcher.api.created().len(), lookups(&dispatcher)), (1, 1));
}

#[tokio::test]
async fn what_was_refused_with_an_error_text_and_is_not_there_is_never_created_again() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(409)).applied(false)]);
    dispatcher.send(&session, 1, lookup_target("m1")).await;
    let dead_letter = within(10, "its letter", session.dead_letter()).await;
    assert!(dead_letter.fault.text.contains("409"), "{}", dead_letter.fault.text);
    assert_eq!(dispatcher.api.created().len(), 0);
}

#[tokio::test]
async fn a_redelivered_event_that_no_lookup_finds_is_created_after_the_window_and_nothing_is_announced() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    let began = tokio::time::Instant::now();
    dispatcher.send(&session, 1, again(lookup_target("m1"))).await;
    acknowledged(&mut session).await;
    assert!(began.elapsed() >= Duration::from_millis(600), "the window is api.timeout and no lag");
    assert_eq!(dispatcher.api.created().len(), 1);
    assert!(lookups(&dispatcher) >= 2, "asked again before it counts");
    assert!(!dispatcher.metrics.text().contains("possible_duplicates_total{cause=\"redelivered\"} 1"));
}

#[tokio::test]
async fn where_the_lookup_is_not_allowed_the_doubt_is_announced_and_the_event_goes_on() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::at_list(Canned::new(403))]);
    dispatcher.send(&session, 1, again(lookup_target("m1"))).await;
    acknowledged(&mut session).await;
    assert_eq!(dispatcher.api.created().len(), 1);
    assert!(dispatcher.metrics.text().contains("possible_duplicates_total{cause=\"redelivered\"} 1"));
}

#[tokio::test]
async fn a_lookup_that_cannot_be_trusted_holds_the_procedure_until_one_can() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.send(&session, 1, lookup_target("other")).await;
    acknowledged(&mut session).await;
    dispatcher.api.plan(vec![Rule::at_list(Fault::IgnoreWhere)]);
    dispatcher.send(&session, 2, again(lookup_target("m2"))).await;
    dispatcher.gate(true).await;
    assert_eq!(*dispatcher.shut.borrow(), ["lead: lookup_untrusted"]);
    dispatcher.send(&session, 3, lookup_target("m3")).await;
    dispatcher.api.plan(Vec::new());
    dispatcher.gate(false).await;
    acknowledged(&mut session).await;
    acknowledged(&mut session).await;
    assert_eq!(dispatcher.api.created().len(), 3);
}

#[tokio::test]
async fn an_event_known_only_by_a_hash_is_never_looked_up() {
    for message in [lookup_target(""), event("", "prefixed", "{}")] {
        let (dispatcher, mut session) = (Stage::new().await, Session::new());
        dispatcher.api.plan(vec![Rule::always(Fault::CreateThenReset).first(1)]);
        dispatcher.send(&session, 1, Message { message_id: None, ..message }).await;
        acknowledged(&mut session).await;
        assert_eq!((dispatcher.api.created().len(), lookups(&dispatcher)), (2, 0));
        assert!(dispatcher.metrics.text().contains("possible_duplicates_total{cause=\"resent\"} 1"));
    }
}

fn delayed() -> Message {
    Message { delayed_state: Some(DelayedState::default().encode()), ..lookup_target("m1") }
}

async fn of_two_copies_one_is_created(dispatcher: &Stage, session: &mut Session, first: Message) {
    dispatcher.send(session, 1, first).await;
    dispatcher.send(session, 2, delayed()).await;
    acknowledged(session).await;
    acknowledged(session).await;
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn of_two_copies_that_cannot_see_each_other_yet_one_creates() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.set_lag(Duration::from_secs(60));
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 200 })]);
    of_two_copies_one_is_created(&dispatcher, &mut session, again(lookup_target("m1"))).await;
}

#[tokio::test]
async fn a_copy_waits_while_the_request_of_the_other_is_under_way() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.set_lag(Duration::from_secs(60));
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 200 })]);
    of_two_copies_one_is_created(&dispatcher, &mut session, delayed()).await;
}

#[tokio::test]
async fn a_copy_learns_that_the_other_lost_an_answer_and_lookups_again() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.set_lag(Duration::from_millis(500));
    dispatcher.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    of_two_copies_one_is_created(&dispatcher, &mut session, again(lookup_target("m1"))).await;
}

#[tokio::test]
async fn a_lookup_proves_itself_on_the_first_create_and_its_lag_is_measured() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.set_lag(Duration::from_millis(200));
    dispatcher.send(&session, 1, lookup_target("m1")).await;
    acknowledged(&mut session).await;
    let shown = async {
        while !dispatcher.metrics.text().contains("lookup_verified{rule=\"sought\"} 1") {
            dispatcher.api.until(|books| books.requests.iter().all(|seen| seen.over)).await;
            tokio::task::yield_now().await;
        }
    };
    within(10, "the check", shown).await;
    let asked = lookups(&dispatcher);
    assert!(asked >= 2, "the first lookup comes too early to see it");
    dispatcher.send(&session, 2, lookup_target("m2")).await;
    acknowledged(&mut session).await;
    assert_eq!(lookups(&dispatcher), asked, "once verified it is not verified again");
}

#[tokio::test]
async fn an_api_that_loses_sight_of_a_procedure_for_a_while_makes_no_second_process() {
    let (mut dispatcher, mut session) = (Stage::new().await, Session::new());
    let gone = || Canned::new(404);
    dispatcher.api.plan(vec![
        Rule::at_list(gone()),
        Rule::always(Fault::CreateThenReset).first(1),
        Rule::always(gone()),
    ]);
    dispatcher.send(&session, 1, lookup_target("m1")).await;
    dispatcher.gate(true).await;
    dispatcher.api.plan(Vec::new());
    acknowledged(&mut session).await;
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn a_verified_lookup_that_is_refused_is_waited_for_and_repeats_nothing_blindly() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.send(&session, 1, lookup_target("first")).await;
    acknowledged(&mut session).await;
    let check_result = async {
        while !dispatcher.metrics.text().contains("lookup_verified{rule=\"sought\"} 1") {
            tokio::task::yield_now().await;
        }
    };
    within(10, "the check", check_result).await;
    let before = lookups(&dispatcher);
    dispatcher.api.plan(vec![Rule::at_list(Canned::new(403))]);
    dispatcher.send(&session, 2, again(lookup_target("m1"))).await;
    within(10, "some looks", dispatcher.api.until(|books| books.requests.len() > before + 4)).await;
    assert_eq!(dispatcher.api.created().len(), 1);
    dispatcher.api.plan(Vec::new());
    acknowledged(&mut session).await;
    assert_eq!(dispatcher.api.created().len(), 2);
}

#[tokio::test]
async fn while_creates_fail_lookups_that_work_do_not_open_the_gate() {
    const EVENTS: u64 = 20;
    let gate = "failures = 3\nprobe_initial = \"700ms\"\nprobe_max = \"700ms\"";
    let (mut dispatcher, mut session) = (Stage::with(Commands { gate, ..Commands::default() }).await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(503))]);
    for number in 0..EVENTS {
        dispatcher.send(&session, number, lookup_target(&format!("m{number}"))).await;
    }
    dispatcher.gate(true).await;
    let probed = async {
        while dispatcher.level("gate_probes_total") < 4 {
            tokio::task::yield_now().await;
        }
    };
    within(20, "some probes", probed).await;
    assert!(!dispatcher.shut.borrow().is_empty(), "nothing has shown that creates work again");
    let creates = u64::try_from(dispatcher.api.requests().len() - lookups(&dispatcher)).unwrap();
    assert!(creates <= EVENTS + dispatcher.level("gate_probes_total"), "{creates} creates");
    dispatcher.api.plan(Vec::new());
    let mut created = 0;
    for _ in 0..EVENTS {
        created += u64::from(within(20, "its answer", session.answer()).await.1 == Settlement::Ack);
    }
    assert!(created + 4 >= EVENTS, "each probe may cost one event its second create: {created}");
}
