//! Laws of the delivery machine, each group in its own file, and the bench that they share: a machine, a clock that is set by
//! hand, and the effects of each input.
//!
//! Not here: the model (`tests/model`), and the machine within its dispatcher (`tests/path`).

mod brake;
mod checks;
mod claimed;
mod claims;
mod company;
mod copies;
mod crashes;
mod delays;
mod doubt;
mod ends;
mod hosts;
mod keys;
mod ledger_away;
mod letters;
mod neighbours;
mod order;
mod others;
mod outcomes;
mod photos;
mod put_back;
mod repeats;
mod retries;
mod returns;
mod roads;
mod rows;
mod sent;
mod shares;
mod shortage;
mod sources;
mod stands;
mod state;
mod traces;
mod tries;
mod turns;
mod untold;
mod waiting;
mod walks;
mod windows;
mod words;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::{
    Command, Effect, EventId, Input, Machine, Now, ReceiptId, RecordId, Report, Settled, Setup, WantedPrefetch,
};
use crate::core::bounds::Bounds;
use crate::core::decode::Limits;
use crate::core::delayed_state::DelayedState;
use crate::core::ledger::{Claim, Record};
use crate::core::lookup::Lookup;
use crate::core::mapping::rules::Rules;
use crate::core::mapping::tests::rules;
use crate::core::message::Message;
use crate::core::photo::Photo;
use crate::core::policy::{
    GatePolicy, NotProcessed, OnAbsent, OnUnknown, PhotoPolicy, Policy, RepeatPolicy, RequestLimitPolicy,
};
use crate::core::process::Procedure;
use crate::core::reply::{Body, Lost, NotSent, Reply, Response, Row, Wrapper};
use crate::core::settlement::Settlement;

const SECOND: Duration = Duration::from_secs(1);

/// Types `lead` and `ticket` go to the procedure of that name; `found.lead` can be looked up.
const RULES: &str = r#"
[[rule]]
name = "lead"
type = "lead"
procedure = "lead"
[rule.data]
event_key = "{{ key }}"

[[rule]]
name = "ticket"
type = "ticket"
procedure = "ticket"
[rule.data]
event_key = "{{ key }}"

[[rule]]
name = "found"
type = "found.*"
procedure = "lead"
reconcile_by = "event_key"
[rule.data]
event_key = "{{ key }}"
"#;

/// Compiled once, for all benches.
static COMPILED: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(rules(RULES)));

fn setup(places: usize) -> Setup {
    Setup {
        limits: Limits { bounds: Bounds::DEFAULT, key: None },
        rules: Arc::clone(&COMPILED),
        policy: Policy {
            initial: SECOND / 2,
            multiplier: 2.0,
            max_interval: 600 * SECOND,
            max_local_delay: 10 * SECOND,
            give_up_after: 24 * 3600 * SECOND,
            retry_after_max: 3600 * SECOND,
            resend_after: 600 * SECOND,
            not_processed: NotProcessed::default(),
            on_unknown: OnUnknown::Resend,
            lookup_window: 45 * SECOND,
            on_absent: OnAbsent::Create,
        },
        gate: GatePolicy {
            rejections: 20,
            failures: 10,
            probe_initial: SECOND,
            probe_max: 30 * SECOND,
            release_after: 120 * SECOND,
        },
        request_limits: RequestLimitPolicy { max_requests_per_second: None, budget: 1.0 },
        repeats: RepeatPolicy::default(),
        ledger: None,
        outcomes: None,
        photos: PhotoPolicy::default(),
        places,
    }
}

/// What the machine asked for, in the order in which it did.
#[derive(Debug, Default)]
struct Done {
    creates: Vec<EventId>,
    /// Those of them that are no first create.
    repeats: Vec<EventId>,
    /// The bodies of what is created.
    bodies: Vec<Vec<u8>>,
    photos: Vec<(EventId, Arc<Photo>)>,
    lookups: Vec<EventId>,
    lists: Vec<Procedure>,
    /// Those of rules whose lookup is checked.
    checks: Vec<(Arc<str>, Arc<Lookup>)>,
    settled: Vec<(ReceiptId, Settlement)>,
    told: Vec<Settled>,
    reports: Vec<Report>,
    wanted: Vec<WantedPrefetch>,
    /// What the ledger is asked and told.
    claims: Vec<(EventId, Claim)>,
    records: Vec<(RecordId, Record)>,
}

impl Done {
    fn add(&mut self, later: Self) {
        self.creates.extend(later.creates);
        self.repeats.extend(later.repeats);
        self.bodies.extend(later.bodies);
        self.photos.extend(later.photos);
        self.lookups.extend(later.lookups);
        self.lists.extend(later.lists);
        self.checks.extend(later.checks);
        self.settled.extend(later.settled);
        self.told.extend(later.told);
        self.reports.extend(later.reports);
        self.wanted.extend(later.wanted);
        self.claims.extend(later.claims);
        self.records.extend(later.records);
    }
}

/// A machine and its clock.
struct Bench {
    machine: Machine,
    now: Duration,
    wake: Duration,
    dice: f64,
    receipts: ReceiptId,
    /// Whether the broker keeps what is published, at once.
    keeps: bool,
}

impl Bench {
    fn new(places: usize) -> Self {
        let machine = Machine::new(setup(places));
        let mut bench = Self { machine, now: SECOND, wake: SECOND, dice: 0.5, receipts: 0, keeps: true };
        drop(bench.on(Input::Connected { can_delay: true }));
        bench
    }

    fn on(&mut self, input: Input) -> Done {
        let epoch_ms = 1_700_000_000_000 + u64::try_from(self.now.as_millis()).unwrap();
        let effects = self.machine.on(input, Now { moment: self.now, epoch_ms }, self.dice);
        self.wake = effects.wake;
        assert!(self.wake > self.now, "it would be woken at once, again and again");
        let (mut done, mut published) = (Done::default(), Vec::new());
        for effect in effects.list {
            match effect {
                Effect::Create { event, claim, request, is_repeat } => {
                    done.creates.push(event);
                    done.repeats.extend(is_repeat.then_some(event));
                    done.bodies.push(request.body.to_vec());
                    done.claims.extend(claim.map(|claim| (event, *claim)));
                }
                Effect::Photo { event, photo, claim } => {
                    done.photos.push((event, photo));
                    done.claims.extend(claim.map(|claim| (event, *claim)));
                }
                Effect::Record { id, record } => done.records.push((id, *record)),
                Effect::LookUp { event, .. } => done.lookups.push(event),
                Effect::Settle { receipt, settlement } => {
                    if matches!(settlement, Settlement::DeadLetter(_) | Settlement::Delay(..)) {
                        published.push(receipt);
                    }
                    done.settled.push((receipt, settlement));
                }
                Effect::Tell(Report::Settled(settled)) => done.told.push(*settled),
                Effect::Tell(report) => done.reports.push(report),
                Effect::List { procedure } => done.lists.push(procedure),
                Effect::Check { rule, lookup } => done.checks.push((rule, lookup)),
                Effect::Want(wanted) => done.wanted.push(wanted),
            }
        }
        let keeps = self.keeps;
        for receipt in published.into_iter().filter(|_| keeps) {
            let kept = self.on(Input::Kept { receipt });
            done.add(kept);
        }
        done
    }

    fn message(&mut self, message: Message) -> (ReceiptId, Done) {
        let receipt = self.receipts;
        self.receipts += 1;
        (receipt, self.on(Input::Message { receipt, message: Box::new(message), is_live: true }))
    }

    /// A first delivery of this type and message id.
    fn event(&mut self, kind: &str, id: &str) -> (ReceiptId, Done) {
        self.message(event(kind, id))
    }

    fn replied(&mut self, event: EventId, reply: Reply) -> Done {
        self.on(Input::Replied { event, reply, took: Duration::ZERO, epoch: None })
    }

    /// The clock goes on by this much, and the machine is woken.
    fn after(&mut self, time: Duration) -> Done {
        self.now += time;
        self.on(Input::Timer)
    }
}

fn event(kind: &str, id: &str) -> Message {
    Message {
        body: Arc::new(format!(r#"{{"of":"{id}"}}"#).into_bytes()),
        message_id: Some(id.to_owned()),
        kind: Some(kind.to_owned()),
        ..Message::default()
    }
}

fn again(kind: &str, id: &str) -> Message {
    Message { redelivered: true, ..event(kind, id) }
}

fn json(status: u16, wrapper: Wrapper) -> Reply {
    Reply::Response(Response::new(status, Body::Json(wrapper)))
}

fn created() -> Reply {
    json(200, Wrapper { has_data: true, process: Some("p1".to_owned()), ..Wrapper::default() })
}

/// A lookup that finds nothing.
fn absent() -> Reply {
    json(200, Wrapper { has_data: true, rows: Some(Vec::new()), ..Wrapper::default() })
}

/// A lookup that finds what has this key.
fn found(id: &str) -> Reply {
    let row = Row { process: Some("p1".to_owned()), value: Some(id.into()) };
    json(200, Wrapper { has_data: true, rows: Some(vec![row]), ..Wrapper::default() })
}

/// It has no room for the event yet: the event goes to a delay queue.
fn busy() -> Reply {
    Reply::Response(Response { retry_after: Some(60 * SECOND), ..Response::new(423, Body::Empty) })
}

fn timed_out() -> Reply {
    Reply::Lost { why: Lost::Timeout, detail: String::new() }
}

fn page(status: u16) -> Reply {
    Reply::Response(Response::new(status, Body::Html))
}

fn status(status: u16) -> Reply {
    Reply::Response(Response::new(status, Body::Empty))
}
