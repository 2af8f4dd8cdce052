//! What is in the image, and what is not.
//!
//! Not here: running it for long.

use serde_json::Value;

use super::docker::{REVISION, VERSION, asked, docker, image};
use crate::support::deadline::within;

const SIZE_MAX: u64 = 25_000_000;
/// What the engine puts into every container by itself.
const OF_THE_ENGINE: [&str; 8] =
    [".dockerenv", "dev/", "proc/", "sys/", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"];
/// With the time to build it.
const BUILD: u64 = 1500;

#[tokio::test(flavor = "multi_thread")]
async fn the_image_holds_the_program_the_authorities_and_the_licences_and_nothing_else() {
    let Some(image) = within(BUILD, "the image", image()).await else { return };
    let container = within(60, "a container", docker(&["create", image])).await;
    let listed = format!("docker export {container} | tar --list");
    let listed = tokio::process::Command::new("sh").args(["-c", &listed]).output();
    let listed = within(60, "its files", listed).await.unwrap();
    within(60, "its end", docker(&["rm", &container])).await;
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files = listed.lines().filter(|path| !OF_THE_ENGINE.iter().any(|known| path.starts_with(known)));
    let mut files: Vec<_> = files.filter(|path| !path.ends_with('/')).collect();
    files.sort_unstable();
    let wanted =
        ["chakra-bridge", "etc/ssl/certs/ca-certificates.crt", "licenses/LICENSE-APACHE", "licenses/LICENSE-MIT"];
    assert_eq!(files, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_is_small_names_its_build_and_is_nobody() {
    let Some(image) = within(BUILD, "the image", image()).await else { return };
    let told = within(60, "the image", docker(&["image", "inspect", image])).await;
    let told = serde_json::from_str::<Value>(&told).unwrap().get_mut(0).unwrap().take();
    let size = told["Size"].as_u64().unwrap();
    println!("the image has {size} bytes");
    assert!(size < SIZE_MAX, "{size} bytes");
    let config = &told["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Labels"]["org.opencontainers.image.version"], VERSION);
    assert_eq!(config["Labels"]["org.opencontainers.image.revision"], REVISION);
    assert_eq!(config["Healthcheck"]["Test"], serde_json::json!(["CMD", "/chakra-bridge", "healthcheck"]));
    let variables: Vec<_> = config["Env"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(variables.iter().all(|variable| variable.starts_with("PATH=")), "nothing is set in it: {variables:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_shell_and_a_mistake_of_the_configuration_is_said_and_ends_it_with_78() {
    let Some(image) = within(BUILD, "the image", image()).await else { return };
    let shell = within(60, "a shell", asked(&["run", "--rm", "--entrypoint", "/bin/sh", image])).await;
    assert!(shell.is_err_and(|words| words.contains("no such file")));
    let mut command = tokio::process::Command::new("docker");
    let run = command.args(["run", "--rm", "--read-only", "--cap-drop", "ALL", image]).output();
    let run = within(60, "its end", run).await.unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(78), "{said}");
    assert!(said.contains("/etc/chakra-bridge/chakra-bridge.toml"), "{said}");
}
