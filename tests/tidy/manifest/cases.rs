//! What each rule about dependencies must find, and what it must let pass.

use super::{RECORDED, reasons, record};

#[test]
fn a_dependency_without_a_reason_is_found() {
    let good = "[package]\nname = \"a\"\n[dependencies]\nb = \"1\" # why\n# c = 2\n[dev-dependencies]\nd = { version = \"1\" } # why\n";
    assert_eq!(reasons(good), []);
    for bad in [
        "[dependencies]\nb = \"1\"\n",
        "[dev-dependencies]\nb = \"1\" #\n",
        "[dependencies.b]\nversion = \"1\" # why\n",
    ] {
        assert_eq!(reasons(bad).len(), 1, "{bad}");
    }
}

#[test]
fn too_many_dependencies_are_found() {
    let manifest =
        |count: usize| (0..count).fold("[dependencies]\n".to_owned(), |all, n| format!("{all}a{n} = \"1\" # why\n"));
    assert_eq!(reasons(&manifest(34)), []);
    assert_eq!(reasons(&manifest(35)).len(), 1);
    let and = |table: &str, name: &str| reasons(&format!("{}[{table}]\n{name} = \"1\" # why\n", manifest(34))).len();
    assert_eq!(and("dev-dependencies", "b"), 0, "of the tests");
    assert_eq!(and("target.'cfg(unix)'.dev-dependencies", "b"), 0, "of the tests");
    assert_eq!(and("target.'cfg(unix)'.dependencies", "a0"), 0, "one crate, twice");
    assert_eq!(and("target.'cfg(unix)'.dependencies", "b"), 1);
    assert_eq!(and("build-dependencies", "b"), 1);
}

fn deny(reason: &str) -> String {
    let entries = RECORDED.map(|(id, _)| format!("{{ id = \"{id}\", reason = \"{reason}\" }}"));
    format!("[advisories]\nignore = [{}]\n", entries.join(", "))
}

fn lock(names: &[&str]) -> String {
    names.iter().map(|name| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n")).collect()
}

#[test]
fn an_advisory_is_recorded_exactly_while_its_crate_is_there() {
    let both = RECORDED.map(|(_, name)| name);
    assert_eq!(record(&deny("why"), &lock(&both)), []);
    assert_eq!(record("", &lock(&["serde"])), []);
    assert_eq!(record("", &lock(&both)).len(), 2, "not recorded");
    assert_eq!(record(&deny("why"), &lock(&both[..1])).len(), 1, "recorded for too long");
    assert_eq!(record(&deny(" "), &lock(&both)).len(), 2, "no reason");
}

#[test]
fn an_advisory_that_nobody_recorded_is_not_ignored() {
    let strange = "[advisories]\nignore = [\"RUSTSEC-2000-0001\"]\n";
    assert_eq!(record(strange, &lock(&["serde"])).len(), 1);
    assert_eq!(record("[", "").len(), 1, "no TOML");
}
