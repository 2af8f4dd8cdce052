//! The table of the judge, written out, and the laws over every status and body.
//!
//! Not here: how answers are read from the wire.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Judgement, Scope, judge};
use crate::core::reason::{Cause, HaltReason, Reason};
use crate::core::reply::{Body, Lost, NotSent, Reply, Response, Wrapper};

const LITERAL: bool = true;
const NAMED_BY_EVENT: bool = false;
const WAIT: Duration = Duration::from_secs(7);

fn answer(status: u16, body: Body) -> Reply {
    Reply::Response(Response { retry_after: Some(WAIT), ..Response::new(status, body) })
}

fn bare() -> Body {
    Body::Json(Wrapper { is_bare: true, ..Wrapper::default() })
}

fn created() -> Body {
    Body::Json(Wrapper { has_data: true, process: Some("p-1".into()), ..Wrapper::default() })
}

fn neither() -> Body {
    Body::Json(Wrapper { is_api_word: true, error_text: Some("later".into()), ..Wrapper::default() })
}

fn errors() -> Body {
    let error_text = Some("no such state".into());
    Body::Json(Wrapper { has_data: true, has_errors: true, is_api_word: true, error_text, ..Wrapper::default() })
}

fn encoded() -> Body {
    Body::Encoded("`br`".into())
}

fn bodies() -> [Body; 8] {
    [Body::Empty, Body::Html, Body::Broken, encoded(), bare(), created(), neither(), errors()]
}

fn is_api_word(body: &Body) -> bool {
    *body == neither() || *body == errors()
}

/// An outcome in one line, so that the table can be read as a table.
fn line(outcome: &Judgement) -> String {
    match outcome {
        Judgement::Created { process } => format!("created {}", process.as_deref().unwrap_or("-")),
        Judgement::Retry { cause, .. } => format!("retry {}", cause.as_str()),
        Judgement::Unsure { cause, .. } => format!("unsure {}", cause.as_str()),
        Judgement::ErrorReply { status, error_text } => {
            format!("words {status} {}", error_text.as_deref().unwrap_or("-"))
        }
        Judgement::Reject(fault) => format!("reject {}", fault.reason.as_str()),
        Judgement::Found { .. } | Judgement::Absent | Judgement::Unavailable { .. } => "of a lookup".to_owned(),
        Judgement::Halt { scope: Scope::Everything, reason, .. } => format!("halt all {}", reason.as_str()),
        Judgement::Halt { scope: Scope::Procedure, reason, .. } => format!("halt procedure {}", reason.as_str()),
    }
}

/// Walks every status, every body and both kinds of procedure.
fn everywhere(mut law: impl FnMut(u16, &Body, bool, &Judgement)) {
    for status in 0..=u16::MAX {
        for body in bodies() {
            for literal in [LITERAL, NAMED_BY_EVENT] {
                law(status, &body, literal, &judge(&answer(status, body.clone()), literal));
            }
        }
    }
}

#[test]
fn the_table_reads_as_it_is_written() {
    #[rustfmt::skip]
    let rows = [
        (200, created(), "created p-1"), (200, bare(), "created -"), (201, created(), "created p-1"),
        (200, neither(), "unsure broken_answer"), (200, errors(), "words 200 no such state"),
        (200, Body::Empty, "unsure empty_answer"), (204, Body::Empty, "unsure empty_answer"),
        (200, Body::Html, "halt all not_the_api"), (299, Body::Broken, "unsure broken_answer"),
        (200, encoded(), "unsure broken_answer"),
        (301, Body::Html, "halt all redirected"), (302, Body::Empty, "halt all redirected"),
        (500, errors(), "unsure server_error"), (502, Body::Html, "unsure server_error"),
        (503, Body::Empty, "unsure server_error"), (599, created(), "unsure server_error"),
        (501, Body::Html, "halt all unsupported"), (505, Body::Empty, "halt all unsupported"),
        (511, Body::Html, "halt all unsupported"),
        (0, bare(), "unsure broken_answer"), (101, Body::Empty, "unsure broken_answer"),
        (199, created(), "unsure broken_answer"), (600, created(), "unsure broken_answer"),
        (999, Body::Html, "unsure broken_answer"),
    ];
    for (status, body, expected) in rows {
        assert_eq!(line(&judge(&answer(status, body.clone()), LITERAL)), expected, "{status} {body:?}");
    }
}

/// What each status from 400 to 499 comes to with the API's word, and without it. What is not named here is like 400.
#[rustfmt::skip]
const NOT_ACCEPTED: [(u16, &str, &str); 40] = [
    (400, "reject refused",                   "halt all not_the_api"),
    (401, "halt all unauthorized",            "halt all unauthorized"),
    (402, "halt all payment_required",        "halt all payment_required"),
    (403, "halt procedure forbidden",         "halt all not_the_api"),
    (404, "halt procedure procedure_unknown", "halt all not_the_api"),
    (405, "halt all unsupported",             "halt all unsupported"),
    (406, "halt all unsupported",             "halt all unsupported"),
    (407, "halt all unsupported",             "halt all unsupported"),
    (408, "unsure request_timeout",           "unsure request_timeout"),
    (409, "words 409",                        "words 409"),
    (410, "halt procedure procedure_unknown", "halt all not_the_api"),
    (411, "halt all unsupported",             "halt all unsupported"),
    (412, "halt all unsupported",             "halt all unsupported"),
    (413, "reject refused",                   "reject refused"),
    (414, "halt all unsupported",             "halt all unsupported"),
    (415, "halt all unsupported",             "halt all unsupported"),
    (416, "halt all unsupported",             "halt all unsupported"),
    (417, "halt all unsupported",             "halt all unsupported"),
    (419, "halt all unauthorized",            "halt all unauthorized"),
    (421, "halt all unsupported",             "halt all unsupported"),
    (422, "reject refused",                   "halt all not_the_api"),
    (423, "retry locked",                     "retry locked"),
    (424, "reject refused",                   "halt all not_the_api"),
    (425, "retry too_early",                  "retry too_early"),
    (426, "halt all unsupported",             "halt all unsupported"),
    (428, "halt all unsupported",             "halt all unsupported"),
    (429, "retry throttled",                  "retry throttled"),
    (431, "halt all headers_too_large",       "halt all headers_too_large"),
    (440, "halt all unauthorized",            "halt all unauthorized"),
    (451, "halt all unsupported",             "halt all unsupported"),
    (463, "halt all unsupported",             "halt all unsupported"),
    (464, "halt all unsupported",             "halt all unsupported"),
    (477, "reject refused",                   "halt all not_the_api"),
    (494, "halt all headers_too_large",       "halt all headers_too_large"),
    (495, "halt all certificate",             "halt all certificate"),
    (496, "halt all certificate",             "halt all certificate"),
    (497, "halt all unsupported",             "halt all unsupported"),
    (498, "halt all unauthorized",            "halt all unauthorized"),
    (499, "unsure request_timeout",           "unsure request_timeout"),
    (418, "reject refused",                   "halt all not_the_api"),
];

#[test]
fn every_status_from_400_to_499_is_as_the_table_says_with_the_word_of_the_api_and_without() {
    for status in 400..=499 {
        let row = NOT_ACCEPTED.iter().find(|(listed, ..)| *listed == status).unwrap_or(&NOT_ACCEPTED[0]);
        for body in bodies() {
            let expected = if is_api_word(&body) { row.1 } else { row.2 };
            let judged = line(&judge(&answer(status, body.clone()), LITERAL));
            assert!(judged.starts_with(expected), "{status} {body:?}: {judged}, not {expected}");
        }
    }
}

#[test]
fn a_refusal_that_is_not_the_word_of_the_api_shuts_as_a_page_does() {
    for status in 400..=499 {
        let page = line(&judge(&answer(status, Body::Html), LITERAL));
        for body in bodies().iter().filter(|body| !is_api_word(body)) {
            for literal in [LITERAL, NAMED_BY_EVENT] {
                let judged = line(&judge(&answer(status, body.clone()), literal));
                assert_eq!(judged, page, "{status} {body:?} {literal}");
            }
        }
    }
}

#[test]
fn a_conflict_is_looked_up_and_never_shuts_whoever_says_it() {
    for body in bodies() {
        let judged = judge(&answer(409, body.clone()), LITERAL);
        assert!(matches!(judged, Judgement::ErrorReply { status: 409, .. }), "{body:?}");
    }
}

#[test]
fn a_404_is_the_events_fault_only_where_the_event_names_the_procedure() {
    let judged = |body, literal| line(&judge(&answer(404, body), literal));
    assert_eq!(judged(errors(), NAMED_BY_EVENT), "reject refused");
    assert_eq!(judged(errors(), LITERAL), "halt procedure procedure_unknown");
    assert_eq!(judged(Body::Empty, NAMED_BY_EVENT), "halt all not_the_api", "no word of the API's");
    assert_eq!(judged(Body::Html, NAMED_BY_EVENT), "halt all not_the_api");
    assert_eq!(judged(Body::Empty, LITERAL), "halt all not_the_api");
}

#[test]
fn what_brought_no_answer_is_judged_by_what_was_written() {
    let unsent = |why| line(&judge(&Reply::NotSent { why, detail: String::new() }, LITERAL));
    let lost = |why| line(&judge(&Reply::Lost { why, detail: String::new() }, LITERAL));
    assert_eq!(unsent(NotSent::Unreachable), "retry unreachable");
    assert_eq!(unsent(NotSent::Certificate), "halt all certificate");
    assert_eq!(unsent(NotSent::Proxy), "halt all proxy");
    assert_eq!(unsent(NotSent::Token), "halt all token_unreadable");
    assert_eq!(lost(Lost::Timeout), "unsure timeout");
    assert_eq!(lost(Lost::Reset), "unsure reset");
}

#[test]
fn our_own_trouble_never_makes_a_dead_letter() {
    everywhere(|status, body, literal, outcome| {
        let is_ours = match status {
            200..=299 => *body == Body::Html,
            408 | 409 | 413 | 423 | 425 | 429 | 499 => false,
            400..=499 => {
                !is_api_word(body) || matches!(status, 401..=403 | 405..=407 | 431 | 494) || (status == 404 && literal)
            }
            _ => matches!(status, 300..=399 | 501 | 505 | 511),
        };
        if is_ours {
            assert!(matches!(outcome, Judgement::Halt { .. }), "{status} {body:?} {literal}: {outcome:?}");
        }
    });
}

#[test]
fn only_a_documented_2xx_is_created() {
    everywhere(|status, body, _, outcome| {
        let documented = (200..=299).contains(&status) && (*body == bare() || *body == created());
        assert_eq!(matches!(outcome, Judgement::Created { .. }), documented, "{status} {body:?}");
    });
}

#[test]
fn only_a_4xx_that_speaks_of_this_event_is_rejected() {
    everywhere(|status, body, literal, outcome| {
        if let Judgement::Reject(fault) = outcome {
            assert!((400..=499).contains(&status), "{status} {body:?}");
            assert!(!matches!(status, 401..=403 | 405..=409 | 411 | 415 | 423 | 425 | 429 | 431 | 494), "{status}");
            assert!(!matches!(status, 404 | 410) || !literal, "{body:?}");
            assert!(is_api_word(body) || status == 413, "{status} {body:?}");
            assert_eq!(fault.reason, Reason::Refused);
            assert!(fault.text.contains(&status.to_string()), "{}", fault.text);
        }
    });
}

#[test]
fn a_request_that_may_have_been_done_is_never_plainly_repeated() {
    everywhere(|status, body, _, outcome| {
        if let Judgement::Retry { .. } = outcome {
            assert!(matches!(status, 423 | 425 | 429), "{status} {body:?}");
        }
    });
}

#[test]
fn the_wait_the_api_asks_for_is_carried_wherever_something_waits() {
    everywhere(|status, body, _, outcome| match outcome {
        Judgement::Retry { after, .. } | Judgement::Unsure { after, .. } | Judgement::Halt { after, .. } => {
            assert_eq!(*after, Some(WAIT), "{status} {body:?}");
        }
        _ => {}
    });
}

#[test]
fn every_outcome_is_reached_and_has_its_name() {
    let mut seen = BTreeSet::new();
    everywhere(|_, _, _, outcome| {
        seen.insert(outcome.as_str());
    });
    let of_a_lookup = ["found", "absent", "unavailable"];
    let of_a_create = Judgement::NAMES.into_iter().filter(|name| !of_a_lookup.contains(name));
    assert_eq!(seen, of_a_create.collect());
}

#[test]
fn a_rejection_repeats_the_words_of_the_api() {
    let Judgement::Reject(fault) = judge(&answer(422, errors()), LITERAL) else { panic!("422 is the event's fault") };
    assert!(fault.text.ends_with("in its words: no such state"), "{}", fault.text);
}

#[test]
fn no_two_words_are_the_same() {
    let causes: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    let reasons: BTreeSet<_> = HaltReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!((causes.len(), reasons.len()), (Cause::ALL.len(), HaltReason::ALL.len()));
    assert!(causes.is_disjoint(&reasons));
}
