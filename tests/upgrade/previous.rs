//! The release before this one: which it is, and its program, built from the history of this checkout.
//!
//! When a release comes out, `COMMIT` names it here, `previous.toml` says the keys that differ, and `SAID` its words.
//! Its crates are those of its own lock file; where they are those of today, they are not compiled again.
//!
//! Not here: what is done with it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// What landed last, and ran wherever this one comes to run.
const COMMIT: &str = "880878f1548fe4b968df58b733746326cc833e5f";
/// The sections of `support::setup::QUICK` in its keys.
pub const SECTIONS: &str = include_str!("previous.toml");
/// The log field of a result, and how it calls an event that goes to a delay queue.
pub const SAID: [&str; 2] = ["outcome", "parked"];

/// Set by `.ci/run`, where nothing may be left out.
const CI: &str = "CHAKRA_BRIDGE_CI";
/// As `Cargo.toml` says it of the crates today: in another profile each of them would be compiled once more.
const PROFILE: &str = r#"profile.dev.package."*".debug=false"#;
/// What cargo tells a test of its package: a build script that reads one of these would run again, here and after it.
const TOLD: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_PRIMARY_"];

/// Its program, built unless it is there already. Nothing, and said so, without the history; a failure where
/// `CHAKRA_BRIDGE_CI` is set.
pub async fn program() -> Option<PathBuf> {
    let folder = target().join("previous").join(&COMMIT[..12]);
    let program = folder.join("built/debug/chakra-bridge");
    if program.exists() {
        return Some(program);
    }
    let source = folder.join("source");
    if let Err(why) = unpacked(&source).await {
        assert!(
            std::env::var_os(CI).is_none(),
            "no history to build {COMMIT} from, and {CI} allows no skipping: {why}"
        );
        eprintln!("skipped: no history to build the previous release from: {why}");
        return None;
    }
    eprintln!("building the previous release (the first time takes a minute or two)");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The example is not run: with it the crates have the features that the tests gave them.
    cargo.args(["build", "--quiet", "--locked", "--bin", "chakra-bridge", "--example", "stand-in"]);
    cargo.args(["--config", PROFILE, "--target-dir"]).arg(folder.join("built")).current_dir(&source);
    cargo.env("CARGO_BUILD_BUILD_DIR", target());
    for (name, _) in std::env::vars_os() {
        if TOLD.iter().any(|of| name.to_string_lossy().starts_with(of)) {
            cargo.env_remove(name);
        }
    }
    said(cargo).await.unwrap_or_else(|why| panic!("the previous release does not build:\n{why}"));
    Some(program)
}

/// The source of that commit in this folder. Its files have the time of the commit: what was compiled stays so.
async fn unpacked(source: &Path) -> Result<(), String> {
    std::fs::create_dir_all(source).map_err(|why| why.to_string())?;
    let mut archive = Command::new("sh");
    let script =
        "git -c safe.directory='*' archive \"$1\" >\"$2.tar\" && tar -x -f \"$2.tar\" -C \"$2\" && rm \"$2.tar\"";
    archive.args(["-c", script, "sh", COMMIT]).arg(source).current_dir(env!("CARGO_MANIFEST_DIR"));
    said(archive).await
}

/// What it complains of, if it does.
async fn said(mut command: Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().await.map_err(|why| why.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// The folder that this test was built into.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder in it").to_owned()
}
