//! `map`: dry run. Events from files or standard input, the requests they would become, or why not.
//!
//! Not here: sending anything, and how it is shown (`shown`, `curl`).

mod curl;
mod photos;
pub(super) mod shown;
pub(super) mod verdict;

use std::io::{IsTerminal as _, Read as _, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value};

use super::Common;
use super::check::load_for_dry_run;
use super::color::Color;
use super::exit::Exit;
use crate::core::json::behind_byte_order_mark;
use crate::core::message::Message;
use verdict::Verdict;

/// What `map` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Files with an event each, or one event a line; `-` is standard input
    #[arg(value_name = "EVENT", default_value = "-")]
    events: Vec<PathBuf>,
    /// AMQP content type of the events
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// AMQP property `type` of the events
    #[arg(long, value_name = "TYPE")]
    kind: Option<String>,
    /// AMQP property `message-id` of the events
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// Exchange that the events were published to
    #[arg(long, value_name = "NAME", default_value = "")]
    exchange: String,
    /// Routing key of the events
    #[arg(long, value_name = "KEY", default_value = "")]
    routing_key: String,
    /// A header of the events; may be given more than once
    #[arg(long = "header", value_name = "NAME=TEXT", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Fetches the pictures of photos as the daemon would, and says what came; uploads nothing
    #[arg(long)]
    fetch: bool,
    /// Prints one JSON object a line, with all that is known of its event
    #[arg(long)]
    json: bool,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=TEXT")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Maps every event and prints what would become of it.
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, arguments: &Arguments, out: &mut impl Write) -> std::io::Result<Exit> {
    let ready = match load_for_dry_run(&common.config) {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let (mut exit, mut number) = (Exit::Done, 0);
    let color = Color::on(std::io::stdout().is_terminal());
    for path in &arguments.events {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return Ok(Exit::Usage);
            }
        };
        for body in events(bytes) {
            number += 1;
            let mut verdict = Verdict::of(&ready, &message(arguments, body));
            let come = if arguments.fetch { photos::fetch } else { photos::look };
            come(&ready.config.photos, &ready.config.policy, &mut verdict.photos);
            verdict.heed_photos(&ready.config.api);
            exit = if verdict.is_dead() { Exit::WouldDie } else { exit };
            if arguments.json {
                writeln!(out, "{}", verdict.json())?;
            } else {
                writeln!(out, "{}", shown::page(&verdict, number, color))?;
            }
        }
    }
    Ok(exit)
}

fn read(path: &PathBuf) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// One event, or one a line if the first line is JSON by itself and the whole is not.
fn events(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    let text = behind_byte_order_mark(&bytes);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    if lines.len() > 1 && !is_json(text) && is_json(lines[0]) {
        return lines.into_iter().map(<[u8]>::to_vec).collect();
    }
    vec![bytes]
}

fn message(arguments: &Arguments, body: Vec<u8>) -> Message {
    let headers: Map<String, Value> =
        arguments.headers.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect();
    Message {
        body: Arc::new(body),
        content_type: arguments.content_type.clone(),
        content_encoding: None,
        message_id: arguments.message_id.clone(),
        kind: arguments.kind.clone(),
        headers: headers.into(),
        exchange: arguments.exchange.clone(),
        routing_key: arguments.routing_key.clone(),
        redelivered: false,
        delayed_state: None,
        put_back: None,
        made_ms: 0,
        deliveries: None,
        begins: None,
    }
}
