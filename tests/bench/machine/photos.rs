//! What events without pictures pay for rules with photos: their walk beside the same one where no rule has any, in turn. In one more
//! pair an event waits meanwhile for a picture of a host that hangs.
//!
//! Not here: events with pictures, whose time is that of the network (`tests/photos.rs`).

use std::time::Duration;

use chakra_bridge::core::delivery::Input;
use chakra_bridge::core::message::Message;

use super::{Bench, RULES, ready_of, time};

/// At most so many times the walk where no rule has photos.
const RATIO_MAX: f64 = 1.02;

/// Noise of a machine with other work: beyond it the bench fails.
const NOISE: f64 = 0.03;

const ROUNDS: usize = 100;
const HELD: usize = 100;

const PICTURED: &str = r#"
[photos]
allow = ["cdn.example"]
[[rule]]
name = "visit"
type = "com.acme.visit"
procedure = "ticket"
data = { event_key = "{{ key }}", site = "{{ photo.site }}" }
photo = { site = { url = "https://cdn.example/{{ key }}.jpg" } }
"#;

/// Whether events without pictures go as fast as the bar says.
pub(super) fn are_no_burden() -> bool {
    let pictured = format!("{RULES}{PICTURED}");
    println!("| events without pictures, of those where no rule has photos | times | at most |\n| --- | --- | --- |");
    let pairs = [("none is held", false), ("one waits for a picture", true)];
    let is_kept = pairs.map(|(name, waits)| {
        let ratio = beside(&pictured, waits);
        let falls_short = if ratio > RATIO_MAX { ", falls short" } else { "" };
        println!("| {name} | {ratio:.3} | {RATIO_MAX:.2}{falls_short} |");
        ratio <= RATIO_MAX + NOISE
    });
    is_kept.into_iter().all(|is_kept| is_kept)
}

/// The median of the ratios of neighbouring measurements: what disturbs one mostly disturbs the other.
fn beside(pictured: &str, waits: bool) -> f64 {
    let mut plain = Bench::new(&ready_of(RULES), HELD);
    let mut other = Bench::new(&ready_of(pictured), HELD);
    if waits {
        other.receives(visit());
    }
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let mut measure = |is_plain| -> Duration { time(|| if is_plain { plain.walk() } else { other.walk() }) };
            // Which goes first is no advantage.
            let (first, second) = (measure(round % 2 == 0), measure(round % 2 != 0));
            let (plain, other) = if round % 2 == 0 { (first, second) } else { (second, first) };
            other.as_secs_f64() / plain.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ROUNDS / 2]
}

fn visit() -> Message {
    Message {
        body: std::sync::Arc::new(b"{}".to_vec()),
        message_id: Some("visit".to_owned()),
        kind: Some("com.acme.visit".to_owned()),
        ..Message::default()
    }
}

impl Bench {
    fn receives(&mut self, message: Message) {
        self.receipts += 1;
        self.on(Input::Message { receipt: self.receipts, message: Box::new(message), is_live: true });
        assert_eq!(self.machine.held(), HELD + 1, "it is held");
    }
}
