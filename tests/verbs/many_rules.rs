//! Very many rules: what they take is linear, and within the formula that `check` prints.
//!
//! Not here: what a rule may do with an event (`verbs.rs`).

use std::process::Command;

use crate::{GOOD, err, folder_with, out, run};

/// As a person would write them: a type, a condition, a lookup, and six fields of which four pass filters.
fn rules(count: usize) -> String {
    let rule = |number: usize| {
        format!(
            "[[rule]]\nname = \"rule {number}\"\ntype = \"com.acme.type{number}.*\"\nwhen = \"event.data.priority >= {}\"\n\
             procedure = \"ticket\"\nreconcile_by = \"event_key\"\nstatus = \"OPEN\"\n[rule.data]\nevent_key = \"{{{{ key }}}}\"\n\
             subject = \"{{{{ event.data.subject | trim }}}}\"\npriority = \"{{{{ event.data.priority }}}}\"\n\
             title = \"Case {{{{ event.data.id }}}}: {{{{ event.data.title | lower }}}}\"\n[rule.record.data]\n\
             phone_number = \"{{{{ event.data.phone | digits }}}}\"\nemail = \"{{{{ event.data.email | lower }}}}\"\n",
            number % 7
        )
    };
    let head = &GOOD[..GOOD.find("[[rule]]").unwrap()];
    format!("{head}{}", (0..count).map(rule).collect::<String>())
}

/// `check` in a process that may have so many KiB of addresses, the program itself included.
#[test]
fn ten_thousand_rules_are_checked_in_256_mebibytes_of_addresses_and_equal_expressions_count_once() {
    let (_folder, path) = folder_with(&rules(10_000));
    let mut check = Command::new("sh");
    check.args(["-c", "ulimit -v 262144; exec \"$0\" --config \"$1\" check --json"]);
    let output = check.arg(env!("CARGO_BIN_EXE_chakra-bridge")).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}{}", err(&output), output.status);
    let said: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(said["guarantees"].as_array().unwrap().len(), 10_000);
    // Equal expressions count once: what the rules add is what reading the file takes.
    let (bytes, whole) = (std::fs::metadata(&path).unwrap().len(), said["memory_bytes"].as_u64().unwrap());
    let (_folder, path) = folder_with(&rules(1));
    let output = run(&path, &["check", "--json"], "");
    let one: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let more = whole - one["memory_bytes"].as_u64().unwrap();
    assert!((bytes * 31..bytes * 33).contains(&more), "{more} bytes for a file of {bytes}");
}
