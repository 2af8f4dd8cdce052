//! What takes long on the thread that all tasks share: while it is done, the others go on on another thread.
//!
//! Not here: what is done, and how many threads there are (`cli::run`).

use tokio::runtime::{Handle, RuntimeFlavor};

/// A message of so many bytes may take some milliseconds to be decoded and mapped. What a smaller one may take is bounded by the fuel
/// of its rule's expressions. Measured by time it would be taken for slow on a busy machine, where to change threads costs most.
const LARGE: usize = 64 * 1024;

/// Does `work` on a message of so many bytes; if it is large, all other tasks go to another thread meanwhile, where the runtime can
/// start one.
pub(super) fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let may_move = || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if bytes >= LARGE && may_move() { tokio::task::block_in_place(work) } else { work() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Whether another task of a runtime of one thread gets its turn while a message of so many bytes is worked on.
    fn others_go_on(bytes: usize) -> bool {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let working = runtime.spawn(async move {
            let (turn, came) = std::sync::mpsc::channel();
            let mut other = tokio::task::JoinSet::new();
            other.spawn(async move { turn.send(()) });
            let is_on = aside(bytes, || came.recv_timeout(Duration::from_millis(500)).is_ok());
            drop(other.join_next().await);
            is_on
        });
        runtime.block_on(working).unwrap()
    }

    #[test]
    fn while_a_large_message_is_worked_on_the_other_tasks_go_on() {
        assert!(others_go_on(LARGE));
        assert!(!others_go_on(LARGE - 1), "for a small one nobody changes threads");
    }
}
