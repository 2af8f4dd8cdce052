//! Kills, lost connections, restarts, and what else happens to a daemon: pauses, reloads, walls before the API.
//!
//! Not here: what each request and each publish comes to (`requests`, `settling`).

use std::time::Duration;

use chakra_bridge::core::delivery::{Command, Input};
use chakra_bridge::core::process::Procedure;

use crate::api::Act;
use crate::broker::{Copy, Later};
use crate::requests::{Wall, WallScope};
use crate::stage::{self, SECOND, TIMEOUT};
use crate::world::World;

/// What may strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    Kill,
    Disconnect,
    /// Told to end, and started again.
    Restart,
    /// It stands still for a while, as a machine under a snapshot does.
    Freeze,
}

/// What stands before the API for a while.
const WALLS: [Act; 9] = [
    Act::RefusesToken,
    Act::Page,
    Act::Unreachable,
    Act::Fails,
    Act::FailsApplied,
    Act::Throttles,
    Act::Forbids,
    Act::NoProcedure,
    Act::LosesRequest,
];

impl World<'_> {
    /// Until then not all is well.
    pub(crate) fn reason(&mut self, until: Duration) {
        self.troubled_until = self.troubled_until.max(until);
    }

    /// Perhaps something strikes while this request is under way.
    pub(crate) fn strike_meanwhile(&mut self, took: Duration) {
        if self.choices.spends(&mut self.setting.strikes, 6) {
            let strike = self.one_strike();
            let at = if self.choices.is_random() { took.mul_f64(self.choices.dice()) } else { Duration::ZERO };
            self.agenda.add(self.now + at, Later::Strike(strike));
        }
    }

    /// Perhaps the daemon is killed or loses its connection at this very moment; whether it does.
    pub(crate) fn strikes_now(&mut self) -> bool {
        let strike = self.next_strike();
        strike.into_iter().for_each(|strike| self.strike(strike));
        strike.is_some()
    }

    /// What is to strike at this very moment, if anything.
    pub(crate) fn next_strike(&mut self) -> Option<Strike> {
        let strikes = self.choices.spends(&mut self.setting.strikes, 8);
        strikes.then(|| self.choices.one(&[Strike::Kill, Strike::Disconnect]))
    }

    /// Any of those that may strike at any time. What is frozen can only be killed.
    fn one_strike(&mut self) -> Strike {
        match self.setting.replicas {
            _ if self.is_frozen() => Strike::Kill,
            1 => self.choices.one(&[Strike::Kill, Strike::Disconnect, Strike::Restart]),
            _ => self.choices.one(&[Strike::Kill, Strike::Disconnect, Strike::Restart, Strike::Freeze, Strike::Freeze]),
        }
    }

    pub(crate) fn strike(&mut self, strike: Strike) {
        self.tell(|| format!("{strike:?}"));
        self.reason(self.now + TIMEOUT);
        match strike {
            Strike::Kill => self.kill(),
            Strike::Disconnect => self.disconnect(),
            Strike::Restart => self.drain(),
            Strike::Freeze => self.freeze(),
        }
    }

    /// All that is held goes back, and nothing is remembered.
    fn kill(&mut self) {
        self.count.killed += 1;
        self.lease_ends(self.lease_of(self.shell.life));
        self.agenda.freeze(None);
        self.cut_requests();
        self.connection_is_gone();
        self.begin_again();
    }

    /// Whatever is under way is cut off: what the server has of it may still be applied.
    fn cut_requests(&mut self) {
        for process in std::mem::take(&mut self.shell.running).into_values().flatten() {
            self.api.cut(process, self.now);
        }
        self.agenda.keep(|later| {
            let is_answer = matches!(later, Later::Replied { .. } | Later::Checked { .. } | Later::Brought { .. });
            let is_of_the_ledger =
                matches!(later, Later::Withheld { .. } | Later::Recorded { .. } | Later::SendsAnyway { .. });
            !is_answer && !is_of_the_ledger
        });
        self.cut_uploads();
    }

    /// The broker delivers all of it again; what was being published is there or not.
    fn connection_is_gone(&mut self) {
        self.shell.is_up = false;
        for (receipt, settlement) in std::mem::take(&mut self.broker.publishing) {
            if self.choices.happens(2) {
                self.keeps(receipt, &settlement, true);
            }
        }
        let lines: Vec<usize> = self.broker.delivered.values().map(|copy| copy.line).collect();
        lines.into_iter().for_each(|line| self.returned(line));
        self.broker.give_all_back();
        self.agenda
            .keep(|later| !matches!(later, Later::Connect | Later::Hear | Later::Confirm(_) | Later::Refused(_)));
    }

    /// The broker counts a return of it.
    pub(crate) fn returned(&mut self, line: usize) {
        let key = self.ledger.lines[line].key;
        self.ledger.accounts[key].returns += 1;
    }

    /// A new life knows of an event what came with its message.
    fn begin_again(&mut self) {
        self.ledger.unsure_creates = self.known_by_others();
        self.agenda
            .keep(|later| !matches!(later, Later::Resume | Later::CutOff | Later::Kept(..) | Later::KeptFirst(_)));
        self.lives += 1;
        self.shell = self.shell.reborn(stage::setup(&self.setting, self.rules_at), self.lives);
        self.agenda.add(self.now, Later::Connect);
    }

    pub(crate) fn disconnect(&mut self) {
        if !self.shell.is_up {
            return;
        }
        self.count.disconnected += 1;
        // One message may be on its way through the channel, and come after the word of the loss.
        let on_its_way = if self.setting.episodes > 0 && self.choices.happens(3) { self.lose_one() } else { None };
        self.connection_is_gone();
        self.shell.connection += 1;
        self.shell.is_unheard = true;
        let wait = if self.choices.happens(2) { SECOND } else { Duration::ZERO };
        self.reason(self.now + wait);
        self.agenda.add(self.now, Later::Hear);
        self.agenda.add(self.now + wait, Later::Connect);
        if let Some(copy) = on_its_way {
            self.agenda.add(self.now, Later::Stale(copy));
        }
    }

    /// What the broker has just delivered, and the daemon has not seen: it stands in the queue again.
    fn lose_one(&mut self) -> Option<Copy> {
        let copy = self.broker.work.front_mut()?;
        let stale = copy.clone();
        (copy.redelivered, copy.returns) = (true, copy.returns + 1);
        let line = copy.line;
        self.returned(line);
        Some(stale)
    }

    fn drain(&mut self) {
        if self.shell.is_draining {
            return;
        }
        let wait = if self.choices.happens(2) { 2 * TIMEOUT } else { Duration::ZERO };
        self.reason(self.now + wait + TIMEOUT);
        self.agenda.add(self.now + wait, Later::CutOff);
        self.on(Input::Command(Command::Drain));
    }

    /// The time to finish is over.
    pub(crate) fn cut_off(&mut self) {
        let running: Vec<_> = self.shell.running.keys().copied().collect();
        running.into_iter().for_each(|event| self.unsure(event, false));
        self.cut_requests();
        self.on(Input::Command(Command::CutOff));
        self.count.sins.never_settled += u64::from(self.shell.machine.held() > 0);
    }

    /// Nothing is held any more: the next life begins.
    pub(crate) fn endpoints(&mut self) {
        self.count.restarted += 1;
        self.lease_ends(Duration::ZERO);
        self.all_are_settled();
        self.cut_requests();
        self.connection_is_gone();
        self.begin_again();
    }

    /// Perhaps something else happens, at random.
    pub(crate) fn meddle(&mut self) {
        if !self.choices.is_random() {
            return;
        }
        if self.choices.spends(&mut self.setting.strikes, 30) {
            let strike = self.one_strike();
            self.strike(strike);
        }
        if !self.is_frozen() && self.choices.spends(&mut self.setting.episodes, 8) {
            self.episode();
        }
    }

    fn episode(&mut self) {
        let length = SECOND * self.choices.one(&[1, 5, 40, 200]);
        let kinds = if self.setting.has_ledger { 8 } else { 6 };
        match self.choices.of(kinds) {
            0 => self.wall(length),
            1 => {
                // Both for as long, or one of them.
                let of = self.choices.of(3);
                if self.setting.tells && self.choices.happens(2) {
                    self.refuses_outcomes_until = self.now + length;
                }
                self.refuses_letters_until = if of == 2 { self.refuses_letters_until } else { self.now + length };
                self.refuses_delays_until = if of == 1 { self.refuses_delays_until } else { self.now + length };
                self.reason(self.now + length + TIMEOUT);
            }
            2 if !self.shell.is_draining => {
                self.reason(self.now + length);
                self.agenda.add(self.now + length, Later::Resume);
                self.on(Input::Command(Command::Pause));
            }
            3 => {
                self.rules_at = 1 - self.rules_at;
                self.on(Input::Command(Command::NewRules(stage::rules(self.rules_at))));
            }
            4 => self.on(Input::Command(Command::NewToken)),
            5 => self.on(Input::Command(Command::NewCertificates)),
            6 | 7 => self.ledger_goes_away(length),
            _ => {}
        }
    }

    fn wall(&mut self, length: Duration) {
        let procedure = self.choices.one(&["lead", "ticket", "prospect", ""]);
        let scope = Procedure::new(procedure).map_or(WallScope::Everything, WallScope::Procedure);
        let scope = self.host_of_a_wall().unwrap_or(scope);
        let wall = Wall { act: self.choices.one(&WALLS), scope, until: self.now + length };
        self.reason(wall.until + TIMEOUT);
        self.tell(|| format!("{wall:?}"));
        self.walls.push(wall);
    }
}
