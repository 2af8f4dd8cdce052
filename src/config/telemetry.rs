//! The section of traces: `[telemetry]`.
//!
//! Not here: making spans (`dispatch`) and sending them (`telemetry`).

use reqwest::Url;

use super::reader::Reader;
use super::urls;
use super::values::{self, wrong};
use crate::tls;

const SECTION: &str = "telemetry";
const OTLP: &str = "telemetry.otlp";
const SAMPLE: &str = "telemetry.sample";
const SERVICE: &str = "telemetry.service_name";
const AUTHORITIES: &str = "telemetry.ca_file";

/// Where spans go, and which.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// The collector's address for OTLP over HTTP, without the path of the protocol.
    pub otlp: Url,
    /// The share of the traces that begin here and are kept, 0 to 1. Of the others whoever began them says so.
    pub sample: f64,
    /// What the spans say of who made them.
    pub service_name: String,
    /// Whom to trust, beside the system's authorities.
    pub tls: tls::Files,
}

/// None where it names no collector.
pub(super) fn telemetry(reader: &mut Reader<'_>) -> Option<Telemetry> {
    let otlp = reader.optional(OTLP, None, urls::collector);
    let sample = reader.number(SAMPLE, Some("1.0"), &(0.0..=1.0), "a number").unwrap_or_default();
    let service_name = reader.optional(SERVICE, Some("chakra-bridge"), values::text).unwrap_or_default();
    let authorities = reader.file(AUTHORITIES);
    let tls = tls::Files { section: SECTION, authorities, identity: None };
    if let Err(wrong) = tls.read_now()
        && !reader.is_dry_run()
    {
        reader.mistake(&wrong.key, values::wrong(wrong.what, "a PEM file of certificates"));
    }
    for key in [SAMPLE, SERVICE, AUTHORITIES] {
        if reader.is_set(key) && !reader.is_set(OTLP) {
            reader.mistake(key, wrong(format!("stands without {OTLP}"), "both, or neither"));
        }
    }
    Some(Telemetry { otlp: otlp?, sample, service_name, tls })
}

#[cfg(test)]
mod tests {
    use super::super::{Mistakes, load};
    use super::*;

    const FILE: &str = "[broker]\nurl = \"amqp://bridge@127.0.0.1/crm\"\npassword = \"swordfish\"\nqueue = \"crm.events\"\n\
         [api]\nbase_url = \"http://127.0.0.1:1\"\ntoken = \"marlin\"\n[[rule]]\nname = \"one\"\nprocedure = \"lead\"\n";

    fn read(more: &str) -> Result<Option<Telemetry>, Box<Mistakes>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, format!("{FILE}{more}")).unwrap();
        load(&path, []).map(|(config, _)| config.telemetry)
    }

    #[test]
    fn without_a_collector_there_are_no_spans_and_with_one_there_are_defaults() {
        assert!(read("").unwrap().is_none());
        let telemetry = read("[telemetry]\notlp = \"http://127.0.0.1:4318/\"").unwrap().unwrap();
        assert_eq!((telemetry.otlp.path(), telemetry.sample), ("/", 1.0));
        assert_eq!(telemetry.service_name, "chakra-bridge");
    }

    #[test]
    fn what_is_wrong_about_a_collector_is_said_and_a_password_is_not_repeated() {
        for (more, said) in [
            ("otlp = \"collector:4318\"", "telemetry.otlp"),
            ("otlp = \"grpc://collector:4317\"", "telemetry.otlp"),
            ("otlp = \"http://me:swordfish@collector:4318\"", "holds a user or a password"),
            ("otlp = \"http://collector:4318?x=1\"", "telemetry.otlp"),
            ("otlp = \"http://collector:4318\"\nsample = 1.5", "telemetry.sample"),
            ("otlp = \"https://collector:4318\"\nca_file = \"/nowhere\"", "telemetry.ca_file"),
            ("sample = 0.5", "stands without telemetry.otlp"),
        ] {
            let words = read(&format!("[telemetry]\n{more}")).unwrap_err().to_string();
            assert!(words.contains(said) && !words.contains("me:swordfish"), "{more}: {words}");
        }
    }
}
