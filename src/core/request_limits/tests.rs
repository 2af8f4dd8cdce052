//! The laws of rate and budget, on a hand-wound clock.
//!
//! Not here: the gate.

use super::*;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn request_limits(max_requests_per_second: Option<f64>, budget: f64) -> RequestLimits {
    RequestLimits::new(RequestLimitPolicy { max_requests_per_second, budget })
}

/// Takes as many as may go at this moment.
fn burst(rate: &mut Rate, now: Moment) -> u32 {
    (0..10_000).take_while(|_| rate.pass(now).inspect(|()| rate.take(now)).is_ok()).count().try_into().unwrap()
}

fn spend(budget: &mut Budget, now: Moment) -> u32 {
    (0..10_000).take_while(|_| budget.pass(now).inspect(|()| budget.take(now)).is_ok()).count().try_into().unwrap()
}

#[test]
fn without_a_command_every_request_may_go() {
    assert_eq!(burst(&mut Rate::new(None), millis(0)), 10_000);
}

#[test]
fn one_seconds_worth_may_go_at_once_and_at_least_one() {
    // (a second, at once, when the next may go in ms)
    for (per_second, at_once, next) in
        [(1.0, 1, 1000), (4.0, 4, 250), (100.0, 100, 10), (2.5, 2, 200), (0.5, 1, 2000), (0.01, 1, 100_000)]
    {
        let mut rate = Rate::new(Some(per_second));
        assert_eq!(burst(&mut rate, millis(0)), at_once, "{per_second}");
        assert_eq!(rate.pass(millis(0)), Err(millis(next)), "{per_second}");
        assert_eq!(rate.pass(millis(next)), Ok(()), "{per_second}");
    }
}

#[test]
fn over_a_long_time_no_more_go_than_wished() {
    for per_second in [0.3_f64, 3.0, 7.0, 333.3] {
        let (mut rate, mut now, mut gone) = (Rate::new(Some(per_second)), millis(0), 0.0);
        while now < Duration::from_secs(60) {
            match rate.pass(now) {
                Ok(()) => {
                    rate.take(now);
                    gone += 1.0;
                }
                Err(next) => {
                    assert!(next > now, "{per_second}: a wait that does not end");
                    now = next;
                }
            }
        }
        let (least, most) = (per_second * 60.0, per_second * 61.0 + 1.0);
        assert!((least..=most).contains(&gone), "{per_second}: {gone}");
    }
}

#[test]
fn an_idle_time_saves_up_one_second_and_no_more() {
    let mut rate = Rate::new(Some(5.0));
    burst(&mut rate, millis(0));
    assert_eq!(burst(&mut rate, millis(400)), 2);
    assert_eq!(burst(&mut rate, Duration::from_secs(3600)), 5);
}

#[test]
fn a_rate_no_clock_can_hold_still_lets_one_go() {
    for per_second in [f64::MIN_POSITIVE, 1e-30, 1e-9] {
        let mut rate = Rate::new(Some(per_second));
        assert_eq!(burst(&mut rate, Duration::from_secs(1)), 1, "{per_second}");
    }
}

#[test]
fn a_budget_begins_full_and_holds_ten_seconds_of_floor_and_a_hundred_shares() {
    for (share, floor, at_once) in [(0.0, 10.0, 100), (0.2, 10.0, 120), (1.0, 10.0, 200), (1.0, 2.0, 120)] {
        assert_eq!(spend(&mut Budget::new(share, floor), millis(0)), at_once, "{share} {floor}");
    }
}

#[test]
fn a_spent_budget_refills_by_its_floor_so_that_nothing_waits_for_ever() {
    let mut budget = Budget::new(0.0, 10.0);
    spend(&mut budget, millis(0));
    assert_eq!(budget.pass(millis(0)), Err(millis(100)));
    assert_eq!(spend(&mut budget, millis(1000)), 10);
    assert_eq!(spend(&mut budget, Duration::from_secs(3600)), 100);
}

#[test]
fn retries_stay_a_share_of_first_tries_beyond_the_floor() {
    let mut budget = Budget::new(0.2, 10.0);
    spend(&mut budget, millis(0));
    (0..50).for_each(|_| budget.deposit());
    assert_eq!(spend(&mut budget, millis(0)), 10);
}

#[test]
fn what_is_paid_into_a_full_budget_is_lost() {
    let mut budget = Budget::new(0.2, 10.0);
    (0..1000).for_each(|_| budget.deposit());
    assert_eq!(spend(&mut budget, millis(0)), 120);
}

#[test]
fn only_what_is_sent_again_asks_the_budget_and_every_request_asks_the_rate() {
    // (what the gate says, attempts before, is the rate spent, is the budget spent) and whether it may go.
    let cases = [
        (Pass::Go, 0, false, true, true),
        (Pass::Go, 1, false, true, false),
        (Pass::Probe, 0, false, true, false),
        (Pass::Probe, 0, false, false, true),
        (Pass::Go, 1, false, false, true),
        (Pass::Go, 0, true, false, false),
        (Pass::Probe, 1, true, false, false),
        (Pass::Shut(None), 0, false, false, false),
    ];
    for (pass, attempts, rate_spent, budget_spent, goes) in cases {
        let mut request_limits = request_limits(rate_spent.then_some(1.0), 0.2);
        if rate_spent {
            request_limits.take(Try::First, millis(0));
        }
        if budget_spent {
            spend(&mut request_limits.budget, millis(0));
        }
        let said = request_limits.pass(pass, attempts, millis(0));
        assert_eq!(said == pass && !matches!(said, Pass::Shut(_)), goes, "{pass:?} {attempts}: {said:?}");
    }
}

#[test]
fn who_must_wait_for_both_is_told_the_later_moment() {
    let mut request_limits = request_limits(Some(1.0), 0.0);
    (0..100).for_each(|_| request_limits.take(Try::Again, millis(0)));
    assert_eq!(request_limits.pass(Pass::Go, 1, millis(0)), Pass::Shut(Some(Duration::from_secs(100))));
    assert_eq!(request_limits.pass(Pass::Go, 1, Duration::from_secs(100)), Pass::Go);
}

#[test]
fn first_tries_pay_in_and_tries_again_take_out() {
    let mut request_limits = request_limits(None, 0.5);
    let spent = spend(&mut request_limits.budget, millis(0));
    assert_eq!(spent, 150);
    request_limits.take(Try::First, millis(0));
    assert_ne!(request_limits.pass(Pass::Go, 1, millis(0)), Pass::Go);
    request_limits.take(Try::First, millis(0));
    assert_eq!(request_limits.pass(Pass::Go, 1, millis(0)), Pass::Go);
    request_limits.take(Try::of(1, false), millis(0));
    assert_ne!(request_limits.pass(Pass::Go, 1, millis(0)), Pass::Go);
}
