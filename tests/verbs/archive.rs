//! What packages are made with: man pages, completions, and the archive of both beside the program.
//!
//! Not here: the release build (`make archive`).

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::run;

/// The verbs that the help names.
fn verbs() -> Vec<String> {
    let help = run(Path::new("none"), &["--help"], "");
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let lines = listed.lines().take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn each_verb_has_a_man_page_and_each_shell_completes_it() {
    let (folder, verbs) = (TempDir::new().unwrap(), verbs());
    assert!(verbs.len() > 10 && verbs.contains(&"dead-letters".to_owned()), "{verbs:?}");
    assert!(!verbs.contains(&"man".to_owned()), "hidden: packages are made with it");
    let made = run(Path::new("none"), &["man", folder.path().to_str().unwrap()], "");
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    for verb in verbs.iter().filter(|verb| *verb != "help") {
        let page = std::fs::read_to_string(folder.path().join(format!("chakra-bridge-{verb}.1"))).unwrap();
        assert!(page.contains(".SH NAME"), "{page}");
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let script = run(Path::new("none"), &["completions", shell], "");
            assert!(String::from_utf8_lossy(&script.stdout).contains(verb.as_str()), "{shell} {verb}");
        }
    }
}

#[test]
fn man_pages_for_a_folder_that_is_not_there_are_refused_in_words() {
    let refused = run(Path::new("none"), &["man", "/nowhere/at/all"], "");
    assert_eq!(refused.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("/nowhere/at/all: "));
}

#[test]
fn the_archive_holds_the_program_and_all_that_a_machine_wants_of_it() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("chakra-bridge-0.tar.gz");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/archive.sh");
    let packed = Command::new(script).arg(env!("CARGO_BIN_EXE_chakra-bridge")).arg(&archive).output().unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let listed = Command::new("tar").arg("-tzf").arg(&archive).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for name in [
        "chakra-bridge",
        "chakra-bridge.service",
        "man/chakra-bridge.1",
        "completions/chakra-bridge.bash",
        "config/chakra-bridge.toml",
        "config/chakra-bridge.schema.json",
        "rabbitmq/setup.sh",
        "LICENSE-MIT",
    ] {
        assert!(listed.lines().any(|line| line == format!("chakra-bridge-0/{name}")), "{name} in {listed}");
    }
}
