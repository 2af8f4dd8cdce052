//! `pause`, `resume` and `log-level`: command the daemon beside it, or all of a fleet, for containers that have no shell and no curl.
//!
//! Not here: what each command does (`admin`), and the rest of the configuration: a mistake there holds up no command.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::ToSocketAddrs as _;
use std::time::Duration;

use clap::Args;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, FROM, HeaderValue};
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use super::Common;
use super::admin_client::{self, Answered, Place, ask_within};
use super::exit::Exit;
use crate::admin::query::encoded;
use crate::config;
use crate::ready::variables;
use crate::secret::Secret;

/// What `pause` takes, and the others too.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Commands the daemons at this address in place of the one beside it: a name stands for all addresses that it has, such as
    /// those of a headless service; may be given more than once
    #[arg(long = "address", value_name = "HOST:PORT")]
    addresses: Vec<String>,
    /// Who commands it: an address or a name for the log of the daemon
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// How long the whole may take
    #[arg(long, default_value = "5s", value_parser = admin_client::duration, value_name = "DURATION")]
    timeout: Duration,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// What `resume` takes.
#[derive(Args, Debug)]
pub struct Resume {
    /// Lets this rule go on that a run of rejections holds, and ends no pause
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    #[command(flatten)]
    more: Arguments,
}

/// What `log-level` takes.
#[derive(Args, Debug)]
pub struct LogLevel {
    /// error, warn, info, debug or trace
    #[arg(value_name = "LEVEL", value_parser = ["error", "warn", "info", "debug", "trace"])]
    level: String,
    /// For how long: then the level of the configuration is back; 24h at most
    #[arg(long = "for", default_value = "5m", value_parser = admin_client::duration, value_name = "DURATION")]
    time: Duration,
    #[command(flatten)]
    more: Arguments,
}

/// Pauses, and says in one line what was answered: on standard output if it is done, on standard error if not.
///
/// # Errors
/// That `out` takes no more.
pub fn pause(common: &Common, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    command(common, "/pause", arguments, out)
}

/// Resumes everything, or one rule; says so as [`pause`] does.
///
/// # Errors
/// That `out` takes no more.
pub fn resume(common: &Common, Resume { rule, more }: &Resume, out: &mut impl Write) -> io::Result<Exit> {
    let path = rule.as_deref().map_or_else(|| "/resume".to_owned(), |rule| format!("/resume?rule={}", encoded(rule)));
    command(common, &path, more, out)
}

/// Sets the level of the log for a while; says so as [`pause`] does.
///
/// # Errors
/// That `out` takes no more.
pub fn log_level(common: &Common, arguments: &LogLevel, out: &mut impl Write) -> io::Result<Exit> {
    let LogLevel { level, time, more } = arguments;
    command(common, &format!("/log-level?level={level}&for={}", time.as_secs().max(1)), more, out)
}

/// Sends it to each, and ends well only where each has taken it.
fn command(common: &Common, path: &str, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    let places = match places(common, arguments) {
        Ok(places) => places,
        Err(why) => return tell(Err(why), arguments.json, out),
    };
    let mut exit = Exit::Done;
    for place in places {
        let told = tell(send(common, path, arguments, place), arguments.json, out)?;
        exit = if told == Exit::Done { exit } else { told };
    }
    Ok(exit)
}

/// The daemon beside it, or each of those that are named, once.
fn places(common: &Common, arguments: &Arguments) -> Result<Vec<Place>, String> {
    if arguments.addresses.is_empty() {
        return Ok(vec![Place::of(&common.config)?]);
    }
    let mut all = BTreeSet::new();
    for name in &arguments.addresses {
        let found = name.to_socket_addrs().map_err(|error| format!("{name}: {error}; write HOST:PORT"))?;
        all.extend(found);
    }
    Ok(all.into_iter().map(|address| Place { address, guess: String::new() }).collect())
}

/// Where it was sent, and what came back.
struct Sent {
    url: String,
    guess: String,
    answered: Answered,
}

/// Sends the command, or says why it cannot be sent.
fn send(common: &Common, path: &str, arguments: &Arguments, place: Place) -> Result<Sent, String> {
    let token = token(common)?;
    let Place { address, guess } = place;
    let header = |what, text: &str| HeaderValue::from_str(text).map_err(|_| format!("{what} is no text of a header"));
    let mut bearer = header("the admin token", &format!("Bearer {}", token.expose()))?;
    bearer.set_sensitive(true);
    let mut request = Request::post(path).header(AUTHORIZATION, bearer).header(CONTENT_LENGTH, 0);
    if let Some(from) = &arguments.from {
        request = request.header(FROM, header("--from", from)?);
    }
    let request = request.body(String::new()).map_err(|error| error.to_string())?;
    let answered = ask_within(arguments.timeout, address, request);
    Ok(Sent { url: format!("http://{address}{path}"), guess, answered })
}

fn token(common: &Common) -> Result<Secret, String> {
    let source = config::admin_token(&common.config, variables())?.ok_or(
        "no admin token is configured: set admin.token_file, or the variable CHAKRA_BRIDGE__ADMIN__TOKEN, for the daemon and \
         for this program, and restart the daemon",
    )?;
    source.read_now().map_err(|why| format!("the admin token cannot be read: {why}"))
}

fn tell(sent: Result<Sent, String>, is_json: bool, out: &mut impl Write) -> io::Result<Exit> {
    let is_done = matches!(&sent, Ok(Sent { answered: Ok((StatusCode::OK, _)), .. }));
    if is_json {
        writeln!(out, "{}", as_json(&sent, is_done))?;
    } else if is_done {
        writeln!(out, "done: {}", as_line(sent))?;
    } else {
        eprintln!("not done: {}", as_line(sent));
    }
    Ok(if is_done { Exit::Done } else { Exit::NotCommanded })
}

fn as_line(sent: Result<Sent, String>) -> String {
    match sent {
        Ok(Sent { url, guess, answered: Ok((status, body)) }) => {
            format!("{url} answers {}: {body}{guess}", status.as_u16())
        }
        Ok(Sent { url, guess, answered: Err(why) }) => format!("{url}: {why}{guess}"),
        Err(why) => why,
    }
}

/// The same as one object: an answer that is JSON stays JSON.
fn as_json(sent: &Result<Sent, String>, is_done: bool) -> Value {
    match sent {
        Ok(Sent { url, answered: Ok((status, body)), .. }) => {
            let answer = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body.as_str()));
            json!({ "done": is_done, "url": url, "status": status.as_u16(), "answer": answer })
        }
        Ok(Sent { url, answered: Err(why), .. }) => json!({ "done": is_done, "url": url, "error": why }),
        Err(why) => json!({ "done": is_done, "error": why }),
    }
}
