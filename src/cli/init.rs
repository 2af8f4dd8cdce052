//! `init`: a first configuration with a rule and a case that passes, proposed from one event.
//!
//! Not here: which lines are proposed for an event (`proposal`). A file that is there is never touched.

mod proposal;
mod written;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::Value;

use super::exit::Exit;
use crate::core::bounds::Bounds;
use crate::core::decode::{Limits, decode};
use crate::core::event::Event;
use crate::core::mapping::rules::{Mapped, map};
use crate::core::message::Message;
use crate::ready::load_for_dry_run;
use proposal::Proposal;

/// An event to begin with, where none is given.
const SAMPLE: &str = include_str!("init/event.json");

/// What `init` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The file to make; one that is there is not touched
    #[arg(value_name = "NEW", default_value = "chakra-bridge.toml")]
    file: PathBuf,
    /// A file with one of your events, to propose a line for each of its fields; without it, an example
    #[arg(long, value_name = "EVENT")]
    event: Option<PathBuf>,
    /// The short id of the procedure that events become processes of
    #[arg(long, value_name = "ID", default_value = "ticket")]
    procedure: String,
    /// AMQP property `type` of the event
    #[arg(long, value_name = "TYPE")]
    kind: Option<String>,
    /// Routing key of the event
    #[arg(long, value_name = "KEY", default_value = "")]
    routing_key: String,
    /// AMQP property `message-id` of the event
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
}

/// Makes the file, and says what to do next.
///
/// # Errors
/// That `out` takes no more.
pub fn run(arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    match made(arguments) {
        Ok(fields) => {
            let file = arguments.file.display();
            writeln!(out, "{file}: made, with a rule of {fields} fields and a case that passes")?;
            writeln!(out, "Next: chakra-bridge --config {file} test")?;
            Ok(Exit::Done)
        }
        Err(why) => {
            eprintln!("nothing was made: {why}");
            Ok(Exit::Usage)
        }
    }
}

/// How many fields the rule has.
fn made(arguments: &Arguments) -> Result<usize, String> {
    let body = match &arguments.event {
        Some(path) => fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => SAMPLE.as_bytes().to_vec(),
    };
    let message = message(arguments, body);
    let event = decode(&message, &Limits { bounds: Bounds::DEFAULT, key: None })
        .map_err(|fault| format!("this is no event: {}", fault.text))?;
    let proposal = Proposal::of(&event, &arguments.procedure);
    let rule = written::rule(&proposal);
    let file = &arguments.file;
    let mut made = OpenOptions::new().write(true).create_new(true).open(file);
    let made = made.as_mut().map_err(|error| format!("{}: {error}", file.display()))?;
    let case = |made: &mut fs::File| {
        made.write_all(rule.as_bytes()).map_err(|error| error.to_string())?;
        let request = request(file, &message)?;
        let case = written::case(&written_event(arguments), arguments, &request);
        made.write_all(case.as_bytes()).map_err(|error| error.to_string())
    };
    case(made).inspect_err(|_| drop(fs::remove_file(file)))?;
    Ok(proposal.len())
}

/// What the rule in this file makes of the event.
fn request(file: &Path, message: &Message) -> Result<Value, String> {
    let ready = load_for_dry_run(file).map_err(|mistakes| mistakes.to_string())?;
    let event: Event = decode(message, &ready.limits).map_err(|fault| fault.text)?;
    match map(&event, &ready.rules, ready.limits.bounds).map_err(|unmapped| unmapped.fault.text)? {
        Mapped::Create { request, content, .. } => {
            let mut whole = content.to_value();
            whole["procedure"] = Value::from(request.procedure.as_str());
            Ok(whole)
        }
        Mapped::Skip { .. } => Err("the rule skips".to_owned()),
    }
}

/// The event as the case names it: its path from the folder of the file, or the example itself.
fn written_event(arguments: &Arguments) -> String {
    let Some(path) = &arguments.event else { return format!("'''\n{SAMPLE}'''") };
    let is_beside = arguments.file.parent().is_none_or(|folder| folder.as_os_str().is_empty());
    let whole = if is_beside { path.clone() } else { path.canonicalize().unwrap_or_else(|_| path.clone()) };
    Value::from(whole.display().to_string()).to_string()
}

fn message(arguments: &Arguments, body: Vec<u8>) -> Message {
    Message {
        body: Arc::new(body),
        message_id: arguments.message_id.clone(),
        kind: arguments.kind.clone(),
        routing_key: arguments.routing_key.clone(),
        ..Message::default()
    }
}
