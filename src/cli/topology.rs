//! `topology`: what the configured queue needs of the broker, as a script, as definitions or as a policy.
//!
//! Not here: which queues and rights these are (`amqp::plan`), and making them: this prints.

mod formats;

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::Common;
use super::check::load_for_dry_run;
use super::exit::Exit;
use crate::amqp::online_check::{self, OnlineCheck};
use crate::amqp::plan;
use crate::ready::{Ready, load};
use formats::Wanted;

/// What `topology` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Script)]
    format: Format,
    /// An exchange that events are published to: made if it is missing, and bound to the work queue
    #[arg(long, value_name = "NAME")]
    exchange: Option<String>,
    /// With which routing key it is bound; may be given more than once
    #[arg(long = "routing-key", value_name = "KEY", default_value = "#", requires = "exchange")]
    routing_keys: Vec<String>,
    /// The user of the person who looks after the queues [default: that of broker.url, with `-operator` behind it]
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Asks the broker, and prints only the queues that are missing
    #[arg(long)]
    online: bool,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A shell script for `rabbitmqctl`, on a node of the broker
    Script,
    /// Definitions in JSON: virtual host, queues, policy, exchange and bindings
    Definitions,
    /// The rights of the daemon and of an operator, as definitions in JSON
    Rights,
    /// What the work queue needs as a policy, for one that exists and was made otherwise
    Policy,
}

/// Prints what there should be.
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    let ready = if arguments.online { load_to_ask(common) } else { load_for_dry_run(&common.config) };
    let ready = match ready {
        Ok(ready) => ready,
        Err(exit) => return Ok(exit),
    };
    let mut plan = plan::of(&ready.config.broker);
    let operator = arguments.operator.clone().unwrap_or_else(|| format!("{}-operator", plan.user));
    if arguments.online {
        match asked(&ready) {
            Ok(asked) => {
                plan.queues.retain(|queue| asked.missing.contains(&queue.name));
                plan.exchange = plan.exchange.filter(|_| asked.lacks_exchange);
            }
            Err(why) => {
                eprintln!("the broker cannot be asked: {why}");
                return Ok(Exit::Config);
            }
        }
    }
    let exchange = arguments.exchange.as_deref();
    let wanted = Wanted {
        plan: &plan,
        queue: &ready.config.broker.queue,
        operator: &operator,
        exchange,
        routing_keys: &arguments.routing_keys,
        is_rest: arguments.online,
    };
    match arguments.format {
        Format::Script => write!(out, "{}", wanted.script())?,
        Format::Definitions => writeln!(out, "{}", wanted.definitions())?,
        Format::Rights => writeln!(out, "{}", wanted.rights())?,
        Format::Policy => write!(out, "{}", wanted.policy())?,
    }
    Ok(Exit::Done)
}

/// The configuration with its secrets, which asking takes.
fn load_to_ask(common: &Common) -> Result<Ready, Exit> {
    load(&common.config).map_err(|mistakes| {
        eprintln!("{mistakes}");
        Exit::Config
    })
}

fn asked(ready: &Ready) -> Result<OnlineCheck, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be begun: {error}"))?;
    runtime.block_on(online_check::ask(&ready.config.broker))
}
