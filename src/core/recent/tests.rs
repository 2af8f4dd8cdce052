//! Laws of the memory of recent events: what is forgotten, what is not, and how much it takes.
//!
//! Not here: what follows for an event that is known (`delivery/tests`).

use super::*;
use crate::core::event::{Key, KeyOrigin};
use crate::core::policy::MEMORY_DEFAULT;
use crate::core::process::Procedure;
use crate::core::reason::{Fault, Reason};

fn dead(reason: Reason, unsure_creates: u32) -> Known {
    let letter = DeadLetter {
        fault: Fault::new(reason, ""),
        may_exist: false,
        status: None,
        attempts: 0,
        first_seen_ms: 0,
        last_seen_ms: 0,
        rule: None,
        procedure: None,
        key: None,
        origin: None,
        unread: None,
        sent: None,
        retries: 0,
        outcome: None,
        trace: None,
    };
    let progress = Progress { unsure_creates, ..Progress::default() };
    Known::Dead(Box::new(Dead { letter, progress, kept: None, sent: None }))
}

fn id(text: &str, body: &[u8]) -> Identity {
    Identity::of(&Key { text: text.to_owned(), origin: KeyOrigin::MessageId }, body).unwrap()
}

impl Recent {
    fn hear(&mut self, text: &str, body: &[u8], known: Known) {
        self.remember(id(text, body), known, None, None);
    }

    fn of(&self, text: &str, body: &[u8]) -> Option<&Known> {
        self.recall(id(text, body)).map(|slot| &slot.known)
    }
}

/// Room for so many processes without an id.
fn with_places(places: usize) -> Recent {
    Recent::with_room(places * EACH)
}

fn underway() -> Known {
    Known::Underway(Box::default(), None)
}

#[test]
fn the_oldest_is_forgotten_first() {
    let mut recent = with_places(2);
    ["a", "b", "c"].into_iter().for_each(|name| recent.hear(name, b"", Known::Created(None)));
    assert_eq!(recent.of("a", b""), None);
    assert!(recent.of("b", b"").is_some());
    assert_eq!((recent.known.len(), recent.order.len()), (2, 2));
}

#[test]
fn whatever_is_written_by_others_it_takes_no_more_than_its_room() {
    let room = 64 * 1024;
    let mut recent = Recent::with_room(room);
    for number in 0..2000_usize {
        let body = number.to_be_bytes();
        match number % 4 {
            0 => recent.hear("a", &body, Known::created(Some(&"p".repeat(number)))),
            1 => recent.hear(&number.to_string(), b"", underway()),
            2 => recent.hear("b", b"", Known::Created(None)),
            _ => recent.hear("c", &body, dead(Reason::Refused, 0)),
        }
        let counted: usize = recent.known.values().map(Slot::bytes).sum();
        assert_eq!(counted, recent.bytes);
        let places = recent.order.iter().filter(|place| is_last(&recent.known, **place)).count();
        assert_eq!(places, recent.known.len());
        assert!(recent.order.len() <= 2 * recent.known.len(), "{} places", recent.order.len());
        assert!(recent.bytes <= room, "{}", recent.bytes);
    }
    recent.hear("huge", b"", Known::created(Some(&"p".repeat(room))));
    assert_eq!((recent.bytes, recent.known.len()), (0, 0), "what does not fit is not kept");
}

#[test]
fn the_default_holds_more_than_can_lie_between_an_acknowledgement_and_its_being_safe_in_the_broker() {
    let mut recent = Recent::with_room(MEMORY_DEFAULT);
    for number in 0..30_000_u32 {
        let process = format!("5f0c1f2e-7a53-4d6d-9b7a-{number:012x}");
        recent.remember(id(&number.to_string(), b""), Known::created(Some(&process)), None, None);
    }
    println!("{} processes, {} bytes each", recent.known.len(), MEMORY_DEFAULT / recent.known.len());
    assert!(recent.known.len() >= 23_000, "as the documents say");
}

#[test]
fn what_is_learnt_later_replaces_what_was_known() {
    let mut recent = with_places(64);
    recent.hear("a", b"", underway());
    recent.hear("a", b"", Known::Created(Some("p1".into())));
    assert_eq!(recent.of("a", b""), Some(&Known::Created(Some("p1".into()))));
    recent.hear("a", b"", Known::Created(None));
    assert_eq!(recent.of("a", b""), Some(&Known::Created(Some("p1".into()))), "its id is not forgotten");
    assert_eq!(recent.known.len(), 1);
}

#[test]
fn what_is_a_process_is_not_forgotten_for_another_of_its_key_under_way() {
    let mut recent = with_places(64);
    recent.hear("a", b"", Known::Created(None));
    recent.hear("a", b"", underway());
    assert_eq!(recent.of("a", b""), Some(&Known::Created(None)));
}

#[test]
fn what_is_published_anew_is_no_dead_letter_for_an_earlier_one_but_keeps_its_doubt() {
    let mut recent = with_places(64);
    recent.hear("a", b"", dead(Reason::Unmappable, 0));
    recent.hear("b", b"", Known::Created(None));
    recent.hear("c", b"", dead(Reason::Unknown, 2));
    ["a", "b", "c"].into_iter().for_each(|name| recent.revive(id(name, b"")));
    assert_eq!(recent.of("a", b""), Some(&underway()));
    assert_eq!(recent.of("b", b""), Some(&Known::Created(None)));
    let Some(Known::Underway(progress, _)) = recent.of("c", b"") else { panic!("{:?}", recent.of("c", b"")) };
    assert_eq!((progress.unsure_creates, progress.since_create), (1, Some(Duration::ZERO)));
}

fn place(procedure: &str) -> Box<Lookup> {
    let procedure = Procedure::new(procedure).unwrap();
    Box::new(Lookup { procedure, attribute: "event_key".into(), value: "a".into() })
}

fn sent(known: &Known) -> Option<Box<Lookup>> {
    match known {
        Known::Underway(_, sent) => sent.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_places_with_as_many_creates_in_doubt_the_later_create_says_where_to_look_whichever_is_heard_of_last() {
    let at = |unsure_ms| Box::new(Progress { unsure_creates: 1, unsure_ms, ..Progress::default() });
    let [old, new] = [(at(1), "lead"), (at(2), "prospect")];
    for order in [[&old, &new], [&new, &old]] {
        let mut recent = with_places(64);
        for (progress, procedure) in order {
            recent.hear("a", b"", Known::Underway(progress.clone(), Some(place(procedure))));
        }
        assert_eq!(recent.of("a", b"").map(sent), Some(Some(place("prospect"))));
    }
}

#[test]
fn what_may_have_been_created_is_looked_for_where_it_was_sent_also_after_its_dead_letter() {
    // The letter may be of another message of the event, of which nothing is in doubt.
    for (sent_before, of_letter, expected) in [(1, 1, Some(place("lead"))), (1, 0, Some(place("lead"))), (0, 0, None)] {
        let mut recent = with_places(64);
        let before = Progress { unsure_creates: sent_before, ..Progress::default() };
        recent.hear("a", b"", Known::Underway(Box::new(before), Some(place("lead"))));
        recent.hear("a", b"", dead(Reason::Crashing, of_letter));
        recent.revive(id("a", b""));
        assert_eq!(recent.of("a", b"").map(sent), Some(expected), "{sent_before} and {of_letter} creates in doubt");
    }
}

#[test]
fn a_hash_of_the_body_identifies_nothing_because_copies_share_it() {
    assert_eq!(Identity::of(&Key { text: "sha256:00".to_owned(), origin: KeyOrigin::Body }, b""), None);
}

#[test]
fn one_that_was_just_created_is_not_forgotten_while_older_ones_are_remembered() {
    let mut recent = Recent::with_room(2 * EACH + size_of::<Progress>());
    recent.hear("a", b"", underway());
    recent.hear("b", b"", Known::Created(None));
    recent.hear("a", b"", Known::Created(None));
    recent.hear("c", b"", underway());
    assert_eq!(recent.of("a", b""), Some(&Known::Created(None)));
    assert_eq!(recent.of("b", b""), None);
}

#[test]
fn a_dead_letter_overwrites_no_process_and_what_is_under_way_no_dead_letter() {
    let mut recent = Recent::with_room(MEMORY_DEFAULT);
    let dead = dead(Reason::Unknown, 2);
    recent.hear("a", b"one", dead.clone());
    recent.hear("a", b"one", underway());
    assert_eq!(recent.of("a", b"one"), Some(&dead));
    recent.hear("a", b"two", Known::Created(None));
    recent.hear("a", b"two", dead);
    assert_eq!(recent.of("a", b"two"), Some(&Known::Created(None)));
}

#[test]
fn messages_of_one_key_with_different_bodies_are_different_events_and_know_of_each_other() {
    let mut recent = with_places(64);
    recent.hear("a", b"one", Known::Created(None));
    recent.hear("b", b"two", Known::Created(None));
    assert_eq!(recent.of("a", b"two"), None);
    assert_eq!(recent.others(id("a", b"two")).count(), 1);
    assert_eq!(recent.others(id("a", b"one")).count(), 0, "it is not another of itself");
}

#[test]
fn the_rule_and_the_request_of_a_process_are_those_that_made_it() {
    let mut recent = with_places(64);
    let (old, new): (Arc<str>, Arc<str>) = ("old".into(), "new".into());
    recent.remember(id("a", b""), underway(), Some(&old), None);
    recent.remember(id("a", b""), Known::Created(None), Some(&new), Some(1));
    recent.remember(id("a", b""), underway(), Some(&old), Some(2));
    let slot = recent.recall(id("a", b"")).unwrap();
    assert_eq!((slot.rule.as_deref(), slot.request, slot.heard), (Some("new"), Some(1), 3));
}
