//! An hour of a bad token with a thousand unacknowledged events, on a hand-wound clock and with the settings a file gets by itself.
//!
//! Not here: the same on a real broker (`tests/outage.rs`).

use std::time::Duration;

use chakra_bridge::core::gate::{Gate, Pass, Probe};
use chakra_bridge::core::judge::{Outcome, Scope};
use chakra_bridge::core::policy::Policy;
use chakra_bridge::core::process::Procedure;
use chakra_bridge::core::progress::{Progress, Step, StepContext};
use chakra_bridge::core::reason::HaltReason;
use chakra_bridge::ready::load_with;

const EVENTS: usize = 1_000;
const HOUR: u64 = 3_600;
const FILE: &str = r#"
[broker]
url = "amqp://nobody@127.0.0.1"
password = "none"
queue = "none"
[api]
base_url = "http://127.0.0.1"
token = "bad"
[[rule]]
name = "any"
procedure = "lead"
data = { event_key = "{{ key }}" }
"#;

/// The events, the gate before them, and every moment at which one of them was sent.
struct World {
    gate: Gate,
    policy: Policy,
    lead: Procedure,
    waiting: Vec<Progress>,
    asked: Vec<Duration>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, FILE).unwrap();
        let config = load_with(&path, []).unwrap().config;
        let gate = Gate::new(config.gate, config.policy.retry_after_max);
        let waiting = vec![Progress::default(); EVENTS];
        Self { gate, policy: config.policy, lead: Procedure::new("lead").unwrap(), waiting, asked: Vec::new() }
    }

    /// All that may be sent in this second, with the shortest waits there are, and answered at once.
    fn second(&mut self, second: u64, outcome: &Outcome) {
        let now = Duration::from_secs(second);
        let mut left = Vec::new();
        for mut progress in std::mem::take(&mut self.waiting) {
            let is_shut = matches!(self.gate.pass(&self.lead, now), Pass::Shut(_));
            if is_shut || self.ask(&mut progress, outcome, now) == Step::Hold {
                left.push(progress);
            }
        }
        self.waiting = left;
    }

    fn ask(&mut self, progress: &mut Progress, outcome: &Outcome, now: Duration) -> Step {
        self.asked.push(now);
        let probe: Probe = self.gate.begun(&self.lead, now);
        self.gate.observe(&self.lead, outcome, probe, now, 0.0);
        let age = self.gate.open_time(&self.lead, now);
        let at = StepContext { is_probe: probe.asks(), can_look_up: true, age, dice: 0.0 };
        progress.step(outcome, at, &self.policy)
    }
}

#[test]
fn an_hour_of_a_bad_token_costs_a_thousand_events_only_time() {
    let mut world = World::new();
    let refused = Outcome::Halt { scope: Scope::Everything, reason: HaltReason::Unauthorized, after: None };
    (0..HOUR).for_each(|second| world.second(second, &refused));
    assert_eq!(world.waiting, vec![Progress::default(); EVENTS], "nothing of the events' own is spent");
    assert_eq!(world.gate.open_time(&world.lead, Duration::from_secs(HOUR)), Duration::ZERO, "nor their age");
    assert!(world.asked.len() as u64 <= HOUR / 5, "{} requests", world.asked.len());
    let late = world.asked.windows(2).filter(|pair| pair[0] > Duration::from_secs(60));
    assert!(late.clone().count() > 100 && late.map(|pair| pair[1] - pair[0]).min() >= Some(Duration::from_secs(5)));

    let created = Outcome::Created { process: None };
    let ended = (HOUR..).find(|second| {
        world.second(*second, &created);
        world.waiting.is_empty()
    });
    let took = ended.unwrap() - HOUR;
    println!("{} requests in the hour; all created {took} s after the token was good", world.asked.len() - EVENTS);
    assert!(took <= 30 + 10, "{took} s");
}
