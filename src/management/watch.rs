//! Asks the management API at the start and again and again, and tells what it shows: each thing once, and again when it
//! changes.
//!
//! Not here: the questions (`survey`), and what the consumer does about it (`amqp`). An API that is away stops nothing.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::survey::{self, OfQueue, Survey};
use super::{Config, Role};
use crate::clock::epoch_ms;
use crate::core::queue::Weight;
use crate::metrics::Metrics;
use crate::states::broker::BrokerStatus;
use crate::states::queues::{Managed, QueueWarning};

/// Asks for ever; where no API is named, never.
pub async fn run(config: Option<Config>, state: watch::Sender<BrokerStatus>, metrics: Arc<Metrics>) -> Infallible {
    let Some(config) = config else { return std::future::pending().await };
    let mut ticks = interval(config.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Told::default();
    loop {
        ticks.tick().await;
        let subscribed = state.borrow().subscribed.clone();
        let mut surveyed = survey::take(&config, subscribed.as_ref()).await;
        if let (Ok(survey), None) = (&mut surveyed, &subscribed) {
            // The consumer may be making them, and says what is missing.
            survey.leave_out_unknown(|_| true);
        }
        if let Ok(survey) = &mut surveyed
            && state.borrow().subscribed != subscribed
        {
            survey.leave_out_subscription();
        }
        metrics.management(surveyed.is_ok());
        match &surveyed {
            Ok(survey) => {
                let now_s = i64::try_from(epoch_ms() / 1000).unwrap_or(i64::MAX);
                metrics.queues_seen(survey.levels.iter().map(|level| {
                    let age = level.head_s.map(|head_s| u64::try_from(now_s - head_s).unwrap_or(0));
                    (level.queue.as_str(), [level.ready, level.unacknowledged, age])
                }));
            }
            Err(_) => metrics.queues_seen([]),
        }
        let by_amqp = state.borrow().queue_warnings.clone();
        told.tell(&surveyed, &by_amqp);
        state.send_if_modified(|status| {
            let managed = managed(surveyed, &status.managed);
            let is_news = managed != status.managed;
            status.managed = managed;
            is_news
        });
    }
}

/// What is shown from now on. What was seen last stays while the API is away: a queue that was a stream is one still.
fn managed(surveyed: Result<Survey, String>, before: &Managed) -> Managed {
    match surveyed {
        Ok(survey) => Managed {
            away: None,
            refusal: survey.found.iter().find(|of_queue| is_refusal(of_queue)).map(OfQueue::words),
            no_delays: no_delays(&survey),
            warnings: Some(survey.found.iter().map(warning).collect()),
        },
        Err(why) => Managed { away: Some(why), ..before.clone() },
    }
}

fn warning(of_queue: &OfQueue) -> QueueWarning {
    QueueWarning { words: of_queue.words(), is_loss: of_queue.finding.weight.is_loss() }
}

/// Whether the consumer must not begin. That another consumer holds the queue it hears from the broker at once, and as soon as
/// that ends.
fn is_refusal(of_queue: &OfQueue) -> bool {
    of_queue.role == Role::Work && of_queue.finding.weight == Weight::Refused && !of_queue.is_held()
}

/// One delay queue that could drop or keep an event is enough: which of them an event goes to depends on its wait.
fn no_delays(survey: &Survey) -> Option<String> {
    let is_wrong = |found: &&OfQueue| matches!(found.role, Role::Delay(_)) && found.finding.weight == Weight::Refused;
    let wrong: Vec<_> = survey.found.iter().filter(is_wrong).map(OfQueue::words).collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

/// What was told last.
#[derive(Default)]
struct Told {
    words: BTreeSet<String>,
    away: Option<String>,
}

impl Told {
    /// Tells what is new, unless AMQP showed the same, and what has ended.
    fn tell(&mut self, surveyed: &Result<Survey, String>, by_amqp: &[QueueWarning]) {
        let survey = match surveyed {
            Ok(survey) => survey,
            Err(why) => return self.tell_away(why),
        };
        if self.away.take().is_some() {
            tracing::info!("the management API answers again: policies are seen");
        }
        let mut now = BTreeSet::new();
        for of_queue in &survey.found {
            let words = of_queue.words();
            let is_new = !self.words.contains(&words) && !by_amqp.iter().any(|warning| warning.words == words);
            if is_new {
                let (queue, argument) = (&of_queue.queue, of_queue.finding.argument);
                let (which, what) = (of_queue.role.as_str(), &of_queue.finding.words);
                tracing::warn!(queue, argument, "queue warning: the {which} queue {what}");
            }
            now.insert(words);
        }
        for words in self.words.difference(&now) {
            tracing::info!("queue warning ended: {words}");
        }
        self.words = now;
    }

    fn tell_away(&mut self, why: &str) {
        if self.away.as_deref() != Some(why) {
            tracing::warn!(
                "the management API (broker.management.url) cannot be asked: {why}. Events are taken all the same; policies that \
                 change meanwhile are not seen"
            );
            self.away = Some(why.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::queue::{Finding, HELD};

    fn surveyed(found: &[(Role, &'static str, Weight)]) -> Result<Survey, String> {
        let of_queue = |&(role, words, weight): &(Role, &'static str, Weight)| {
            let finding = Finding::new("x", words, weight);
            OfQueue { queue: "q".to_owned(), role, finding }
        };
        Ok(Survey { found: found.iter().map(of_queue).collect(), ..Survey::default() })
    }

    #[test]
    fn an_api_that_is_away_takes_nothing_back_and_refuses_nothing_by_itself() {
        let seen = managed(surveyed(&[(Role::Work, "is a stream", Weight::Refused)]), &Managed::default());
        assert_eq!(seen.refusal.as_deref(), Some("queue `q` is a stream"));
        let away = managed(Err("no answer in time".to_owned()), &seen);
        assert_eq!((&away.refusal, &away.warnings), (&seen.refusal, &seen.warnings));
        assert_eq!(away.away.as_deref(), Some("no answer in time"));
        let first = managed(Err("no answer in time".to_owned()), &Managed::default());
        assert_eq!((first.refusal, first.warnings), (None, None));
        assert_eq!(managed(surveyed(&[]), &away), Managed { warnings: Some(Vec::new()), ..Managed::default() });
    }

    #[test]
    fn only_a_work_queue_that_can_never_be_worked_with_is_refused() {
        for found in [
            (Role::DeadLetters, "belongs to another connection", Weight::Refused),
            (Role::Work, HELD, Weight::Refused),
            (Role::Work, "has a time to live", Weight::Loses),
        ] {
            assert_eq!(managed(surveyed(&[found]), &Managed::default()).refusal, None, "{found:?}");
        }
    }

    #[test]
    fn nothing_is_delayed_while_a_delay_queue_could_drop_or_keep_it_and_what_comes_back_early_stops_nothing() {
        let delay = Role::Delay(std::time::Duration::from_secs(10));
        let wrong = managed(surveyed(&[(delay, "gives no event back", Weight::Refused)]), &Managed::default());
        assert_eq!(
            (wrong.no_delays.as_deref(), wrong.refusal.as_deref()),
            (Some("queue `q` gives no event back"), None)
        );
        assert_eq!(managed(Err("away".to_owned()), &wrong).no_delays, wrong.no_delays);
        assert_eq!(managed(surveyed(&[(delay, "gives back early", Weight::Loses)]), &wrong).no_delays, None);
    }

    #[test]
    fn what_ended_is_told_anew_when_it_comes_back() {
        let mut told = Told::default();
        let lossy = surveyed(&[(Role::Work, "has a time to live", Weight::Loses)]);
        told.tell(&lossy, &[]);
        assert_eq!(told.words.len(), 1);
        told.tell(&Err("away".to_owned()), &[]);
        assert_eq!((told.words.len(), told.away.as_deref()), (1, Some("away")), "nothing is known to have ended");
        told.tell(&surveyed(&[]), &[]);
        assert_eq!((told.words.len(), told.away), (0, None));
    }
}
