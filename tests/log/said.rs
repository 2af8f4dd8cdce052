//! What is said at the start of the surroundings: a variable that names no level, a limit that is too low.
//!
//! Not here: each form of the variable (`telemetry::variable`).

use tempfile::TempDir;
use tokio::process::Command;

use crate::support::daemon::{Daemon, Setup, program, says};
use crate::support::deadline::within;

/// A daemon without a broker, by way of a shell that first does this.
fn daemon(first: &str) -> Daemon {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("config.toml");
    let setup = Setup::new("amqp://guest@127.0.0.1:1", "q", "http://127.0.0.1:1", "token");
    std::fs::write(&config, setup.toml()).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{first}; exec \"$@\"")]).arg("sh").arg(program()).arg("--config").arg(config);
    command.env_remove("RUST_LOG");
    Daemon::start_by(command, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_names_no_level_is_said_and_the_level_of_the_configuration_stands() {
    for (variable, said) in [("", "set and empty"), ("  ", "set and empty"), ("debgu", "mean debug?"), ("bogus=", "")] {
        let mut daemon = daemon(&format!("export RUST_LOG='{variable}'"));
        within(60, "a start", daemon.until(|line| says(line, "chakra-bridge starts"))).await;
        let warning = daemon.until(|line| line["level"] == "WARN" && says(line, "RUST_LOG") && says(line, said));
        let warning = within(60, variable, warning).await;
        assert!(says(&warning, "log.level stands"), "{warning}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_descriptors_are_said_at_the_start_with_both_numbers() {
    let mut low = daemon("ulimit -n 64");
    let warning = within(60, "a warning", low.until(|line| says(line, "RLIMIT_NOFILE"))).await;
    assert!(says(&warning, "at most 64 files") && says(&warning, "broker.prefetch = 64 may need"), "{warning}");
    let mut high = daemon("ulimit -n 4096");
    within(60, "a start", high.until(|line| line["address"].is_string())).await;
    assert_eq!(high.count(|line| says(line, "RLIMIT_NOFILE")), 0);
}
