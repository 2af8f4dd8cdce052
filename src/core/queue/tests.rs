//! What a queue that is made so, under policies, means for what is in it.

use super::*;

/// A quorum queue as it should be.
fn good() -> Queue {
    let mut queue = Queue { is_durable: true, ..Queue::default() };
    for (argument, text) in [(KIND, "quorum"), (TARGET, ""), (STRATEGY, "at-least-once"), (OVERFLOW, "reject-publish")]
    {
        queue = with(queue, argument, text_of(text));
    }
    queue
}

fn text_of(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn with(mut queue: Queue, argument: &str, value: Value) -> Queue {
    queue.settings.insert(argument.to_owned(), Setting { value, is_of_policy: false });
    queue
}

fn without(mut queue: Queue, arguments: &[&str]) -> Queue {
    queue.settings.retain(|argument, _| !arguments.contains(&argument.as_str()));
    queue
}

fn under(mut queue: Queue, policy: &[(&str, Value)]) -> Queue {
    queue.policies = Some("policy `noon`".to_owned());
    policy.iter().for_each(|(argument, value)| queue.set_by_policy(argument, value.clone()));
    queue
}

fn told(found: &[Finding]) -> Vec<(&'static str, Weight)> {
    found.iter().map(|finding| (finding.argument, finding.weight)).collect()
}

fn classic() -> Queue {
    with(without(good(), &[OVERFLOW, STRATEGY]), KIND, text_of("classic"))
}

#[test]
fn a_queue_as_it_should_be_and_one_that_only_orders_or_serves_otherwise_is_worth_no_word() {
    assert_eq!(good().as_work(), []);
    assert_eq!(with(good(), "x-single-active-consumer", Value::Flag(true)).as_work(), []);
    assert_eq!(with(good(), LENGTHS[0], Value::Number(5)).as_work(), [], "it refuses beyond it");
    assert_eq!(with(good(), "x-dead-letter-routing-key", text_of("another")).as_work(), []);
}

#[test]
fn a_companys_own_dead_letter_exchange_is_not_told_as_none() {
    assert_eq!(with(good(), TARGET, text_of("company.dlx")).as_work(), []);
    let bare = without(good(), &[TARGET, STRATEGY, OVERFLOW]);
    assert_eq!(told(&bare.as_work()), [(TARGET, Weight::Risky)], "one line for one thing");
    let by_policy = under(bare, &[(TARGET, text_of("company.dlx"))]);
    assert_eq!(told(&by_policy.as_work()), [(STRATEGY, Weight::Risky)], "a policy names one");
}

#[test]
fn a_classic_queue_is_told_what_is_true_of_classic_queues_and_each_thing_once() {
    assert_eq!(told(&classic().as_work()), [(KIND, Weight::Risky)]);
    let none = without(classic(), &[TARGET]);
    assert_eq!(told(&none.as_work()), [(KIND, Weight::Risky), (TARGET, Weight::Risky)]);
    let short = with(classic(), LENGTHS[0], Value::Number(5));
    assert_eq!(told(&short.as_work()), [(KIND, Weight::Risky), (LENGTHS[0], Weight::Loses)]);
}

#[test]
fn what_loses_every_event_at_once_is_refused() {
    for kind in ["stream", "of_a_plugin"] {
        assert_eq!(told(&with(good(), KIND, text_of(kind)).as_work()), [(KIND, Weight::Refused)]);
    }
    let auto_delete = Queue { is_auto_delete: true, ..classic() };
    assert!(told(&auto_delete.as_work()).contains(&("auto_delete", Weight::Refused)));
}

#[test]
fn only_a_low_delivery_limit_is_a_queue_warning() {
    let is_told = |limit: i64| !with(good(), DELIVERIES, Value::Number(limit)).as_work().is_empty();
    assert_eq!([-1, 0, 3, 19, 20, 100].map(is_told), [false, true, true, true, false, false]);
}

#[test]
fn a_limit_of_the_dead_letter_queue_is_a_queue_warning_unless_it_refuses() {
    let short = with(good(), LENGTHS[0], Value::Number(5));
    assert_eq!(short.as_dead_letters(), []);
    assert_eq!(told(&without(short, &[OVERFLOW]).as_dead_letters()), [(LENGTHS[0], Weight::Loses)]);
    assert_eq!(told(&with(good(), TTL, Value::Number(5)).as_dead_letters()), [(TTL, Weight::Loses)]);
    assert_eq!(with(good(), TARGET, text_of("again")).as_dead_letters(), [], "somebody's way to try again");
    assert_eq!(told(&with(good(), KIND, text_of("stream")).as_dead_letters()), [(KIND, Weight::Risky)]);
}

#[test]
fn a_policy_is_judged_as_an_argument_is_and_named() {
    let policy = [(TTL, Value::Number(1000)), (EXPIRES, Value::Number(9)), (DELIVERIES, Value::Number(3))];
    let found = under(good(), &policy).as_work();
    let wanted = [(DELIVERIES, Weight::Risky), (TTL, Weight::Loses), (EXPIRES, Weight::Loses)];
    assert_eq!(told(&found), wanted);
    assert!(found.iter().all(|finding| finding.words.ends_with("(set by policy `noon`)")), "{found:#?}");
}

#[test]
fn an_argument_wins_over_a_policy_and_of_two_limits_the_lower() {
    let drops = [(OVERFLOW, text_of("drop-head")), (LENGTHS[0], Value::Number(3))];
    assert_eq!(under(good(), &drops).as_work(), [], "its own argument rejects");
    assert_eq!(told(&under(classic(), &drops).as_work()), [(KIND, Weight::Risky), (LENGTHS[0], Weight::Loses)]);
    let words = |policy: i64| {
        let queue = under(with(good(), TTL, Value::Number(500)), &[(TTL, Value::Number(policy))]);
        queue.as_work()[0].words.clone()
    };
    assert!(words(100).contains("after 100 ms") && words(100).contains("policy"), "{}", words(100));
    assert!(words(900).contains("after 500 ms") && !words(900).contains("policy"), "{}", words(900));
}

#[test]
fn a_delay_queue_that_gives_back_early_or_takes_no_more_is_told() {
    let wait = Duration::from_secs(10);
    let delay = delay_queue();
    assert_eq!(delay.as_delay(wait, WORK), []);
    for (argument, value) in [(TTL, 500), (LENGTHS[1], 9)] {
        let found = under(delay.clone(), &[(argument, Value::Number(value))]).as_delay(wait, WORK);
        assert_eq!(told(&found), [(argument, Weight::Loses)]);
    }
}

const WORK: &str = "crm.events";

fn delay_queue() -> Queue {
    with(with(good(), TTL, Value::Number(10_000)), ROUTE, text_of(WORK))
}

#[test]
fn a_delay_queue_that_could_drop_or_keep_an_event_is_refused() {
    let wait = Duration::from_secs(10);
    let is_refused = |queue: &Queue| queue.as_delay(wait, WORK).iter().any(|found| found.weight == Weight::Refused);
    assert!(!is_refused(&delay_queue()));
    for argument in [OVERFLOW, STRATEGY, TARGET, ROUTE, TTL, KIND] {
        assert!(is_refused(&without(delay_queue(), &[argument])), "without {argument}");
    }
    for (argument, value) in [(TARGET, "company.dlx"), (ROUTE, "another"), (KIND, "classic"), (OVERFLOW, "drop-head")] {
        assert!(is_refused(&with(delay_queue(), argument, text_of(value))), "{argument} {value}");
    }
    assert!(is_refused(&Queue { is_durable: false, ..delay_queue() }));
    let expires = under(delay_queue(), &[(EXPIRES, Value::Number(3_600_000))]);
    assert_eq!(told(&expires.as_delay(wait, WORK)), [(EXPIRES, Weight::Refused)], "nobody consumes from it");
    let by_policy = under(without(delay_queue(), &[TARGET, ROUTE]), &[(TARGET, text_of("")), (ROUTE, text_of(WORK))]);
    assert!(!is_refused(&by_policy), "a policy may lead back as well");
}
