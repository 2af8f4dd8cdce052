//! One walk: the events, the broker, the daemon around its machine, the API, and a clock that is wound by hand.
//!
//! Not here: who chooses (`adversary`), and what is held against the outcome (`laws`, `ledger`).

use std::time::Duration;

use chakra_bridge::core::delivery::{Command, Input, Setup};
use chakra_bridge::core::process::Procedure;

use crate::adversary::{Choices, Setting};
use crate::api::{Act, Api};
use crate::broker::{Agenda, Broker, Later};
use crate::claims::Store;
use crate::fleet::Fleet;
use crate::laws::Count;
use crate::ledger::{Ledger, Line};
use crate::photos::{Gallery, WALLS_OF_HOSTS};
use crate::requests::{Wall, WallScope};
use crate::shell::Shell;
use crate::stage::{self, Kind, SECOND};

/// What a firewall may answer one event with, for ever.
const WALLS_OF_EVENTS: [Act; 5] = [Act::Page, Act::Payment, Act::NotAcceptable, Act::Redirects, Act::Forbids];

/// What the creates of one procedure may come to, for ever.
const WALLS_OF_PROCEDURES: [Act; 6] =
    [Act::Fails, Act::LosesRequest, Act::Forbids, Act::NoProcedure, Act::Throttles, Act::Page];

/// See the head of this file.
pub(crate) struct World<'a> {
    pub(crate) setting: Setting,
    pub(crate) setup: Setup,
    pub(crate) choices: &'a mut Choices,
    pub(crate) count: &'a mut Count,
    pub(crate) now: Duration,
    pub(crate) broker: Broker,
    pub(crate) api: Api,
    pub(crate) agenda: Agenda,
    pub(crate) shell: Shell,
    /// The other replicas.
    pub(crate) fleet: Fleet,
    /// The number of the newest life of any.
    pub(crate) lives: u32,
    pub(crate) ledger: Ledger,
    pub(crate) store: Store,
    pub(crate) gallery: Gallery,
    pub(crate) walls: Vec<Wall>,
    /// The wall that never falls, if there is one.
    neighbour: Option<Wall>,
    /// Which rules hold (`stage::rules`).
    pub(crate) rules_at: usize,
    pub(crate) can_delay: bool,
    /// Whether the broker counts what it gives back.
    pub(crate) counts_returns: bool,
    /// Until then the dead-letter queue, and the delay queues, refuse what is published.
    pub(crate) refuses_letters_until: Duration,
    pub(crate) refuses_delays_until: Duration,
    /// The same of the exchange of outcomes.
    pub(crate) refuses_outcomes_until: Duration,
    /// Until then something was not well.
    pub(crate) troubled_until: Duration,
    /// Each create that was sent: when, and of which publish.
    pub(crate) asked: Vec<(Duration, usize)>,
    is_told: bool,
}

impl<'a> World<'a> {
    pub(crate) fn new(setting: Setting, setup: Setup, choices: &'a mut Choices, count: &'a mut Count) -> Self {
        let shell = Shell::new(setup.clone(), 0, 0, 0);
        let is_random = choices.is_random();
        Self {
            can_delay: !is_random || !choices.happens(8),
            counts_returns: is_random && choices.happens(2),
            setting,
            setup,
            choices,
            count,
            now: SECOND,
            broker: Broker::default(),
            api: Api::default(),
            agenda: Agenda::default(),
            shell,
            fleet: Fleet::default(),
            lives: 0,
            ledger: Ledger::default(),
            store: Store::default(),
            gallery: Gallery::default(),
            walls: Vec::new(),
            neighbour: None,
            rules_at: 0,
            refuses_letters_until: Duration::ZERO,
            refuses_delays_until: Duration::ZERO,
            refuses_outcomes_until: Duration::ZERO,
            troubled_until: Duration::ZERO,
            asked: Vec::new(),
            is_told: false,
        }
    }

    /// Walks once, and counts. `is_told` prints every step.
    pub(crate) fn walk(setting: Setting, choices: &'a mut Choices, count: &'a mut Count, is_told: bool) {
        let mut world = Self::new(setting, stage::setup(&setting, 0), choices, count);
        world.is_told = is_told;
        world.plan();
        world.connects();
        world.muster();
        world.run(stage::timeout(&world.setup));
        world.close();
    }

    /// A wall that never falls stands before one event, or before the creates of one procedure.
    fn wall_in_a_neighbour(&mut self) {
        let (acts, scope): (&[Act], _) = if let Some(host) = self.host_of_a_wall() {
            (&WALLS_OF_HOSTS, host)
        } else if self.choices.happens(2) {
            (&WALLS_OF_EVENTS, WallScope::Keys(1))
        } else {
            let lead = Procedure::new("lead").expect("a short id");
            (&WALLS_OF_PROCEDURES, WallScope::Creates(lead))
        };
        let wall = Wall { act: self.choices.one(acts), scope, until: Duration::MAX };
        self.tell(|| format!("for ever: {wall:?}"));
        self.walls.push(wall.clone());
        self.neighbour = Some(wall);
        // Without delay queues those that fail hold every place there is.
        self.can_delay = true;
    }

    /// Which events there will be.
    fn plan(&mut self) {
        let is_random = self.choices.is_random();
        if self.setting.has_neighbour {
            self.wall_in_a_neighbour();
        }
        // Mostly few: what goes wrong goes wrong with few, and sooner.
        let most = if is_random && self.choices.happens(4) { self.setting.events } else { self.setting.events.min(3) };
        let events = if is_random { 1 + self.choices.of(most) } else { most };
        for _ in 0..events {
            let kind = self.choices.one(self.setting.kinds);
            let at = if is_random { self.choices.one(&[0, 0, 1, 30]) } else { 0 };
            self.produce(kind, None, SECOND * (1 + at));
            self.repeat(kind, SECOND * (1 + at));
            if is_random && self.choices.spends(&mut self.setting.episodes, 12) {
                let (key, later) = (self.ledger.accounts.len() - 1, self.choices.one(&[0, 1, 20]));
                self.produce(kind, Some(key), SECOND * (1 + at + later));
            }
        }
    }

    /// The producer of the last event repeats itself, 0 to 20 s after it first published it.
    fn repeat(&mut self, kind: Kind, at: Duration) {
        let times = if self.setting.repeats == 0 { 0 } else { self.choices.of(1 + self.setting.repeats) };
        for _ in 0..times {
            let (key, later) = (self.ledger.accounts.len() - 1, self.choices.one(&[0, 0, 1, 5, 20]));
            self.produce(kind, Some(key), at + SECOND * later);
        }
    }

    /// A producer will publish an event at this time.
    pub(crate) fn produce(&mut self, kind: Kind, key: Option<usize>, at: Duration) -> usize {
        self.count.events += 1;
        let line = self.ledger.add(key, kind);
        self.reason(at);
        self.agenda.add(at, Later::Publish { line });
        line
    }

    pub(crate) fn connects(&mut self) {
        self.shell.is_up = true;
        self.shell.places = self.setup.places;
        self.on(Input::Connected { can_delay: self.can_delay });
    }

    /// Until all is settled, or something has waited for longer than it may since all was well.
    pub(crate) fn run(&mut self, timeout: Duration) {
        while self.is_unfinished() {
            let goes_on = self.step();
            if self.is_unfinished() && (!goes_on || self.now > self.troubled_until + timeout) {
                self.count.sins.starved += 1;
                return;
            }
        }
    }

    /// Whether a healthy event is still about, or, where there is no other, anything is held.
    fn is_unfinished(&self) -> bool {
        let mut lines = self.ledger.lines.iter().enumerate();
        let is_about =
            lines.any(|(at, line)| !self.is_hopeless(line) && (!line.is_published || self.broker.copies_of(at) > 0));
        is_about || (self.neighbour.is_none() && self.is_any_held())
    }

    /// Whether it stands behind the wall that never falls; or a create of it may have been applied, so that it is not the probe
    /// while another may be.
    fn is_hopeless(&self, line: &Line) -> bool {
        let is_in_doubt = self.ledger.accounts[line.key].unsure_creates > 0;
        self.neighbour.as_ref().is_some_and(|wall| is_in_doubt || wall.is_before_event(line.kind, line.key))
    }

    /// What happens next; false if nothing ever does.
    pub(crate) fn step(&mut self) -> bool {
        self.deliver();
        self.meddle();
        self.ends_what_is_drained();
        match (self.agenda.next(), self.next_wake()) {
            (Some(at), wake) if wake.is_none_or(|(wake, _)| at <= wake.max(self.now)) => {
                self.now = self.now.max(at);
                if let Some((of, later)) = self.agenda.pop() {
                    self.turn_to(of);
                    self.happens(later);
                }
            }
            (_, Some((_, of))) => {
                self.turn_to(of);
                self.wakes();
            }
            (_, None) => return false,
        }
        true
    }

    fn happens(&mut self, later: Later) {
        match later {
            Later::Publish { line } => {
                self.ledger.lines[line].is_published = true;
                let key = self.ledger.lines[line].key;
                self.ledger.accounts[key].published += 1;
                let copy = self.broker.copy(None, line, None);
                self.broker.work.push_back(copy);
            }
            Later::Expired(copy) => self.broker.work.push_back(copy),
            Later::Confirm(receipt) => self.confirmed(receipt),
            Later::Kept(receipt, is_letter) => self.hears_kept(receipt, is_letter),
            Later::KeptFirst(receipt) => self.hears_kept_first(receipt),
            Later::Refused(receipt) => self.hears_refused(receipt),
            Later::Replied { event, reply, took, is_unsure, epoch } => {
                if epoch.is_some() {
                    self.knows(event, is_unsure && reply.is_some());
                }
                if is_unsure {
                    self.unsure(event, reply.is_some());
                }
                self.shell.running.remove(&event);
                self.on(match reply {
                    Some(reply) => Input::Replied { event, reply, took, epoch },
                    None => Input::Panicked { event },
                });
            }
            Later::Up(photo) => self.is_up(photo),
            Later::Brought { event, reply, took, epoch } => self.brought(event, reply, took, epoch),
            Later::Withheld { event, claimed } => {
                self.shell.running.remove(&event);
                self.on(Input::Withheld { event, claimed });
            }
            Later::Recorded { record, recorded } => self.on(Input::Recorded { record, recorded }),
            Later::LateWrite { life, write, seen } => self.writes_late(life, &write, seen.as_ref()),
            Later::Checked { rule, lookup, reply } => self.on(Input::Checked { rule, lookup, reply }),
            Later::Stale(copy) => self.arrives(copy, false),
            Later::Thaws => {}
            Later::SendsAnyway { event, request } => self.create(event, &request, None),
            Later::Hear => {
                self.shell.is_unheard = false;
                self.on(Input::Disconnected);
            }
            Later::Connect => self.connects(),
            Later::Resume => self.on(Input::Command(Command::Resume)),
            Later::CutOff => self.cut_off(),
            Later::Strike(strike) => self.strike(strike),
        }
    }

    pub(crate) fn close(&mut self) {
        self.count.walks += 1;
        self.each(Self::all_are_settled);
        self.count.sins.lost += u64::try_from(self.missing()).expect("few events");
    }

    /// Says what happens, if anybody wants to hear it.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.is_told {
            println!("{:>9.3} {}", self.now.as_secs_f64(), what());
        }
    }
}
