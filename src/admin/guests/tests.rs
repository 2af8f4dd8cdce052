//! Connections without a port, with a clock that the test sets.
//!
//! Not here: sockets (`server::tests`).

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Guests;

#[tokio::test(start_paused = true)]
async fn so_many_come_in_at_once_and_after_that_so_many_a_second() {
    let (mut guests, begun) = (Guests::none(), Instant::now());
    let mut came = Vec::new();
    let coming = async {
        for _ in 0..7501 {
            guests.admit(|_| async {}).await;
            came.push(begun.elapsed());
        }
    };
    timeout(Duration::from_secs(60), coming).await.expect("all come in");
    let slack = Duration::from_millis(3);
    for (number, due) in [(2499, 0), (2500, 0), (5000, 1000), (7500, 2000)] {
        let late = came[number].abs_diff(Duration::from_millis(due));
        assert!(late <= slack, "{number} came after {:?}", came[number]);
    }
}
