//! With `reconcile_by` the API is asked before anything is sent again, and its answer is believed only where it can be.
//!
//! Not here: what each answer means (`core::lookup`), and a real broker (`broker/looks.rs`).

use std::time::Duration;

use chakra_bridge::core::delayed_state::Travel;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::settlement::Settlement;

use super::corridor::{Corridor, Shore, Wishes, again, event};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

fn sought(id: &str) -> Message {
    event(id, "sought", "{}")
}

fn looks(corridor: &Corridor) -> usize {
    corridor.api.requests().iter().filter(|request| request.path.ends_with("/list")).count()
}

async fn acknowledged(shore: &mut Shore) {
    assert_eq!(within(10, "its answer", shore.answer()).await.1, Settlement::Ack);
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_found() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    corridor.send(&shore, 1, sought("m1")).await;
    acknowledged(&mut shore).await;
    assert_eq!((corridor.api.created().len(), looks(&corridor)), (1, 1));
}

#[tokio::test]
async fn what_was_refused_in_words_is_looked_for_and_found() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Canned::new(409)).applied(true)]);
    corridor.send(&shore, 1, sought("m1")).await;
    acknowledged(&mut shore).await;
    assert_eq!((corridor.api.created().len(), looks(&corridor)), (1, 1));
}

#[tokio::test]
async fn what_was_refused_in_words_and_is_not_there_is_never_created_again() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::always(Canned::new(409)).applied(false)]);
    corridor.send(&shore, 1, sought("m1")).await;
    let letter = within(10, "its letter", shore.dead_letter()).await;
    assert!(letter.fault.text.contains("409"), "{}", letter.fault.text);
    assert_eq!(corridor.api.created().len(), 0);
}

#[tokio::test]
async fn a_redelivered_event_that_no_look_finds_is_created_after_the_window_and_nothing_is_announced() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    let began = tokio::time::Instant::now();
    corridor.send(&shore, 1, again(sought("m1"))).await;
    acknowledged(&mut shore).await;
    assert!(began.elapsed() >= Duration::from_millis(600), "the window is api.timeout and no lag");
    assert_eq!(corridor.api.created().len(), 1);
    assert!(looks(&corridor) >= 2, "asked again before it counts");
    assert!(!corridor.metrics.text().contains("possible_duplicates_total{cause=\"redelivered\"} 1"));
}

#[tokio::test]
async fn where_the_look_is_not_allowed_the_doubt_is_announced_and_the_event_goes_on() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.plan(vec![Rule::at_list(Canned::new(403))]);
    corridor.send(&shore, 1, again(sought("m1"))).await;
    acknowledged(&mut shore).await;
    assert_eq!(corridor.api.created().len(), 1);
    assert!(corridor.metrics.text().contains("possible_duplicates_total{cause=\"redelivered\"} 1"));
}

#[tokio::test]
async fn a_look_that_cannot_be_trusted_holds_the_procedure_until_one_can() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.send(&shore, 1, sought("other")).await;
    acknowledged(&mut shore).await;
    corridor.api.plan(vec![Rule::at_list(Fault::IgnoreWhere)]);
    corridor.send(&shore, 2, again(sought("m2"))).await;
    corridor.gate(true).await;
    assert_eq!(*corridor.shut.borrow(), ["lead: look_untrusted"]);
    corridor.send(&shore, 3, sought("m3")).await;
    corridor.api.plan(Vec::new());
    corridor.gate(false).await;
    acknowledged(&mut shore).await;
    acknowledged(&mut shore).await;
    assert_eq!(corridor.api.created().len(), 3);
}

#[tokio::test]
async fn an_event_known_only_by_a_hash_is_never_looked_for() {
    for message in [sought(""), event("", "prefixed", "{}")] {
        let (corridor, mut shore) = (Corridor::new().await, Shore::new());
        corridor.api.plan(vec![Rule::always(Fault::CreateThenReset).first(1)]);
        corridor.send(&shore, 1, Message { message_id: None, ..message }).await;
        acknowledged(&mut shore).await;
        assert_eq!((corridor.api.created().len(), looks(&corridor)), (2, 0));
        assert!(corridor.metrics.text().contains("possible_duplicates_total{cause=\"resent\"} 1"));
    }
}

fn parked() -> Message {
    Message { travel: Some(Travel::default().encode()), ..sought("m1") }
}

async fn of_two_copies_one_is_created(corridor: &Corridor, shore: &mut Shore, first: Message) {
    corridor.send(shore, 1, first).await;
    corridor.send(shore, 2, parked()).await;
    acknowledged(shore).await;
    acknowledged(shore).await;
    assert_eq!(corridor.api.created().len(), 1);
}

#[tokio::test]
async fn of_two_copies_that_cannot_see_each_other_yet_one_creates() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.set_lag(Duration::from_secs(60));
    corridor.api.plan(vec![Rule::always(Fault::Delay { ms: 200 })]);
    of_two_copies_one_is_created(&corridor, &mut shore, again(sought("m1"))).await;
}

#[tokio::test]
async fn a_copy_waits_while_the_request_of_the_other_is_under_way() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.set_lag(Duration::from_secs(60));
    corridor.api.plan(vec![Rule::always(Fault::Delay { ms: 200 })]);
    of_two_copies_one_is_created(&corridor, &mut shore, parked()).await;
}

#[tokio::test]
async fn a_copy_learns_that_the_other_lost_an_answer_and_looks_again() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.set_lag(Duration::from_millis(500));
    corridor.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    of_two_copies_one_is_created(&corridor, &mut shore, again(sought("m1"))).await;
}

#[tokio::test]
async fn a_look_proves_itself_on_the_first_create_and_its_lag_is_measured() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.api.set_lag(Duration::from_millis(200));
    corridor.send(&shore, 1, sought("m1")).await;
    acknowledged(&mut shore).await;
    let shown = async {
        while !corridor.metrics.text().contains("look_proved{rule=\"sought\"} 1") {
            corridor.api.until(|books| books.requests.iter().all(|seen| seen.over)).await;
            tokio::task::yield_now().await;
        }
    };
    within(10, "the proof", shown).await;
    let asked = looks(&corridor);
    assert!(asked >= 2, "the first look comes too early to see it");
    corridor.send(&shore, 2, sought("m2")).await;
    acknowledged(&mut shore).await;
    assert_eq!(looks(&corridor), asked, "once proved it is not proved again");
}

#[tokio::test]
async fn an_api_that_loses_sight_of_a_procedure_for_a_while_makes_no_second_process() {
    let (mut corridor, mut shore) = (Corridor::new().await, Shore::new());
    let gone = || Canned::new(404);
    corridor.api.plan(vec![Rule::at_list(gone()), Rule::always(Fault::CreateThenReset).first(1), Rule::always(gone())]);
    corridor.send(&shore, 1, sought("m1")).await;
    corridor.gate(true).await;
    corridor.api.plan(Vec::new());
    acknowledged(&mut shore).await;
    assert_eq!(corridor.api.created().len(), 1);
}

#[tokio::test]
async fn a_proved_look_that_is_refused_is_waited_for_and_repeats_nothing_blindly() {
    let (corridor, mut shore) = (Corridor::new().await, Shore::new());
    corridor.send(&shore, 1, sought("first")).await;
    acknowledged(&mut shore).await;
    let proved = async {
        while !corridor.metrics.text().contains("look_proved{rule=\"sought\"} 1") {
            tokio::task::yield_now().await;
        }
    };
    within(10, "the proof", proved).await;
    let before = looks(&corridor);
    corridor.api.plan(vec![Rule::at_list(Canned::new(403))]);
    corridor.send(&shore, 2, again(sought("m1"))).await;
    within(10, "some looks", corridor.api.until(|books| books.requests.len() > before + 4)).await;
    assert_eq!(corridor.api.created().len(), 1);
    corridor.api.plan(Vec::new());
    acknowledged(&mut shore).await;
    assert_eq!(corridor.api.created().len(), 2);
}

#[tokio::test]
async fn while_creates_fail_looks_that_work_do_not_open_the_gate() {
    const EVENTS: u64 = 20;
    let gate = "failures = 3\nprobe_initial = \"700ms\"\nprobe_max = \"700ms\"";
    let (mut corridor, mut shore) = (Corridor::with(Wishes { gate, ..Wishes::default() }).await, Shore::new());
    corridor.api.plan(vec![Rule::always(Canned::new(503))]);
    for number in 0..EVENTS {
        corridor.send(&shore, number, sought(&format!("m{number}"))).await;
    }
    corridor.gate(true).await;
    let probed = async {
        while corridor.level("gate_probes_total") < 4 {
            tokio::task::yield_now().await;
        }
    };
    within(20, "some probes", probed).await;
    assert!(!corridor.shut.borrow().is_empty(), "nothing has shown that creates work again");
    let creates = u64::try_from(corridor.api.requests().len() - looks(&corridor)).unwrap();
    assert!(creates <= EVENTS + corridor.level("gate_probes_total"), "{creates} creates");
    corridor.api.plan(Vec::new());
    let mut created = 0;
    for _ in 0..EVENTS {
        created += u64::from(within(20, "its answer", shore.answer()).await.1 == Settlement::Ack);
    }
    assert!(created + 4 >= EVENTS, "each probe may cost one event its second create: {created}");
}
