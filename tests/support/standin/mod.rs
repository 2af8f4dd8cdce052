//! A stand-in of the ChakraHQ API: it creates and lists processes, refuses what the API refuses, and
//! misbehaves to plan, down to the byte. A real server over real sockets; also the example `stand-in`.
//!
//! - `POST /v1/ext/procedure/{p}/process` creates, `POST …/process/list` lists, `GET /v1/health` answers 200.
//! - `POST /v1/ext/photo/{id}` takes a form with a photo.
//! - The token is looked at first (401), then the plan of faults is played, then the procedure (404), the
//!   content type (415) and the body (422) are looked at.
//!
//! From another process, in JSON and without a token:
//!
//! | request | body | does |
//! | --- | --- | --- |
//! | `GET /control/created` | | all processes: `id`, `procedure`, `key`, `when` (epoch ms), `body` (text) |
//! | `GET /control/photos` | | all photos: `id`, `filename`, `filetype`, `length`, `times` |
//! | `GET /control/requests` | | all requests: `method`, `path`, `key`, `status`, `applied`, `over` |
//! | `POST /control/fault` | a [`Rule`], or a list of them | adds one rule; a list takes the place of the plan |
//! | `POST /control/reset` | | forgets processes, requests and the plan |
//! | `POST /control/tokens` | `["…"]` | the tokens accepted |
//! | `POST /control/lag` | `{"ms": 500}` | how long a process stays hidden from lists |
//! | `POST /control/procedures` | `{"lead": [], "ticket": ["NEW"]}` | procedures and states; none: any state |
//!
//! A rule: `{"attribute": "marker", "value": "flaky", "times": 2, "fault": {"kind": "status", "status": 503}}`.
//!
//! Not here: tests. It knows nothing of the daemon.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test that includes it uses a part of it")]

mod api;
mod books;
mod control;
mod faults;
mod photos;
mod plan;
mod query;
mod refusal;
mod serve;
mod staging;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use books::{Books, Created, Seen};
pub use faults::{Canned, ErrorBody, Fault, On, Rule};
pub use photos::Uploaded;

use books::House;
use plan::Plan;

/// The API, standing in. Dropping it ends all that it started.
pub struct StandIn {
    house: Arc<House>,
    address: SocketAddr,
    tasks: JoinSet<()>,
}

impl StandIn {
    /// The token accepted from the start.
    pub const TOKEN: &'static str = "stand-in-token";

    /// Starts on a free port of the loopback.
    #[expect(clippy::expect_used, reason = "the loopback always has a free port, or no test can run")]
    pub async fn start() -> Self {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into()).await.expect("a free port on the loopback")
    }

    /// Starts on an address; port 0 takes a free one.
    ///
    /// # Errors
    /// Says why it cannot listen there.
    pub async fn start_on(address: SocketAddr) -> io::Result<Self> {
        let house = Arc::new(House::new(Books::new(vec![Self::TOKEN.to_owned()])));
        let mut standin = Self { house, address, tasks: JoinSet::new() };
        standin.listen().await?;
        Ok(standin)
    }

    /// Listens again after [`StandIn::go_dark`], on the same address, with the same books.
    ///
    /// # Errors
    /// Says why it cannot listen there.
    pub async fn listen(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.address = listener.local_addr()?;
        self.tasks.spawn(serve::serve(listener, Arc::clone(&self.house)));
        Ok(())
    }

    /// Ends every connection and listens no more; what it remembers stays.
    pub async fn go_dark(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Where it is: `http://address:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it is, as an address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts a plan in the place of the one before; an empty one ends all faults.
    pub fn plan(&self, rules: Vec<Rule>) {
        self.house.update(|books| books.plan = Plan::new(rules));
    }

    /// Adds a rule to the plan. The first rule that takes a request plays its fault.
    pub fn fault(&self, rule: Rule) {
        self.house.update(|books| books.plan.add(rule));
    }

    /// Chooses the tokens accepted.
    pub fn set_tokens(&self, tokens: &[&str]) {
        let tokens = tokens.iter().map(|&token| token.to_owned()).collect();
        self.house.update(|books| books.tokens = tokens);
    }

    /// Chooses how long a process stays hidden from lists.
    pub fn set_lag(&self, lag: Duration) {
        self.house.update(|books| books.lag = lag);
    }

    /// Chooses the procedures there are, taking any state.
    pub fn set_procedures(&self, names: &[&str]) {
        let procedures = names.iter().map(|&name| (name.to_owned(), Vec::new())).collect();
        self.house.update(|books| books.procedures = procedures);
    }

    /// Chooses the states that a procedure takes, adding the procedure if it is new.
    pub fn set_states(&self, procedure: &str, states: &[&str]) {
        let states = states.iter().map(|&state| state.to_owned()).collect();
        self.house.update(|books| books.procedures.insert(procedure.to_owned(), states));
    }

    /// Chooses what Fetch Config answers.
    pub fn set_config(&self, config: serde_json::Value) {
        self.house.update(|books| books.config = Some(config));
    }

    /// Chooses the attribute that carries the event's key; `event_key` from the start.
    pub fn set_key_attribute(&self, name: &str) {
        self.house.update(|books| books.set_key_attribute(name));
    }

    /// Forgets processes, requests and the plan.
    pub fn reset(&self) {
        self.house.update(Books::reset);
    }

    /// What was created, in order.
    pub fn created(&self) -> Vec<Created> {
        self.house.read().created.clone()
    }

    /// The photos that are there, in the order of their first upload.
    pub fn photos(&self) -> Vec<Uploaded> {
        self.house.read().photos.clone()
    }

    /// Whether a second upload to an id is refused with 409 from now on.
    pub fn refuse_second_uploads(&self, refuses: bool) {
        self.house.update(|books| books.refuses_second_uploads = refuses);
    }

    /// The requests that arrived, in order, without those to the control endpoints.
    pub fn requests(&self) -> Vec<Seen> {
        self.house.read().requests.clone()
    }

    /// Looks into the books without copying them.
    ///
    /// `look` runs under their lock: it must not call the stand-in.
    pub fn lookup<R>(&self, lookup: impl FnOnce(&Books) -> R) -> R {
        lookup(&self.house.read())
    }

    /// Answers once the books satisfy `wanted`, which is asked again at every change of them.
    ///
    /// `wanted` runs under their lock: it must not call the stand-in. Give it a deadline.
    pub async fn until(&self, wanted: impl FnMut(&Books) -> bool) {
        self.house.until(wanted).await;
    }
}
