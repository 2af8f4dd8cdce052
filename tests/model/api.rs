//! The API in the hands of the adversary: what it does with a request, and what it says.
//!
//! Not here: what the daemon makes of it.

use std::time::Duration;

use chakra_bridge::core::lookup::Lookup;
use chakra_bridge::core::process::Procedure;
use chakra_bridge::core::reply::{Body, Lost, NotSent, Reply, Response, Row, Wrapper};

use crate::adversary::Choices;
use crate::world::{LAG, Setting, TIMEOUT};

/// What becomes of one create.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    Applies,
    AppliesAndLosesTheAnswer,
    LosesTheRequest,
    IsUnreachable,
    Throttles,
    Refuses,
    ErrorReply,
    Halts,
    AppliesAndIsKilled,
    IsKilled,
}

/// What a lookup is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Seen {
    TheTruth,
    Nothing,
    NotAllowed,
    Halts,
    OtherRows,
    Killed,
}

const ACTS: [Act; 10] = [
    Act::Applies,
    Act::AppliesAndLosesTheAnswer,
    Act::LosesTheRequest,
    Act::IsUnreachable,
    Act::Throttles,
    Act::Refuses,
    Act::ErrorReply,
    Act::Halts,
    Act::AppliesAndIsKilled,
    Act::IsKilled,
];

/// What happens to a create, and until when its request is under way.
pub(crate) fn act(setting: &mut Setting, choices: &mut Choices, now: Duration) -> (Act, Duration) {
    if setting.creates == 0 {
        return (Act::Applies, now);
    }
    setting.creates -= 1;
    let act = choices.one(if setting.strikes > 0 { &ACTS } else { &ACTS[..8] });
    let is_long = matches!(act, Act::AppliesAndLosesTheAnswer | Act::LosesTheRequest);
    (act, if is_long { now + TIMEOUT } else { now })
}

/// When what it created shows in a lookup; none if it created nothing. A server may apply a request for as long again as
/// the client waited for it.
pub(crate) fn shows(act: Act, now: Duration, choices: &mut Choices) -> Option<Duration> {
    let late = match act {
        Act::Applies => Duration::ZERO,
        Act::AppliesAndLosesTheAnswer => 2 * TIMEOUT,
        Act::AppliesAndIsKilled => TIMEOUT,
        _ => return None,
    };
    Some(now + choices.one(&[Duration::ZERO, late + LAG]))
}

/// What the client sees of a create; none if it is dead by then.
pub(crate) fn create_reply(act: Act) -> Option<Reply> {
    let wrapper = |has_data, has_errors| Body::Json(Wrapper { has_data, has_errors, ..Wrapper::default() });
    Some(match act {
        Act::Applies => answer(200, wrapper(true, false)),
        Act::AppliesAndLosesTheAnswer | Act::LosesTheRequest => lost(),
        Act::IsUnreachable => Reply::NotSent { why: NotSent::Unreachable, detail: String::new() },
        Act::Throttles => answer(429, Body::Empty),
        Act::Refuses => answer(422, wrapper(false, true)),
        Act::ErrorReply => answer(409, wrapper(false, true)),
        Act::Halts => answer(401, wrapper(false, true)),
        Act::AppliesAndIsKilled | Act::IsKilled => return None,
    })
}

/// What a lookup is told: the truth, as soon as the adversary's means are spent.
pub(crate) fn seen(setting: &mut Setting, choices: &mut Choices) -> Seen {
    if setting.reasons == 0 {
        return Seen::TheTruth;
    }
    let all = [Seen::TheTruth, Seen::Nothing, Seen::NotAllowed, Seen::Halts, Seen::OtherRows, Seen::Killed];
    let seen = choices.one(if setting.strikes > 0 { &all } else { &all[..5] });
    setting.reasons -= u32::from(seen != Seen::TheTruth);
    seen
}

pub(crate) fn lookup_reply(seen: Seen, is_there: bool) -> Reply {
    let rows = |values: &[&str]| {
        let rows = values.iter().map(|value| Row { process: Some("p".to_owned()), value: Some((*value).into()) });
        Body::Json(Wrapper { has_data: true, rows: Some(rows.collect()), ..Wrapper::default() })
    };
    match seen {
        Seen::TheTruth if is_there => answer(200, rows(&["key"])),
        Seen::TheTruth => answer(200, rows(&[])),
        Seen::OtherRows => answer(200, rows(&["another"])),
        Seen::NotAllowed => answer(403, Body::Json(Wrapper { has_errors: true, ..Wrapper::default() })),
        Seen::Halts => answer(401, Body::Json(Wrapper { has_errors: true, ..Wrapper::default() })),
        Seen::Nothing | Seen::Killed => lost(),
    }
}

/// Where the walks look.
pub(crate) fn lookup() -> Lookup {
    Lookup {
        procedure: Procedure::new("lead").expect("a short id"),
        attribute: "event_key".to_owned(),
        value: "key".into(),
    }
}

fn lost() -> Reply {
    Reply::Lost { why: Lost::Timeout, detail: String::new() }
}

fn answer(status: u16, body: Body) -> Reply {
    Reply::Response(Response::new(status, body))
}
