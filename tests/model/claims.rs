//! The ledger of the daemon as a part of the world: rows that are kept by the functions that stores keep them by, whose writes may be
//! lost, late, or applied although they failed; and the leases of lives that ended.
//!
//! Not here: the books of a walk (`ledger`), and a database.

use std::collections::BTreeMap;
use std::time::Duration;

use chakra_bridge::core::delivery::{EventId, RecordId};
use chakra_bridge::core::ledger::{Asker, Claim, Claimed, Record, Recorded, Row, RowEnd, RowId, claimed, recorded};
use chakra_bridge::core::process::CreateProcess;

use crate::adversary::Sabotage;
use crate::broker::Later;
use crate::ledger::{key_of, key_text};
use crate::stage::{Kind, LATENCY, LEASE, SECOND, TIMEOUT};
use crate::strikes::Strike;
use crate::world::World;

/// All rows, and until when the leases of lives that ended run.
#[derive(Debug, Default)]
pub(crate) struct Store {
    rows: BTreeMap<RowId, Row>,
    leases: BTreeMap<u32, Duration>,
    away_until: Duration,
}

/// What a life asked for.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Claim(Box<Claim>),
    Record(Record),
}

impl Write {
    fn row_id(&self) -> RowId {
        match self {
            Self::Claim(claim) => claim.id,
            Self::Record(record) => record.claim.id,
        }
    }
}

/// What was answered.
pub(crate) enum Answer {
    Claimed(Claimed),
    Recorded(Recorded),
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Fine,
    Lost,
    /// It is applied, and its answer is lost.
    Applied,
    /// The same, after a while.
    Late,
}

fn owner(life: u32) -> String {
    format!("r{life}")
}

impl World<'_> {
    /// A create that is to be claimed first.
    pub(crate) fn claim(&mut self, event: EventId, request: &CreateProcess, claim: Claim) {
        let claimed = match self.asks(Write::Claim(Box::new(claim))) {
            Some(Answer::Claimed(claimed)) => claimed,
            _ => Claimed::Away,
        };
        self.tell(|| format!("  the ledger: {claimed:?}"));
        let life = self.shell.life;
        if matches!(claimed, Claimed::Mine { may_send: true, .. }) && self.choices.spends(&mut self.setting.strikes, 12)
        {
            // Between the commit and the create.
            if self.setting.replicas > 1 && self.choices.happens(2) && !self.is_frozen() {
                return self.freezes_with(event, request, claimed);
            }
            self.strike(Strike::Kill);
        }
        if self.shell.life != life {
            return;
        }
        let has_time = !(self.choices.is_random() && self.choices.spends(&mut self.setting.writes, 12));
        match claimed {
            Claimed::Mine { epoch, may_send: true, .. } if has_time => self.create(event, request, Some(epoch)),
            _ if self.setting.sabotage == Sabotage::IgnoresClaims => self.create(event, request, None),
            claimed => {
                self.count.withheld += 1;
                self.shell.running.insert(event, None);
                self.agenda.add(self.now + LATENCY, Later::Withheld { event, claimed });
            }
        }
    }

    /// The ledger is told something.
    pub(crate) fn record(&mut self, id: RecordId, record: Record) {
        if self.setting.sabotage == Sabotage::RecordsNothing {
            return self.agenda.add(self.now, Later::Recorded { record: id, recorded: Recorded::Yes });
        }
        if self.setting.sabotage == Sabotage::RecordsLate {
            let seen = self.store.rows.get(&record.claim.id).cloned();
            let (life, write) = (self.shell.life, Write::Record(record));
            self.agenda.add(self.now + SECOND, Later::LateWrite { life, write, seen });
            return self.agenda.add(self.now, Later::Recorded { record: id, recorded: Recorded::Yes });
        }
        let recorded = match self.asks(Write::Record(record)) {
            Some(Answer::Recorded(recorded)) => recorded,
            _ => Recorded::Away,
        };
        self.tell(|| format!("  the ledger: {recorded:?}"));
        self.agenda.add(self.now + LATENCY / 10, Later::Recorded { record: id, recorded });
        if self.choices.spends(&mut self.setting.strikes, 12) {
            self.agenda.add(self.now, Later::Strike(Strike::Kill));
        }
    }

    pub(crate) fn asks(&mut self, write: Write) -> Option<Answer> {
        let life = self.shell.life;
        match self.outcome() {
            Outcome::Fine => Some(self.writes(life, &write)),
            Outcome::Lost => None,
            Outcome::Applied => {
                drop(self.writes(life, &write));
                None
            }
            Outcome::Late => {
                let at = self.now + SECOND * self.choices.one(&[1, 3, 20]);
                self.reason(at);
                let seen = self.store.rows.get(&write.row_id()).cloned();
                // What was asked for is decided by the row as it was read: what was refused by then is not written late.
                if self.setting.replicas == 1 || self.decides(life, &write).0.is_some() {
                    self.agenda.add(at, Later::LateWrite { life, write, seen });
                }
                None
            }
        }
    }

    fn outcome(&mut self) -> Outcome {
        if self.now < self.store.away_until {
            return Outcome::Lost;
        }
        if !self.choices.spends(&mut self.setting.writes, 4) {
            return Outcome::Fine;
        }
        self.reason(self.now + TIMEOUT);
        self.choices.one(&[Outcome::Lost, Outcome::Applied, Outcome::Late])
    }

    /// The write comes to the rows.
    fn writes(&mut self, life: u32, write: &Write) -> Answer {
        let (row, answer) = self.decides(life, write);
        if let Some(row) = row {
            let id = write.row_id();
            self.tell(|| format!("  row {id:?}: {row:?}"));
            self.store.rows.insert(id, row);
        }
        if self.store.leases.contains_key(&life) || self.frozen_lease(life).is_some() {
            self.leaves_doubts(life);
        }
        answer
    }

    /// What is to be written, and answered.
    fn decides(&self, life: u32, write: &Write) -> (Option<Row>, Answer) {
        let row = self.store.rows.get(&write.row_id()).cloned();
        let lease = row.as_ref().map_or(Duration::ZERO, |row| self.lease(&row.owner));
        let now_ms = i64::try_from(self.now.as_millis()).expect("a time of the model");
        let owner = owner(life);
        let asker = Asker { owner: &owner, now_ms, lease };
        match write {
            Write::Claim(claim) => {
                let (row, answer) = claimed(row, claim, &asker);
                (row, Answer::Claimed(answer))
            }
            Write::Record(record) => {
                let (row, answer) = recorded(row, record, &asker);
                (row, Answer::Recorded(answer))
            }
        }
    }

    fn lease(&self, owner: &str) -> Duration {
        self.lease_of(owner.trim_start_matches('r').parse().expect("a life of the model"))
    }

    /// How long the lease of a life still runs: one that goes on renews it.
    pub(crate) fn lease_of(&self, life: u32) -> Duration {
        let until = self.store.leases.get(&life).copied().or_else(|| self.frozen_lease(life));
        until.map_or(LEASE, |until| until.saturating_sub(self.now))
    }

    /// What this life was let create, or wrote so late that it had ended, is in doubt for those after it.
    pub(crate) fn leaves_doubts(&mut self, life: u32) {
        let owner = owner(life);
        let left =
            self.store.rows.values().filter(|row| *row.owner == *owner && row.end.is_none() && row.unsure_creates > 0);
        let keys: Vec<usize> = left.map(|row| key_of(&row.key)).collect();
        keys.into_iter().for_each(|key| self.ledger.accounts[key].unsure_creates += 1);
    }

    /// A write of this life comes after all.
    pub(crate) fn writes_late(&mut self, life: u32, write: &Write, seen: Option<&Row>) {
        // A store writes over no row that another replica has changed since it was read.
        if self.setting.replicas > 1 && self.store.rows.get(&write.row_id()) != seen {
            return;
        }
        drop(self.writes(life, write));
    }

    /// This life ends: its lease runs for so long.
    pub(crate) fn lease_ends(&mut self, rest: Duration) {
        if self.setting.has_ledger {
            self.leaves_doubts(self.shell.life);
            self.reason(self.now + rest);
            self.store.leases.insert(self.shell.life, self.now + rest);
        }
    }

    pub(crate) fn ledger_goes_away(&mut self, length: Duration) {
        self.store.away_until = self.now + length;
        self.reason(self.now + length + TIMEOUT);
    }

    /// A create of this key goes out. With a ledger two of unknown outcome are the most, across all lives.
    pub(crate) fn sends(&mut self, key: usize) {
        let account = &mut self.ledger.accounts[key];
        let is_beyond = account.unknown >= 2 && account.published == 1 && account.panics == 0;
        account.unknown += 1;
        self.count.sins.repeats_beyond_the_limit += u64::from(self.setting.has_ledger && is_beyond);
    }

    /// A request of this event was answered; its create is known to be done or not, unless it is unsure.
    pub(crate) fn knows(&mut self, event: EventId, is_unsure: bool) {
        let Some(line) = self.shell.slot(event).map(|slot| slot.copy.line) else { return };
        let account = &mut self.ledger.accounts[self.ledger.lines[line].key];
        account.unknown = account.unknown.saturating_sub(u32::from(!is_unsure));
    }

    /// What is acknowledged as a process is in the ledger, unless it was recognised or it is said.
    pub(crate) fn minds_records(&mut self, key: usize, kind: Kind) {
        let is_said = std::mem::take(&mut self.ledger.is_told_unrecorded);
        let is_known = matches!(self.ledger.told, "already_created" | "duplicate" | "already_dead_lettered")
            || kind == Kind::Noise
            // What it was is told behind the acknowledgement; the walks without say the same.
            || self.setting.tells;
        let text = key_text(key);
        // What a frozen owner knows when it wakes is not taken: whoever has the row by now ends it.
        let is_anothers = |row: &Row| *row.owner != *owner(self.shell.life);
        let is_recorded = |row: &Row| matches!(row.end, Some(RowEnd::Created(_))) || is_anothers(row);
        let is_there = |row: &Row| *row.key == *text && is_recorded(row);
        if self.setting.has_ledger && !is_said && !is_known {
            let is_recorded = self.store.rows.values().any(is_there);
            self.count.sins.acknowledged_unrecorded += u64::from(!is_recorded);
        }
    }
}
