//! Photos first, then the create: no process names a photo that is not up, an upload is no doubt about the process, and a host of
//! pictures that is slow or fails holds up nobody else.
//!
//! Not here: what an answer to an upload means (`core::photo`), and hosts on the wire (`tests/photos`).

use super::*;
use crate::core::delivery::PhotoReport;
use crate::core::photo::{Missed, PhotoReply};
use crate::core::progress::Progress;
use crate::core::reason::{Cause, Reason};

const PHOTOS: &str = r#"
[[rule]]
name = "visit"
type = "visit"
procedure = "fieldVisit"
[rule.data]
event_key = "{{ key }}"
site = "{{ photo.site }}"
tile = "{{ photo.tile }}"
[rule.photo.site]
url = "https://slow.example/{{ event.of }}.jpg"
[rule.photo.tile]
base64 = "/9j/4AA="
on_missing = "without"

[[rule]]
name = "beside"
type = "beside"
procedure = "fieldVisit"
[rule.data]
event_key = "{{ key }}"
site = "{{ photo.site }}"
[rule.photo.site]
url = "https://slow.example:8443/{{ event.of }}.jpg"

[[rule]]
name = "lead"
type = "lead"
procedure = "lead"
[rule.data]
event_key = "{{ key }}"
"#;

pub(super) fn bench(places: usize) -> Bench {
    let mut bench = Bench::new(places);
    bench.machine = Machine::new(Setup { rules: Arc::new(rules(PHOTOS)), ..setup(places) });
    drop(bench.on(Input::Connected { can_delay: true }));
    bench
}

impl Bench {
    pub(super) fn brought(&mut self, event: EventId, reply: PhotoReply) -> Done {
        self.on(Input::PhotoReplied { event, reply, took: SECOND / 10, epoch: None })
    }
}

pub(super) fn asked(reply: Reply) -> PhotoReply {
    PhotoReply::Asked { reply, bytes: 5 }
}

pub(super) fn up() -> PhotoReply {
    asked(json(200, Wrapper { has_data: true, ..Wrapper::default() }))
}

pub(super) fn failed(cause: Cause) -> PhotoReply {
    PhotoReply::Missed(Missed::Failed { cause, status: None, after: None, detail: None })
}

pub(super) fn names(done: &Done) -> Vec<&str> {
    done.photos.iter().map(|(_, photo)| &*photo.name).collect()
}

#[test]
fn a_process_is_created_once_every_photo_of_it_is_up_and_not_before() {
    let mut bench = bench(8);
    let (id, done) = bench.event("visit", "v1");
    assert_eq!((names(&done), done.creates.len()), (vec!["site"], 0));
    let site = done.photos[0].1.id.to_string();
    let done = bench.brought(id, asked(status(409)));
    assert_eq!((names(&done), done.creates.len()), (vec!["tile"], 0), "409: it is there");
    let tile = done.photos[0].1.id.to_string();
    let done = bench.brought(id, up());
    assert_eq!((done.creates, done.photos.len()), (vec![id], 0));
    let body = String::from_utf8(done.bodies[0].clone()).unwrap();
    assert!(body.contains(&site) && body.contains(&tile), "{body}");
    let done = bench.replied(id, created());
    assert!(matches!(done.settled[..], [(_, Settlement::Ack)]));
}

#[test]
fn an_upload_that_loses_its_answer_is_repeated_and_leaves_no_doubt_about_the_process() {
    let mut bench = bench(8);
    let (id, _) = bench.event("visit", "v1");
    for lost in [timed_out(), status(500), Reply::Lost { why: Lost::Reset, detail: String::new() }] {
        let done = bench.brought(id, asked(lost));
        assert!(done.creates.is_empty() && done.settled.is_empty());
        let later = bench.after(2 * SECOND);
        assert_eq!(names(&later), ["site"], "the same photo again");
    }
    drop(bench.brought(id, up()));
    let done = bench.brought(id, up());
    assert_eq!(done.creates, [id]);
    let mut doubts = done.reports.iter().filter(|report| matches!(report, Report::PossibleDuplicate { .. }));
    assert!(doubts.next().is_none());
    let event = bench.machine.held.get(id).unwrap();
    assert_eq!((event.progress.unsure_creates, event.progress.attempts, event.progress.since_create), (0, 0, None));
}

#[test]
fn what_is_cut_off_while_a_photo_is_brought_up_was_not_created() {
    let mut bench = bench(8);
    let (id, _) = bench.event("visit", "v1");
    let done = bench.on(Input::Command(Command::CutOff));
    assert!(matches!(done.settled[..], [(receipt, Settlement::Release)] if receipt == id), "{done:?}");
    assert!(!done.reports.iter().any(|report| matches!(report, Report::PossibleDuplicate { .. })));
    let mut bench = self::bench(8);
    let (id, _) = bench.event("visit", "v1");
    let done = bench.on(Input::Panicked { event: id });
    let [(_, Settlement::Delay(_, state))] = &done.settled[..] else { panic!("{done:?}") };
    assert_eq!((state.progress.unsure_creates, state.progress.crashes), (0, 1));
}

#[test]
fn a_delayed_event_takes_along_which_photos_are_up_and_uploads_none_again() {
    let mut bench = bench(8);
    let (id, _) = bench.event("visit", "v1");
    drop(bench.brought(id, up()));
    let done = bench.brought(
        id,
        asked(Reply::Response(Response { retry_after: Some(60 * SECOND), ..Response::new(503, Body::Empty) })),
    );
    let [(_, Settlement::Delay(_, state))] = &done.settled[..] else { panic!("{done:?}") };
    let header = state.encode();
    assert!(header.starts_with("{\"v\":3,"), "an older daemon holds it: {header}");
    bench.machine = self::bench(8).machine;
    let (_, done) = bench.message(Message { delayed_state: Some(header.clone()), ..event("visit", "v1") });
    let after = bench.after(3600 * SECOND);
    assert_eq!((names(&done), names(&after)), (vec![], vec!["tile"]), "what is left of its wait, then the other photo");
    let (_, other) = bench.message(Message { delayed_state: Some(header), ..event("visit", "v2") });
    drop(other);
    assert_eq!(names(&bench.after(3600 * SECOND)), ["site"], "the photos of another event are others");
}

#[test]
fn a_picture_that_cannot_be_had_is_a_dead_letter_or_left_out_of_the_process_as_the_rule_says() {
    let mut bench = bench(8);
    let (id, _) = bench.event("visit", "v1");
    let done = bench.brought(id, PhotoReply::Missed(Missed::Gone(404)));
    let [(_, Settlement::DeadLetter(letter))] = &done.settled[..] else { panic!("{done:?}") };
    assert_eq!((letter.fault.reason, letter.may_exist), (Reason::PhotoGone, false));
    assert!(letter.fault.text.starts_with("photo site: "), "{}", letter.fault.text);

    let (id, _) = bench.event("visit", "v2");
    let done = bench.brought(id, up());
    let tile = done.photos[0].1.id.to_string();
    let done = bench.brought(id, PhotoReply::Missed(Missed::WrongType));
    let body = String::from_utf8(done.bodies[0].clone()).unwrap();
    assert!(done.creates == [id] && !body.contains(&tile) && body.contains("site"), "{body}");
    assert!(
        done.reports
            .iter()
            .any(|report| matches!(report, Report::Photos(PhotoReport::LeftOut { reason: "photo_type", .. })))
    );
}

#[test]
fn what_the_api_says_of_the_token_shuts_uploads_and_leaves_other_events_alone() {
    let mut bench = bench(8);
    let (id, _) = bench.event("visit", "v1");
    let word = Wrapper { is_api_word: true, ..Wrapper::default() };
    let done = bench.brought(id, asked(json(403, word)));
    assert!(done.settled.is_empty(), "a bad token never dead-letters");
    assert_eq!(bench.event("visit", "v2").1.photos.len(), 0, "uploads wait");
    assert_eq!(bench.event("lead", "l1").1.creates.len(), 1, "what has no photo goes on");
    let done = bench.after(2 * SECOND);
    assert_eq!(done.photos.len(), 1, "one probes");
    let done = bench.brought(done.photos[0].0, up());
    assert!(done.reports.iter().any(|report| matches!(report, Report::Gate(_))));
}

#[test]
fn a_host_that_hangs_has_its_share_of_the_fetches_and_of_the_places_and_no_more() {
    let mut bench = bench(64);
    let mut fetching = Vec::new();
    for n in 0..48 {
        fetching.extend(bench.event("visit", &format!("v{n}")).1.photos);
    }
    assert_eq!(fetching.len(), 2, "a quarter of the eight that may be fetched at once");
    for n in 0..8 {
        let (id, done) = bench.event("lead", &format!("l{n}"));
        assert_eq!(done.creates, [id]);
        drop(bench.replied(id, created()));
    }
    let done = bench.after(2 * SECOND);
    let delayed = done.settled.iter().filter(|(_, how)| matches!(how, Settlement::Delay(..))).count();
    assert_eq!((delayed, bench.machine.held()), (32, 16), "a quarter of the places");
}

#[test]
fn a_host_that_fails_is_asked_by_single_fetches_until_one_works() {
    let mut bench = bench(64);
    let mut fetching: Vec<EventId> = Vec::new();
    for n in 0..40 {
        fetching.extend(bench.event("visit", &format!("v{n}")).1.photos.iter().map(|(id, _)| *id));
    }
    let mut failures = 0;
    let mut shut = false;
    while !shut {
        let id = fetching.pop().expect("a fetch is under way until the host is shut");
        let done = bench.brought(id, failed(Cause::ServerError));
        failures += 1;
        fetching.extend(done.photos.iter().map(|(id, _)| *id));
        shut = done.reports.iter().any(|report| matches!(report, Report::Photos(PhotoReport::SourceShut { .. })));
    }
    assert_eq!(failures, setup(64).gate.failures);
    fetching.drain(..).for_each(|id| drop(bench.brought(id, failed(Cause::Timeout))));
    let done = bench.after(3 * SECOND);
    assert_eq!(done.photos.len(), 1, "one asks");
    let done = bench.brought(done.photos[0].0, up());
    assert!(done.reports.iter().any(|report| matches!(report, Report::Photos(PhotoReport::SourceOpened { .. }))));
    let others = done.photos.iter().filter(|(_, photo)| photo.source.host().is_some()).count();
    assert!(others >= 1, "the others go on: {:?}", names(&done));
}

#[test]
fn a_source_that_never_answers_is_given_up_with_the_event() {
    let mut bench = bench(8);
    let (id, mut done) = bench.event("visit", "v1");
    for _ in 0..10_000 {
        if let Some((id, _)) = done.photos.first() {
            done = bench.brought(*id, failed(Cause::Timeout));
        }
        match &done.settled[..] {
            [] => done = bench.after(300 * SECOND),
            [(_, Settlement::Delay(_, state))] => {
                let delayed_state = Some(state.encode());
                bench.now += 600 * SECOND;
                done = bench.message(Message { delayed_state, ..event("visit", "v1") }).1;
            }
            [(_, Settlement::DeadLetter(letter))] => {
                assert_eq!((letter.fault.reason, letter.may_exist), (Reason::Exhausted, false), "{id}");
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("it is still tried");
}

const LOOKED_UP: &str = r#"
[[rule]]
name = "visit"
type = "visit"
procedure = "fieldVisit"
reconcile_by = "event_key"
[rule.data]
event_key = "{{ key }}"
site = "{{ photo.site }}"
[rule.photo.site]
url = "https://slow.example/{{ event.of }}.jpg"
"#;

#[test]
fn what_came_back_is_looked_up_again_after_its_photos_since_another_replica_may_have_created_it_meanwhile() {
    let mut bench = bench(8);
    bench.machine = Machine::new(Setup { rules: Arc::new(rules(LOOKED_UP)), ..setup(8) });
    drop(bench.on(Input::Connected { can_delay: true }));
    let state = DelayedState { first_seen_ms: 1, ..DelayedState::default() };
    let (id, done) = bench.message(Message { delayed_state: Some(state.encode()), ..event("visit", "v1") });
    assert_eq!((done.lookups, done.photos.len()), (vec![id], 0));
    let done = bench.replied(id, absent());
    assert_eq!(names(&done), ["site"]);
    let done = bench.brought(id, up());
    assert_eq!((done.lookups, done.creates.len()), (vec![id], 0));
    let done = bench.replied(id, absent());
    assert_eq!((done.lookups.len(), done.creates), (0, vec![id]), "once is enough");
}

#[test]
fn what_one_message_of_an_event_goes_without_is_not_named_by_another_that_goes_on_from_there() {
    let mut bench = bench(8);
    let (id, _) = bench.event("visit", "v1");
    let event = bench.machine.held.get_mut(id).unwrap();
    let tile = event.request.photos.iter().find(|photo| &*photo.name == "tile").unwrap().id;
    let mut other = Progress::default();
    other.photos.goes_without(tile);
    event.goes_on_from(&other, None);
    let body = String::from_utf8_lossy(&event.request.body).into_owned();
    assert!(!body.contains(&tile.to_string()) && body.contains("site"), "{body}");
}
