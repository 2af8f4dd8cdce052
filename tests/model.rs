//! An exhaustive walk of the delivery logic against an adversary that applies creates or loses them, answers or
//! does not, refuses, halts, loses the connection, kills the process, and delivers again.
//!
//! Not here: sockets, a broker, time. The walk uses `judge`, `Journey` and `Recent` as they are, and says of itself
//! what the shell adds: a doubt is announced before a create that follows a lost answer or a redelivery.

use std::time::Duration;

use chakra_bridge::core::event::{Key, KeyOrigin};
use chakra_bridge::core::journey::{CREATES_MAX, Journey, Step};
use chakra_bridge::core::judge::judge;
use chakra_bridge::core::policy::{OnUnknown, Policy};
use chakra_bridge::core::recent::{Known, Recent};
use chakra_bridge::core::reply::{Answer, Body, Lost, NotSent, Reply, Wrapper};
use chakra_bridge::core::words::Reason;

/// What the adversary does with one create.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Applies,
    AppliesAndLosesTheAnswer,
    LosesTheRequest,
    IsUnreachable,
    Throttles,
    Refuses,
    Halts,
}

const ACTS: [Act; 7] = [
    Act::Applies,
    Act::AppliesAndLosesTheAnswer,
    Act::LosesTheRequest,
    Act::IsUnreachable,
    Act::Throttles,
    Act::Refuses,
    Act::Halts,
];

/// What happens to the event between two creates, or between its end and the broker's learning of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Nothing,
    ConnectionLost,
    ProcessKilled,
}

const FATES: [Fate; 3] = [Fate::Nothing, Fate::ConnectionLost, Fate::ProcessKilled];

/// How long a walk may be, in creates; and how often fate may strike in it.
const CREATES: u32 = 6;
const STRIKES: u32 = 3;

#[derive(Clone)]
struct World {
    journey: Journey,
    /// What this process remembers of the event.
    known: Option<Known>,
    /// Processes in the API.
    applied: u32,
    /// Creates sent since the last doubt that was announced.
    is_announced: bool,
    redelivered: bool,
    /// Doubts are not announced: to see that the walk notices.
    is_mute: bool,
    creates: u32,
    strikes: u32,
}

#[derive(Debug, Default, PartialEq)]
struct Count {
    walks: u64,
    created: u64,
    dead: u64,
    unfinished: u64,
    doubled: u64,
    doubled_without_a_word: u64,
    dead_for_our_fault: u64,
    acknowledged_without_a_process: u64,
    repeats_beyond_the_limit: u64,
}

fn policy(on_unknown: OnUnknown) -> Policy {
    let second = Duration::from_secs(1);
    Policy {
        initial: second,
        multiplier: 2.0,
        max_interval: 60 * second,
        give_up_after: 3600 * second,
        retry_after_max: second,
        on_unknown,
    }
}

fn answer(status: u16, body: Body) -> Reply {
    Reply::Answered(Answer { status, body, retry_after: None })
}

fn reply(act: Act) -> Reply {
    let wrapper = |has_data, has_errors| Body::Json(Wrapper { has_data, has_errors, ..Wrapper::default() });
    match act {
        Act::Applies => answer(200, wrapper(true, false)),
        Act::AppliesAndLosesTheAnswer | Act::LosesTheRequest => {
            Reply::Lost { why: Lost::Timeout, detail: String::new() }
        }
        Act::IsUnreachable => Reply::NotSent { why: NotSent::Unreachable, detail: String::new() },
        Act::Throttles => answer(429, Body::Empty),
        Act::Refuses => answer(422, wrapper(false, true)),
        Act::Halts => answer(401, wrapper(false, true)),
    }
}

/// One create, as the dispatcher begins it, and everything that may follow.
fn create(mut world: World, policy: &Policy, count: &mut Count) {
    if world.creates == CREATES {
        count.walks += 1;
        count.unfinished += 1;
        return;
    }
    let is_doubtful = world.journey.may_double() || std::mem::take(&mut world.redelivered);
    world.is_announced |= is_doubtful && !world.is_mute;
    for act in ACTS {
        let mut next = world.clone();
        next.creates += 1;
        if matches!(act, Act::Applies | Act::AppliesAndLosesTheAnswer) {
            next.applied += 1;
            count.doubled_without_a_word += u64::from(next.applied > 1 && !next.is_announced);
        }
        let outcome = judge(&reply(act), true);
        let step = next.journey.step(&outcome, false, Duration::ZERO, 0.5, policy);
        count.repeats_beyond_the_limit += u64::from(next.journey.unsure > CREATES_MAX);
        for fate in FATES {
            follow(next.clone(), &step, act, fate, policy, count);
        }
    }
}

fn follow(mut world: World, step: &Step, act: Act, fate: Fate, policy: &Policy, count: &mut Count) {
    world.known = Some(match step {
        Step::Done { process } => Known::Created(process.clone()),
        Step::Dead(fault) => Known::Dead(fault.clone(), world.journey.clone()),
        Step::Wait(_) | Step::Hold => Known::Underway(world.journey.clone()),
    });
    match (fate, step) {
        (Fate::Nothing, Step::Wait(_) | Step::Hold) => create(world, policy, count),
        (Fate::Nothing, Step::Done { .. } | Step::Dead(_)) => end(&world, step, act, count),
        (Fate::ConnectionLost | Fate::ProcessKilled, _) if world.strikes < STRIKES => {
            world.strikes += 1;
            if fate == Fate::ProcessKilled {
                world.known = None;
            }
            again(world, act, policy, count);
        }
        _ => {}
    }
}

/// The broker delivers it again, and the corridor opens it.
fn again(mut world: World, act: Act, policy: &Policy, count: &mut Count) {
    let key = Key { text: "key".to_owned(), origin: KeyOrigin::MessageId };
    let mut recent = Recent::default();
    if let Some(known) = world.known.take() {
        recent.remember(&key, known);
    }
    world.redelivered = true;
    match recent.recall(&key) {
        Some(Known::Created(process)) => end(&world, &Step::Done { process: process.clone() }, act, count),
        Some(Known::Dead(fault, _)) => end(&world, &Step::Dead(fault.clone()), act, count),
        Some(Known::Underway(journey)) => create(World { journey: journey.clone(), ..world }, policy, count),
        None => create(World { journey: Journey::default(), ..world }, policy, count),
    }
}

fn end(world: &World, step: &Step, act: Act, count: &mut Count) {
    count.walks += 1;
    count.doubled += u64::from(world.applied > 1);
    match step {
        Step::Done { .. } => {
            count.created += 1;
            count.acknowledged_without_a_process += u64::from(world.applied == 0);
        }
        Step::Dead(fault) => {
            count.dead += 1;
            let is_ours = matches!(act, Act::Halts) || !matches!(fault.reason, Reason::Refused | Reason::Unknown);
            count.dead_for_our_fault += u64::from(is_ours);
        }
        Step::Wait(_) | Step::Hold => {}
    }
}

fn walk(on_unknown: OnUnknown, is_mute: bool) -> Count {
    let mut count = Count::default();
    let world = World {
        journey: Journey::default(),
        known: None,
        applied: 0,
        is_announced: false,
        redelivered: false,
        is_mute,
        creates: 0,
        strikes: 0,
    };
    create(world, &policy(on_unknown), &mut count);
    println!("{on_unknown:?}: {count:?}");
    count
}

fn assert_the_promise(count: &Count) {
    assert!(count.walks > 10_000, "{count:?}");
    assert!(count.created > 0 && count.dead > 0 && count.doubled > 0, "the adversary is too tame: {count:?}");
    assert_eq!(count.doubled_without_a_word, 0, "{count:?}");
    assert_eq!(count.dead_for_our_fault, 0, "{count:?}");
    assert_eq!(count.acknowledged_without_a_process, 0, "{count:?}");
    assert_eq!(count.repeats_beyond_the_limit, 0, "{count:?}");
}

#[test]
fn no_event_is_doubled_without_a_word_lost_or_dead_for_our_fault() {
    assert_the_promise(&walk(OnUnknown::Resend, false));
}

#[test]
fn the_same_holds_where_a_lost_answer_is_dead_at_once() {
    assert_the_promise(&walk(OnUnknown::DeadLetter, false));
}

#[test]
fn a_daemon_that_kept_its_doubts_to_itself_would_be_noticed() {
    assert!(walk(OnUnknown::Resend, true).doubled_without_a_word > 0);
}
