//! Makes a case of the corpus: a body and a rule, mutated.
//!
//! Not here: what must hold of it (`laws`).

use fastrand::Rng;

use super::corpus::{BYTES, CANARY, EVENTS, EXPRESSIONS, PIECES};

/// A message's body and the texts that a rule writes.
#[derive(Debug)]
pub struct Case {
    /// The body.
    pub body: Vec<u8>,
    /// The AMQP content type.
    pub content_type: Option<&'static str>,
    /// `data.x`: a lone expression.
    pub lone: String,
    /// Another, inside a list of an object.
    pub inner: String,
    /// Another, inside a text.
    pub mixed: String,
    /// `when`, if there is one.
    pub when: Option<String>,
}

/// A case, from these dice.
pub fn case(dice: &mut Rng) -> Case {
    let when = dice.u8(..) < 32;
    Case {
        body: body(dice),
        content_type: dice
            .choice([None, None, Some("application/json"), Some("application/cloudevents+json")])
            .unwrap(),
        lone: expression(dice),
        inner: expression(dice),
        mixed: expression(dice),
        when: when.then(|| expression(dice)),
    }
}

fn body(dice: &mut Rng) -> Vec<u8> {
    let events = if dice.u8(..) < 16 { &EVENTS[..] } else { &EVENTS[..EVENTS.len() - 2] };
    let mut body = dice.choice(events).unwrap().replace("C4N", CANARY).into_bytes();
    if dice.u8(..) < 8 {
        body = grown(dice, &body);
    }
    let mutations = if dice.bool() { 0 } else { dice.usize(1..4) };
    for _ in 0..mutations {
        let at = dice.usize(0..=body.len());
        match dice.u8(0..4) {
            0 => drop(body.splice(at..at, dice.choice(BYTES).unwrap().bytes())),
            1 => drop(body.drain(at..(at + dice.usize(0..20)).min(body.len()))),
            2 => body.iter_mut().skip(at).take(1).for_each(|byte| *byte = dice.u8(..)),
            _ => body.truncate(at.max(1)),
        }
    }
    body
}

/// A body with one text or list that is large.
fn grown(dice: &mut Rng, body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body).into_owned();
    let large = match dice.u8(0..3) {
        0 => format!("\"{}{CANARY}\"", "a".repeat(dice.usize(1..900_000))),
        1 => format!("[{}1]", "[1],".repeat(dice.usize(1..100_000))),
        _ => format!("{}1{}", "[".repeat(100), "]".repeat(100)),
    };
    text.replacen(&format!("\"{CANARY}\""), &large, 1).into_bytes()
}

fn expression(dice: &mut Rng) -> String {
    let mut made = dice.choice(EXPRESSIONS).unwrap().to_owned();
    match dice.u8(0..6) {
        0 => made = format!("({made}) {}", dice.choice(PIECES).unwrap()),
        1 => made = format!("({made}) | default(omit) {}", dice.choice(PIECES).unwrap()),
        2 => made = format!("[{made}, event.data.a] | first_non_empty"),
        3 => made = format!("({made}) | default({})", dice.choice(EXPRESSIONS).unwrap()),
        _ => {}
    }
    let mutations = if dice.u8(..) < 192 { 0 } else { dice.usize(1..4) };
    for _ in 0..mutations {
        mutate(dice, &mut made);
    }
    if dice.u8(..) < 4 {
        made = vec![made; dice.usize(2..60)].join(dice.choice([" ~ ", " | ", " + ", " if "]).unwrap());
    }
    made
}

fn mutate(dice: &mut Rng, made: &mut String) {
    let mut at = dice.usize(0..=made.len());
    while !made.is_char_boundary(at) {
        at -= 1;
    }
    match dice.u8(0..4) {
        0 => made.insert_str(at, dice.choice(PIECES).unwrap()),
        1 => made.push_str(dice.choice(PIECES).unwrap()),
        2 => drop(made.drain(at..).take(1).count()),
        _ => {
            let other = dice.choice(EXPRESSIONS).unwrap();
            let from = other.floor_char_boundary(dice.usize(0..=other.len()));
            made.truncate(at);
            made.push_str(&other[from..]);
        }
    }
}
