//! The numbers of photos.
//!
//! Not here: who counts.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Level, Metrics, REQUEST_BUCKETS, put, put_histogram};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tried {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeftOut {
    rule: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Hosted {
    host: String,
}

#[derive(Debug)]
pub(super) struct Photos {
    uploads: Family<Tried, Counter>,
    bytes: Counter,
    took: Histogram,
    left_out: Family<LeftOut, Counter>,
    shut: Family<Hosted, Level>,
}

impl Photos {
    pub(super) fn registered(all: &mut Registry) -> Self {
        let photos = Self {
            uploads: put(all, "photo_uploads", "Tries to bring a photo up, by outcome: `up`, or why not"),
            bytes: put(all, "photo_uploaded_bytes", "Bytes of the pictures that are up"),
            took: put_histogram(all, "photo_duration_seconds", "One try to bring a photo up", REQUEST_BUCKETS),
            left_out: put(all, "photos_left_out", "Pictures that a process was created without, by rule and reason"),
            shut: put(all, "photo_source_shut", "1 while a host of pictures fails and is asked by single fetches"),
        };
        drop(photos.uploads.get_or_create(&Tried { outcome: "up" }));
        photos
    }
}

impl Metrics {
    /// A try to bring a photo up ended; `bytes` is the size of one that is up by it.
    pub fn photo(&self, outcome: &'static str, bytes: u64, took: Duration) {
        self.photos.uploads.get_or_create(&Tried { outcome }).inc();
        self.photos.bytes.inc_by(bytes);
        self.photos.took.observe(took.as_secs_f64());
    }

    /// A process is created without a picture. `rule` must be a name out of the configuration.
    pub fn photo_left_out(&self, rule: &str, reason: &'static str) {
        self.photos.left_out.get_or_create(&LeftOut { rule: rule.to_owned(), reason }).inc();
    }

    /// A host of pictures is shut, or open again.
    pub fn photo_source(&self, host: &str, is_shut: bool) {
        let label = Hosted { host: host.to_owned() };
        if is_shut {
            self.photos.shut.get_or_create(&label).set(1);
        } else {
            self.photos.shut.remove(&label);
        }
    }
}
