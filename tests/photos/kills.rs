//! Two replicas killed with -9 at each step of events with photos: before and after the fetch, the upload, the create and the
//! acknowledgement. `PHOTO_KILLS=200 cargo test --test photos kills -- --nocapture` does it longer.
//!
//! Not here: kills at the points of events without photos (`tests/kill.rs`).

use std::time::Duration;

use crate::stage::Stage;
use crate::support::daemon::Daemon;
use crate::support::deadline::within;
use crate::support::setup::{QUICK, SHORT_DRAIN};

/// How often a replica is killed where nothing else is said.
const KILLS: usize = 6;

/// Events published before each kill.
const BATCH: usize = 3;

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

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_killed_at_each_step_make_one_process_of_each_event_and_name_no_photo_that_is_not_up() {
    let kills = std::env::var("PHOTO_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let stage = Stage::new().await;
    stage.scene.api.refuse_second_uploads(true);
    let setup = stage.setup("addresses = \"any\"\ntimeout = \"1s\"").sections(QUICK).sections(SHORT_DRAIN).impatient();
    let mut replicas = [Daemon::consumes(&setup).await, Daemon::consumes(&setup).await];
    let mut events = 0;
    for kill in 0..kills {
        let before = count(&stage);
        for _ in 0..BATCH {
            let path = ["jpeg/40000", "chunked/30000", "flaky/1"][events % 3];
            stage.visit(&format!("k{events}"), path).await;
            events += 1;
        }
        within(60, "the step", reaches(&stage, STEPS[kill % STEPS.len()], &before)).await;
        let killed = &mut replicas[kill % 2];
        killed.signal("KILL");
        *killed = Daemon::start(&setup);
    }
    within(180, "processes", stage.scene.until_created(events)).await;
    within(120, "rest", stage.scene.at_rest()).await;
    let processes = stage.scene.processes();
    assert!(processes.values().all(|times| *times == 1) && processes.len() == events, "{processes:?}");
    let (named, missing) = stage.named_and_missing();
    assert!(missing.is_empty(), "a process names a photo that was not up: {missing:?}");
    let photos = stage.scene.api.photos();
    assert_eq!((photos.len(), named.len()), (2 * events, 2 * events), "one photo of each picture");
    println!(
        "| replicas | killed | events | processes | photos | of pictures |\n| --- | --- | --- | --- | --- | --- |"
    );
    println!("| 2 | {kills} times | {events} | {} | {} | {} |", processes.len(), photos.len(), 2 * events);
}
