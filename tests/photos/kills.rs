//! Two replicas killed with -9 at each step of events with photos: before and after the fetch, the upload, the create and the
//! acknowledgement. `PHOTO_KILLS=200 cargo test --test photos kills -- --nocapture` does it longer.
//!
//! Everything comes to rest after each kill, and what waits for less than the shortest delay queue waits in memory: a copy that a kill
//! leaves in that queue comes when the one that the other replica has at once is a process. Of two that come at the same moment to
//! two replicas, neither sees the other: that is a limit (`docs/delivery.md`), and no fault.
//!
//! Not here: kills at the points of events without photos (`tests/kill.rs`).

use std::time::Duration;

use crate::stage::Stage;
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::setup::{SHORT_DRAIN, Setup};

/// How often a replica is killed where nothing else is said.
const KILLS: usize = 6;

/// Scenes side by side, each with its own queues, replicas, API and host.
const SCENES: usize = 6;

/// What the host makes of the events that are published before each kill.
const MANNERS: [&str; 4] = ["jpeg", "chunked", "flaky", "later"];

/// All waits but those that a host asks for are short, and in memory.
const TIMES: &str = "[lookup]\nlag = \"1s\"\n[retry]\ninitial = \"200ms\"\nmax_interval = \"1s\"\nmax_local_delay = \"2s\"\nbudget = 1.0";

/// What has happened to the events of a batch when a replica is killed.
#[derive(Clone, Copy, Debug)]
enum Step {
    Published,
    FetchAsked,
    UploadAsked,
    Uploaded,
    CreateAsked,
    Created,
}

const STEPS: [Step; 6] =
    [Step::Published, Step::FetchAsked, Step::UploadAsked, Step::Uploaded, Step::CreateAsked, Step::Created];

/// How much of each there was before.
struct Before {
    asked: usize,
    uploads: usize,
    photos: usize,
    creates: usize,
    created: usize,
}

fn count(stage: &Stage) -> Before {
    let asked = stage.host.asked();
    stage.scene.api.lookup(|books| {
        let of = |part: &str| books.requests.iter().filter(|seen| seen.path.contains(part)).count();
        let creates = books.requests.iter().filter(|seen| seen.path.ends_with("/process")).count();
        let (photos, created) = (books.photos.len(), books.created.len());
        Before { asked, uploads: of("/photo/"), photos, creates, created }
    })
}

async fn reaches(stage: &Stage, step: Step, before: &Before) {
    loop {
        let now = count(stage);
        let is_reached = match step {
            Step::Published => true,
            Step::FetchAsked => now.asked > before.asked,
            Step::UploadAsked => now.uploads > before.uploads,
            Step::Uploaded => now.photos > before.photos,
            Step::CreateAsked => now.creates > before.creates,
            Step::Created => now.created > before.created,
        };
        if is_reached {
            return;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await; // tidy: allow sleep, the host is asked again and again
    }
}

/// Publishes events, kills a replica when they have come to the step, and waits until all of them are processes and nothing is left.
async fn kill_at(stage: &Stage, setup: &Setup, replica: &mut Daemon, step: Step, events: &mut usize) {
    let before = count(stage);
    for manner in MANNERS {
        stage.visit(&format!("k{events}"), &format!("{manner}/{}", 30_000 + *events)).await;
        *events += 1;
    }
    within(60, &format!("{step:?}"), reaches(stage, step, &before)).await;
    replica.signal("KILL");
    *replica = Daemon::start(setup);
    within(120, "processes", stage.scene.until_created(*events)).await;
    within(120, "rest", stage.scene.at_rest()).await;
}

/// What became of the events of one scene: how many, their processes, and their photos.
async fn scene(steps: Vec<Step>) -> [usize; 3] {
    let stage = Stage::new().await;
    stage.scene.api.refuse_second_uploads(true);
    let setup = stage.setup("addresses = \"any\"\ntimeout = \"1s\"").sections(TIMES).sections(SHORT_DRAIN).impatient();
    let mut replicas = [Daemon::consumes(&setup).await, Daemon::consumes(&setup).await];
    let mut events = 0;
    for (kill, step) in steps.into_iter().enumerate() {
        kill_at(&stage, &setup, &mut replicas[kill % 2], step, &mut events).await;
    }
    let processes = stage.scene.processes();
    assert!(processes.values().all(|times| *times == 1) && processes.len() == events, "{processes:?}");
    let (named, missing) = stage.named_and_missing();
    assert!(missing.is_empty(), "a process names a photo that was not up: {missing:?}");
    let photos = stage.scene.api.photos();
    assert_eq!((photos.len(), named.len()), (2 * events, 2 * events), "one photo of each picture");
    [events, processes.len(), photos.len()]
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_killed_at_each_step_make_one_process_of_each_event_and_name_no_photo_that_is_not_up() {
    let kills = std::env::var("PHOTO_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut shares: Vec<Vec<Step>> = vec![Vec::new(); SCENES];
    // Each scene has all steps, each in another order.
    (0..kills).for_each(|kill| shares[kill % SCENES].push(STEPS[(kill + kill / SCENES) % STEPS.len()]));
    let scenes = shares.into_iter().filter(|steps| !steps.is_empty()).map(scene);
    let limit = 180 + 60 * (kills / SCENES) as u64;
    let seen = within(limit, "the kills", futures_util::future::join_all(scenes)).await;
    let sum = |at: usize| seen.iter().map(|counts| counts[at]).sum::<usize>();
    let [events, processes, photos] = [0, 1, 2].map(sum);
    println!(
        "| replicas | killed | events | processes | photos | of pictures |\n| --- | --- | --- | --- | --- | --- |"
    );
    println!("| 2 | {kills} times | {events} | {processes} | {photos} | {} |", 2 * events);
}
