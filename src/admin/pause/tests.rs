//! Laws of the pause control, without a socket.
//!
//! Not here: HTTP (`server::tests`).

use super::*;

fn pause_control() -> (PauseControl, watch::Receiver<bool>) {
    control_of(SecretSource::Given(Secret::new("swordfish")))
}

/// Nobody takes rules that are to go on.
fn control_of(token: SecretSource) -> (PauseControl, watch::Receiver<bool>) {
    let (paused, seen) = watch::channel(false);
    (PauseControl::new(token, paused, resume::channel().0), seen)
}

async fn take(pause_control: &PauseControl, paused: bool, authorization: Option<&[u8]>) -> Said {
    let asker = Asker { peer: ([127, 0, 0, 1], 1).into(), from: None };
    let wanted = if paused { Wanted::Pause } else { Wanted::Resume };
    let taken = pause_control.take(wanted, authorization, &asker);
    tokio::time::timeout(Duration::from_secs(5), taken).await.expect("it answers at once")
}

#[tokio::test]
async fn only_the_whole_token_is_good() {
    let cases: [(&str, bool); 10] = [
        ("Bearer swordfish", true),
        ("bearer  swordfish ", true),
        ("Bearer swordfis", false),
        ("Bearer swordfish2", false),
        ("Bearer Swordfish", false),
        ("Bearer ", false),
        ("Bearer", false),
        ("", false),
        ("swordfish", false),
        ("Basic swordfish", false),
    ];
    for (authorization, is_good) in cases {
        let (pause_control, seen) = pause_control();
        let said = if is_good { Said::Paused(true) } else { Said::Refused };
        assert_eq!(take(&pause_control, true, Some(authorization.as_bytes())).await, said, "{authorization:?}");
        assert_eq!(*seen.borrow(), is_good, "{authorization:?}");
    }
    assert_eq!(take(&pause_control().0, true, None).await, Said::Refused);
}

#[tokio::test]
async fn a_command_reaches_whoever_listens_and_can_be_taken_back() {
    let (pause_control, seen) = pause_control();
    for paused in [true, false] {
        assert_eq!(take(&pause_control, paused, Some(b"Bearer swordfish")).await, Said::Paused(paused));
        assert_eq!(*seen.borrow(), paused);
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_read_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let (pause_control, seen) = control_of(SecretSource::File(folder.path().join("none")));
    assert_eq!(take(&pause_control, true, Some(b"Bearer ")).await, Said::Unreadable);
    assert!(!*seen.borrow());
}

#[test]
fn a_name_is_cut_and_cannot_break_the_line() {
    assert_eq!(name(b"ops@example.com"), "ops@example.com");
    assert_eq!(name(b"a\r\nb\x1b[31mc\td"), "ab[31mcd");
    assert_eq!(name(&[b'x'; 5000]).len(), NAME_MAX);
    assert_eq!(name(b"\xff"), "\u{fffd}");
}

#[test]
fn a_desk_prints_without_its_token() {
    assert!(!format!("{:?}", pause_control().0).contains("swordfish"));
}

#[test]
fn of_refusals_one_a_second_is_logged() {
    let pause_control = pause_control().0;
    let logged = [7, 7, 7, 8, 8, 9].map(|second| pause_control.is_first_refusal_of(second));
    assert_eq!(logged, [true, false, false, true, false, true]);
}

#[tokio::test]
async fn a_rule_is_asked_for_with_the_token_alone_and_a_dispatcher_that_is_gone_is_said() {
    let asker = Asker { peer: ([127, 0, 0, 1], 1).into(), from: None };
    for (authorization, said) in [(&b"Bearer swordfish"[..], Said::Stopping), (b"Bearer another", Said::Refused)] {
        let (pause_control, seen) = pause_control();
        let taken = pause_control.take(Wanted::ResumeRule("lead".to_owned()), Some(authorization), &asker);
        assert_eq!(tokio::time::timeout(Duration::from_secs(5), taken).await.expect("at once"), said);
        assert!(!seen.has_changed().unwrap_or(true) && !*seen.borrow(), "nothing else is resumed");
    }
}
