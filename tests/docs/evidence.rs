//! The tables of EVIDENCE.md have their marks, and the command that fills them in writes what a run has printed.
//!
//! Not here: the runs, which take hours.

use std::process::Command;

use super::page::root;

/// What a run prints among other words, and what is left of it.
const PRINTED: &str = "running 1 test\n| replicas | killed |\n| --- | --- |\n| 4 | 8 times |\ntest a ... ok\n| replicas | killed |\n| --- | --- |\n| 4 | 9 times |\n";
const TABLE: &str = "| replicas | killed |\n| --- | --- |\n| 4 | 8 times |\n| 4 | 9 times |\n\n`cargo test";

/// The script of `make evidence`, with its logs elsewhere: what it wrote.
fn evidence(folder: &std::path::Path, arguments: &[&str]) -> String {
    let mut script = Command::new(root("tests/evidence.sh"));
    let output = script.args(arguments).env("CARGO_TARGET_DIR", folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_table_of_the_evidence_has_its_marks() {
    let folder = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string(root("EVIDENCE.md")).unwrap();
    let names = evidence(folder.path(), &["--list"]);
    assert!(names.lines().count() > 5, "{names}");
    for name in names.lines() {
        let after = page.split_once(&format!("<!-- evidence: {name} -->\n"));
        let (_, after) = after.unwrap_or_else(|| panic!("EVIDENCE.md has no mark of {name}"));
        let until = after.split_once("<!-- end -->").map(|(inside, _)| inside);
        assert!(until.is_some_and(|inside| !inside.contains("<!--")), "the table of {name} has no end");
    }
}

#[test]
fn the_evidence_is_what_a_run_printed_and_the_rest_of_the_page_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let printed = folder.path().join("printed");
    std::fs::write(&printed, PRINTED).unwrap();
    evidence(folder.path(), &["--from", printed.to_str().unwrap(), "replicas"]);
    let before = std::fs::read_to_string(root("EVIDENCE.md")).unwrap();
    let after = std::fs::read_to_string(folder.path().join("evidence/EVIDENCE.md")).unwrap();
    let [before, after] = [&before, &after].map(|page| page.split_once("<!-- evidence: replicas -->\n").unwrap());
    assert_eq!(before.0, after.0);
    assert!(after.1.starts_with(TABLE), "{}", after.1);
    let [left, is] = [before.1, after.1].map(|rest| rest.split_once("<!-- end -->").unwrap().1);
    assert_eq!(left, is);
}

#[test]
fn each_break_that_the_tests_must_notice_still_fits_the_source() {
    let output = Command::new(root("tests/bite.sh")).arg("--applies").output().unwrap();
    let [said, complained] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success() && said.contains("breaks fit the source"), "{said}{complained}");
}
