//! The API in the hands of the adversary: what it does with a request, what it says, and which processes there are.
//!
//! Not here: when it is asked (`requests`).

use std::time::Duration;

use chakra_bridge::core::lookup::Lookup;
use chakra_bridge::core::process::Procedure;
use chakra_bridge::core::reply::{Body, Lost, NotSent, Reply, Response, Row, Wrapper};

use crate::stage::{LAG, LATENCY, TIMEOUT};

/// What becomes of one create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Applies,
    /// Applied at once; the answer is lost.
    LosesAnswer,
    /// Applied as late as can be, long after the client has given it up.
    AppliesLate,
    /// It never comes there.
    LosesRequest,
    ResetsApplied,
    Resets,
    FailsApplied,
    Fails,
    AnswersEmpty,
    Unreachable,
    Throttles,
    Locks,
    Rejects,
    Conflicts,
    RefusesToken,
    Forbids,
    NoProcedure,
    Page,
    Redirects,
    Payment,
    NotAcceptable,
    /// The daemon's task panics, the create applied or not.
    PanicsApplied,
    Panics,
}

/// Those that the adversary chooses from.
pub(crate) const ACTS: [Act; 20] = [
    Act::Applies,
    Act::LosesAnswer,
    Act::AppliesLate,
    Act::LosesRequest,
    Act::ResetsApplied,
    Act::Resets,
    Act::FailsApplied,
    Act::Fails,
    Act::AnswersEmpty,
    Act::Unreachable,
    Act::Throttles,
    Act::Locks,
    Act::Rejects,
    Act::Conflicts,
    Act::RefusesToken,
    Act::Forbids,
    Act::NoProcedure,
    Act::Page,
    Act::PanicsApplied,
    Act::Panics,
];

/// Where every walk is walked: one of each kind that is told apart.
pub(crate) const FEW: [Act; 9] = [
    Act::Applies,
    Act::LosesAnswer,
    Act::AppliesLate,
    Act::LosesRequest,
    Act::Unreachable,
    Act::Throttles,
    Act::Rejects,
    Act::Conflicts,
    Act::RefusesToken,
];

/// What a lookup is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Truth,
    Nothing,
    NotAllowed,
    NotThere,
    RefusesToken,
    OtherRows,
    Page,
    Fails,
    Throttles,
    Panics,
}

pub(crate) const SEEN: [Seen; 9] = [
    Seen::Nothing,
    Seen::NotAllowed,
    Seen::NotThere,
    Seen::RefusesToken,
    Seen::OtherRows,
    Seen::Page,
    Seen::Fails,
    Seen::Throttles,
    Seen::Panics,
];

impl Act {
    /// When it is applied, if it is; counted from the request's beginning.
    pub(crate) fn applied(self) -> Option<Duration> {
        match self {
            Self::Applies | Self::LosesAnswer | Self::ResetsApplied | Self::FailsApplied => Some(Duration::ZERO),
            Self::AnswersEmpty | Self::PanicsApplied => Some(Duration::ZERO),
            Self::AppliesLate => Some(2 * TIMEOUT),
            _ => None,
        }
    }

    /// How long the request takes.
    pub(crate) fn took(self) -> Duration {
        match self {
            Self::LosesAnswer | Self::AppliesLate | Self::LosesRequest => TIMEOUT,
            _ => LATENCY,
        }
    }

    /// Whether the daemon cannot know if it was applied.
    pub(crate) fn is_unsure(self) -> bool {
        let is_lost = matches!(self, Self::LosesAnswer | Self::AppliesLate | Self::LosesRequest);
        let is_cut = matches!(self, Self::ResetsApplied | Self::Resets | Self::PanicsApplied | Self::Panics);
        is_lost || is_cut || matches!(self, Self::FailsApplied | Self::Fails | Self::AnswersEmpty)
    }

    /// Whether the API refuses the event itself.
    pub(crate) fn is_refusal(self) -> bool {
        matches!(self, Self::Rejects | Self::Conflicts)
    }

    /// What the client makes of it; none where it panics.
    pub(crate) fn reply(self) -> Option<Reply> {
        let wrapper = |has_data, has_errors| Body::Json(Wrapper { has_data, has_errors, ..Wrapper::default() });
        Some(match self {
            Self::Applies => answer(200, wrapper(true, false)),
            Self::LosesAnswer | Self::AppliesLate | Self::LosesRequest => lost(Lost::Timeout),
            Self::ResetsApplied | Self::Resets => lost(Lost::Reset),
            Self::FailsApplied | Self::Fails => answer(503, Body::Empty),
            Self::AnswersEmpty => answer(200, Body::Empty),
            Self::Unreachable => Reply::NotSent { why: NotSent::Unreachable, detail: String::new() },
            Self::Throttles => answer(429, Body::Empty),
            Self::Locks => answer(423, wrapper(false, true)),
            Self::Rejects => answer(422, wrapper(false, true)),
            Self::Conflicts => answer(409, wrapper(false, true)),
            Self::RefusesToken => answer(401, wrapper(false, true)),
            Self::Forbids => answer(403, wrapper(false, true)),
            Self::NoProcedure => answer(404, wrapper(false, true)),
            Self::Page => answer(200, Body::Html),
            Self::Redirects => answer(302, Body::Empty),
            Self::Payment => answer(402, wrapper(false, true)),
            Self::NotAcceptable => answer(406, Body::Html),
            Self::PanicsApplied | Self::Panics => return None,
        })
    }
}

impl Seen {
    pub(crate) fn took(self) -> Duration {
        if self == Self::Nothing { TIMEOUT } else { LATENCY }
    }

    /// What the client makes of it; none where it panics. `there` is how many processes the lookup finds.
    pub(crate) fn reply(self, there: usize, value: &serde_json::Value) -> Option<Reply> {
        let refusal = || Body::Json(Wrapper { has_errors: true, ..Wrapper::default() });
        Some(match self {
            Self::Truth => answer(200, rows(there, value)),
            Self::OtherRows => answer(200, rows(1, &"another".into())),
            Self::Nothing => lost(Lost::Timeout),
            Self::NotAllowed => answer(403, refusal()),
            Self::NotThere => answer(404, refusal()),
            Self::RefusesToken => answer(401, refusal()),
            Self::Page => answer(200, Body::Html),
            Self::Fails => answer(503, Body::Empty),
            Self::Throttles => answer(429, Body::Empty),
            Self::Panics => return None,
        })
    }
}

fn rows(count: usize, value: &serde_json::Value) -> Body {
    let row = Row { process: Some("p".to_owned()), value: Some(value.clone()) };
    Body::Json(Wrapper { has_data: true, rows: Some(vec![row; count]), ..Wrapper::default() })
}

fn lost(why: Lost) -> Reply {
    Reply::Lost { why, detail: String::new() }
}

fn answer(status: u16, body: Body) -> Reply {
    Reply::Response(Response::new(status, body))
}

/// One process, perhaps of a create that is still to be applied.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) key: usize,
    pub(crate) copy: usize,
    pub(crate) life: u32,
    pub(crate) procedure: Procedure,
    pub(crate) applied: Duration,
    pub(crate) shows: Duration,
}

/// All processes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Api {
    pub(crate) processes: Vec<Process>,
}

impl Api {
    /// How many a lookup of this key sees now.
    pub(crate) fn sees(&self, lookup: &Lookup, key: usize, now: Duration) -> usize {
        self.of(key).filter(|process| process.procedure == lookup.procedure && process.shows <= now).count()
    }

    pub(crate) fn of(&self, key: usize) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(move |process| process.key == key)
    }

    /// The client is gone: what the server has of its request it applies soon or never.
    pub(crate) fn cut(&mut self, process: usize, now: Duration) {
        let process = &mut self.processes[process];
        process.applied = process.applied.min(now + TIMEOUT);
        process.shows = process.shows.min(now + TIMEOUT + LAG);
    }
}
