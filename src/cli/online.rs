//! `check --online`: what the broker and the API say, each with the line of the configuration that it is about.
//!
//! Not here: asking them (`amqp::online_check`, `online::api`).

mod api;

use crate::amqp::online_check;
use crate::core::mistake::Mistake;
use crate::ready::Ready;

/// What was learned: what is missing or wrong, or why it could not be asked; and what is risky or unclear.
#[derive(Default)]
pub(super) struct Found {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<String>,
}

/// Asks both.
pub(super) fn ask(ready: &Ready) -> Found {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(async {
            let (mut found, api) = tokio::join!(broker(ready), api::ask(ready));
            found.mistakes.extend(api.mistakes);
            found.warnings.extend(api.warnings);
            found
        }),
        Err(error) => refused(ready, "broker.url", vec![format!("the runtime cannot be begun: {error}")]),
    }
}

async fn broker(ready: &Ready) -> Found {
    match online_check::ask(&ready.config.broker).await {
        Err(why) => refused(ready, "broker.url", vec![why]),
        Ok(survey) => Found { warnings: survey.warnings, ..refused(ready, "broker.queue", survey.mistakes) },
    }
}

fn refused(ready: &Ready, key: &str, said: Vec<String>) -> Found {
    let mistakes = said.into_iter().map(|what| ready.source.mistake(key, what)).collect();
    Found { mistakes, ..Found::default() }
}
