//! What the stand-in remembers: processes, requests, settings, the plan.
//!
//! Not here: HTTP, or what a request may do.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::time::Instant;

use super::photos::Uploaded;
use super::plan::Plan;

/// A process that was created.
#[derive(Clone, Debug, Serialize)]
pub struct Created {
    /// Its id, a UUID.
    pub id: String,
    /// The procedure in the path.
    pub procedure: String,
    /// The value of the key attribute in `data`, if it is text.
    pub key: Option<String>,
    /// When, in epoch milliseconds.
    pub when: i64,
    /// The request's body, as it came.
    pub body: String,
    /// When, on the clock of the visibility lag.
    #[serde(skip)]
    pub at: Instant,
}

impl Created {
    /// The request's body.
    pub fn json(&self) -> Map<String, Value> {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A request that arrived. Never holds its token.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The value of the key attribute, in `data` of a create or in `where` of a list, if it is text.
    pub key: Option<String>,
    /// What its header `traceparent` says, if it has one.
    pub trace: Option<String>,
    /// The status of the answer, once one begins to be sent.
    pub status: Option<u16>,
    /// Whether a process was created for it.
    pub applied: bool,
    /// Whether nothing more comes of it: it was answered, or the connection ended.
    pub over: bool,
}

/// The number of a request since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(usize);

/// All that is remembered.
pub struct Books {
    /// Processes, in the order of their creation.
    pub created: Vec<Created>,
    /// Requests, in the order of their arrival; those under `/control/` are left out.
    pub requests: Vec<Seen>,
    /// The photos that are there, in the order of their first upload.
    pub photos: Vec<Uploaded>,
    /// Whether a second upload to an id is refused with 409.
    pub refuses_second_uploads: bool,
    /// The faults to play.
    pub plan: Plan,
    /// The tokens accepted.
    pub tokens: Vec<String>,
    /// How long a process stays hidden from lists.
    pub lag: Duration,
    /// The procedures there are, each with its states; without any, all states are taken.
    pub procedures: HashMap<String, Vec<String>>,
    /// What Fetch Config answers; without it there is nothing at its path.
    pub config: Option<Value>,
    key_attribute: String,
    by_key: HashMap<String, Vec<usize>>,
    forgotten: usize,
}

impl Books {
    /// Empty books, with these tokens.
    pub fn new(tokens: Vec<String>) -> Self {
        let procedures = ["lead", "ticket", "fieldvisit"].map(|name| (name.to_owned(), Vec::new()));
        Self {
            created: Vec::new(),
            requests: Vec::new(),
            photos: Vec::new(),
            refuses_second_uploads: false,
            plan: Plan::default(),
            tokens,
            lag: Duration::ZERO,
            procedures: procedures.into(),
            config: None,
            key_attribute: "event_key".to_owned(),
            by_key: HashMap::new(),
            forgotten: 0,
        }
    }

    /// Forgets processes, requests and the plan. Tokens, lag and procedures stay.
    pub fn reset(&mut self) {
        self.forgotten += self.requests.len();
        self.created = Vec::new();
        self.requests = Vec::new();
        self.photos = Vec::new();
        self.plan = Plan::default();
        self.by_key = HashMap::new();
    }

    /// Chooses the attribute that carries the event's key, for what was created before as well.
    pub fn set_key_attribute(&mut self, name: &str) {
        name.clone_into(&mut self.key_attribute);
        self.by_key.clear();
        for created in std::mem::take(&mut self.created) {
            let key = created.json().get("data").and_then(Value::as_object).and_then(|data| self.key_in(data));
            self.enter(Created { key, ..created });
        }
    }

    /// The attribute that carries the event's key.
    pub fn key_attribute(&self) -> &str {
        &self.key_attribute
    }

    /// The event's key among these attributes.
    pub fn key_in(&self, attributes: &Map<String, Value>) -> Option<String> {
        attributes.get(&self.key_attribute)?.as_str().map(str::to_owned)
    }

    /// Writes a process down.
    pub fn enter(&mut self, created: Created) {
        if let Some(key) = &created.key {
            self.by_key.entry(key.clone()).or_default().push(self.created.len());
        }
        self.created.push(created);
    }

    /// What was created with this key, in order; without a key, everything.
    pub fn created_for(&self, key: Option<&str>) -> Vec<&Created> {
        match key {
            None => self.created.iter().collect(),
            Some(key) => self.by_key.get(key).into_iter().flatten().map(|&place| &self.created[place]).collect(),
        }
    }

    /// Writes an upload down; answers whether it is the first to its id.
    pub fn upload(&mut self, uploaded: Uploaded) -> bool {
        let before = self.created.len();
        match self.photos.iter_mut().find(|photo| photo.id == uploaded.id) {
            Some(photo) => photo.times += 1,
            None => {
                self.photos.push(Uploaded { times: 1, before, ..uploaded });
                return true;
            }
        }
        false
    }

    /// The keys that more than one process was created with.
    pub fn doubled(&self) -> Vec<String> {
        self.by_key.iter().filter(|(_, places)| places.len() > 1).map(|(key, _)| key.clone()).collect()
    }

    /// Writes a request down.
    pub fn arrived(&mut self, seen: Seen) -> Ticket {
        self.requests.push(seen);
        Ticket(self.forgotten + self.requests.len() - 1)
    }

    /// A request written down before, unless it was forgotten since.
    pub fn request(&mut self, ticket: Ticket) -> Option<&mut Seen> {
        self.requests.get_mut(ticket.0.checked_sub(self.forgotten)?)
    }
}

/// The books, shared by all connections.
pub struct House {
    books: Mutex<Books>,
    changed: watch::Sender<()>,
}

impl House {
    /// A house with these books.
    pub fn new(books: Books) -> Self {
        Self { books: Mutex::new(books), changed: watch::Sender::new(()) }
    }

    /// Reads the books.
    pub fn read(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the books and wakes who waits for a change.
    pub fn update<R>(&self, change: impl FnOnce(&mut Books) -> R) -> R {
        let result = change(&mut self.read());
        self.changed.send_replace(());
        result
    }

    /// Answers once the books satisfy `wanted`.
    pub async fn until(&self, mut wanted: impl FnMut(&Books) -> bool) {
        let mut changes = self.changed.subscribe();
        while !wanted(&self.read()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
