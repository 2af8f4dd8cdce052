//! A good file, and what is printed once something in it is wrong: `seeded.txt` holds the edits and the exact words.
//!
//! Not here: files that load.

use super::load_text;

/// A file without a mistake. Its last table is the rule's data.
pub(crate) const GOOD: &str = r#"[broker]
url = "amqps://bridge@rabbit.internal/crm"
password = "hunter2-hunter2"
queue = "crm.events"

[api]
base_url = "https://api.chakrahq.com"
token = "swordfish-1"

[[rule]]
name = "lead"
type = "signup"
procedure = "lead"

[rule.data]
email = "{{ event.data.email }}"
"#;

/// What must never be printed.
pub(crate) const SECRETS: [&str; 2] = ["hunter2", "swordfish"];

/// One edit of the good file, and what it must make the daemon print.
#[derive(Default)]
struct Case<'c> {
    name: &'c str,
    from: &'c str,
    to: Vec<&'c str>,
    variables: Vec<(&'c str, &'c str)>,
    printed: Vec<&'c str>,
}

/// `# name`, `< piece to replace` (none: append), `> replacement` lines, `$ VARIABLE=value` lines, then what is printed.
fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let mut case = Case::default();
        for line in block.lines() {
            match line.split_at_checked(2) {
                Some(("# ", name)) => case.name = name,
                Some(("< ", piece)) => case.from = piece,
                Some(("> ", piece)) => case.to.push(piece),
                Some(("$ ", variable)) => case.variables.push(variable.split_once('=').unwrap()),
                _ => case.printed.push(line),
            }
        }
        cases.push(case);
    }
    cases
}

impl Case<'_> {
    fn text(&self) -> String {
        let to = self.to.join("\n").replace("{long}", &"q".repeat(256));
        if self.from.is_empty() {
            return format!("{GOOD}{to}\n");
        }
        assert_eq!(GOOD.matches(self.from).count(), 1, "{}: the piece to replace stands there once", self.name);
        GOOD.replace(self.from, &to)
    }

    /// What is printed, without the folder and with long names cut short.
    fn actual(&self) -> String {
        let mistakes = load_text(&self.text(), &self.variables).expect_err(self.name);
        let folder = format!("{}/", mistakes.source.path().parent().unwrap().display());
        for secret in SECRETS {
            assert!(!format!("{mistakes} {mistakes:?}").contains(secret), "{}: a secret is printed", self.name);
        }
        mistakes
            .to_string()
            .replace(&folder, "")
            .replace(&"q".repeat(256), "{long}")
            .replace(&"^".repeat(258), "{carets}")
    }
}

#[test]
fn every_seeded_mistake_is_printed_in_these_words() {
    let cases = cases(include_str!("seeded.txt"));
    assert!(cases.len() >= 40, "{}", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, case.actual()))
        .filter(|(case, actual)| case.printed.join("\n") != *actual)
        .map(|(case, actual)| format!("# {}\n{actual}", case.name))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_good_file_has_no_mistake() {
    assert!(load_text(GOOD, &[]).is_ok());
}
