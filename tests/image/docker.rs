//! The `docker` command, and the image under test: built from `deploy/Dockerfile` once for each state of the source.
//!
//! Not here: containers of the daemon (`replica.rs`).
#![allow(dead_code, reason = "each test that includes it uses a part of it")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use tokio::sync::OnceCell;

/// Set by `.ci/run`, where nothing may be left out.
const CI: &str = "CHAKRA_BRIDGE_CI";
/// What the image is made of, beside the sources.
const FILES: [&str; 5] = [".dockerignore", ".cargo/config.toml", "Cargo.toml", "Cargo.lock", "build.rs"];
/// Of `Cargo.toml`: compiled sooner than what is delivered, and otherwise the same.
const PROFILE: &str = "quick";
pub const VERSION: &str = "9.8.7";
pub const REVISION: &str = "of-a-test";
static IMAGE: OnceCell<Option<String>> = OnceCell::const_new();

/// The name of the image. Nothing, and said so, where no engine answers; a failure where `CHAKRA_BRIDGE_CI` is set.
pub async fn image() -> Option<&'static str> {
    IMAGE.get_or_init(find_or_build).await.as_deref()
}

/// Runs `docker` with these arguments, and gives what it prints; or the test fails with what it complains of.
pub async fn docker(arguments: &[&str]) -> String {
    asked(arguments).await.unwrap_or_else(|complained| panic!("docker {}: {complained}", arguments.join(" ")))
}

/// The same, with what it complains of as the error.
pub async fn asked(arguments: &[&str]) -> Result<String, String> {
    run("docker", arguments).await
}

async fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(arguments).current_dir(root()).stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    let [said, complained] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned());
    if output.status.success() { Ok(said) } else { Err(complained) }
}

async fn find_or_build() -> Option<String> {
    if asked(&["version"]).await.is_err() {
        assert!(std::env::var_os(CI).is_none(), "no Docker engine answers, and {CI} allows no skipping of the image");
        say("skipped: no Docker engine for the image");
        return None;
    }
    Some(built("chakra-bridge", "deploy/Dockerfile", &["src"]).await)
}

/// The image of that name from that file and those folders, built unless it is there already.
pub async fn built(name: &str, dockerfile: &str, folders: &[&str]) -> String {
    let name = format!("{name}:test-{}", fingerprint(dockerfile, folders));
    // One builds, and the other test programs wait for it.
    let lock = File::create(std::env::temp_dir().join("chakra-bridge-image.lock")).expect("a file for temporary files");
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    let _lock = lock.expect("waiting does not panic").expect("a lock on it");
    if asked(&["image", "inspect", &name]).await.is_err() {
        build(&name, dockerfile, root()).await;
    }
    name
}

async fn build(name: &str, dockerfile: &str, folder: &Path) {
    say(&format!("building {name} (the first time takes some minutes)"));
    let arguments = [format!("VERSION={VERSION}"), format!("REVISION={REVISION}"), format!("PROFILE={PROFILE}")];
    let mut command = Command::new("docker");
    command.args(["build", "--quiet", "--file", dockerfile, "--tag", name]);
    command.args(arguments.iter().flat_map(|argument| ["--build-arg", argument]));
    let built = command.arg(".").current_dir(folder).stdin(Stdio::null()).output().await.expect("the docker command");
    let complained = [last_lines(&built.stdout), last_lines(&built.stderr)].join("\n");
    assert!(built.status.success(), "the image does not build; the builder must reach crates.io:\n{complained}");
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text).into_owned();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// Changes with whatever the image is made of.
fn fingerprint(dockerfile: &str, folders: &[&str]) -> String {
    let mut files: Vec<_> = FILES.iter().chain([&dockerfile]).map(|file| root().join(file)).collect();
    folders.iter().for_each(|folder| gather(&root().join(folder), &mut files));
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.strip_prefix(root()).unwrap_or(&file).to_string_lossy().as_bytes());
        hasher.update(fs::read(&file).expect("the source is readable"));
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source is readable") {
        let path = entry.expect("the source is readable").path();
        if path.is_dir() { gather(&path, files) } else { files.push(path) }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Past the test runner, which keeps the words of tests that pass to itself.
pub fn say(words: &str) {
    drop(writeln!(std::io::stderr(), "{words}"));
}
