//! The stack of the threads that the client library reads with. It goes through the headers of a message level by level, as deep as
//! a producer nested them: with the usual 2 MiB one message ends the process, and each one after it (seen with lapin 4.12.3).
//!
//! Not here: what becomes of such headers (`amqp::shallow`).

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What the standard library gives each thread whose stack is not named, in bytes; it reads this once, at the first of them.
const VARIABLE: &str = "RUST_MIN_STACK";
/// For the deepest headers that a frame holds: 26,000 levels of 5 bytes, four times as many in the largest frame at all. Each takes 400
/// to 800 bytes of stack (measured), and ten times as much where nothing is optimised. It takes memory only as far as it is used.
const STACK: usize = if cfg!(debug_assertions) { 512 << 20 } else { 128 << 20 };

/// Starts the program anew with enough stack, as the same process. Returns only where that is not needed, or why it cannot be done.
pub(super) fn ensure() -> Result<(), String> {
    if is_enough(env::var_os(VARIABLE).as_deref()) {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let name = arguments.next();
    let error = env::current_exe().map(|program| {
        let mut anew = Command::new(program);
        anew.arg0(name.unwrap_or_default()).args(arguments).env(VARIABLE, STACK.to_string()).exec()
    });
    let error = error.unwrap_or_else(|error| error);
    Err(format!(
        "an event with headers nested some thousand levels deep would end this process: it cannot be started anew with enough \
         stack ({error}); set {VARIABLE}={STACK} in its environment"
    ))
}

fn is_enough(set: Option<&OsStr>) -> bool {
    set.and_then(OsStr::to_str).and_then(|bytes| bytes.parse::<usize>().ok()).is_some_and(|bytes| bytes >= STACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_smaller_or_no_number_is_not_enough() {
        assert!(is_enough(Some(OsStr::new(&STACK.to_string()))));
        let small = (STACK - 1).to_string();
        for set in [None, Some(""), Some("much"), Some(small.as_str())] {
            assert!(!is_enough(set.map(OsStr::new)), "{set:?}");
        }
    }
}
