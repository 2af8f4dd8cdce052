//! The connections of the admin server: so many at a time and so many a second, and for a new one the oldest has to go that has
//! had time enough.
//!
//! Not here: what is said on a connection (`server`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::core::request_limits::Rate;

#[cfg(test)]
mod tests;

/// Connections at a time. In a flood, each place gives a new connection time to send its request: so places are many, and small.
pub const CONNECTIONS_MAX: usize = 256;

/// Connections a second, with as many at once after a silence: far more than probes, scrapes and people need, so few that a
/// flood leaves the processor to the events, and so many that a probe behind a full queue of the kernel's waits two seconds.
pub(super) const CONNECTIONS_PER_SECOND: f64 = 2500.0;

/// Where room is needed, how long a connection may send nothing; and from when it came, how long it may take in all. An honest
/// one takes milliseconds.
const SILENCE_MAX: Duration = Duration::from_millis(100);
const STAY_MAX: Duration = Duration::from_secs(1);

/// Who is here, in the order in which they came, and how many more may come.
#[derive(Debug)]
pub(super) struct Guests {
    tasks: JoinSet<()>,
    order: VecDeque<Guest>,
    rate: Rate,
    opened: Instant,
}

#[derive(Debug)]
struct Guest {
    came: Instant,
    task: AbortHandle,
    asked: Asked,
}

impl Guest {
    /// When it may be sent away.
    fn has_had_its_time(&self) -> Instant {
        self.came + if self.asked.is_noted() { STAY_MAX } else { SILENCE_MAX }
    }
}

/// Whether a connection has sent the head of its request. Before that it is only a connection, which costs its other end
/// nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked(Arc<AtomicBool>);

impl Asked {
    /// Notes that the head has come.
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Guests {
    /// Nobody yet.
    pub(super) fn none() -> Self {
        let rate = Rate::new(Some(CONNECTIONS_PER_SECOND));
        Self { tasks: JoinSet::new(), order: VecDeque::new(), rate, opened: Instant::now() }
    }

    /// Lets one in, as soon as the rate allows. If all places are taken, waits until somebody has gone, and sends the
    /// oldest away who has had its time: a probe must not wait behind those who say nothing.
    pub(super) async fn admit<T>(&mut self, converse: impl FnOnce(Asked) -> T)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        while let Err(next) = self.rate.pass(self.opened.elapsed()) {
            sleep_until(self.opened + next).await;
        }
        self.rate.take(self.opened.elapsed());
        while self.order.len() >= CONNECTIONS_MAX {
            let next = self.order.iter().map(Guest::has_had_its_time).min();
            tokio::select! {
                () = self.gone() => {}
                () = sleep_until(next.unwrap_or_else(Instant::now)) => {
                    // Whoever was late may have asked meanwhile: then nobody goes, and who is next is asked again.
                    if self.send_away() {
                        self.gone().await;
                    }
                }
            }
        }
        let asked = Asked::default();
        let task = self.tasks.spawn(converse(asked.clone()));
        self.order.push_back(Guest { came: Instant::now(), task, asked });
    }

    /// Resolves once somebody has gone. Pends while nobody is here.
    pub(super) async fn gone(&mut self) {
        let Some(ended) = self.tasks.join_next_with_id().await else { return std::future::pending().await };
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                if error.is_panic() {
                    tracing::error!(%error, "a connection of the admin port crashed");
                }
                error.id()
            }
        };
        self.forget(id);
    }

    /// Ends every conversation.
    pub(super) async fn shut_down(&mut self) {
        self.tasks.shutdown().await;
    }

    /// The oldest of those who have had their time, and no more: after a moment in which this process did not run, all of
    /// them have, and the youngest have had no time to send. Answers whether anybody was late.
    fn send_away(&self) -> bool {
        let now = Instant::now();
        let mut late = self.order.iter().filter(|guest| guest.has_had_its_time() <= now);
        let Some(guest) = late.next() else { return false };
        tracing::debug!("the admin port is full: a connection that has had its time makes room");
        guest.task.abort();
        true
    }

    fn forget(&mut self, id: Id) {
        if let Some(at) = self.order.iter().position(|guest| guest.task.id() == id) {
            self.order.remove(at);
        }
    }
}
