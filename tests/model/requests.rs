//! Requests: what the adversary makes of each, and how its event hears of it.
//!
//! Not here: what there is to make of one (`api`).

use std::sync::Arc;
use std::time::Duration;

use chakra_bridge::core::delivery::EventId;
use chakra_bridge::core::lookup::Lookup;
use chakra_bridge::core::process::{CreateProcess, Procedure};

use crate::adversary::Sabotage;
use crate::api::{ACTS, Act, FEW, SEEN, Seen};
use crate::broker::{Copy, Later};
use crate::ledger::key_of;
use crate::stage::{Kind, LAG, TIMEOUT};
use crate::world::World;

/// For a while the API answers everything, or one procedure, alike.
#[derive(Clone, Debug)]
pub(crate) struct Wall {
    pub(crate) act: Act,
    pub(crate) scope: WallScope,
    pub(crate) until: Duration,
}

/// What stands behind a wall.
#[derive(Clone, Debug)]
pub(crate) enum WallScope {
    Everything,
    Procedure(Procedure),
    /// Creates of this procedure.
    Creates(Procedure),
    /// Creates of these keys, the first so many.
    Keys(usize),
    /// Pictures of this host.
    Host(&'static str),
}

impl Wall {
    fn is_before(&self, procedure: &Procedure, key: usize, now: Duration) -> bool {
        let is_there = match &self.scope {
            WallScope::Everything => true,
            WallScope::Procedure(walled) | WallScope::Creates(walled) => walled == procedure,
            WallScope::Keys(keys) => key < *keys,
            WallScope::Host(_) => false,
        };
        is_there && now < self.until
    }

    /// Whether the creates of such an event meet it, by the rules before a reload or after.
    pub(crate) fn is_before_event(&self, kind: Kind, key: usize) -> bool {
        match &self.scope {
            WallScope::Everything => true,
            WallScope::Procedure(walled) | WallScope::Creates(walled) => kind.as_str().ends_with(walled.as_str()),
            WallScope::Keys(keys) => key < *keys,
            WallScope::Host(host) => kind.hosts().contains(host),
        }
    }

    /// What a lookup is told before it; the truth, where only creates meet it.
    fn seen(&self) -> Seen {
        match (self.act, &self.scope) {
            (_, WallScope::Keys(_) | WallScope::Creates(_)) => Seen::Truth,
            (Act::RefusesToken, _) => Seen::RefusesToken,
            (Act::Page, _) => Seen::Page,
            (Act::Throttles, _) => Seen::Throttles,
            (Act::Fails, WallScope::Everything) => Seen::Fails,
            (Act::Unreachable | Act::LosesRequest, WallScope::Everything) => Seen::Nothing,
            _ => Seen::Truth,
        }
    }
}

impl World<'_> {
    pub(crate) fn create(&mut self, event: EventId, request: &CreateProcess, epoch: Option<i64>) {
        let Some(copy) = self.begins(event) else { return };
        let content: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        let key = content["data"]["event_key"].as_str().map(key_of).expect("its key");
        self.minds_photos(self.ledger.lines[copy.line].kind, key, &content["data"]);
        let sent = self.ledger.unsure_creates.get(&copy.id).copied().unwrap_or(0);
        // Of two events of one key, or two copies, one may go on from where the other stood.
        let account = &self.ledger.accounts[key];
        let is_one = account.published == 1 && !account.is_mixed;
        self.count.sins.repeats_beyond_the_limit += u64::from(sent >= 2 && is_one);
        self.sends(key);
        let act = self.act(&request.procedure, key);
        self.tell(|| format!("  the API: {act:?}, after {sent} of unknown outcome by message {}", copy.id));
        let process = self.apply(act, &copy, &request.procedure);
        if self.setting.sabotage == Sabotage::SendsTwice {
            self.apply(act, &copy, &request.procedure);
        }
        self.ledger.accounts[key].is_refused |= act.is_refusal();
        self.ledger.accounts[key].panics += u32::from(act.reply().is_none());
        self.shell.running.insert(event, process);
        self.asked.push((self.now, copy.line));
        let (reply, took, is_unsure) = (act.reply(), act.took(), act.is_unsure());
        self.agenda.add(self.now + took, Later::Replied { event, reply, took, is_unsure, epoch });
        self.strike_meanwhile(took);
    }

    /// Whether the create of this event was applied nobody can know. One whose task panicked has a limit of its own, and one that
    /// was cut off at the end is not of this life.
    pub(crate) fn unsure(&mut self, event: EventId, is_counted: bool) {
        let Some(copy) = self.shell.slot(event).map(|slot| slot.copy.clone()) else { return };
        *self.ledger.unsure_creates.entry(copy.id).or_default() += u32::from(is_counted);
        self.ledger.accounts[self.ledger.lines[copy.line].key].unsure_creates += 1;
    }

    fn apply(&mut self, act: Act, copy: &Copy, procedure: &Procedure) -> Option<usize> {
        let after = act.applied()?;
        let lag = if self.setting.lag_varies && self.choices.happens(3) { LAG } else { Duration::ZERO };
        Some(self.applies(copy, procedure, after, lag))
    }

    fn act(&mut self, procedure: &Procedure, key: usize) -> Act {
        if let Some(wall) = self.walls.iter().find(|wall| wall.is_before(procedure, key, self.now)) {
            return wall.act;
        }
        let acts: &[Act] = if self.choices.is_random() { &ACTS } else { &FEW };
        if !self.choices.spends(&mut self.setting.creates, 2) {
            return Act::Applies;
        }
        let act = self.choices.one(&acts[1..]);
        self.reason(self.now + act.took().max(act.applied().unwrap_or_default() + LAG));
        act
    }

    pub(crate) fn look_up(&mut self, event: EventId, lookup: &Lookup) {
        let Some(copy) = self.begins(event) else { return };
        let (seen, there) = self.seen(lookup);
        if seen == Seen::Truth && self.setting.sabotage != Sabotage::LooksNever {
            self.ledger.looked.insert(copy.id, (self.now, lookup.procedure.clone()));
        }
        self.tell(|| format!("  the API: {seen:?}, {there}"));
        self.shell.running.insert(event, None);
        let (reply, took) = (seen.reply(there, &lookup.value), seen.took());
        self.ledger.accounts[self.ledger.lines[copy.line].key].panics += u32::from(reply.is_none());
        self.agenda.add(self.now + took, Later::Replied { event, reply, took, is_unsure: false, epoch: None });
        self.strike_meanwhile(took);
    }

    pub(crate) fn check(&mut self, rule: Arc<str>, lookup: Arc<Lookup>) {
        self.count.sins.sent_while_paused += u64::from(self.shell.is_paused || self.shell.is_draining);
        let (seen, there) = self.seen(&lookup);
        let (reply, took) = (seen.reply(there, &lookup.value), seen.took());
        self.agenda.add(self.now + took, Later::Checked { rule, lookup, reply });
    }

    /// What a lookup is told, and how many processes there are for it.
    fn seen(&mut self, lookup: &Lookup) -> (Seen, usize) {
        if self.setting.sabotage == Sabotage::LooksNever {
            return (Seen::Truth, 0);
        }
        let key = lookup.value.as_str().map(key_of).expect("its key");
        let there = self.api.sees(lookup, key, self.now);
        let wall = self.walls.iter().find(|wall| wall.is_before(&lookup.procedure, key, self.now));
        if let Some(wall) = wall {
            return (wall.seen(), there);
        }
        if !self.choices.spends(&mut self.setting.lookups, 3) {
            return (Seen::Truth, there);
        }
        let seen = self.choices.one(&SEEN);
        self.reason(self.now + TIMEOUT);
        (seen, there)
    }
}
