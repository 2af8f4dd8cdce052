//! A reader who has gone, and a disk that is full.
//!
//! Not here: what is said to those who listen.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::{GOOD, folder_with};

/// Runs a verb that prints to `out`: its exit code, and what it says on standard error.
fn printing_to(out: impl Into<Stdio>, arguments: &[&str]) -> (Option<i32>, String) {
    let (_folder, path) = folder_with(GOOD);
    let mut command = Command::new(env!("CARGO_BIN_EXE_chakra-bridge"));
    let command = command.arg("--config").arg(path).args(arguments).stdin(Stdio::null());
    let said = command.stdout(out).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    (said.status.code(), String::from_utf8(said.stderr).unwrap())
}

const VERBS: [&[&str]; 4] = [&["check"], &["check", "--json"], &["map"], &["test"]];

#[test]
fn a_reader_who_has_gone_ends_a_verb_without_a_word() {
    for verb in VERBS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(printing_to(writer, verb), (Some(74), String::new()), "{verb:?}");
    }
}

#[test]
fn a_full_disk_is_said() {
    for verb in VERBS {
        let (code, said) = printing_to(File::create("/dev/full").unwrap(), verb);
        assert_eq!(code, Some(74), "{verb:?}");
        assert!(said.contains("standard output: No space left"), "{said}");
    }
}
