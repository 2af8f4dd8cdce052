//! What each rule about tests must find, and what it must let pass.

use super::{Finding, Source, deadlines, ignored, names, sleeps};

fn count(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}

#[test]
fn a_name_with_a_prefix_is_found() {
    assert_eq!(count(names, "tests/a.rs", "#[test]\nfn test_gate() {}\n"), 1);
    assert_eq!(count(names, "src/a.rs", "#[cfg(test)]\nmod tests {\n#[test]\nfn test_gate() {}\n}\n"), 1);
    assert_eq!(count(names, "tests/a.rs", "#[test]\nfn a_shut_gate_lets_nothing_pass() {}\n"), 0);
    assert_eq!(count(names, "src/a.rs", "fn test_query() {}\n"), 0, "no test");
}

#[test]
fn a_test_that_is_not_run_is_found() {
    assert_eq!(count(ignored, "tests/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n"), 1);
    assert_eq!(count(ignored, "tests/a.rs", "// #[ignore]\n#[test]\nfn a() {}\n"), 0);
}

#[test]
fn a_sleep_without_a_reason_is_found() {
    for line in
        ["tokio::time::sleep(a).await;", "std::thread::sleep(a);", "sleep_until(a).await; // tidy: allow sleep, "]
    {
        assert_eq!(count(sleeps, "tests/a.rs", &format!("fn a() {{\n{line}\n}}\n")), 1, "{line}");
    }
    for line in ["sleep(a).await; // tidy: allow sleep, the broker polls", "let sleep = 1;", "a.sleepy(b);"] {
        assert_eq!(count(sleeps, "tests/a.rs", &format!("fn a() {{\n{line}\n}}\n")), 0, "{line}");
    }
    assert_eq!(count(sleeps, "src/a.rs", "fn a() { sleep(b) }\n"), 0, "the daemon may wait");
}

#[test]
fn an_asynchronous_test_without_a_deadline_is_found() {
    let test = |mark: &str, body: &str| format!("{mark}\nasync fn a() {{\n{body}\n}}\nfn c() {{ timeout(d) }}\n");
    let found = |mark: &str, body: &str| deadlines(&[Source::new("tests/a.rs", &test(mark, body))]).len();
    assert_eq!(found("#[tokio::test]", "b().await;"), 1);
    assert_eq!(found("#[tokio::test(start_paused = true)]", "let timeout = 1;"), 1);
    assert_eq!(found("#[test]", "runtime.block_on(b());"), 1);
    for body in ["timeout(LIMIT, b()).await;", "tokio::time::timeout(a, b).await", "within(5, a).await", "deadline!(a)"]
    {
        assert_eq!(found("#[tokio::test]", body), 0, "{body}");
    }
    assert_eq!(found("#[test]", "b();"), 0);
}

#[test]
fn a_deadline_may_stand_in_a_function_of_the_file_or_of_a_module_around_it() {
    let test = "#[tokio::test]\nasync fn a() { asked().await }\n";
    let helper = "async fn asked() { exchange().await }\nasync fn exchange() { within(b()).await }\n";
    let found = |files: &[(&str, &str)]| {
        let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        deadlines(&sources).len()
    };
    assert_eq!(found(&[("tests/a.rs", &format!("{test}{helper}"))]), 0);
    assert_eq!(found(&[("src/a/tests.rs", helper), ("src/a/tests/b.rs", test)]), 0);
    assert_eq!(found(&[("src/c/tests.rs", helper), ("src/a/tests/b.rs", test)]), 1, "elsewhere");
    assert_eq!(found(&[("tests/a.rs", &format!("{test}async fn asked() {{ exchange().await }}\n"))]), 1);
}
