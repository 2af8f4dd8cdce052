//! What becomes of one event, for each thing the API may do.
//!
//! Not here: the gate, copies, and stopping.

use chakra_bridge::core::reason::Reason;
use chakra_bridge::core::settlement::Settlement;

use super::dispatcher::{Commands, Session, Stage, event, lead};
use crate::support::deadline::within;
use crate::support::standin::{Canned, Fault, Rule};

#[tokio::test]
async fn an_event_is_acknowledged_after_the_api_created_it() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its answer", session.answer()).await, (1, Settlement::Ack));
    let created = dispatcher.api.created();
    assert_eq!((created.len(), created[0].procedure.as_str(), created[0].key.as_deref()), (1, "lead", Some("m1")));
    assert_eq!(created[0].json()["data"]["name"], "Ted");
}

#[tokio::test]
async fn nothing_is_answered_before_the_api_did() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::Delay { ms: 200 })]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    within(10, "the request", dispatcher.api.until(|books| !books.requests.is_empty())).await;
    assert!(session.answers.try_recv().is_err());
    assert_eq!(session.answer().await.1, Settlement::Ack);
}

#[tokio::test]
async fn a_refusal_is_a_dead_letter_with_the_words_of_the_api() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(422))]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    let dead_letter = within(10, "its letter", session.dead_letter()).await;
    assert_eq!((dead_letter.fault.reason, dead_letter.status, dead_letter.attempts), (Reason::Refused, Some(422), 1));
    assert_eq!((dead_letter.rule.as_deref(), dead_letter.procedure.as_deref()), (Some("lead"), Some("lead")));
    assert_eq!(dead_letter.key.as_deref(), Some("m1"));
    assert_eq!(dispatcher.api.requests().len(), 1);
}

#[tokio::test]
async fn what_can_never_be_a_process_is_dead_without_a_request() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    let cases = [
        ("", "lead.new", Reason::Undecodable),
        ("null", "lead.new", Reason::Undecodable),
        ("{\"name\": \"\u{0}", "lead.new", Reason::Undecodable),
        ("{}", "lead.new", Reason::Unmappable),
        (r#"{"name": null}"#, "lead.new", Reason::Unmappable),
        (r#"{"name": "Ted"}"#, "unheard.of", Reason::NoRule),
        (r#"{"procedure": "../admin"}"#, "named", Reason::Unmappable),
    ];
    for (body, kind, reason) in cases {
        dispatcher.send(&session, 1, event("m1", kind, body)).await;
        assert_eq!(within(10, body, session.dead_letter()).await.fault.reason, reason, "{body}");
    }
    let deep = "[".repeat(10_000);
    dispatcher.send(&session, 2, event("m2", "lead.new", &deep)).await;
    assert_eq!(session.dead_letter().await.fault.reason, Reason::Undecodable);
    let large = format!(r#"{{"name": "{}"}}"#, "x".repeat(5 << 20));
    dispatcher.send(&session, 3, event("m3", "lead.new", &large)).await;
    assert_eq!(session.dead_letter().await.fault.reason, Reason::TooLarge);
    assert_eq!(dispatcher.api.requests().len(), 0);
}

#[tokio::test]
async fn what_a_schema_refuses_is_dead_without_a_request_also_where_the_event_names_the_procedure() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    let cases = [
        (
            "shaped",
            r#"{"name": "swordfish"}"#,
            "rule \"shaped\", data.name (`maxLength`, at /properties/name/maxLength)",
        ),
        ("shaped", r#"{"name": 5}"#, "rule \"shaped\", data.name (`type`, at /properties/name/type)"),
        ("named", r#"{"procedure": "fieldvisit"}"#, "rule \"named\", data.name (`required`, at /required)"),
    ];
    for (kind, body, words) in cases {
        dispatcher.send(&session, 1, event("m1", kind, body)).await;
        let fault = within(10, body, session.dead_letter()).await.fault;
        assert_eq!(fault.reason, Reason::Schema, "{body}");
        assert!(fault.text.starts_with(words) && !fault.text.contains("swordfish"), "{}", fault.text);
    }
    assert_eq!(dispatcher.api.requests().len(), 0);
    dispatcher.send(&session, 2, event("m2", "shaped", r#"{"name": "Ted"}"#)).await;
    assert_eq!(within(10, "its answer", session.answer()).await, (2, Settlement::Ack));
    assert_eq!(dispatcher.api.requests().len(), 1);
}

#[tokio::test]
async fn a_skipped_event_is_acknowledged_without_a_request() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.send(&session, 1, event("m1", "noise", "{}")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.requests().len(), 0);
}

#[tokio::test]
async fn a_lost_answer_is_sent_once_more_and_then_dead_as_unknown() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::CreateThenReset)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    let dead_letter = within(10, "its letter", session.dead_letter()).await;
    assert_eq!((dead_letter.fault.reason, dead_letter.attempts), (Reason::Unknown, 2));
    assert_eq!(dispatcher.api.created().len(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_dead_at_once_where_the_configuration_says_so() {
    let commands = Commands { retry: "on_unknown = \"dead-letter\"", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::CreateThenNeverAnswer)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its letter", session.dead_letter()).await.fault.reason, Reason::Unknown);
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn an_answer_lost_once_is_a_process_at_the_second_try() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(503)).times(1)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn the_documented_bare_success_is_a_success() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Fault::SuccessBare)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its answer", session.answer()).await.1, Settlement::Ack);
    assert_eq!(dispatcher.api.created().len(), 1);
}

#[tokio::test]
async fn a_conflict_is_dead_and_never_created_again() {
    let (dispatcher, mut session) = (Stage::new().await, Session::new());
    dispatcher
        .api
        .plan(vec![Rule::always(Canned::new(409)).attribute("event_key", "a"), Rule::always(Fault::SuccessWithErrors)]);
    for (number, id) in [(1, "a"), (2, "b")] {
        dispatcher.send(&session, number, lead(id, "Ted")).await;
        assert_eq!(within(10, id, session.dead_letter()).await.fault.reason, Reason::Refused);
    }
    assert_eq!(dispatcher.api.requests().len(), 2);
}

#[tokio::test]
async fn an_event_that_fails_beyond_its_age_is_exhausted() {
    let commands = Commands { retry: "give_up_after = \"1s\"", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(423))]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    let dead_letter = within(10, "its letter", session.dead_letter()).await;
    assert_eq!(dead_letter.fault.reason, Reason::Exhausted);
    assert!(dead_letter.attempts > 1, "{}", dead_letter.attempts);
}

#[tokio::test]
async fn a_status_that_is_known_to_mean_nothing_was_done_spends_no_repeat_and_is_no_doubt() {
    let commands =
        Commands { api: "not_processed = [503]", retry: "on_unknown = \"dead-letter\"", ..Commands::default() };
    let (dispatcher, mut session) = (Stage::with(commands).await, Session::new());
    dispatcher.api.plan(vec![Rule::always(Canned::new(503)).times(3)]);
    dispatcher.send(&session, 1, lead("m1", "Ted")).await;
    assert_eq!(within(10, "its answer", session.answer()).await, (1, Settlement::Ack));
    assert_eq!((dispatcher.api.requests().len(), dispatcher.api.created().len()), (4, 1));
    dispatcher.api.plan(vec![Rule::always(Canned::new(500))]);
    dispatcher.send(&session, 2, lead("m2", "Ted")).await;
    assert_eq!(within(10, "its letter", session.dead_letter()).await.fault.reason, Reason::Unknown, "500 is not known");
}
