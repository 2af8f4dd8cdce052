//! One transaction for all that is asked at a time: the rows are read under their locks, each ask is decided in turn, and what changed
//! is written and committed before anybody is answered.
//!
//! Not here: what follows from a row (`core::ledger`), and what is asked when (`driver`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::oneshot;

use super::ask::Ask;
use super::failure::{Failure, Kind};
use super::kept::{Kept, Wanted, parsed};
use super::session::Session;
use super::sql::{BEGIN, COMMIT, MAKE, MOMENT, ROLLBACK, ROWS, Sql, WRITE};
use crate::core::ledger::{Asker, Claimed, Recorded, Row, RowId, claimed, recorded};

/// How often others may be in the way.
const TRIES: usize = 8;

/// On whose behalf.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) queue: Arc<str>,
    /// The name of this run of this replica.
    pub(super) owner: Arc<str>,
}

/// How it ended, if nothing failed.
#[derive(Debug)]
pub(super) enum Done {
    /// Committed; these are the answers, and the rows as they are now.
    Committed(Vec<Answer>, Vec<(RowId, Known)>),
    /// Our own lease is over: it must be renewed first, or others would take the claims over at once.
    Lapsed,
}

/// A row as it is committed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) row: Row,
    /// Counts what was written.
    pub(super) revision: i64,
}

/// What an ask is answered with.
#[derive(Debug)]
pub(super) enum Answer {
    Claim(Claimed),
    Record(Recorded),
}

/// The store's clock and the leases.
#[derive(Debug, Deserialize)]
struct Moment {
    now_ms: i64,
    /// Until when, by the same clock.
    owners: BTreeMap<String, i64>,
}

impl Moment {
    fn lease(&self, owner: &str) -> Duration {
        let left = self.owners.get(owner).map_or(0, |until_ms| until_ms.saturating_sub(self.now_ms));
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }
}

/// A row as it stands within the transaction.
#[derive(Debug, Default)]
struct Standing {
    row: Option<Row>,
    /// As read; 0 where there is none.
    revision: i64,
    is_changed: bool,
}

impl Standing {
    /// The row after the commit, if it is of this run.
    fn known(self, owner: &str) -> Option<Known> {
        let row = self.row.filter(|row| &*row.owner == owner)?;
        Some(Known { row, revision: self.revision + i64::from(self.is_changed) })
    }
}

/// Decides all of them in one transaction.
///
/// # Errors
/// Where nothing is known to be committed. The session is no longer good then, unless others were only in the way.
pub(super) async fn commit(session: &mut Session, who: &Who, asks: &[Ask]) -> Result<Done, Failure> {
    for _ in 0..TRIES {
        match attempt(session, who, asks).await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => {}
            Err(failure) if failure.kind == Kind::Conflict && session.is_shared() => session.simple(ROLLBACK).await?,
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::crowded())
}

/// None where another wrote one of the rows meanwhile.
async fn attempt(session: &mut Session, who: &Who, asks: &[Ask]) -> Result<Option<Done>, Failure> {
    session.simple(BEGIN).await?;
    let mut rows = read(session, who, asks).await?;
    let moment: Moment = parsed(&session.text(MOMENT, &[]).await?)?;
    if moment.lease(&who.owner).is_zero() {
        session.simple(ROLLBACK).await?;
        return Ok(Some(Done::Lapsed));
    }
    let answers = asks.iter().map(|ask| answered(rows.entry(ask.row_id()).or_default(), ask, who, &moment)).collect();
    let changed = rows.iter().filter(|(_, standing)| standing.is_changed).filter_map(kept);
    let (made, written): (Vec<Kept>, Vec<Kept>) = changed.partition(|kept| kept.revision == 1);
    if !(write(session, who, MAKE, &made).await? && write(session, who, WRITE, &written).await?) {
        session.simple(ROLLBACK).await?;
        return Ok(None);
    }
    session.simple(COMMIT).await?;
    let own = rows.into_iter().filter_map(|(id, standing)| Some((id, standing.known(&who.owner)?)));
    Ok(Some(Done::Committed(answers, own.collect())))
}

/// Whether all of them were written.
async fn write(session: &mut Session, who: &Who, how: Sql, rows: &[Kept]) -> Result<bool, Failure> {
    if rows.is_empty() {
        return Ok(true);
    }
    let changed = session.run(how, &[&who.queue, &json(&rows)?]).await?;
    Ok(usize::try_from(changed).ok() == Some(rows.len()))
}

/// The rows that are asked for and are there.
async fn read(session: &mut Session, who: &Who, asks: &[Ask]) -> Result<BTreeMap<RowId, Standing>, Failure> {
    let ids: BTreeMap<RowId, ()> = asks.iter().map(|ask| (ask.row_id(), ())).collect();
    let wanted: Vec<Wanted> = ids.into_keys().map(Wanted::from).collect();
    let mut rows = BTreeMap::new();
    for text in session.texts(ROWS, &[&who.queue, &json(&wanted)?]).await? {
        let kept: Kept = parsed(&text)?;
        let (id, revision) = (kept.id(), kept.revision);
        let id = id.ok_or_else(|| Failure::rows("a row has a key that is no digest"))?;
        rows.insert(id, Standing { row: Some(kept.row()), revision, is_changed: false });
    }
    Ok(rows)
}

fn answered(standing: &mut Standing, ask: &Ask, who: &Who, moment: &Moment) -> Answer {
    let lease = standing.row.as_ref().map_or(Duration::ZERO, |row| moment.lease(&row.owner));
    let asker = Asker { owner: &who.owner, now_ms: moment.now_ms, lease };
    let (written, answer) = decide(standing.row.clone(), ask, &asker);
    if let Some(row) = written {
        standing.row = Some(row);
        standing.is_changed = true;
    }
    answer
}

/// What is answered, and the row that is to be written first, if it changes.
pub(super) fn decide(row: Option<Row>, ask: &Ask, asker: &Asker<'_>) -> (Option<Row>, Answer) {
    match ask {
        Ask::Claim(claim, _) => {
            let (written, answer) = claimed(row, claim, asker);
            (written, Answer::Claim(answer))
        }
        Ask::Record(record, _) => {
            let (written, answer) = recorded(row, record, asker);
            (written, Answer::Record(answer))
        }
    }
}

fn kept((id, standing): (&RowId, &Standing)) -> Option<Kept> {
    Some(Kept::of(*id, standing.row.as_ref()?, standing.revision + 1))
}

fn json(list: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(list).map_err(|error| Failure::rows(&error.to_string()))
}

/// Answers; whoever asked may be gone.
pub(super) fn answer(asks: Vec<Ask>, answers: Vec<Answer>) {
    for (ask, answer) in asks.into_iter().zip(answers) {
        match (ask, answer) {
            (Ask::Claim(_, to), Answer::Claim(answer)) => tell(to, answer),
            (Ask::Record(_, to), Answer::Record(answer)) => tell(to, answer),
            (ask, _) => ask.refuse(),
        }
    }
}

fn tell<T>(to: oneshot::Sender<T>, answer: T) {
    drop(to.send(answer));
}
