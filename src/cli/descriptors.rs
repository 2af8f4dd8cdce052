//! Whether the process may have as many files and connections open as its configuration may need.
//!
//! Not here: raising the limit; whoever starts the daemon sets it.

use std::path::Path;

use crate::admin;
use crate::config::Config;
use crate::files;
use crate::secret::SecretSource;

/// Connections to the broker.
const BROKER: u64 = 2;

/// What the process has open in any case: its streams, the runtime, signals, the port, and files for a moment.
const OWN: u64 = 32;

/// The kernel's list of limits is far shorter.
const LIMITS_MAX: usize = 64 * 1024;

/// What deserves a word, as a sentence.
pub(super) fn warning(config: &Config) -> Option<String> {
    let limits = files::read_text(Path::new("/proc/self/limits"), LIMITS_MAX).ok()?;
    let limit = open_files(&limits)?;
    short(limit, config.broker.prefetch, matches!(config.api.token, SecretSource::File(_)))
}

/// The limit in force, as the kernel tells it; none where there is none.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// An event that is held may have a connection to the API, and beside it the file of the token while that is read.
fn short(limit: u64, prefetch: u16, is_token_a_file: bool) -> Option<String> {
    let each = if is_token_a_file { 2 } else { 1 };
    let others = admin::CONNECTIONS_MAX as u64 + BROKER + OWN;
    let needed = u64::from(prefetch) * each + others;
    (limit < needed).then(|| {
        let fits = limit.saturating_sub(others) / each;
        let or = if fits > 0 { format!(", or broker.prefetch to {fits}") } else { String::new() };
        format!(
            "at most {limit} files and connections may be open (RLIMIT_NOFILE), and broker.prefetch = {prefetch} may need \
             {needed}: without them requests wait and are tried again; raise the limit to {needed} (ulimit -n, \
             LimitNOFILE){or}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{open_files, short};

    #[test]
    fn the_limit_in_force_is_read_from_what_the_kernel_tells() {
        let told = |soft: &str| format!("Max processes  7 7 processes\nMax open files   {soft}   1048576   files\n");
        assert_eq!(open_files(&told("1024")), Some(1024));
        assert_eq!(open_files(&told("unlimited")), None);
        assert_eq!(open_files(""), None);
    }

    #[test]
    fn a_limit_below_what_may_be_needed_is_said_with_both_numbers() {
        let said = short(64, 64, true).unwrap();
        assert!(said.starts_with("at most 64 files"), "{said}");
        assert!(said.contains("broker.prefetch = 64 may need 418"), "{said}");
        assert!(!said.contains("or broker.prefetch to"), "no prefetch fits: {said}");
        let said = short(1024, 1000, true).unwrap();
        assert!(said.ends_with("or broker.prefetch to 367"), "{said}");
        assert_eq!(short(1024, 367, true), None);
    }

    #[test]
    fn a_limit_that_is_enough_is_not_mentioned() {
        assert_eq!(short(418, 64, true), None);
        assert_eq!(short(354, 64, false), None);
        assert!(short(353, 64, false).is_some());
    }
}
