//! One lookup: `POST {base}/v1/ext/procedure/{procedure}/process/list`, asking for one value of one attribute.
//!
//! Not here: when to ask, and what the rows mean (`core::lookup`).

use hyper::body::Bytes;
use serde_json::json;

use super::Client;
use super::send::Question;
use crate::core::lookup::Lookup;
use crate::core::process::Procedure;
use crate::core::reply::Reply;

/// Rows asked for at most: one is the process, a second a duplicate, and an API that does not know the attribute may
/// answer with any.
const ROWS_MAX: u32 = 10;

/// The most that is read of an answer, in bytes: many lookups are asked at a time after a restart, and an API that does not know
/// the attribute may answer with anything.
const ANSWER_MAX: usize = 1024 * 1024;

impl Client {
    /// Asks once which processes carry the value. It reads and changes nothing, so it may be asked again.
    pub async fn look_up(&self, lookup: &Lookup) -> Reply {
        let asked = json!({ "where": { lookup.attribute.as_str(): lookup.value }, "limit": ROWS_MAX });
        let (procedure, body) = (&lookup.procedure, Bytes::from(asked.to_string()));
        self.send(Question {
            procedure,
            path: "process/list",
            body,
            attribute: Some(&lookup.attribute),
            max_reply: ANSWER_MAX,
            apart: false,
        })
        .await
    }

    /// Asks for what no procedure has, a process from before the epoch: only whether it may be asked is to be learned.
    pub async fn check_access(&self, procedure: &Procedure) -> Reply {
        let asked = json!({ "where": { "createdAt": { "<": "1970-01-01T00:00:00Z" } }, "limit": 1 });
        let body = Bytes::from(asked.to_string());
        let path = "process/list";
        self.send(Question { procedure, path, body, attribute: None, max_reply: ANSWER_MAX, apart: false }).await
    }
}
