//! Before a pass: the connection, what the pass costs, and which letters are meant.
//!
//! Not here: the pass.

use super::Stop;
use super::arguments::{Looking, Which};
use crate::amqp::address::user_and_vhost;
use crate::amqp::letters::{Letters, Look};
use crate::clock::{date_of, epoch_ms};
use crate::core::letters::cost::{Cost, Seen, cost, remedy};
use crate::core::letters::filter::Filter;
use crate::core::letters::{self, Read};
use crate::management;
use crate::ready::Ready;

/// What every verb that looks works with.
pub(super) struct Opened<'r> {
    pub(super) ready: &'r Ready,
    pub(super) letters: Letters,
    pub(super) filter: Filter,
    /// Who asks.
    pub(super) who: String,
    /// When it was asked, in epoch milliseconds.
    pub(super) now_ms: u64,
}

impl<'r> Opened<'r> {
    /// Connects, and refuses where a pass costs something that nobody agreed to.
    pub(super) async fn open(
        ready: &'r Ready,
        which: &Which,
        looking: &Looking,
        publishes: bool,
    ) -> Result<Self, Stop> {
        let (who, now_ms) = (looking.who(), epoch_ms());
        let filter = which.filter(now_ms)?;
        let letters = Letters::open(&ready.config.broker, &who, publishes).await?;
        match may_look(ready, &letters, looking.yes_count_one).await {
            Ok(()) => Ok(Self { ready, letters, filter, who, now_ms }),
            Err(why) => {
                letters.close().await;
                Err(Stop::Said(why))
            }
        }
    }

    /// The same for every letter, and for looking only.
    pub(super) async fn of(ready: &'r Ready, looking: &Looking) -> Result<Self, String> {
        match Self::open(ready, &Which::default(), looking, false).await {
            Ok(opened) => Ok(opened),
            Err(Stop::Said(why)) => Err(why),
            Err(Stop::Output(error)) => Err(error.to_string()),
        }
    }

    /// The next letter that is meant, with all that is known of it.
    pub(super) async fn next(&self, look: &mut Look) -> Result<Option<(crate::amqp::letters::Found, Read)>, String> {
        while let Some(found) = look.next().await? {
            let (message, told) = found.read();
            let read = letters::read(message, told, &self.ready.config.broker.queue, &self.ready.limits);
            if self.filter.takes(&read) {
                return Ok(Some((found, read)));
            }
        }
        Ok(None)
    }

    /// Who asked, and when.
    pub(super) fn stamp(&self) -> String {
        format!("{} {}", date_of(self.now_ms), self.who)
    }
}

async fn may_look(ready: &Ready, letters: &Letters, yes_count_one: bool) -> Result<(), String> {
    let queue = &ready.config.broker.dead_letter_queue;
    let (_, vhost) = user_and_vhost(&ready.config.broker.url);
    let (words, is_argument) = match cost(&seen(ready, letters).await?) {
        Cost::Nothing => return Ok(()),
        Cost::Refused(why) => return Err(format!("queue `{queue}`: {why}")),
        Cost::One { .. } | Cost::Unknown(_) if yes_count_one => return Ok(()),
        Cost::One { limit, is_argument } => (
            format!(
                "a letter is deleted by the broker once it was given back {limit} times, and each pass gives it back"
            ),
            is_argument,
        ),
        Cost::Unknown(why) => {
            let words = format!(
                "each pass may count towards a limit at which the broker deletes a letter, and it cannot be seen whether: {why}"
            );
            (words, false)
        }
    };
    let mend = remedy(&vhost, queue, is_argument);
    Err(format!("queue `{queue}`: {words}. Nothing was looked at. To set none: {mend}. Or say --yes-count-one"))
}

/// By the management API, where there is one that answers; by AMQP otherwise.
async fn seen(ready: &Ready, letters: &Letters) -> Result<Seen, String> {
    let by_amqp = letters.seen().await?;
    let Some(config) = &ready.config.management else { return Ok(by_amqp) };
    match management::letters::seen(config).await {
        Ok(seen) if seen.queue.is_some() => Ok(seen),
        Ok(seen) => Ok(Seen { version: seen.version, ..by_amqp }),
        Err(why) => {
            eprintln!("broker.management.url: the management API cannot be asked: {why}");
            Ok(by_amqp)
        }
    }
}
