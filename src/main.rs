//! The life of the process: which verb, then its exit code.
//!
//! Not here: what the verbs do (`cli`), and what the daemon does (`daemon`).
//!
//! Exit codes: 0 drained, 1 an event would be a dead letter (`map`), a mapping case failed (`test`) or the daemon is not
//! well (`healthcheck`), 64 usage,
//! 70 internal, 74 standard output takes no more, 75 the drain deadline passed and work was handed back, 78 configuration, 130 second
//! signal.

use std::process::ExitCode;

use chakra_bridge::cli;
use tikv_jemallocator::Jemalloc;

/// Less processor for an event than the system's, and less memory in the worst cases. What it keeps is set by `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    cli::main(std::env::args_os()).into()
}
