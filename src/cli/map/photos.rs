//! The photos of a request, for a person: under which id, from where, and what follows where one cannot be had. Nothing is fetched
//! unless that is asked for, and nothing is uploaded.
//!
//! Not here: what a photo is (`core::photo`), what follows for its event (`core::progress`), and fetching (`crate::photos`).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::core::judge::Judgement;
use crate::core::photo::{Missed, Photo, Source};
use crate::core::policy::Policy;
use crate::core::progress::{PhotoStep, Progress, StepContext};
use crate::core::reason::Fault;
use crate::photos::{Config, Fetcher, Picture};

/// One photo, and what came of it.
pub(super) struct PhotoShown {
    pub(super) photo: Arc<Photo>,
    pub(super) came: Came,
}

/// What came of a photo.
pub(super) enum Came {
    /// It was not fetched.
    Unasked,
    /// This picture.
    Picture(String),
    /// It cannot be had, for this reason in words.
    Missing(String, Follows),
}

/// What follows where a picture cannot be had.
pub(super) enum Follows {
    /// It is tried again.
    Retry,
    /// The request is sent without it.
    LeftOut,
    /// The event is a dead letter.
    Dead(Fault),
}

impl PhotoShown {
    pub(super) fn of(photo: &Arc<Photo>) -> Self {
        Self { photo: Arc::clone(photo), came: Came::Unasked }
    }

    pub(super) fn json(&self) -> Value {
        let Self { photo, came } = self;
        let mut shown = json!({
            "name": &*photo.name,
            "id": photo.id.to_string(),
            "from": photo.source.to_string(),
            "filename": photo.filename,
        });
        match came {
            Came::Unasked => {}
            Came::Picture(picture) => shown["picture"] = json!(picture),
            Came::Missing(why, follows) => {
                shown["missing"] = json!(why);
                if matches!(follows, Follows::LeftOut) {
                    shown["left_out"] = json!(true);
                }
            }
        }
        shown
    }

    /// In a line: the link is told without its query.
    pub(super) fn line(&self) -> String {
        let Self { photo, came } = self;
        let came = match came {
            Came::Unasked => String::new(),
            Came::Picture(picture) => format!("   {picture}"),
            Came::Missing(why, Follows::LeftOut) => format!("   cannot be had, and is left out: {why}"),
            Came::Missing(why, _) => format!("   cannot be had: {why}"),
        };
        format!("{}  {}  from {}{came}", photo.name, photo.id, photo.source)
    }
}

/// Fetches each of them, as the daemon would, and says what came.
pub(super) fn fetch(config: &Config, policy: &Policy, photos: &mut [PhotoShown]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ready = runtime.map_err(|error| error.to_string()).and_then(|runtime| Ok((runtime, Fetcher::new(config)?)));
    for shown in photos {
        shown.came = match &ready {
            Err(why) => Came::Missing(why.clone(), Follows::Retry),
            Ok((runtime, fetcher)) => match runtime.block_on(one(fetcher, &shown.photo)) {
                Ok(picture) => Came::Picture(picture),
                Err(missed) => missing(&shown.photo, &missed, policy),
            },
        };
    }
}

/// Says of each of them, without asking anybody, whether the daemon would refuse it for what its event says.
pub(super) fn look(config: &Config, policy: &Policy, photos: &mut [PhotoShown]) {
    for shown in photos {
        if let Some(missed) = refused(config, &shown.photo.source) {
            shown.came = missing(&shown.photo, &missed, policy);
        }
    }
}

fn refused(config: &Config, source: &Source) -> Option<Missed> {
    match source {
        Source::Bytes(bytes) => Picture::of_bytes(bytes, config.max_size).err(),
        Source::Link(link) => config.allowed(link.whole(), "it").err(),
    }
}

async fn one(fetcher: &Fetcher, photo: &Photo) -> Result<String, Missed> {
    let picture = match &photo.source {
        Source::Bytes(bytes) => Picture::of_bytes(bytes, fetcher.max_size())?,
        Source::Link(link) => fetcher.open(link).await?,
    };
    Ok(format!("{}, {} bytes", picture.kind.mime(), picture.length))
}

fn missing(photo: &Photo, missed: &Missed, policy: &Policy) -> Came {
    Came::Missing(words(missed), follows(photo, missed, policy))
}

/// What the daemon makes of it, at an event that has just come.
fn follows(photo: &Photo, missed: &Missed, policy: &Policy) -> Follows {
    let Some((reason, text)) = missed.fault() else { return Follows::Retry };
    let at = StepContext { is_probe: false, can_look_up: false, age: Duration::ZERO, dice: 1.0, refusal: None };
    match Progress::default().photo_step(photo, &Judgement::Reject(Fault::new(reason, text)), at, policy) {
        PhotoStep::Dead(fault) => Follows::Dead(fault),
        PhotoStep::Without(_) => Follows::LeftOut,
        PhotoStep::Next | PhotoStep::Wait(_) | PhotoStep::Hold => Follows::Retry,
    }
}

fn words(missed: &Missed) -> String {
    let status = missed.status().map(|status| format!(" ({status})")).unwrap_or_default();
    let told = missed
        .fault()
        .map_or_else(|| missed.as_str().to_owned(), |(reason, text)| format!("{}, {text}", reason.as_str()));
    format!("{told}{status}")
}
