//! `dead-letters retry` killed at each step, and two at once: nothing is lost, and where events are looked up nothing doubles.
//!
//! `KILLS` says how often at each step; CI does it once, `make evidence` fifty times.

use tokio::process::Command;

use super::night::{file, put, run, scene_on};
use super::scene::Scene;
use crate::support::broker::shared;
use crate::support::daemon::{Daemon, Setup, program};
use crate::support::deadline::within;
use crate::support::relay::{Breakpoint, Doing, From, Relay, Seen, Verdict};
use crate::support::setup::{LOOKED_UP, QUICK};

/// Letters of each night.
const LETTERS: usize = 6;
/// The letter at which the tool is killed.
const AT: usize = 3;

/// Of the table, printed by each test of it.
const HEAD: &str =
    "| killed | times | events | lost | duplicated | unexpected |\n| --- | --- | --- | --- | --- | --- |";

/// A step of a retry.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The first pass holds some letters.
    Looking,
    /// The second pass holds some, and nothing is done.
    Holding,
    /// The publish is written, and is not at the broker.
    BeforeThePublish,
    /// The broker has the event, and its confirm is not at the tool.
    BeforeTheConfirm,
    /// The confirm is at the tool, and the removal is not at the broker.
    AfterTheConfirm,
    /// The removal is at the broker, and the next letter is not begun.
    Removed,
}

const STEPS: [Step; 6] = [
    Step::Looking,
    Step::Holding,
    Step::BeforeThePublish,
    Step::BeforeTheConfirm,
    Step::AfterTheConfirm,
    Step::Removed,
];

impl Step {
    fn breakpoint(self, work: String) -> Breakpoint {
        let (mut delivered, mut published, mut removed, mut way) = (0, 0, 0, None);
        Box::new(move |seen: &Seen| {
            let is_publish = matches!(&seen.doing, Doing::Publishes(queue) if *queue == work);
            let is_ack = seen.doing == Doing::Acknowledges;
            delivered += usize::from(seen.doing == Doing::Delivers);
            published += usize::from(is_publish);
            if is_publish {
                way = Some((seen.connection, seen.channel));
            }
            let is_confirm = is_ack && seen.from == From::Broker && way == Some((seen.connection, seen.channel));
            let is_removal = is_ack && seen.from == From::Daemon;
            removed += usize::from(is_removal);
            let (is_there, verdict) = match self {
                Self::Looking => (delivered == AT, Verdict::PassesLast),
                Self::Holding => (delivered == LETTERS + AT, Verdict::PassesLast),
                Self::BeforeThePublish => (is_publish && published == AT, Verdict::Held),
                Self::BeforeTheConfirm => (is_confirm && published == AT, Verdict::Held),
                Self::AfterTheConfirm => (is_removal && removed == AT, Verdict::Held),
                Self::Removed => (is_removal && removed == AT, Verdict::PassesLast),
            };
            if is_there { verdict } else { Verdict::Passes }
        })
    }
}

fn kills() -> usize {
    std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(1)
}

fn setup(scene: &Scene) -> Setup {
    scene.setup().sections(LOOKED_UP).sections(QUICK)
}

/// The tool by way of the relay, killed once it has reached the step.
async fn killed_at(scene: &Scene, relay: &mut Relay, step: Step) {
    let by_relay = Setup { amqp: scene.by_way_of(relay.address().port()), ..setup(scene) };
    let (_folder, config) = file(&by_relay);
    relay.arm(step.breakpoint(scene.queue()));
    let mut command = Command::new(program());
    command.arg("--config").arg(config).args(["dead-letters", "retry"]).kill_on_drop(true);
    let mut tool = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    within(60, &format!("{step:?}"), relay.reached()).await;
    tool.kill().await.unwrap();
    relay.disarm();
    relay.cut();
}

/// One night: killed, run again, and every event once.
async fn night(scene: &Scene, relay: &mut Relay, step: Step) -> usize {
    put(scene, LETTERS).await;
    killed_at(scene, relay, step).await;
    let (_folder, config) = file(&setup(scene));
    let left = within(60, "what is left", async {
        loop {
            // What the killed tool held comes back when the broker notices.
            let again = run(&config, &["retry", "--json"]).await.done();
            if scene.client.depth(&scene.dead()).await.unwrap().messages == 0
                && scene.place.unacked(&scene.dead()).await == 0
            {
                break again;
            }
        }
    })
    .await;
    drop(left);
    usize::try_from(scene.client.depth(&scene.queue()).await.unwrap().messages).unwrap()
}

/// What is in the work queue becomes processes: each of the letters, and none twice.
async fn ends_well(scene: &Scene) -> [usize; 3] {
    let daemon = Daemon::start(&setup(scene));
    within(120, "all", scene.until_created(LETTERS)).await;
    within(120, "rest", scene.at_rest()).await;
    let processes = scene.processes();
    drop(daemon);
    let wanted = (0..LETTERS).map(|number| format!("e{number}"));
    let lost = wanted.clone().filter(|key| !processes.contains_key(key)).count();
    let doubled = processes.values().filter(|times| **times > 1).count();
    let unexpected = processes.keys().filter(|key| !wanted.clone().any(|wanted| wanted == **key)).count();
    [lost, doubled, unexpected]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_killed_at_any_step_loses_nothing_and_doubles_nothing() {
    let kills = kills();
    println!("{HEAD}");
    for step in STEPS {
        let mut sum = [0; 3];
        for _ in 0..kills {
            let scene = within(240, "a place", async { scene_on(shared().await).await }).await;
            let mut relay = Relay::start(scene.listens()).await;
            let sent = within(120, "the night", night(&scene, &mut relay, step)).await;
            assert!(sent >= LETTERS, "{step:?}: {sent} of {LETTERS} are in the work queue");
            let ended = within(240, "its end", ends_well(&scene)).await;
            sum.iter_mut().zip(ended).for_each(|(sum, one)| *sum += one);
        }
        let [lost, doubled, unexpected] = sum;
        println!("| {step:?} | {kills} | {} | {lost} | {doubled} | {unexpected} |", kills * LETTERS);
        assert_eq!(sum, [0; 3], "{step:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_retry_at_once_lose_nothing_and_double_nothing() {
    for _ in 0..kills() {
        let scene = within(240, "a place", async { scene_on(shared().await).await }).await;
        put(&scene, LETTERS).await;
        let (_folder, config) = file(&setup(&scene));
        let words = ["retry", "--json"];
        let (one, other) = tokio::join!(run(&config, &words), run(&config, &words));
        assert_eq!((one.code, other.code), (Some(0), Some(0)), "{one:?} {other:?}");
        // Who came second may have found that the first held all.
        while scene.client.depth(&scene.dead()).await.unwrap().messages > 0 {
            run(&config, &words).await.done();
        }
        assert_eq!(within(240, "its end", ends_well(&scene)).await, [0; 3]);
    }
    println!("{HEAD}\n| two at once | {} | {} | 0 | 0 | 0 |", kills(), kills() * LETTERS);
}
