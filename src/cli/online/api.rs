//! Whether the API takes the token, and knows the procedures that rules name: one list of nothing for each. It creates nothing.
//!
//! Not here: the request (`chakra::lookup`), and whether a create would be taken: only a create can tell.

use super::{Found, refused};
use crate::chakra::Client;
use crate::core::mapping::written::WrittenRule;
use crate::core::mistake::Mistake;
use crate::core::photo::PhotoId;
use crate::core::process::Procedure;
use crate::core::reply::{Body, NotSent, Reply, Response};
use crate::ready::Ready;
use crate::secret::SecretSource;

const BASE_URL: &str = "api.base_url";

/// What an answer says.
enum Said {
    /// It may be asked.
    Welcome,
    /// It would say the same to everybody: of this key, this is wrong.
    Nothing(&'static str, String),
    /// This procedure is out of reach: what is wrong, and what was expected.
    NotThis(String, &'static str),
    Unclear(String),
}

pub(super) async fn ask(ready: &Ready) -> Found {
    let client = match Client::new(&ready.config.api) {
        Ok(client) => client,
        Err(why) => return refused(ready, BASE_URL, vec![why]),
    };
    let mut found = uploads(&client, ready).await;
    if !found.mistakes.is_empty() {
        return found;
    }
    let named = procedures(ready);
    if named.is_empty() {
        found
            .warnings
            .push("no rule names a procedure itself: the API was not asked whether it takes the token".to_owned());
    }
    for (procedure, rules) in named {
        match said(&client.check_access(&procedure).await, ready) {
            Said::Welcome => {}
            Said::Nothing(key, what) => {
                found.mistakes.extend(refused(ready, key, vec![what]).mistakes);
                break;
            }
            Said::NotThis(what, expected) => {
                found.mistakes.extend(
                    rules.iter().map(|rule| mistake(rule, &format!("{:?}, {what}", procedure.as_str()), expected)),
                );
            }
            Said::Unclear(what) => found.warnings.push(format!("procedure {procedure}: {what}")),
        }
    }
    found
}

/// Whether the token may upload photos, where a rule has any: an upload without a file is refused whatever else holds.
async fn uploads(client: &Client, ready: &Ready) -> Found {
    let Some(rule) = ready.rules.iter().find(|rule| rule.photos().0) else { return Found::default() };
    let Ok(id) = PhotoId::try_from("00000000-0000-4000-8000-000000000000".to_owned()) else { return Found::default() };
    let rule = rule.name();
    match said(&client.check_uploads(id).await, ready) {
        Said::Nothing(key, what) => refused(ready, key, vec![what]),
        Said::NotThis(..) => {
            let what = format!(
                "the API answers 403 or 404 to an upload, and rule {rule:?} has photos: the token may not upload"
            );
            refused(ready, token_key(ready), vec![what])
        }
        Said::Welcome | Said::Unclear(_) => Found::default(),
    }
}

fn token_key(ready: &Ready) -> &'static str {
    match ready.config.api.token {
        SecretSource::File(_) => "api.token_file",
        SecretSource::Given(_) => "api.token",
    }
}

/// Each procedure that rules name themselves, once, with those rules.
pub(super) fn procedures(ready: &Ready) -> Vec<(Procedure, Vec<&WrittenRule>)> {
    let mut named: Vec<(Procedure, Vec<&WrittenRule>)> = Vec::new();
    for (rule, written) in ready.rules.iter().zip(ready.config.rules.iter()) {
        let literal = rule.procedure().filter(|_| rule.procedure_is_literal());
        let Some(procedure) = literal.and_then(|text| Procedure::new(text).ok()) else { continue };
        match named.iter_mut().find(|(known, _)| *known == procedure) {
            Some((_, rules)) => rules.push(written),
            None => named.push((procedure, vec![written])),
        }
    }
    named
}

fn mistake(rule: &WrittenRule, what: &str, expected: &str) -> Mistake {
    let span = rule.procedure.as_ref().map_or(&rule.span, |procedure| &procedure.span).clone();
    let key = format!("rule {:?}.procedure", rule.name.value);
    Mistake { span: Some(span), key, what: what.to_owned(), expected: expected.to_owned() }
}

fn said(reply: &Reply, ready: &Ready) -> Said {
    let token = token_key(ready);
    match reply {
        Reply::NotSent { why: NotSent::Token, detail } => Said::Nothing(token, detail.clone()),
        Reply::NotSent { detail, .. } | Reply::Lost { detail, .. } => {
            Said::Nothing(BASE_URL, format!("the API cannot be asked: {detail}"))
        }
        Reply::Response(answer) => answered(answer, token),
    }
}

fn answered(answer: &Response, token: &'static str) -> Said {
    let is_page = answer.body == Body::Html;
    match answer.status {
        200..=299 if matches!(answer.body, Body::Json(_)) => Said::Welcome,
        401 => Said::Nothing(
            token,
            "the API answers 401: it does not take this token; get one from its API keys".to_owned(),
        ),
        403 if !is_page => Said::NotThis(
            "403: this token may not list its processes".to_owned(),
            "a procedure that the role of the token may see and create in",
        ),
        404 if !is_page => Said::NotThis(
            "404: the API knows no such procedure, or not under this base URL".to_owned(),
            "the short id from the procedure's details page",
        ),
        status => {
            let page = if is_page { " with a page: does api.base_url lead to the API?" } else { "" };
            Said::Unclear(format!(
                "the API answers {status}{page} to a list of its processes; nothing follows from that"
            ))
        }
    }
}
