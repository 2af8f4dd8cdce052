//! `check --online`: what the broker says, each with the line of the configuration that it is about.
//!
//! Not here: asking it (`amqp::survey`), and the API.

use super::check::Ready;
use crate::amqp::survey;
use crate::config::Mistakes;

/// The warnings of the broker.
///
/// # Errors
/// What is missing or wrong there, or why it could not be asked.
pub(super) fn ask(ready: &Ready) -> Result<Vec<String>, Box<Mistakes>> {
    let refuse = |key: &str, said: Vec<String>| {
        let list = said.into_iter().map(|what| ready.source.mistake(key, what)).collect();
        Box::new(Mistakes::new(ready.source.clone(), list))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| refuse("broker.url", vec![format!("the runtime cannot be begun: {error}")]))?;
    let survey = runtime.block_on(survey::ask(&ready.config.broker)).map_err(|why| refuse("broker.url", vec![why]))?;
    if survey.mistakes.is_empty() { Ok(survey.warnings) } else { Err(refuse("broker.queue", survey.mistakes)) }
}
