//! What would become of one event, with all that led to it.
//!
//! Not here: how a person sees it (`shown`).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::curl;
use super::photos::{Came, Follows, PhotoShown};
use crate::chakra::{self, RequestParts};
use crate::core::decode::decode;
use crate::core::event::{Event, KeyOrigin};
use crate::core::mapping::considered::{Considered, considered, variables};
use crate::core::mapping::rules::{Mapped, map};
use crate::core::message::Message;
use crate::core::process::CreateProcess;
use crate::core::reason::Fault;
use crate::ready::Ready;

/// What would become of one event.
pub(in crate::cli) struct Verdict {
    /// None where the message is no event.
    pub(super) read: Option<Read>,
    pub(super) result: Result<MapResult, Fault>,
    /// Those of the request, also where one of them makes a dead letter of the event.
    pub(super) photos: Vec<PhotoShown>,
}

/// What was read of an event, and what the rules made of it.
pub(super) struct Read {
    /// The key, and where it came from, as a text.
    pub(super) key: (String, &'static str),
    pub(super) variables: Map<String, Value>,
    pub(super) considered: Vec<Considered>,
    /// Rules that were not asked, since one before them decided.
    pub(super) unasked: usize,
}

pub(super) enum MapResult {
    Skip { rule: Arc<str> },
    Create { rule: Arc<str>, request: Box<CreateProcess>, body: Box<Value>, request_parts: RequestParts, curl: String },
}

impl Verdict {
    pub(in crate::cli) fn of(ready: &Ready, message: &Message) -> Self {
        match decode(message, &ready.limits) {
            Ok(event) => {
                let result = result(ready, &event);
                let photos = match &result {
                    Ok(MapResult::Create { request, .. }) => request.photos.iter().map(PhotoShown::of).collect(),
                    _ => Vec::new(),
                };
                Self { result, photos, read: Some(read(ready, &event)) }
            }
            Err(fault) => Self { read: None, result: Err(fault), photos: Vec::new() },
        }
    }

    /// Takes in which of its photos cannot be had: the first that it needs makes a dead letter of it, any other is left out.
    pub(super) fn heed_photos(&mut self, api: &chakra::Config) {
        for PhotoShown { photo, came } in &self.photos {
            match (came, &mut self.result) {
                (Came::Missing(_, Follows::Dead(fault)), result) => {
                    *result = Err(fault.clone());
                    return;
                }
                (
                    Came::Missing(_, Follows::LeftOut),
                    Ok(MapResult::Create { request, body, request_parts, curl, .. }),
                ) => {
                    **request = request.without(photo.id);
                    **body = serde_json::from_slice(&request.body).unwrap_or_default();
                    *request_parts = chakra::request_parts(api, request);
                    *curl = curl::command(request_parts, api);
                }
                _ => {}
            }
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.result.is_err()
    }

    /// All of it, as one object.
    pub(in crate::cli) fn json(&self) -> Value {
        let mut all = match &self.result {
            Err(fault) => json!({ "result": "dead_lettered", "reason": fault.reason.as_str(), "text": fault.text }),
            Ok(MapResult::Skip { rule }) => json!({ "result": "skipped", "rule": &**rule }),
            Ok(MapResult::Create { rule, body, request_parts, curl, .. }) => json!({
                "result": "create",
                "rule": &**rule,
                "method": "POST",
                "path": request_parts.url.path(),
                "url": request_parts.url.as_str(),
                "headers": request_parts.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
                "body": body,
                "bytes": String::from_utf8_lossy(&request_parts.body),
                "curl": curl,
            }),
        };
        if matches!(self.result, Ok(MapResult::Create { .. })) || !self.photos.is_empty() {
            all["photos"] = self.photos.iter().map(PhotoShown::json).collect();
        }
        if let Some(read) = &self.read {
            all["key"] = json!(read.key.0);
            all["key_from"] = json!(read.key.1);
            all["variables"] = json!(read.variables);
            all["considered"] = read.considered.iter().map(considered_json).collect();
            all["unasked"] = json!(read.unasked);
        }
        all
    }
}

fn considered_json(each: &Considered) -> Value {
    json!({ "rule": &*each.rule, "matched": each.matched, "why": each.why })
}

fn read(ready: &Ready, event: &Event) -> Read {
    let considered = considered(event, &ready.rules);
    let unasked = ready.rules.names().count() - considered.len();
    Read { key: (event.key.to_string(), origin(event.key.origin)), variables: variables(event), considered, unasked }
}

fn origin(origin: KeyOrigin) -> &'static str {
    match origin {
        KeyOrigin::CloudEvents => "source and id of the CloudEvent",
        KeyOrigin::MessageId => "the message id",
        KeyOrigin::Expression => "event.key of the configuration",
        KeyOrigin::Body => "a hash of the body, since it carries no id: nothing is recognised by it",
    }
}

fn result(ready: &Ready, event: &Event) -> Result<MapResult, Fault> {
    Ok(match map(event, &ready.rules, ready.limits.bounds)? {
        Mapped::Skip { rule } => MapResult::Skip { rule },
        Mapped::Create { rule, request, content } => {
            let request_parts = chakra::request_parts(&ready.config.api, &request);
            let curl = curl::command(&request_parts, &ready.config.api);
            MapResult::Create {
                rule,
                request: Box::new(request),
                body: Box::new(content.to_value()),
                request_parts,
                curl,
            }
        }
    })
}
