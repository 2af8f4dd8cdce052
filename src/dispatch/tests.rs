//! What only a crash inside of the dispatcher shows: a request whose task panics.
//!
//! Not here: the path as it should be (`tests/path`), and a process that dies (`tests/kill`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::Bridge;
use super::commands::Commands;
use super::dispatcher::Dispatcher;
use super::held_event::Stage;
use crate::chakra::Client;
use crate::core::delayed_state::DelayedState;
use crate::core::gate::Probe;
use crate::core::message::Message;
use crate::core::reason::Reason;
use crate::core::settlement::Settlement;
use crate::handover::inbound::Inbound;
use crate::handover::prefetch::WantedPrefetch;
use crate::handover::receipt::{Answer, Receipt};
use crate::metrics::Metrics;
use crate::ready::load_with;
use crate::states::phase::Pulse;

const DEADLINE: Duration = Duration::from_secs(20);

const CONFIG: &str = r#"
[broker]
url = "amqp://nobody@127.0.0.1"
password = "none"
queue = "none"
[api]
base_url = "http://127.0.0.1:9/"
token = "none"
[[rule]]
name = "any"
procedure = "lead"
data = { event_key = "{{ key }}" }
"#;

/// Nothing is sent by it.
fn dispatcher() -> Dispatcher {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let ready = load_with(&path, []).unwrap();
    let rules = Arc::new(ready.rules);
    let commands = Commands {
        paused: watch::channel(false).1,
        token: watch::channel(0).1,
        rules: watch::channel(Arc::clone(&rules)).1,
        certificates: watch::channel(0).1,
    };
    Dispatcher::new(Bridge {
        client: Client::new(&ready.config.api).unwrap(),
        limits: ready.limits,
        rules,
        policy: ready.config.policy,
        gate: ready.config.gate,
        places: 64,
        wanted_prefetch: watch::channel(WantedPrefetch::Full).0,
        request_limits: ready.config.request_limits,
        commands,
        metrics: Arc::new(Metrics::new()),
        pulse: Arc::new(Pulse::new(0)),
        shut: watch::channel(Vec::new()).0,
    })
}

/// An event arrives, and the task of its request panics: how it is answered.
async fn crashing(dispatcher: &mut Dispatcher, delayed_state: Option<&DelayedState>) -> Settlement {
    let (line, mut answers) = mpsc::channel::<Answer>(1);
    let message = Message {
        body: Arc::new(b"{}".to_vec()),
        message_id: Some("m1".to_owned()),
        delayed_state: delayed_state.map(DelayedState::encode),
        ..Message::default()
    };
    dispatcher.arrived(Inbound::Message(Box::new(message), Receipt::new(1, &line).unwrap()));
    let slot = dispatcher.hand.slots()[0];
    let task = dispatcher.running.spawn(async { panic!("as a defect would") });
    dispatcher.slots.insert(task.id(), slot);
    dispatcher.hand.stage(slot, Stage::Running { probe: Probe::default() });
    let ended = timeout(DEADLINE, dispatcher.running.join_next_with_id()).await.unwrap().unwrap();
    assert!(ended.is_err());
    dispatcher.ended(ended);
    assert_eq!(dispatcher.hand.len(), 0);
    timeout(DEADLINE, answers.recv()).await.unwrap().unwrap().settlement.unwrap()
}

#[tokio::test]
async fn an_event_whose_request_panics_is_delayed_with_a_count_and_dead_after_three() {
    let mut dispatcher = dispatcher();
    dispatcher.arrived(Inbound::Connected { can_delay: true });
    let mut before: Option<DelayedState> = None;
    for crashes in 1..=2 {
        let settled = timeout(DEADLINE, crashing(&mut dispatcher, before.as_ref())).await.unwrap();
        let Settlement::Delay(_, delayed_state) = settled else { panic!("expected it to be delayed, got {settled:?}") };
        assert_eq!(delayed_state.progress.crashes, crashes);
        assert!(delayed_state.progress.unsure_creates > 0, "its create may have been applied");
        before = Some(DelayedState { remaining: Duration::ZERO, ..*delayed_state });
    }
    let settled = timeout(DEADLINE, crashing(&mut dispatcher, before.as_ref())).await.unwrap();
    let Settlement::DeadLetter(dead_letter) = settled else { panic!("expected a dead letter, got {settled:?}") };
    assert_eq!(dead_letter.fault.reason, Reason::Crashing);
}
