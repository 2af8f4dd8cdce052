//! An exchange of outcomes that is bound to the work queue: `check --online` refuses it, and the daemon says so.
//!
//! Not here: that nothing goes round for ever (`outcomes`), and what the management API shows of queues (`tests/broker/managed.rs`).

use lapin::ExchangeKind;
use lapin::options::{ExchangeBindOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;

use crate::stage::Stage;
use crate::support::daemon::{Daemon, Setup, says, verb};
use crate::support::deadline::within;

const ONLINE: &[&str] = &["check", "--online"];

/// With the management API, asked each second.
fn managed(stage: &Stage) -> Setup {
    let management = stage.scene.place.management();
    let (user, password) = management.login();
    stage.setup.clone().broker(&format!(
        "management.url = \"{}\"\nmanagement.user = \"{user}\"\nmanagement.password = \"{password}\"\n\
         management.interval = \"1s\"",
        management.url()
    ))
}

/// Binds another exchange to that of outcomes, and answers its name.
async fn over_another_exchange(stage: &Stage) -> String {
    let channel = stage.scene.client.connection().create_channel().await.unwrap();
    let another = format!("{}.more", stage.exchange());
    let options = ExchangeDeclareOptions::default();
    let made = channel.exchange_declare(another.as_str().into(), ExchangeKind::Fanout, options, FieldTable::default());
    within(30, "an exchange", made).await.unwrap();
    let (from, to) = (stage.exchange(), another.clone());
    let options = ExchangeBindOptions::default();
    let bound = channel.exchange_bind(to.into(), from.into(), "*.created".into(), options, FieldTable::default());
    within(30, "a binding", bound).await.unwrap();
    another
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_leads_back_to_the_work_queue_is_refused_by_check_online_and_told_by_the_daemon() {
    let stage = Stage::new("", "").await;
    let (queue, exchange) = (stage.scene.queue(), stage.exchange());
    let (code, said) = within(60, "the check", verb(&stage.setup, ONLINE)).await;
    assert!(code == Some(0) && said.contains("rabbitmqctl list_bindings"), "AMQP shows no bindings: {said}");
    let setup = managed(&stage);
    let mut daemon = Daemon::consumes(&setup).await;
    let words = format!("queue `{queue}` takes what is published to exchange `{exchange}`");
    assert_eq!(daemon.count(|line| says(line, "takes what is published to exchange")), 0);
    let another = over_another_exchange(&stage).await;
    stage.bind_to(&another, &queue, "").await;
    let (code, said) = within(60, "the check", verb(&setup, ONLINE)).await;
    assert!(code == Some(78) && said.contains(&words), "{said}");
    let told = daemon.until(|line| says(line, "takes what is published to exchange"));
    within(60, "that it is bound", told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_no_queue_is_bound_to_is_refused_where_each_event_would_wait_for_one() {
    for (more, code_unbound) in [("", 78), ("required = false", 0)] {
        let stage = Stage::new(more, "").await;
        let (setup, words) = (managed(&stage), format!("no queue is bound to exchange `{}`", stage.exchange()));
        stage.delete_exchange().await;
        stage.make_exchange().await;
        let (code, said) = within(60, "the check", verb(&setup, ONLINE)).await;
        assert!(code == Some(code_unbound) && said.contains(&words), "{said}");
        stage.bind(&stage.queue(), "#").await;
        let (code, said) = within(60, "the check", verb(&setup, ONLINE)).await;
        assert!(code == Some(0) && !said.contains(&words), "{said}");
    }
}
