//! Room beside a source that is shut or lets fetches wait: beyond its share of the places its events are delayed.
//!
//! Not here: its breaker (`sources`), and how large a share is (`places`).

use std::sync::Arc;
use std::time::Duration;

use super::Host;
use crate::core::delivery::event::Stage;
use crate::core::delivery::places::ALONE_FOR;
use crate::core::delivery::{EventId, Machine};
use crate::core::gate::Moment;
use crate::core::process::Procedure;

/// A host that has let a fetch wait for so long is slow, and so is one for whose queue that many seconds would not do.
const SLOW: Duration = Duration::from_secs(1);

impl Host {
    /// How many events wait for it or are under way.
    fn held(&self) -> usize {
        self.waiting.len() + self.running.len()
    }

    /// For how long it has been shut or slow.
    fn is_slow_for(&self, now: Moment, of_one_host: usize) -> Option<Duration> {
        if let Some(shut) = &self.shut {
            return Some(now.saturating_sub(shut.since));
        }
        let oldest = self.running.values().min().map(|began| now.saturating_sub(*began));
        let queue = u32::try_from(self.waiting.len() / of_one_host).unwrap_or(u32::MAX);
        let is_long = self.took.saturating_mul(queue) >= SLOW;
        oldest.filter(|oldest| *oldest >= SLOW || is_long)
    }

    /// So long it may hold all places where none of others is known: a second, longer where its fetches are known to take long.
    fn alone_for(&self) -> Duration {
        if self.shut.is_some() { ALONE_FOR } else { self.took.saturating_mul(4).clamp(SLOW, ALONE_FOR) }
    }

    /// When it is to be minded next, if it holds more than so many places: nobody else may come that would ask.
    pub(super) fn minded_at(&self, now: Moment, least: usize) -> Option<Moment> {
        if self.held() <= least {
            return None;
        }
        let oldest = self.running.values().min().copied();
        let since = self.shut.as_ref().map(|shut| shut.since).or(oldest)?;
        [SLOW, self.alone_for()].map(|after| since.saturating_add(after)).into_iter().filter(|at| *at > now).min()
    }
}

impl Machine {
    /// Events whose pictures come from a host that is shut or slow must not stand in the way of others: beyond a quarter of the places
    /// they are delayed, the newest first. They age meanwhile.
    pub(in crate::core::delivery) fn make_room_of_sources(&mut self) {
        if self.sources.is_empty() || !self.can_delay() {
            return;
        }
        let (now, of_one_host) = (self.now.moment, self.setup.photos.of_one_host());
        // This is asked at each input, whatever it is about.
        let least = self.least_of_source();
        let crowded = self.sources.hosts.iter().filter(|(_, host)| host.held() > least);
        let slow = |host: &Host| host.is_slow_for(now, of_one_host).map(|slow_for| (slow_for, host.alone_for()));
        let hosts: Vec<(Arc<str>, (Duration, Duration))> =
            crowded.filter_map(|(name, host)| Some((Arc::clone(name), slow(host)?))).collect();
        for (name, (slow_for, alone_for)) in hosts {
            for id in self.too_many_of(&name, slow_for >= alone_for) {
                if self.can_delay() {
                    self.delay_for_source(id, slow_for);
                }
            }
        }
    }

    /// No source may take less places than that.
    pub(in crate::core::delivery) fn least_of_source(&self) -> usize {
        self.quarter().min(self.most_alone())
    }

    fn too_many_of(&mut self, name: &Arc<str>, is_minded: bool) -> Vec<EventId> {
        let limit = self.limit_of_source(&Procedure::of_host(name), is_minded);
        let Some(host) = self.sources.hosts.get_mut(name) else { return Vec::new() };
        let held = &self.held;
        let is_its = |id: &EventId| {
            held.get(*id).is_some_and(|event| {
                matches!(event.stage, Stage::Waiting(_)) && event.source().as_deref() == Some(&**name)
            })
        };
        host.waiting.retain(is_its);
        let excess = host.held().saturating_sub(limit);
        let newest: Vec<EventId> = host.waiting.iter().rev().take(excess).copied().collect();
        host.waiting.retain(|id| !newest.contains(id));
        newest
    }

    fn delay_for_source(&mut self, id: EventId, slow_for: Duration) {
        if let Some(event) = self.held.get_mut(id) {
            event.context.waits_for_source = true;
        }
        let wait = self.wait_of_shut(slow_for);
        self.outstanding.add(self.now.moment.saturating_add(wait));
        self.delay(id, wait, wait);
    }
}
