//! A consumer in another language, with the SDK of CloudEvents and a client of AMQP from its package index, reads what is told.
//!
//! Not here: what is told (`outcomes`). Where there is no Python, or no package index, the test says that it is skipped; where
//! `CHAKRA_BRIDGE_CI` is set, that is a failure.

use std::path::{Path, PathBuf};
use std::process::Command;

use lapin::BasicProperties;

use crate::stage::Stage;
use crate::support::deadline::within;

const PACKAGES: [&str; 2] = ["cloudevents==2.2.0", "pika==1.4.4"];

/// A Python with both packages, kept beside what is built.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outcomes-python");
    let python = folder.join("bin/python");
    let done = folder.join("done");
    if done.exists() {
        return Ok(python);
    }
    let run = |program: &Path, arguments: &[&str]| {
        let ran = Command::new(program).args(arguments).output();
        let ran = ran.map_err(|error| format!("{}: {error}", program.display()))?;
        let said = || String::from_utf8_lossy(&ran.stderr).into_owned();
        if ran.status.success() { Ok(()) } else { Err(said()) }
    };
    run(Path::new("python3"), &["-m", "venv", "--clear", &folder.to_string_lossy()])?;
    let mut arguments = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    arguments.extend(PACKAGES);
    run(&python, &arguments)?;
    std::fs::write(done, "").map_err(|error| error.to_string())?;
    Ok(python)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_in_another_language_reads_outcomes_by_its_sdk_of_cloudevents() {
    let python = match tokio::task::spawn_blocking(python).await.unwrap() {
        Ok(python) => python,
        Err(why) => {
            assert!(std::env::var_os("CHAKRA_BRIDGE_CI").is_none(), "no Python with {PACKAGES:?}: {why}");
            return println!("skipped: no Python with {PACKAGES:?}: {why}");
        }
    };
    let stage = Stage::new("", "").await;
    let _daemon = stage.daemon().await;
    for id in ["e1", "e2"] {
        stage.publish(id, b"{}", BasicProperties::default()).await;
    }
    stage.scene.client.until_depth(&stage.queue(), 2, std::time::Duration::from_secs(60)).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outcomes/consumer.py");
    let mut command = tokio::process::Command::new(python);
    command.arg(script).args([&stage.scene.place.url, &stage.queue(), "2"]).kill_on_drop(true);
    let ran = within(60, "the consumer", command.output()).await.unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}\n{wrong}");
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut subjects: Vec<_> = lines.iter().map(|line| line["subject"].as_str().unwrap()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["e1", "e2"]);
    for line in lines {
        assert_eq!(line["type"], "com.chakrahq.bridge.process.created", "{line}");
        assert_eq!(line["data"]["outcome"], "created", "{line}");
        assert!(line["data"]["process_id"].is_string() && line["time"].is_string(), "{line}");
    }
}
