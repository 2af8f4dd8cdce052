//! What an answer to an upload means: is the photo there, and whose trouble is it?
//!
//! Not here: what follows for the event (`progress::photos`), and why a picture could not be had (`fault`).
//!
//! What a second upload to an id does is not documented. An id stands for one picture of one event, so that 409 and every 2xx both
//! say that it is there: this is inferred. Whether an upload that lost its answer was done is no matter either: it is repeated.

use crate::core::judge::{Judgement, Scope, is_api_word, judge};
use crate::core::reason::{Cause, Fault, HaltReason, Reason};
use crate::core::reply::{Body, Reply};

/// Judges a reply to an upload. Total, and never in doubt: the outcomes are created, retry, reject and halt.
#[must_use]
pub fn judge_upload(reply: &Reply) -> Judgement {
    match (judge(reply, true), reply) {
        (Judgement::ErrorReply { status: 409, .. }, _) => Judgement::Created { process: None },
        (Judgement::ErrorReply { status, error_text }, _) => refused(status, error_text.as_deref()),
        (Judgement::Unsure { cause: Cause::EmptyAnswer, .. }, _) => Judgement::Created { process: None },
        (Judgement::Unsure { .. }, Reply::Response(answer))
            if (200..=299).contains(&answer.status) && matches!(answer.body, Body::Json(_)) =>
        {
            Judgement::Created { process: None }
        }
        (Judgement::Unsure { cause, after }, _) => Judgement::Retry { cause, after },
        // Of every other request it would be about us; a picture has a type of its own.
        (Judgement::Halt { .. }, Reply::Response(answer)) if answer.status == 415 && is_api_word(&answer.body) => {
            refused(415, text_of(reply))
        }
        // No procedure was named: what answers has no uploads.
        (Judgement::Halt { reason: HaltReason::ProcedureUnknown, after, .. }, _) => {
            Judgement::Halt { scope: Scope::Procedure, reason: HaltReason::Unsupported, after }
        }
        (outcome, _) => outcome,
    }
}

fn text_of(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::Response(answer) => match &answer.body {
            Body::Json(wrapper) => wrapper.error_text.as_deref(),
            _ => None,
        },
        _ => None,
    }
}

fn refused(status: u16, words: Option<&str>) -> Judgement {
    let words = words.unwrap_or("no words given");
    Judgement::Reject(Fault::new(Reason::Refused, format!("the API answered {status} to the upload: {words}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reply::{Lost, NotSent, Response, Wrapper};

    fn answer(status: u16, body: Body) -> Judgement {
        judge_upload(&Reply::Response(Response::new(status, body)))
    }

    fn word() -> Body {
        Body::Json(Wrapper { has_errors: true, is_api_word: true, ..Wrapper::default() })
    }

    #[test]
    fn a_second_upload_to_an_id_is_there_however_the_api_says_it() {
        let data = || Body::Json(Wrapper { has_data: true, ..Wrapper::default() });
        for (status, body) in [
            (200, data()),
            (201, data()),
            (204, Body::Empty),
            (200, Body::Json(Wrapper::default())),
            (409, word()),
            (409, data()),
        ] {
            assert_eq!(answer(status, body.clone()), Judgement::Created { process: None }, "{status} {body:?}");
        }
    }

    #[test]
    fn no_answer_to_an_upload_leaves_a_doubt() {
        let bodies = || [Body::Empty, word(), Body::Html, Body::Broken, Body::Encoded("br".into())];
        let answers = (100..600).flat_map(|status| bodies().map(|body| Reply::Response(Response::new(status, body))));
        let lost = [Lost::Timeout, Lost::Reset].map(|why| Reply::Lost { why, detail: String::new() });
        let not_sent = [NotSent::Unreachable, NotSent::Token, NotSent::Certificate, NotSent::Proxy];
        let not_sent = not_sent.map(|why| Reply::NotSent { why, detail: String::new() });
        for reply in answers.chain(lost).chain(not_sent) {
            let outcome = judge_upload(&reply);
            let is_sure = matches!(
                outcome,
                Judgement::Created { .. } | Judgement::Retry { .. } | Judgement::Reject(_) | Judgement::Halt { .. }
            );
            assert!(is_sure, "{reply:?}: {outcome:?}");
        }
    }

    #[test]
    fn what_the_api_says_of_the_picture_is_the_events_trouble_and_what_it_says_of_us_is_ours() {
        for status in [400, 413, 415, 422] {
            assert!(matches!(answer(status, word()), Judgement::Reject(_)), "{status}");
        }
        for status in [401, 402, 403, 404, 405] {
            assert!(matches!(answer(status, word()), Judgement::Halt { .. }), "{status}");
        }
        assert!(matches!(answer(200, Body::Html), Judgement::Halt { .. }), "a page is not the API");
        assert!(matches!(answer(200, word()), Judgement::Reject(_)), "2xx with errors");
        assert!(matches!(answer(403, word()), Judgement::Halt { scope: Scope::Procedure, .. }), "uploads alone");
    }
}
