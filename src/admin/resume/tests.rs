//! Laws of the way between the admin server and the dispatcher.
//!
//! Not here: HTTP (`server::tests`), and what the dispatcher does (`tests/path/held_rules.rs`).

use std::time::Duration;

use super::*;

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), what).await.expect("it answers at once")
}

#[tokio::test]
async fn what_the_dispatcher_answers_comes_back() {
    let (dispatcher, mut asked) = channel();
    let answering = async {
        let ResumeRule { rule, answer } = asked.recv().await.unwrap();
        assert_eq!(rule, "lead");
        answer.send(RuleResumed::Released).unwrap();
    };
    let (answer, ()) = soon(async { tokio::join!(ask(&dispatcher, "lead".to_owned()), answering) }).await;
    assert_eq!(answer, Some(RuleResumed::Released));
}

#[tokio::test]
async fn a_dispatcher_that_stops_answers_nothing_and_keeps_nobody_waiting() {
    let (dispatcher, mut asked) = channel();
    let dropping = async { drop(asked.recv().await) };
    let (answer, ()) = soon(async { tokio::join!(ask(&dispatcher, "lead".to_owned()), dropping) }).await;
    assert_eq!(answer, None);
    drop(asked);
    assert_eq!(soon(ask(&dispatcher, "lead".to_owned())).await, None);
}
