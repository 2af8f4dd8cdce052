//! What every walk is played with: the rules, the events, and the settings of the machine.
//!
//! Not here: who chooses (`adversary`), and what happens to the events (`world`).

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chakra_bridge::core::bounds::Bounds;
use chakra_bridge::core::decode::Limits;
pub(crate) use chakra_bridge::core::delivery::Setup;
use chakra_bridge::core::ledger::LedgerPolicy;
use chakra_bridge::core::mapping::rules::Rules;
use chakra_bridge::core::message::Message;
use chakra_bridge::core::outcome::{OutcomeKinds, OutcomePolicy};
use chakra_bridge::core::policy::{GatePolicy, NotProcessed, PhotoPolicy, Policy, RepeatPolicy, RequestLimitPolicy};
use chakra_bridge::ready::{Ready, load_with};

use crate::adversary::{Sabotage, Setting};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// The longest a request takes, and the longest after it that a server may still apply it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(8);
/// The longest until a process shows in a lookup.
pub(crate) const LAG: Duration = Duration::from_secs(4);
/// How long the claims of a replica hold after it died.
pub(crate) const LEASE: Duration = Duration::from_secs(18);
/// How long a request takes that is answered.
pub(crate) const LATENCY: Duration = Duration::from_millis(50);

const HEAD: &str = r#"
[broker]
url = "amqp://nobody@127.0.0.1"
password = "none"
queue = "none"
[api]
base_url = "http://127.0.0.1"
token = "none"
[photos]
allow = ["quick.example", "slow.example"]
"#;

/// Before and after a reload: the rules have other names then, and what could be looked up at `lead` goes to `prospect`.
const RULES: [[(&str, &str, &str, bool); 4]; 2] = [
    [
        ("lead", "lead", "lead", false),
        ("ticket", "ticket", "ticket", false),
        ("found-lead", "found.lead", "lead", true),
        ("found-ticket", "found.ticket", "ticket", true),
    ],
    [
        ("lead-2", "lead", "lead", false),
        ("ticket-2", "ticket", "ticket", false),
        ("found-lead-2", "found.lead", "prospect", true),
        ("found-ticket-2", "found.ticket", "ticket", true),
    ],
];

/// Events with one picture, and with two of two hosts; after a reload one of the links is another.
const PICTURED: &str = r#"
[[rule]]
name = "pictured"
type = "pictured"
procedure = "ticket"
data = { event_key = "{{ key }}", site = "{{ photo.site }}" }
[rule.photo.site]
url = "https://quick.example/{{ key }}.jpg?sig=1"
[[rule]]
name = "found-pictured"
type = "found.pictured"
procedure = "ticket"
reconcile_by = "event_key"
data = { event_key = "{{ key }}", site = "{{ photo.site }}", roof = "{{ photo.roof }}" }
[rule.photo.site]
url = "https://quick.example/{{ key }}/site.jpg?sig=1"
[rule.photo.roof]
url = "https://slow.example/{{ key }}.jpg?sig=1"
on_missing = "without"
"#;

static LOADED: LazyLock<[Ready; 2]> = LazyLock::new(|| {
    let mended = PICTURED.replace("slow.example/", "slow.example/mended/").replace("sig=1", "sig=2");
    [(&RULES[0], PICTURED), (&RULES[1], &mended)].map(|(rules, pictured)| loaded(rules, pictured))
});
static COMPILED: LazyLock<[Arc<Rules>; 2]> = LazyLock::new(|| [0, 1].map(|at| Arc::new(LOADED[at].rules.clone())));

fn loaded(rules: &[(&str, &str, &str, bool)], pictured: &str) -> Ready {
    let mut file = HEAD.to_owned();
    for (name, kind, procedure, can_look_up) in rules {
        let lookup = if *can_look_up { "reconcile_by = \"event_key\"\n" } else { "" };
        file += &format!("[[rule]]\nname = {name:?}\ntype = {kind:?}\nprocedure = {procedure:?}\n{lookup}");
        file += "data = { event_key = \"{{ key }}\" }\n";
    }
    file += pictured;
    file += "[[rule]]\nname = \"noise\"\ntype = \"noise\"\naction = \"skip\"\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.toml");
    std::fs::write(&path, file).unwrap();
    load_with(&path, []).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The rules before (0) or after (1) a reload.
pub(crate) fn rules(at: usize) -> Arc<Rules> {
    Arc::clone(&COMPILED[at])
}

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lead,
    Ticket,
    FoundLead,
    FoundTicket,
    /// With one picture.
    Pictured,
    /// With two, of two hosts.
    FoundPictured,
    Noise,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Ticket => "ticket",
            Self::FoundLead => "found.lead",
            Self::FoundTicket => "found.ticket",
            Self::Pictured => "pictured",
            Self::FoundPictured => "found.pictured",
            Self::Noise => "noise",
        }
    }

    pub(crate) fn can_look_up(self) -> bool {
        matches!(self, Self::FoundLead | Self::FoundTicket | Self::FoundPictured)
    }

    /// The photos that its process names.
    pub(crate) fn photos(self) -> &'static [&'static str] {
        match self {
            Self::Pictured => &["site"],
            Self::FoundPictured => &["site", "roof"],
            _ => &[],
        }
    }

    /// The hosts that its pictures come from.
    pub(crate) fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Pictured => &["quick.example"],
            Self::FoundPictured => &["quick.example", "slow.example"],
            _ => &[],
        }
    }
}

/// The first delivery of an event.
pub(crate) fn message(kind: Kind, key: &str) -> Message {
    Message {
        body: Arc::new(b"{}".to_vec()),
        message_id: Some(key.to_owned()),
        kind: Some(kind.as_str().to_owned()),
        ..Message::default()
    }
}

/// The settings of the walks: small numbers, so that every limit is met.
pub(crate) fn setup(setting: &Setting, at: usize) -> Setup {
    let lookup_window = if setting.sabotage == Sabotage::ShortWindow { SECOND } else { TIMEOUT + LAG };
    Setup {
        limits: Limits { bounds: Bounds::DEFAULT, key: None },
        rules: rules(at),
        policy: Policy {
            initial: SECOND,
            multiplier: 2.0,
            max_interval: 60 * SECOND,
            max_local_delay: 10 * SECOND,
            resend_after: Duration::ZERO,
            give_up_after: 24 * 3600 * SECOND,
            retry_after_max: 20 * SECOND,
            not_processed: NotProcessed::default(),
            on_unknown: setting.on_unknown,
            lookup_window,
            on_absent: setting.on_absent,
        },
        gate: GatePolicy {
            rejections: 20,
            failures: 3,
            probe_initial: SECOND,
            probe_max: 30 * SECOND,
            release_after: 20 * SECOND,
        },
        request_limits: RequestLimitPolicy { max_requests_per_second: None, budget: 0.2 },
        repeats: RepeatPolicy::default(),
        ledger: setting.has_ledger.then_some(LedgerPolicy { timeout: TIMEOUT }),
        outcomes: setting.tells.then_some(OutcomePolicy { tells: OutcomeKinds::ALL, required: true }),
        photos: PhotoPolicy::default(),
        places: setting.places,
    }
}

/// The settings that a file gets by itself.
pub(crate) fn defaults() -> Setup {
    let Ready { config, .. } = &LOADED[0];
    Setup {
        limits: Limits { bounds: Bounds::DEFAULT, key: None },
        rules: rules(0),
        policy: config.policy,
        gate: config.gate,
        request_limits: config.request_limits,
        repeats: config.repeats,
        ledger: None,
        outcomes: None,
        photos: config.photo_policy,
        places: config.broker.prefetch.into(),
    }
}

/// The longest that a healthy event waits, once nothing is in its way any more: for the probe that opens the gate, for its own
/// wait and what is left of it after a delay queue, three times over (a create, its repeat, and what a handover adds), for the
/// window of its lookups, and a minute twice for an event whose handling crashed; and with a ledger for the lease of a replica that
/// died, and the delay queue that it waits for it in.
pub(crate) fn timeout(setup: &Setup) -> Duration {
    let Policy { max_interval, retry_after_max, lookup_window, .. } = setup.policy;
    let shut = setup.gate.probe_max + retry_after_max;
    let lease = if setup.ledger.is_some() { 2 * LEASE } else { Duration::ZERO };
    3 * (max_interval + retry_after_max + shut) + lookup_window + TIMEOUT + 140 * SECOND + lease
}
