//! `pause` and `resume`: command the daemon beside it, for containers that have no shell and no curl.
//!
//! Not here: what each command does (`admin`), and the rest of the configuration: a mistake there holds up no command.

use std::io::{self, Write};
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

/// What `pause` takes, and `resume` too.
#[derive(Args, Debug)]
pub struct Arguments {
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

/// Pauses, and says in one line what was answered: on standard output if it is done, on standard error if not.
///
/// # Errors
/// That `out` takes no more.
pub fn pause(common: &Common, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    tell(send(common, "/pause", arguments), arguments.json, out)
}

/// Resumes everything, or one rule; says so as [`pause`] does.
///
/// # Errors
/// That `out` takes no more.
pub fn resume(common: &Common, Resume { rule, more }: &Resume, out: &mut impl Write) -> io::Result<Exit> {
    let path = rule.as_deref().map_or_else(|| "/resume".to_owned(), |rule| format!("/resume?rule={}", encoded(rule)));
    tell(send(common, &path, more), more.json, out)
}

/// Where it was sent, and what came back.
struct Sent {
    url: String,
    guess: String,
    answered: Answered,
}

/// Sends the command, or says why it cannot be sent.
fn send(common: &Common, path: &str, arguments: &Arguments) -> Result<Sent, String> {
    let token = token(common)?;
    let Place { address, guess } = Place::of(&common.config)?;
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
