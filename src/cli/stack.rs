//! What a program can be told of its memory only before it starts: the stack of its threads, and what the allocator keeps.
//!
//! The client library goes through the headers of a message level by level, as deep as a producer nested them: with the usual 2 MiB one
//! message ends the process, and each one after it (seen with lapin 4.12.3).
//!
//! Not here: what becomes of such headers (`amqp::shallow`), and how much memory a replica needs (`config`).

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What the standard library gives each thread whose stack is not named, in bytes; it reads this once, at the first of them.
const VARIABLE: &str = "RUST_MIN_STACK";
/// For the deepest headers that a frame holds: 26,000 levels of 5 bytes, four times as many in the largest frame at all. Each takes 400
/// to 800 bytes of stack (measured), and ten times as much where nothing is optimised. It takes memory only as far as it is used.
const STACK: usize = if cfg!(debug_assertions) { 512 << 20 } else { 128 << 20 };

/// What the allocator reads at its first use. Whoever sets it keeps what is set.
const ALLOCATOR: &str = "_RJEM_MALLOC_CONF";
/// One arena, since one thread does most of the work; and what is free goes back to the system within a second, not ten, its addresses
/// too: they may be limited.
const KEEPS_LITTLE: &str = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0,retain:false";

/// Starts the program anew with enough stack, and with an allocator that keeps little, as the same process. Returns only where that is
/// not needed, or why there cannot be enough stack.
pub(super) fn ensure() -> Result<(), String> {
    let stack = env::var_os(VARIABLE);
    let missing = missing(stack.as_deref(), env::var_os(ALLOCATOR).as_deref());
    if missing.is_empty() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let name = arguments.next();
    let error = env::current_exe().map(|program| {
        let mut anew = Command::new(program);
        anew.arg0(name.unwrap_or_default()).args(arguments).envs(missing).exec()
    });
    let error = error.unwrap_or_else(|error| error);
    if is_enough(stack.as_deref()) {
        return Ok(());
    }
    Err(format!(
        "an event with headers nested some thousand levels deep would end this process: it cannot be started anew with enough \
         stack ({error}); set {VARIABLE}={STACK} in its environment"
    ))
}

/// What is to be set, of what is set.
fn missing(stack: Option<&OsStr>, allocator: Option<&OsStr>) -> Vec<(&'static str, String)> {
    let stack = (!is_enough(stack)).then(|| (VARIABLE, STACK.to_string()));
    let allocator = allocator.is_none().then(|| (ALLOCATOR, KEEPS_LITTLE.to_owned()));
    stack.into_iter().chain(allocator).collect()
}

fn is_enough(set: Option<&OsStr>) -> bool {
    set.and_then(OsStr::to_str).and_then(|bytes| bytes.parse::<usize>().ok()).is_some_and(|bytes| bytes >= STACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_kept_and_what_is_not_is_set_so_that_the_program_starts_anew_once() {
        let deep = STACK.to_string();
        let (deep, own) = (Some(OsStr::new(&deep)), Some(OsStr::new("narenas:4")));
        let names = |stack, allocator| missing(stack, allocator).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(None, None), [VARIABLE, ALLOCATOR]);
        assert_eq!(names(Some(OsStr::new("1")), own), [VARIABLE]);
        assert_eq!(names(deep, None), [ALLOCATOR]);
        assert!(names(deep, own).is_empty());
    }

    #[test]
    fn a_stack_that_is_smaller_or_no_number_is_not_enough() {
        assert!(is_enough(Some(OsStr::new(&STACK.to_string()))));
        let small = (STACK - 1).to_string();
        for set in [None, Some(""), Some("much"), Some(small.as_str())] {
            assert!(!is_enough(set.map(OsStr::new)), "{set:?}");
        }
    }
}
