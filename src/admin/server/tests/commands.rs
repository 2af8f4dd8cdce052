//! The paths that command: who may, what is passed on, and what is answered.
//!
//! Not here: the token (`pause::tests`), and what the dispatcher does (`tests/path/held_rules.rs`).

use tokio::sync::mpsc;

use super::*;
use crate::admin::pause::PauseControl;
use crate::admin::resume::{self, ResumeRule, RuleResumed};
use crate::secret::{Secret, SecretSource};

/// What a pause control passes on.
struct PassedOn {
    paused: watch::Receiver<bool>,
    rules: mpsc::Receiver<ResumeRule>,
}

/// Serves with a pause control that knows the token `swordfish`, and shows what it passed on.
async fn with_pause_control<T>(visit: impl AsyncFnOnce(SocketAddr, &mut PassedOn) -> T) -> T {
    let ((paused, seen), (resume_rule, rules)) = (watch::channel(false), resume::channel());
    let pause_control = Some(PauseControl::new(SecretSource::Given(Secret::new("swordfish")), paused, resume_rule));
    let view = view(health(Phase::Running, std::time::Instant::now()), pause_control);
    let mut passed_on = PassedOn { paused: seen, rules };
    served(view, async |address| visit(address, &mut passed_on).await).await
}

#[tokio::test]
async fn whoever_shows_the_token_pauses_and_resumes() {
    with_pause_control(async |address, seen| {
        for (path, paused) in [("/pause", true), ("/pause", true), ("/resume", false)] {
            let (head, body) = command(address, path, "swordfish").await;
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("application/json"), "{head}");
            assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), serde_json::json!({ "paused": paused }));
            assert_eq!(*seen.paused.borrow(), paused);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_does_not_is_refused_and_nothing_happens() {
    with_pause_control(async |address, seen| {
        for token in ["", "another", "swordfish2"] {
            let (head, body) = command(address, "/pause", token).await;
            assert!(head.starts_with("HTTP/1.1 401 ") && head.contains("www-authenticate: Bearer"), "{head}");
            assert!(!body.contains("swordfish"), "{body}");
        }
        let (head, _) = send(address, "POST /pause HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
        assert!(!seen.paused.has_changed().unwrap());
    })
    .await;
}

/// Asks for a rule to go on, of a dispatcher that answers this: which name it was asked for, and what the port says.
async fn resumed(query: &str, answer: Option<RuleResumed>) -> (String, String, String) {
    let path = format!("/resume?rule={query}");
    with_pause_control(async |address, passed_on| {
        let answering = async {
            let asked = passed_on.rules.recv().await.unwrap();
            drop(answer.map(|answer| asked.answer.send(answer)));
            asked.rule
        };
        let ((head, body), rule) = tokio::join!(command(address, &path, "swordfish"), answering);
        assert!(!passed_on.paused.has_changed().unwrap(), "a rule that goes on ends no pause");
        (rule, head, body)
    })
    .await
}

#[tokio::test]
async fn a_rule_that_is_to_go_on_is_answered_with_whether_it_was_held() {
    for (answer, was_held) in [(RuleResumed::Released, true), (RuleResumed::NotHeld, false)] {
        let (rule, head, body) = resumed("new%20lead+%26+more", Some(answer)).await;
        assert_eq!(rule, "new lead & more");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("application/json"), "{head}");
        let wanted = serde_json::json!({ "rule": rule, "was_held": was_held });
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), wanted);
    }
}

#[tokio::test]
async fn a_rule_that_is_none_is_said_with_the_nearest_and_a_daemon_that_stops_as_well() {
    let near = RuleResumed::Unknown { nearest: Some("lead".to_owned()) };
    let (_, head, body) = resumed("laed", Some(near)).await;
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(body, "there is no rule \"laed\"; the nearest is \"lead\"\n");
    let (_, _, body) = resumed("x%0D%0Ay", Some(RuleResumed::Unknown { nearest: None })).await;
    assert_eq!(body, "there is no rule \"x\\r\\ny\"\n");
    let (_, head, body) = resumed("lead", None).await;
    assert!(head.starts_with("HTTP/1.1 503 ") && body.contains("stopping"), "{head} {body}");
}

#[tokio::test]
async fn a_misspelt_query_commands_nothing_and_neither_does_a_rule_without_the_token() {
    with_pause_control(async |address, passed_on| {
        let paths = ["/resume?rul=lead", "/resume?rule=", "/resume?rule=a&rule=b", "/resume?lead", "/pause?rule=lead"];
        for path in paths {
            let (head, body) = command(address, path, "swordfish").await;
            assert!(head.starts_with("HTTP/1.1 400 ") && body.contains("/resume?rule=NAME"), "{path}: {head} {body}");
        }
        assert!(command(address, "/resume?rule=lead", "another").await.0.starts_with("HTTP/1.1 401 "));
        assert!(passed_on.rules.is_empty() && !passed_on.paused.has_changed().unwrap());
    })
    .await;
}

#[tokio::test]
async fn to_look_at_the_pause_does_not_pause() {
    with_pause_control(async |address, seen| {
        for (method, path) in [("GET", "/pause"), ("HEAD", "/pause"), ("PUT", "/resume"), ("DELETE", "/pause")] {
            let (head, _) = ask(address, method, path).await;
            assert!(head.starts_with("HTTP/1.1 405 ") && head.contains("allow: POST"), "{method} {path}: {head}");
        }
        assert!(!seen.paused.has_changed().unwrap());
    })
    .await;
}
