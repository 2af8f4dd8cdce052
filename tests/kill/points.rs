//! The points of the path at which the daemon is killed, and the breakpoints that prove each was reached.
//!
//! Not here: the relay that carries a breakpoint out, and killing.

use crate::support::postgres::wire::{Stop, Write};
use crate::support::relay::{Breakpoint, Doing, From, Seen, Verdict};

/// Where a publish goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// A delay queue.
    Wait,
    /// The dead-letter queue.
    Dead,
}

/// A point of the path. What the API sees is watched there; the rest at the broker's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The event was delivered, and nothing was sent for it.
    Delivered,
    /// The whole request is at the API, which applies it later.
    Sent,
    /// The API has answered.
    Answered,
    /// The acknowledgement was written, and is not at the broker.
    BeforeTheAck,
    /// The publish was written, and is not at the broker.
    BeforeThePublish(To),
    /// The broker has the message, and its confirm is not at the daemon.
    BeforeTheConfirm(To),
    /// The confirm is at the daemon, and the acknowledgement is not at the broker.
    AfterTheConfirm(To),
    /// A write of the ledger.
    Ledger(Stop),
    /// Wherever it happens to be.
    AnyMoment,
}

/// Every point.
pub const POINTS: [Point; 11] = [
    Point::Delivered,
    Point::Sent,
    Point::Answered,
    Point::BeforeTheAck,
    Point::BeforeThePublish(To::Wait),
    Point::BeforeTheConfirm(To::Wait),
    Point::AfterTheConfirm(To::Wait),
    Point::BeforeThePublish(To::Dead),
    Point::BeforeTheConfirm(To::Dead),
    Point::AfterTheConfirm(To::Dead),
    Point::AnyMoment,
];

/// Those that only a daemon with a ledger comes by.
pub const WRITES: [Point; 4] = [
    Point::Ledger(Stop::Before(Write::Claim)),
    Point::Ledger(Stop::After(Write::Claim)),
    Point::Ledger(Stop::Before(Write::Record)),
    Point::Ledger(Stop::After(Write::Record)),
];

impl Point {
    /// Its breakpoint; none where the API is watched instead, or the clock.
    pub fn breakpoint(self) -> Option<Breakpoint> {
        Some(match self {
            Self::Sent | Self::Answered | Self::AnyMoment | Self::Ledger(_) => return None,
            Self::Delivered => Box::new(|seen| on(seen.doing == Doing::Delivers, Verdict::PassesLast)),
            Self::BeforeTheAck => Box::new(|seen| on(is_ack(seen), Verdict::Held)),
            Self::BeforeThePublish(to) => Box::new(move |seen| on(goes(seen, to), Verdict::Held)),
            Self::BeforeTheConfirm(to) => confirm(to, Verdict::Held),
            Self::AfterTheConfirm(to) => confirm(to, Verdict::Passes),
        })
    }
}

fn on(is_it: bool, verdict: Verdict) -> Verdict {
    if is_it { verdict } else { Verdict::Passes }
}

fn is_ack(seen: &Seen) -> bool {
    seen.from == From::Daemon && seen.doing == Doing::Acknowledges
}

fn goes(seen: &Seen, to: To) -> bool {
    let Doing::Publishes(queue) = &seen.doing else { return false };
    match to {
        To::Wait => queue.contains(".wait.") && !queue.ends_with(".nowhere"),
        To::Dead => queue.ends_with(".dead"),
    }
}

/// Follows the first publish there to its confirm, which is held; or passes, and then the next acknowledgement is held.
fn confirm(to: To, verdict: Verdict) -> Breakpoint {
    let mut published = None;
    let mut is_confirmed = false;
    Box::new(move |seen| {
        if is_confirmed {
            return on(is_ack(seen), Verdict::Held);
        }
        match published {
            None if goes(seen, to) => published = Some((seen.connection, seen.channel)),
            Some(way) if way == (seen.connection, seen.channel) && seen.doing == Doing::Acknowledges => {
                is_confirmed = true;
                return verdict;
            }
            _ => {}
        }
        Verdict::Passes
    })
}
