//! The one task that has the database: it opens it, serves whatever is asked at a time in one transaction, and opens it again after a
//! failure. Meanwhile every ask is answered at once that the ledger is away.
//!
//! Not here: the transaction (`batch`), and what is due beside it (`housekeeping`).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::ask::{Ask, gather};
use super::batch::{self, Done, Who};
use super::expected::{Expected, Plan};
use super::failure::{Failure, Kind};
use super::housekeeping::Housekeeping;
use super::lease::Lease;
use super::session::{Session, in_time};
use super::sql::{FORGET_OTHERS, GIVE_UP, ROLLBACK};
use super::sqlite::Lock;
use super::{Config, Place, checkpoints, once, once_sqlite, postgres, schema, sqlite};
use crate::clock::epoch_ms;
use crate::metrics::Metrics;
use crate::states::ledger::{LedgerState, LedgerStatus};

/// What is taken into one transaction at most.
const BATCH_MAX: usize = once_sqlite::ROWS_MAX;
/// The longest that one transaction may take; then its connection is given up.
const COMMIT_MAX: Duration = Duration::from_secs(3);
/// The longest that opening may take.
const OPEN_MAX: Duration = Duration::from_secs(5);
/// The longest that changing the tables may take: an index over all rows is made then.
const MIGRATE_MAX: Duration = Duration::from_secs(600);
/// The longest that an end in order may take.
const CLOSE_MAX: Duration = Duration::from_secs(1);
/// Between two attempts to open it: first and at most, so that it is used again soon after it can be.
const WAIT: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(2)];

/// Serves the handles of one ledger.
#[derive(Debug)]
pub struct Driver {
    config: Config,
    who: Who,
    asks: mpsc::Receiver<Ask>,
    status: watch::Sender<LedgerStatus>,
    housekeeping: Housekeeping,
    expected: Expected,
    metrics: Arc<Metrics>,
    /// Held as long as this lives, whatever becomes of a connection.
    lock: Option<Lock>,
    wait: Duration,
}

impl Driver {
    pub(super) fn new(
        config: Config,
        asks: mpsc::Receiver<Ask>,
        (lease, status): (watch::Sender<Lease>, watch::Sender<LedgerStatus>),
        metrics: Arc<Metrics>,
    ) -> Self {
        let who = Who { queue: config.queue.as_str().into(), owner: name_of_run().into() };
        let housekeeping = Housekeeping::new(config.clone(), who.clone(), lease, Arc::clone(&metrics));
        let expected = Expected::default();
        Self { config, who, asks, status, housekeeping, expected, metrics, lock: None, wait: WAIT[0] }
    }

    /// Serves until every handle is gone; then it gives the lease up, so that nobody waits for this replica.
    pub async fn run(mut self) {
        loop {
            let opening = Box::pin(opened(&self.config, &self.who, &mut self.lock));
            let failure = match refusing(&mut self.asks, opening).await {
                None => return,
                Some(Err(failure)) => failure,
                Some(Ok((session, degraded))) => {
                    let place = self.config.place.clone();
                    match checkpoints::beside(&place, self.serve(session, degraded)).await {
                        Ok(()) => return,
                        Err(failure) => failure,
                    }
                }
            };
            self.is_away(&failure);
            if refusing(&mut self.asks, sleep(self.wait)).await.is_none() {
                return;
            }
            self.wait = (self.wait * 2).min(WAIT[1]);
        }
    }

    /// Serves with one connection: until every handle is gone, or it fails.
    async fn serve(&mut self, mut session: Session, degraded: Option<String>) -> Result<(), Failure> {
        in_time(COMMIT_MAX, self.housekeeping.renew(&mut session)).await?;
        self.is_up(degraded);
        self.expected.forget();
        loop {
            let (mut asks, due) = (Vec::new(), self.housekeeping.due());
            if due <= Instant::now() {
                in_time(COMMIT_MAX, self.housekeeping.step(&mut session)).await?;
                continue;
            }
            tokio::select! {
                count = self.asks.recv_many(&mut asks, BATCH_MAX) => match count {
                    0 => break,
                    _ => {
                        gather(&mut self.asks, &mut asks, BATCH_MAX).await;
                        self.take(&mut session, asks).await?;
                    }
                },
                () = sleep_until(due) => {}
            }
        }
        if let Err(failure) = in_time(CLOSE_MAX, ended(session, &self.who)).await {
            tracing::debug!("the ledger was not closed in order: {failure}");
        }
        Ok(())
    }

    /// Takes what was asked: what can be in one statement, and the rest in one transaction. What the database does not take is found by
    /// asking one by one.
    async fn take(&mut self, session: &mut Session, mut asks: Vec<Ask>) -> Result<(), Failure> {
        asks.retain(|ask| !ask.is_forsaken());
        let (plan, rest) = self.expected.plan(asks, &self.who);
        let asks = self.at_once(session, plan, rest).await?;
        match self.commit(session, asks).await {
            Ok(()) => Ok(()),
            Err((failure, asks)) if failure.kind == Kind::Data => self.take_apart(session, failure, asks).await,
            Err((failure, asks)) => {
                asks.into_iter().for_each(Ask::refuse);
                Err(failure)
            }
        }
    }

    /// Commits what is planned, and answers it. Gives back what goes the long way.
    async fn at_once(&mut self, session: &mut Session, plan: Plan, mut rest: Vec<Ask>) -> Result<Vec<Ask>, Failure> {
        if plan.is_empty() {
            return Ok(rest);
        }
        let (began, rows) = (Instant::now(), plan.rows());
        match in_time(COMMIT_MAX, once::write(session, &self.who, rows)).await {
            Ok(true) => {
                self.committed(began);
                let (asks, answers) = plan.done(&mut self.expected);
                batch::answer(asks, answers);
            }
            Ok(false) => rest.splice(..0, plan.asks()).for_each(drop),
            Err(failure) if failure.kind == Kind::Data || (failure.kind == Kind::Conflict && session.is_shared()) => {
                rest.splice(..0, plan.asks()).for_each(drop);
            }
            Err(failure) => {
                plan.asks().into_iter().chain(rest).for_each(Ask::refuse);
                return Err(failure);
            }
        }
        Ok(rest)
    }

    fn committed(&mut self, began: Instant) {
        self.metrics.ledger_committed(began.elapsed());
        self.wait = WAIT[0];
    }

    /// One ask must not hold up its neighbours.
    async fn take_apart(&mut self, session: &mut Session, failure: Failure, asks: Vec<Ask>) -> Result<(), Failure> {
        let is_alone = asks.len() < 2;
        in_time(COMMIT_MAX, session.simple(ROLLBACK)).await?;
        for ask in asks {
            if is_alone {
                self.refuse(ask, &failure);
                continue;
            }
            match self.commit(session, vec![ask]).await {
                Ok(()) => {}
                Err((failure, asks)) if failure.kind == Kind::Data => {
                    in_time(COMMIT_MAX, session.simple(ROLLBACK)).await?;
                    asks.into_iter().for_each(|ask| self.refuse(ask, &failure));
                }
                Err((failure, asks)) => {
                    asks.into_iter().for_each(Ask::refuse);
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    fn refuse(&self, ask: Ask, failure: &Failure) {
        self.metrics.ledger_failed();
        tracing::error!("the ledger does not take a row, and its event waits: {failure}");
        ask.refuse();
    }

    async fn commit(&mut self, session: &mut Session, asks: Vec<Ask>) -> Result<(), (Failure, Vec<Ask>)> {
        if asks.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let committed = in_time(COMMIT_MAX, async {
            match batch::commit(session, &self.who, &asks).await? {
                Done::Committed(answers, rows) => Ok((answers, rows)),
                Done::Lapsed => {
                    self.housekeeping.renew(session).await?;
                    match batch::commit(session, &self.who, &asks).await? {
                        Done::Committed(answers, rows) => Ok((answers, rows)),
                        Done::Lapsed => Err(Failure::lapsed()),
                    }
                }
            }
        });
        match committed.await {
            Ok((answers, rows)) => {
                self.committed(began);
                self.expected.learn(rows);
                batch::answer(asks, answers);
                Ok(())
            }
            Err(failure) => Err((failure, asks)),
        }
    }

    fn is_up(&mut self, degraded: Option<String>) {
        self.metrics.ledger_up(true);
        self.metrics.ledger_degraded(degraded.is_some());
        let mut is_news = false;
        self.status.send_modify(|status| {
            is_news = status.becomes(LedgerState::Up, epoch_ms() / 1000);
            is_news |= status.degraded != degraded;
            status.degraded.clone_from(&degraded);
        });
        if is_news {
            tracing::info!(owner = &*self.who.owner, place = self.config.place.words(), "the ledger answers");
        }
        if let Some(why) = degraded.filter(|_| is_news) {
            tracing::warn!("the ledger is degraded: a crash of its machine may lose what it has committed: {why}");
        }
    }

    fn is_away(&self, failure: &Failure) {
        self.metrics.ledger_up(false);
        self.metrics.ledger_failed();
        let Failure { why, next, kind } = failure.clone();
        let state = match kind {
            Kind::InUse => LedgerState::InUse { why },
            Kind::Conflict | Kind::Data | Kind::Away => LedgerState::Away { why, next },
        };
        let mut is_news = false;
        self.status.send_modify(|status| is_news = status.becomes(state, epoch_ms() / 1000));
        if is_news {
            tracing::warn!(place = self.config.place.words(), "the ledger cannot be asked, and events wait: {failure}");
        }
    }
}

/// Opens it, with its tables in the form that this program knows. Also says why commits may be lost, if they may.
async fn opened(config: &Config, who: &Who, lock: &mut Option<Lock>) -> Result<(Session, Option<String>), Failure> {
    let (mut session, degraded) = in_time(OPEN_MAX, async {
        match &config.place {
            Place::Sqlite(path) => {
                if lock.is_none() {
                    *lock = Some(sqlite::lock(path).await?);
                }
                sqlite::open(path).await
            }
            Place::Postgres(server) => postgres::open(server, &format!("chakra-bridge {}", who.owner)).await,
        }
    })
    .await?;
    in_time(MIGRATE_MAX, schema::migrate(&mut session)).await?;
    if lock.is_some() {
        in_time(COMMIT_MAX, session.run(FORGET_OTHERS, &[&who.owner])).await?;
    }
    Ok((session, degraded))
}

async fn ended(mut session: Session, who: &Who) -> Result<(), Failure> {
    session.run(GIVE_UP, &[&who.owner]).await?;
    session.close().await
}

/// What `work` comes to; meanwhile every ask is refused. None once every handle is gone.
async fn refusing<T>(asks: &mut mpsc::Receiver<Ask>, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Some(done),
            ask = asks.recv() => ask?.refuse(),
        }
    }
}

/// No two runs have the same, and a person sees which replica it was.
fn name_of_run() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}/{}/{:08x}", host.trim(), std::process::id(), fastrand::u32(..))
}
