//! What would become of one event, with all that led to it.
//!
//! Not here: how a person sees it (`shown`).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::curl;
use super::photos::PhotoShown;
use crate::chakra::{self, RequestParts};
use crate::core::decode::decode;
use crate::core::event::{Event, KeyOrigin};
use crate::core::mapping::considered::{Considered, considered, variables};
use crate::core::mapping::rules::{Mapped, map};
use crate::core::message::Message;
use crate::core::reason::Fault;
use crate::ready::Ready;

/// What would become of one event.
pub(in crate::cli) struct Verdict {
    /// None where the message is no event.
    pub(super) read: Option<Read>,
    pub(super) result: Result<MapResult, Fault>,
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
    Create { rule: Arc<str>, body: Box<Value>, request_parts: RequestParts, curl: String, photos: Vec<PhotoShown> },
}

impl Verdict {
    pub(in crate::cli) fn of(ready: &Ready, message: &Message) -> Self {
        match decode(message, &ready.limits) {
            Ok(event) => Self { result: result(ready, &event), read: Some(read(ready, &event)) },
            Err(fault) => Self { read: None, result: Err(fault) },
        }
    }

    /// Its photos.
    pub(super) fn photos(&mut self) -> &mut [PhotoShown] {
        if let Ok(MapResult::Create { photos, .. }) = &mut self.result { photos } else { &mut [] }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.result.is_err()
    }

    /// All of it, as one object.
    pub(in crate::cli) fn json(&self) -> Value {
        let mut all = match &self.result {
            Err(fault) => json!({ "result": "dead_lettered", "reason": fault.reason.as_str(), "text": fault.text }),
            Ok(MapResult::Skip { rule }) => json!({ "result": "skipped", "rule": &**rule }),
            Ok(MapResult::Create { rule, body, request_parts, curl, photos }) => json!({
                "result": "create",
                "rule": &**rule,
                "method": "POST",
                "path": request_parts.url.path(),
                "url": request_parts.url.as_str(),
                "headers": request_parts.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
                "body": body,
                "bytes": String::from_utf8_lossy(&request_parts.body),
                "curl": curl,
                "photos": photos.iter().map(PhotoShown::json).collect::<Vec<_>>(),
            }),
        };
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
            let photos =
                request.photos.iter().map(|photo| PhotoShown { photo: Arc::clone(photo), fetched: None }).collect();
            MapResult::Create { rule, body: Box::new(content.to_value()), request_parts, curl, photos }
        }
    })
}
