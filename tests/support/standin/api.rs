//! The API itself: who is let in, what a path asks for, creating, listing.
//!
//! Not here: bytes (`wire`), manners of misbehaving (`staging`).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::books::{Books, Created, Seen, Ticket};
use super::faults::On;
use super::photos;
use super::plan::Visit;
use super::query::Query;
use super::refusal;
use super::staging::Staging;
use super::wire::{Reply, Request};

const LIMIT_DEFAULT: u64 = 10;
const LIMIT_MAX: u64 = 100;

/// A request that was let in.
pub struct Call {
    /// Its number.
    pub ticket: Ticket,
    on: On,
    procedure: String,
    body: Option<Map<String, Value>>,
}

/// What a path asks for.
enum Asked<'a> {
    Process(On, &'a str),
    Answer(Reply),
}

/// Writes a request down and says what is to be done about it, on a connection that served others before it or none.
pub fn arrive(books: &mut Books, request: &Request, is_reused: bool) -> (Call, Staging) {
    let body = serde_json::from_slice(&request.body).ok();
    let asked = asked(books, request);
    let (on, procedure) = match &asked {
        Asked::Process(on, procedure) => (*on, *procedure),
        Asked::Answer(_) => (On::Any, ""),
    };
    let attributes = attributes(on, body.as_ref());
    let key = attributes.and_then(|attributes| books.key_in(attributes));
    let staging = match asked {
        Asked::Answer(reply) => Staging::plain(reply),
        Asked::Process(..) if !is_let_in(books, request) => {
            Staging::plain(Reply::words(401, "the access token is missing or not valid"))
        }
        Asked::Process(..) => {
            // A form has another boundary each time.
            let told_by = if on == On::Photo { Some(procedure) } else { key.as_deref() };
            let event = fingerprint(told_by, &request.body);
            Staging::of(books.plan.draw(&Visit { on, procedure, attributes, event }), is_reused)
        }
    };
    let procedure = procedure.to_owned();
    let (method, path, trace) = (request.method.clone(), request.path.clone(), request.trace.clone());
    let ticket = books.arrived(Seen { method, path, key, trace, status: None, applied: false, over: false });
    (Call { ticket, on, procedure, body }, staging)
}

fn asked<'a>(books: &Books, request: &'a Request) -> Asked<'a> {
    let path = request.path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (method, asked) = match segments.as_slice() {
        ["v1", "ext", "procedure", procedure, "process"] => ("POST", Asked::Process(On::Create, procedure)),
        ["v1", "ext", "procedure", procedure, "process", "list"] => ("POST", Asked::Process(On::List, procedure)),
        ["v1", "ext", "photo", id] => ("POST", Asked::Process(On::Photo, id)),
        ["v1", "health"] => ("GET", Asked::Answer(Reply::data(&json!({"status": "ok"}), &json!({})))),
        ["v1", "ext", "config"] => ("GET", Asked::Answer(config(books, request))),
        _ => return Asked::Answer(Reply::words(404, "there is nothing at this path")),
    };
    if request.method == method { asked } else { Asked::Answer(Reply::words(405, "the path has another method")) }
}

/// Fetch Config.
fn config(books: &Books, request: &Request) -> Reply {
    match &books.config {
        _ if !is_let_in(books, request) => Reply::words(401, "the access token is missing or not valid"),
        Some(config) => Reply::data(config, &json!({})),
        None => Reply::words(404, "there is nothing at this path"),
    }
}

fn is_let_in(books: &Books, request: &Request) -> bool {
    request.token.as_ref().is_some_and(|token| books.tokens.contains(token))
}

fn attributes(on: On, body: Option<&Map<String, Value>>) -> Option<&Map<String, Value>> {
    body?.get(if on == On::List { "where" } else { "data" })?.as_object()
}

fn fingerprint(key: Option<&str>, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    match key {
        Some(key) => key.hash(&mut hasher),
        None => body.hash(&mut hasher),
    }
    hasher.finish()
}

/// Does what was asked, if it is to be done, writes down what becomes of it, and gives the answer.
pub fn carry_out(books: &mut Books, call: Call, staging: &Staging, request: &mut Request) -> Reply {
    let ticket = call.ticket;
    let done = if staging.applied { process(books, call, staging, request) } else { Ok(nothing_done()) };
    let reply = match (done, &staging.reply) {
        (Err(refusal), _) => refusal,
        (Ok(_), Some(reply)) => reply.clone(),
        (Ok(reply), None) => reply,
    };
    if let Some(seen) = books.request(ticket).filter(|_| staging.manner.shows_status()) {
        seen.status = Some(reply.status);
    }
    reply
}

fn nothing_done() -> Reply {
    Reply::words(500, "nothing was done")
}

/// The true answer to a create or list; refusals as errors.
fn process(books: &mut Books, call: Call, staging: &Staging, request: &mut Request) -> Result<Reply, Reply> {
    if call.on == On::Photo {
        return photo(books, &call, request);
    }
    let Some(states) = books.procedures.get(&call.procedure) else {
        return Err(Reply::words(404, "there is no such procedure"));
    };
    if !request.is_json {
        return Err(Reply::words(415, "the body must be application/json"));
    }
    let body = call.body.ok_or_else(|| Reply::words(422, "the body must be a JSON object"))?;
    if call.on == On::List {
        return list(books, &call.procedure, &body, staging.ignore_where).map_err(|words| Reply::words(422, &words));
    }
    refusal::of_create(&body, states).map_err(|words| Reply::words(422, &words))?;
    let Some(seen) = books.request(call.ticket) else { return Ok(nothing_done()) };
    seen.applied = true;
    let key = seen.key.clone();
    let raw = String::from_utf8(std::mem::take(&mut request.body)).unwrap_or_default();
    let created =
        Created { id: fresh_id(), procedure: call.procedure, key, when: now_ms(), body: raw, at: Instant::now() };
    let row = row(&created, body);
    books.enter(created);
    Ok(Reply::data(&row, &json!({})))
}

/// An upload.
fn photo(books: &mut Books, call: &Call, request: &Request) -> Result<Reply, Reply> {
    let uploaded = photos::read(request, &call.procedure)?;
    let reply = photos::shown(&uploaded);
    if let Some(seen) = books.request(call.ticket) {
        seen.applied = true;
    }
    let is_first = books.upload(uploaded);
    if !is_first && books.refuses_second_uploads {
        return Err(Reply::words(409, "a photo with this id is there"));
    }
    Ok(reply)
}

/// A random UUID, version 4.
fn fresh_id() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76 | 0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A process as the API shows it.
fn row(created: &Created, body: Map<String, Value>) -> Value {
    let mut row = Map::new();
    row.insert("id".to_owned(), created.id.clone().into());
    row.insert("procedure".to_owned(), created.procedure.clone().into());
    row.insert("status".to_owned(), "OPEN".into());
    row.insert("createdAt".to_owned(), created.when.into());
    row.insert("updatedAt".to_owned(), created.when.into());
    row.extend(body);
    Value::Object(row)
}

fn list(books: &Books, procedure: &str, body: &Map<String, Value>, everything: bool) -> Result<Reply, String> {
    if body.keys().any(|name| !["where", "skip", "limit"].contains(&name.as_str())) {
        return Err("a list takes where, skip and limit".to_owned());
    }
    let filter = match body.get("where") {
        _ if everything => &Map::new(),
        None => &Map::new(),
        Some(filter) => filter.as_object().ok_or("where must be an object")?,
    };
    let query = Query::compile(filter)?;
    let skip = count(body, "skip", 0, 0..=u64::MAX)?;
    let limit = count(body, "limit", LIMIT_DEFAULT, 1..=LIMIT_MAX)?;
    let mut rows = books
        .created_for(query.pinned(books.key_attribute()))
        .into_iter()
        .filter(|created| created.procedure == procedure && created.at.elapsed() >= books.lag)
        .map(|created| row(created, created.json()))
        .filter(|row| query.matches(&|name| value_of(row, name)))
        .skip(usize::try_from(skip).unwrap_or(usize::MAX));
    let page: Vec<Value> = rows.by_ref().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
    let has_more = rows.next().is_some();
    Ok(Reply::data(&Value::Array(page), &json!({ "hasMore": has_more })))
}

fn count(
    body: &Map<String, Value>,
    name: &str,
    default: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, String> {
    let number = body.get(name).map_or(Some(default), Value::as_u64);
    number.filter(|number| range.contains(number)).ok_or_else(|| format!("{name} is not within its bounds"))
}

/// The value of a root field or, failing that, of an attribute.
fn value_of(row: &Value, name: &str) -> Option<Value> {
    match name {
        "status" | "state" | "createdAt" | "assignedTo" => row.get(name),
        attribute => row.get("data")?.get(attribute),
    }
    .cloned()
}
