//! `schema`: a draft of a JSON Schema of a procedure's attributes, for `[[schema]]`.
//!
//! Not here: what Fetch Config tells of them (`core::team_config`), and checking requests by it (`core::mapping`).

use std::io::{self, Write};

use clap::Args;

use super::Common;
use super::exit::Exit;
use super::online::team::fetched;
use crate::core::team_config::TeamConfig;
use crate::ready::{Ready, load};

/// What `schema` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The short id of the procedure
    #[arg(value_name = "PROCEDURE")]
    procedure: String,
    /// Asks the API, which is where it is known
    #[arg(long, required = true)]
    online: bool,
}

/// Prints the draft.
///
/// # Errors
/// That `out` takes no more.
pub fn run(common: &Common, arguments: &Arguments, out: &mut impl Write) -> io::Result<Exit> {
    let ready = match load(&common.config) {
        Ok(ready) => ready,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return Ok(Exit::Config);
        }
    };
    match draft(&ready, &arguments.procedure) {
        Ok(draft) => writeln!(out, "{draft}").map(|()| Exit::Done),
        Err(why) => {
            eprintln!("no schema: {why}");
            Ok(Exit::Config)
        }
    }
}

fn draft(ready: &Ready, procedure: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot be begun: {error}"))?;
    let team = TeamConfig::read(&runtime.block_on(fetched(ready))?);
    let mut known = team.procedures.ok_or("Fetch Config tells no procedures in a known form")?;
    let names: Vec<_> = known.keys().cloned().collect();
    let names = names.join(", ");
    let known = known.remove(procedure).ok_or_else(|| format!("no procedure {procedure:?}; there are {names}"))?;
    let schema = known.schema().ok_or("Fetch Config tells no attributes of it in a known form")?;
    Ok(format!("{schema:#}"))
}
