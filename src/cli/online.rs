//! `check --online`: what the broker, the API and the ledger say, each with the line of the configuration that it is about.
//!
//! Not here: asking them (`amqp::online_check`, `management`, `online::api`, `online::team`, `ledger::read`).

mod api;
pub(super) mod team;

use crate::amqp::address::user_and_vhost;
use crate::amqp::callers::{self, Caller};
use crate::amqp::online_check::{self, OnlineCheck};
use crate::core::mistake::Mistake;
use crate::ledger::read;
use crate::management::survey::{self, OfQueue, Survey};
use crate::management::{self, connections};
use crate::ready::Ready;

/// What was learned: what is missing or wrong, or why it could not be asked; and what is risky or unclear.
#[derive(Default)]
pub(super) struct Found {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<String>,
}

/// Asks all of them.
pub(super) fn ask(ready: &Ready) -> Found {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(async {
            let (mut found, api, ledger) = tokio::join!(broker(ready), api::ask(ready), ledger(ready));
            if api.mistakes.is_empty() {
                found.warnings.extend(team::notes(ready).await);
            }
            for more in [api, ledger] {
                found.mistakes.extend(more.mistakes);
                found.warnings.extend(more.warnings);
            }
            found
        }),
        Err(error) => refused(ready, "broker.url", vec![format!("the runtime cannot be begun: {error}")]),
    }
}

/// Reads only: tables are made by the daemon.
async fn ledger(ready: &Ready) -> Found {
    let Some(config) = &ready.config.ledger else { return Found::default() };
    let (wrong, warnings) = read::check(config).await;
    let wrong = wrong.into_iter().map(|what| format!("the ledger cannot be used: {what}")).collect();
    Found { warnings, ..refused(ready, "ledger.url", wrong) }
}

/// Both ways to the broker. What the management API shows of the queues takes the place of what AMQP shows of them.
async fn broker(ready: &Ready) -> Found {
    let (asked, surveyed, of_addresses) =
        tokio::join!(online_check::ask(&ready.config.broker), survey(ready), of_addresses(ready));
    let OnlineCheck { mut mistakes, mut of_queues, warnings, missing, mut of_exchange, .. } = match asked {
        Err(why) => return refused(ready, "broker.url", vec![why]),
        Ok(online_check) => online_check,
    };
    match surveyed {
        None => of_queues.extend(unseen_bindings(ready)),
        Some(Ok(mut survey)) => {
            survey.leave_out_unknown(|queue| missing.iter().any(|missing| missing == queue));
            let (wrong, risky) = sorted(&survey);
            mistakes.extend(wrong);
            of_queues = risky;
            match unbound(ready).filter(|_| survey.is_exchange_unbound) {
                Some(Unbound::Stops(words)) => of_exchange = of_exchange.or(Some(words)),
                Some(Unbound::Costs(words)) => of_queues.push(words),
                None => {}
            }
        }
        Some(Err(why)) => {
            let words = "broker.management.url: the management API cannot be asked, and policies are not seen";
            of_queues.push(format!("{words}: {why}"));
        }
    }
    // Either way shows some of the same.
    mistakes.sort();
    mistakes.dedup();
    let warnings = of_queues.into_iter().chain(of_addresses).chain(warnings).collect();
    let mut found = refused(ready, "broker.queue", mistakes);
    found.mistakes.extend(refused(ready, "outcomes.exchange", of_exchange.into_iter().collect()).mistakes);
    Found { warnings, ..found }
}

/// What it means that no queue takes anything of the exchange of outcomes, in words.
enum Unbound {
    Stops(String),
    Costs(String),
}

fn unbound(ready: &Ready) -> Option<Unbound> {
    let outlet = ready.config.broker.outcomes.as_ref()?;
    let words = format!("no queue is bound to exchange `{}`: bind that of whoever reads outcomes", outlet.exchange);
    Some(if outlet.required {
        Unbound::Stops(format!("{words}, or each event waits for that"))
    } else {
        Unbound::Costs(format!("{words}, or nobody learns of any"))
    })
}

/// AMQP shows no bindings.
fn unseen_bindings(ready: &Ready) -> Option<String> {
    let exchange = &ready.config.broker.outcomes.as_ref()?.exchange;
    Some(format!(
        "whether exchange `{exchange}` is bound to a queue of this daemon only the management API shows: name it in \
         broker.management.url, or look by `rabbitmqctl list_bindings`"
    ))
}

async fn survey(ready: &Ready) -> Option<Result<Survey, String>> {
    Some(survey::take(ready.config.management.as_ref()?, None).await)
}

/// What is amiss with single addresses: those that fail, and those of another cluster than that of the management API. One address
/// without such an API has nothing to be compared with.
async fn of_addresses(ready: &Ready) -> Vec<String> {
    let (broker, management) = (&ready.config.broker, &ready.config.management);
    if broker.addresses.len() < 2 && management.is_none() {
        return Vec::new();
    }
    let (mut callers, mut said) = (Vec::new(), Vec::new());
    for called in callers::call(broker).await {
        match called {
            Ok(caller) => callers.push(caller),
            Err(why) => said.push(format!(
                "an address of the broker fails while another works: {why}. Correct it in broker.url or broker.hosts, or mend the \
                 broker there"
            )),
        }
    }
    if let Some(management) = management {
        said.extend(of_other_clusters(&broker.url, management, &callers).await);
    }
    callers::hang_up(&callers).await;
    said
}

/// The addresses of another cluster than that of the management API, in words. Why the API cannot be asked the survey says.
async fn of_other_clusters(url: &str, management: &management::Config, callers: &[Caller]) -> Vec<String> {
    let names: Vec<_> = callers.iter().map(|caller| caller.name.clone()).collect();
    let (user, _) = user_and_vhost(url);
    let not_shown = connections::not_shown(management, &user, &names).await.unwrap_or_default();
    let words = |address: &str| {
        format!(
            "the management API shows no connection to {address}: broker.management.url and that address are two clusters, \
             and events may be split over both"
        )
    };
    callers.iter().filter(|caller| not_shown.contains(&caller.name)).map(|caller| words(&caller.address)).collect()
}

/// What is refused, and what is risky.
fn sorted(survey: &Survey) -> (Vec<String>, Vec<String>) {
    let (refused, risky): (Vec<_>, Vec<_>) =
        survey.found.iter().partition(|of_queue| of_queue.finding.weight.is_mistake());
    let words = |found: Vec<&OfQueue>| found.into_iter().map(OfQueue::words).collect();
    (words(refused), words(risky))
}

fn refused(ready: &Ready, key: &str, said: Vec<String>) -> Found {
    let mistakes = said.into_iter().map(|what| ready.source.mistake(key, what)).collect();
    Found { mistakes, ..Found::default() }
}
