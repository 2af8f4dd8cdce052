//! What is planned and written at once is what follows from the rows that are there, whatever is asked.
//!
//! Not here: faults, and Postgres (`tests/ledger`).

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::*;
use crate::core::event::Key;
use crate::core::ledger::{Claim, Opens, Record, RowEnd, Sends};
use crate::ledger::batch::{Done, commit};
use crate::ledger::failure::Kind;
use crate::ledger::kept::parsed;
use crate::ledger::once;
use crate::ledger::once_sqlite::ROWS_MAX;
use crate::ledger::session::Session;
use crate::ledger::sql::{OF_KEY, PRUNE, RENEW, Sql};
use crate::ledger::{schema, sqlite};

const KEYS: u64 = 6;
const ROUNDS: usize = 400;
const QUEUE: &str = "crm.events";
const MINUTE: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(3600);

/// What a run asks at random: what makes sense, and what does not.
fn asks(random: &mut fastrand::Rng) -> Vec<Ask> {
    let count = random.usize(1..6);
    (0..count).map(|_| ask(random)).collect()
}

fn ask(random: &mut fastrand::Rng) -> Ask {
    let key = format!("k{}", random.u64(..KEYS));
    let claim = Claim {
        id: RowId { key: Key::digest_of(&key), slot: random.u64(..2) << 63 },
        key: key.into(),
        body: random.u64(..2),
        rule: random.choice(["one", "two"]).unwrap().into(),
        ticket: random.u64(1..4),
        epoch: random.choice([None, Some(1), Some(2)]).unwrap(),
        unsure_creates: random.u32(..3),
        attempts: random.u32(..3),
        sends: random.bool().then_some(Sends { lookup: None }),
        opens: if random.u8(..8) == 0 { Opens::Created } else { Opens::Nothing },
        ..any_claim()
    };
    if random.bool() {
        return Ask::Claim(Box::new(Claim { epoch: None, ..claim }), oneshot::channel().0);
    }
    let created = |id: &str| Some(RowEnd::Created(Some(id.to_owned())));
    let end = random.choice([None, created("p"), created("q"), Some(RowEnd::Dead("refused".to_owned()))]).unwrap();
    Ask::Record(Box::new(Record { claim: Box::new(claim), end }), oneshot::channel().0)
}

fn any_claim() -> Claim {
    Claim {
        id: RowId { key: Key::digest_of("any"), slot: 0 },
        key: "any".into(),
        body: 1,
        request: u64::MAX,
        rule: "one".into(),
        procedure: "ticket".into(),
        ticket: 1,
        epoch: None,
        unsure_creates: 0,
        attempts: 0,
        sends: Some(Sends { lookup: None }),
        opens: Opens::Nothing,
    }
}

async fn store() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let (mut session, _) = sqlite::open(&folder.path().join("ledger.db")).await.unwrap();
    schema::migrate(&mut session).await.unwrap();
    for owner in ["me", "other"] {
        session.run(RENEW, &[owner, &LEASE.as_millis().to_string()]).await.unwrap();
    }
    (folder, session)
}

/// A row as it is kept, with times that only say whether there is one.
async fn kept(session: &mut Session, id: RowId) -> Option<Known> {
    let texts = session.texts(OF_KEY, &[QUEUE, &crate::ledger::kept::hex(&id.key)]).await.unwrap();
    let rows = texts.iter().map(|text| parsed::<Kept>(text).unwrap()).filter(|kept| kept.id() == Some(id));
    rows.map(|kept| Known { revision: kept.revision, row: timeless(kept.row()) }).next()
}

fn timeless(row: Row) -> Row {
    let is_set = |ms: i64| i64::from(ms != 0);
    Row { first_ms: is_set(row.first_ms), sent_ms: is_set(row.sent_ms), ended_ms: is_set(row.ended_ms), ..row }
}

fn who(owner: &str) -> Who {
    Who { queue: QUEUE.into(), owner: owner.into() }
}

/// Asks the long way, and answers what is learned of it.
async fn the_long_way(session: &mut Session, owner: &str, asks: &[Ask]) -> Vec<(RowId, Known)> {
    match commit(session, &who(owner), asks).await.unwrap() {
        Done::Committed(_, rows) => rows,
        Done::Lapsed => panic!("the lease runs"),
    }
}

/// Holds what was planned against the rows that were there before.
async fn holds(session: &mut Session, plan: &Plan, before: &HashMap<RowId, Option<Known>>) {
    let asker = Asker { owner: "me", now_ms: MOMENT, lease: LEASE };
    for (id, Step { ask, answer, .. }) in &plan.steps {
        let was = before[id].clone();
        let revision = was.as_ref().map_or(0, |known| known.revision);
        let (row, said) = decide(was.map(|known| known.row), ask, &asker);
        assert_eq!(format!("{said:?}"), format!("{answer:?}"), "{ask:?}");
        let is = Known { row: timeless(row.unwrap()), revision: revision + 1 };
        assert_eq!(kept(session, *id).await, Some(is), "{ask:?}");
    }
}

#[tokio::test]
async fn what_is_written_at_once_is_what_follows_from_the_rows_that_are_there() {
    timeout(MINUTE, walk()).await.unwrap();
}

async fn walk() {
    let (_folder, mut session) = store().await;
    let seed = fastrand::u64(..);
    let (mut random, mut expected) = (fastrand::Rng::with_seed(seed), Expected::default());
    let (mut whole, mut otherwise) = (0, 0);
    for _ in 0..ROUNDS {
        // Somebody else writes too, and old rows leave.
        if random.u8(..6) == 0 {
            the_long_way(&mut session, "other", &asks(&mut random)).await;
        }
        if random.u8(..6) == 0 {
            session.run(PRUNE, &[QUEUE, "created", "-60000", "9"]).await.unwrap();
        }
        let (plan, mut rest) = expected.plan(asks(&mut random), &who("me"));
        let mut before = HashMap::new();
        for id in plan.steps.keys() {
            before.insert(*id, kept(&mut session, *id).await);
        }
        if once::write(&mut session, &who("me"), plan.rows()).await.unwrap() {
            whole += usize::from(!plan.is_empty());
            holds(&mut session, &plan, &before).await;
            drop(plan.done(&mut expected));
        } else {
            otherwise += 1;
            rest.splice(..0, plan.asks()).for_each(drop);
        }
        if !rest.is_empty() {
            let learned = the_long_way(&mut session, "me", &rest).await;
            expected.learn(learned);
        }
    }
    assert!(whole > 20 && otherwise > 20, "seed {seed}: {whole} at once, {otherwise} otherwise");
}

#[tokio::test]
async fn nothing_is_written_at_once_where_the_lease_is_over() {
    let (_folder, mut session) = store().await;
    timeout(MINUTE, session.run(RENEW, &["me", "-1"])).await.unwrap().unwrap();
    let mut random = fastrand::Rng::new();
    let plan = loop {
        let (plan, _) = Expected::default().plan(asks(&mut random), &who("me"));
        if !plan.is_empty() {
            break plan;
        }
    };
    assert_eq!(once::write(&mut session, &who("me"), plan.rows()).await, Ok(false));
    let id = plan.steps.keys().next().unwrap();
    assert_eq!(kept(&mut session, *id).await, None);
}

/// One claim of each of so many keys.
fn many(count: usize) -> Vec<Ask> {
    let claim = |n: usize| {
        let key = format!("many-{n:04}");
        let id = RowId { key: Key::digest_of(&key), slot: 0 };
        Claim { id, key: key.into(), ticket: 1, epoch: None, opens: Opens::Nothing, ..any_claim() }
    };
    (0..count).map(|n| Ask::Claim(Box::new(claim(n)), oneshot::channel().0)).collect()
}

async fn count(session: &mut Session) -> String {
    let all = Sql { sqlite: "SELECT CAST(count(*) AS TEXT) FROM chakra_bridge_events", postgres: "" };
    timeout(MINUTE, session.text(all, &[])).await.unwrap().unwrap()
}

#[tokio::test]
async fn however_many_rows_there_are_they_are_written_together_or_not_at_all() {
    const MANY: usize = ROWS_MAX;
    let (_folder, mut session) = store().await;
    let refuses = Sql {
        sqlite: "CREATE TRIGGER refuses BEFORE INSERT ON chakra_bridge_events WHEN NEW.ticket = 1 AND \
                 (SELECT count(*) FROM chakra_bridge_events) = 120 BEGIN SELECT RAISE(ABORT, 'refused'); END",
        postgres: "",
    };
    timeout(MINUTE, session.simple(refuses)).await.unwrap().unwrap();
    let (plan, rest) = Expected::default().plan(many(MANY), &who("me"));
    assert!(rest.is_empty());
    let failed = timeout(MINUTE, once::write(&mut session, &who("me"), plan.rows())).await.unwrap();
    assert_eq!(failed.unwrap_err().kind, Kind::Data);
    assert_eq!(count(&mut session).await, "0");
    let allowed = Sql { sqlite: "DROP TRIGGER refuses", postgres: "" };
    timeout(MINUTE, session.simple(allowed)).await.unwrap().unwrap();
    assert_eq!(timeout(MINUTE, once::write(&mut session, &who("me"), plan.rows())).await.unwrap(), Ok(true));
    assert_eq!(count(&mut session).await, MANY.to_string());
}

#[tokio::test]
async fn a_row_that_somebody_deleted_before_its_end_goes_the_long_way() {
    let (_folder, mut session) = store().await;
    let mut expected = Expected::default();
    let (plan, _) = expected.plan(many(1), &who("me"));
    let id = *plan.steps.keys().next().unwrap();
    assert_eq!(timeout(MINUTE, once::write(&mut session, &who("me"), plan.rows())).await.unwrap(), Ok(true));
    drop(plan.done(&mut expected));
    let delete = Sql { sqlite: "DELETE FROM chakra_bridge_events", postgres: "" };
    timeout(MINUTE, session.simple(delete)).await.unwrap().unwrap();
    let Ask::Claim(claim, _) = many(1).remove(0) else { panic!("a claim") };
    let record = Record { claim: Box::new(Claim { epoch: Some(1), ..*claim }), end: Some(RowEnd::Created(None)) };
    let (plan, rest) = expected.plan(vec![Ask::Record(Box::new(record), oneshot::channel().0)], &who("me"));
    assert!(rest.is_empty());
    assert_eq!(timeout(MINUTE, once::write(&mut session, &who("me"), plan.rows())).await.unwrap(), Ok(false));
    assert_eq!(kept(&mut session, id).await, None);
}
