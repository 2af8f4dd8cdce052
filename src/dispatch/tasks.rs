//! The tasks of the dispatcher: one for each request, and one for each word to the ledger. A create that is claimed first is one task:
//! it asks the ledger, sends what that lets go, and answers with what came of both.
//!
//! Not here: what is asked, and what follows (`core::delivery`), and the store (`ledger`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::core::delivery::{EventId, Input, RecordId};
use crate::core::ledger::{Claim, Claimed, Record, Recorded};
use crate::core::lookup::Lookup;
use crate::core::photo::PhotoReply;
use crate::core::process::Procedure;
use crate::core::reply::Reply;
use crate::ledger::Ledger;

/// Whom a task is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    Event(EventId),
    Check(Arc<str>, Arc<Lookup>),
    List(Procedure),
    Record(RecordId),
}

/// What came of a task.
#[derive(Debug)]
enum Ended {
    /// A request ended; under the claim of this epoch, if it had one.
    Replied(Reply, Duration, Option<i64>),
    /// A try to bring a photo up ended, in the same way.
    Photo(PhotoReply, Duration, Option<i64>),
    /// A create was not sent, or a photo not asked for.
    Withheld(Claimed),
    /// The ledger was told something.
    Recorded(Recorded),
}

/// Those that are under way.
pub(super) struct Tasks {
    set: JoinSet<Ended>,
    purposes: HashMap<Id, Purpose>,
    ledger: Option<Ledger>,
    /// The longest that a request takes.
    timeout: Duration,
}

impl Tasks {
    pub(super) fn new(ledger: Option<Ledger>, timeout: Duration) -> Self {
        Self { set: JoinSet::new(), purposes: HashMap::new(), ledger, timeout }
    }

    pub(super) fn len(&self) -> usize {
        self.set.len()
    }

    pub(super) fn abort_all(&mut self) {
        self.set.abort_all();
    }

    /// What the next that ends means for the machine; none while there is none. Loses none if it is dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Option<Input>> {
        let ended = self.set.join_next_with_id().await?;
        Some(self.input(ended))
    }

    /// The same of one that has ended already.
    pub(super) fn try_next(&mut self) -> Option<Option<Input>> {
        let ended = self.set.try_join_next_with_id()?;
        Some(self.input(ended))
    }

    /// Sends a create, if it is to be claimed first only as the ledger lets it.
    pub(super) fn create(
        &mut self,
        event: EventId,
        asked: Option<Box<Claim>>,
        create: impl Future<Output = Reply> + Send + 'static,
    ) {
        let timeout = self.timeout;
        match (asked, self.ledger.clone()) {
            (Some(asked), Some(ledger)) => self.add(Purpose::Event(event), claim(ledger, *asked, timeout, create)),
            // What is to be claimed is not sent without.
            (Some(_), None) => self.add(Purpose::Event(event), async { Ended::Withheld(Claimed::Away) }),
            (None, _) => self.send(Purpose::Event(event), create),
        }
    }

    /// Brings a photo up, if it is to be claimed first only where the row is this replica's.
    pub(super) fn photo(
        &mut self,
        event: EventId,
        asked: Option<Box<Claim>>,
        photo: impl Future<Output = PhotoReply> + Send + 'static,
    ) {
        let ledger = self.ledger.clone();
        self.add(Purpose::Event(event), async move {
            let epoch = match (asked, ledger) {
                (None, _) => None,
                // What is to be claimed is not asked for without.
                (Some(_), None) => return Ended::Withheld(Claimed::Away),
                (Some(asked), Some(ledger)) => {
                    let known = asked.unsure_creates;
                    match ledger.claim(*asked).await {
                        Claimed::Mine { epoch, left, .. } if left.unsure_creates <= known => Some(epoch),
                        claimed => return Ended::Withheld(claimed),
                    }
                }
            };
            let began = Instant::now();
            let reply = photo.await;
            Ended::Photo(reply, began.elapsed(), epoch)
        });
    }

    /// Tells the ledger something.
    pub(super) fn record(&mut self, id: RecordId, record: Box<Record>) {
        let ledger = self.ledger.clone();
        self.add(Purpose::Record(id), async move {
            Ended::Recorded(match ledger {
                Some(ledger) => ledger.record(*record).await,
                None => Recorded::Away,
            })
        });
    }

    /// Sends a request.
    pub(super) fn send(&mut self, purpose: Purpose, request: impl Future<Output = Reply> + Send + 'static) {
        self.add(purpose, replied(request, None));
    }

    fn add(&mut self, purpose: Purpose, task: impl Future<Output = Ended> + Send + 'static) {
        let task = self.set.spawn(task);
        self.purposes.insert(task.id(), purpose);
    }

    fn input(&mut self, ended: Result<(Id, Ended), JoinError>) -> Option<Input> {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, Some(ended)),
            Err(error) => (error.id(), None),
        };
        Some(match (self.purposes.remove(&id)?, ended) {
            (Purpose::Event(event), Some(Ended::Replied(reply, took, epoch))) => {
                Input::Replied { event, reply, took, epoch }
            }
            (Purpose::Event(event), Some(Ended::Photo(reply, took, epoch))) => {
                Input::PhotoReplied { event, reply, took, epoch }
            }
            (Purpose::Event(event), Some(Ended::Withheld(claimed))) => Input::Withheld { event, claimed },
            (Purpose::Event(event), _) => Input::Panicked { event },
            (Purpose::Check(rule, lookup), ended) => {
                Input::Checked { rule, lookup, reply: ended.and_then(Ended::reply) }
            }
            (Purpose::List(procedure), ended) => Input::Listed { procedure, reply: ended.and_then(Ended::reply) },
            (Purpose::Record(record), Some(Ended::Recorded(recorded))) => Input::Recorded { record, recorded },
            (Purpose::Record(record), _) => Input::Recorded { record, recorded: Recorded::Away },
        })
    }
}

impl Ended {
    fn reply(self) -> Option<Reply> {
        if let Self::Replied(reply, ..) = self { Some(reply) } else { None }
    }
}

async fn replied(request: impl Future<Output = Reply>, epoch: Option<i64>) -> Ended {
    let began = Instant::now();
    let reply = request.await;
    Ended::Replied(reply, began.elapsed(), epoch)
}

/// Asks the ledger, and sends the create if it may go: only if it can take its whole time, of `timeout`, before another replica may
/// take the claim over.
async fn claim(ledger: Ledger, claim: Claim, timeout: Duration, create: impl Future<Output = Reply>) -> Ended {
    match ledger.claim(claim).await {
        Claimed::Mine { epoch, may_send: true, .. } if ledger.lease_left() >= timeout => {
            replied(create, Some(epoch)).await
        }
        claimed => Ended::Withheld(claimed),
    }
}
