//! Certificates: when each expires that was seen.
//!
//! Not here: where they are seen (`daemon`).

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Metrics, put};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Certified {
    certificate: &'static str,
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Certificates {
    expiry: Family<Certified, Gauge<i64, AtomicI64>>,
}

impl Certificates {
    pub(super) fn registered(all: &mut Registry) -> Self {
        Self {
            expiry: put(all, "certificate_expiry_timestamp_seconds", "When a certificate expires that was seen last"),
        }
    }
}

impl Metrics {
    /// This certificate expires then, in seconds since the Unix epoch. One that is not known is not shown: a nought would read as
    /// one that expired long ago.
    pub fn certificate_expires(&self, certificate: &'static str, unix_seconds: Option<i64>) {
        match unix_seconds {
            Some(seconds) => drop(self.certificates.expiry.get_or_create(&Certified { certificate }).set(seconds)),
            None => drop(self.certificates.expiry.remove(&Certified { certificate })),
        }
    }
}
