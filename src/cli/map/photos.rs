//! The photos of a request, for a person: under which id, and from where. Nothing is fetched unless that is asked for, and nothing is
//! uploaded.
//!
//! Not here: what a photo is (`core::photo`), and fetching (`crate::photos`).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::photo::{Missed, Photo, Source};
use crate::photos::{Config, Fetcher, Picture};

/// One photo, and what came of fetching it.
pub(super) struct PhotoShown {
    pub(super) photo: Arc<Photo>,
    pub(super) fetched: Option<Result<String, String>>,
}

impl PhotoShown {
    pub(super) fn json(&self) -> Value {
        let Self { photo, fetched } = self;
        let mut shown = json!({
            "name": &*photo.name,
            "id": photo.id.to_string(),
            "from": photo.source.to_string(),
            "filename": photo.filename,
        });
        match fetched {
            None => {}
            Some(Ok(picture)) => shown["picture"] = json!(picture),
            Some(Err(why)) => shown["missing"] = json!(why),
        }
        shown
    }

    /// In a line: the link is told without its query.
    pub(super) fn line(&self) -> String {
        let Self { photo, fetched } = self;
        let came = match fetched {
            None => String::new(),
            Some(Ok(picture)) => format!("   {picture}"),
            Some(Err(why)) => format!("   cannot be had: {why}"),
        };
        format!("{}  {}  from {}{came}", photo.name, photo.id, photo.source)
    }
}

/// Fetches each of them, as the daemon would, and says what came.
pub(super) fn fetch(config: &Config, photos: &mut [PhotoShown]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ready = runtime.map_err(|error| error.to_string()).and_then(|runtime| Ok((runtime, Fetcher::new(config)?)));
    for shown in photos {
        shown.fetched = Some(match &ready {
            Err(why) => Err(why.clone()),
            Ok((runtime, fetcher)) => runtime.block_on(one(fetcher, &shown.photo)).map_err(|missed| words(&missed)),
        });
    }
}

async fn one(fetcher: &Fetcher, photo: &Photo) -> Result<String, Missed> {
    let picture = match &photo.source {
        Source::Bytes(bytes) => Picture::of_bytes(bytes, fetcher.max_size())?,
        Source::Link(link) => fetcher.open(link).await?,
    };
    Ok(format!("{}, {} bytes", picture.kind.mime(), picture.length))
}

fn words(missed: &Missed) -> String {
    let status = missed.status().map(|status| format!(" ({status})")).unwrap_or_default();
    let told = missed
        .fault()
        .map_or_else(|| missed.as_str().to_owned(), |(reason, text)| format!("{}, {text}", reason.as_str()));
    format!("{told}{status}")
}
