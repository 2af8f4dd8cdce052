//! What each rule about walls and bans must find, and what it must let pass.

use super::table::WALLS;
use super::{Finding, Source, banned_names, banned_words, counted, homes, modules, unfinished, walls};

fn found(rule: fn(&Source) -> Vec<Finding>, path: &str, text: &str) -> Vec<String> {
    rule(&Source::new(path, text)).iter().map(ToString::to_string).collect()
}

#[test]
fn every_name_that_a_wall_forbids_is_found_behind_it() {
    for wall in WALLS {
        for never in wall.never {
            let path = format!("{}x.rs", wall.room);
            let text = format!("fn a() {{\n    {}::x();\n}}\n", never.replace("*::", "b::"));
            assert_eq!(found(walls, &path, &text).len(), 1, "{never} in {}", wall.room);
            assert_eq!(found(walls, "src/main.rs", &text), [""; 0], "{never} outside");
        }
    }
}

#[test]
fn a_wall_is_not_passed_by_a_group_an_alias_or_super() {
    for text in ["use crate::{chakra::Client, core::event};", "use super::chakra as api;"] {
        assert_eq!(found(walls, "src/amqp/mod.rs", text).len(), 1, "{text}");
    }
    for text in ["use std::{fmt, fs::File};", "use ::tokio as t;", "use std::time::{Duration, SystemTime};"] {
        assert_eq!(found(walls, "src/core/gate/ramp.rs", text).len(), 1, "{text}");
    }
}

#[test]
fn a_wall_lets_pass_what_it_does_not_name() {
    for (path, text) in [
        ("src/core/gate.rs", "use std::time::{Duration, Instant};\n// tokio::spawn\nlet x = \"std::fs::read\";"),
        ("src/core/gate.rs", "#[cfg(test)]\nmod tests { use tokio::test; }"),
        ("src/amqp/mod.rs", "use crate::secret::{Secret, SecretSource};"),
        ("src/dispatch/run.rs", "use crate::chakra::Client;\nuse tokio::task::JoinSet;"),
    ] {
        assert_eq!(found(walls, path, text), [""; 0], "{text}");
    }
}

#[test]
fn what_has_one_home_is_found_elsewhere() {
    for (home, text) in [
        ("src/core/backoff.rs", "use backoff::ExponentialBackoff;"),
        ("src/amqp/settle.rs", "acker.ack(options).await;"),
        ("src/amqp/settle.rs", "channel.basic_nack(tag, options);"),
        ("src/main.rs", "std::process::exit(64);"),
        ("src/main.rs", "use std::process; process::exit(64);"),
    ] {
        assert_eq!(found(homes, home, text), [""; 0], "{text}");
        assert_eq!(found(homes, "src/amqp/intake.rs", text).len(), 1, "{text}");
    }
}

#[test]
fn a_module_of_ours_may_share_the_name_of_a_crate() {
    for text in ["use crate::core::backoff;\nlet x = backoff::ceiling();", "pub mod backoff;\nlet x = backoff::a();"] {
        assert_eq!(found(homes, "src/core/mod.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn what_is_banned_is_found_in_the_daemon() {
    for text in ["use tokio::sync::Mutex;", "tokio::spawn(a);", "mpsc::unbounded_channel();", "use tokio::task::spawn;"]
    {
        assert_eq!(found(banned_names, "src/dispatch/run.rs", text).len(), 1, "{text}");
    }
    for text in ["a.unwrap()", "todo!()", "unimplemented!()", "dbg!(a)", "pub trait Clock {", "Arc<RwLock<u8>>"] {
        assert_eq!(found(banned_words, "src/dispatch/run.rs", text).len(), 1, "{text}");
    }
}

#[test]
fn what_is_close_to_a_ban_passes() {
    let text = "set.spawn(a); mpsc::channel(1); a.unwrap_or(b); // a.unwrap()\nlet x = \"dbg!\"; #[cfg(test)]\nfn t() { a.unwrap() }";
    assert_eq!(found(banned_names, "src/dispatch/run.rs", text), [""; 0]);
    assert_eq!(found(banned_words, "src/dispatch/run.rs", text), [""; 0]);
}

#[test]
fn a_mark_of_unfinished_work_is_found_in_a_comment() {
    assert_eq!(found(unfinished, "src/a.rs", "// FIXME: later\n").len(), 1);
    assert_eq!(found(unfinished, "src/a.rs", "// XXX\n// TODO\n").len(), 2);
    assert_eq!(found(unfinished, "src/a.rs", "// XXXL is a size\n"), [""; 0]);
}

#[test]
fn a_module_that_is_named_for_nothing_is_found() {
    assert_eq!(found(modules, "src/core/utils.rs", "").len(), 1);
    assert_eq!(found(modules, "tests/common/mod.rs", "").len(), 1);
    assert_eq!(found(modules, "src/core/mod.rs", "pub mod helpers;\n").len(), 1);
    assert_eq!(found(modules, "src/core/mod.rs", "pub mod gate;\nfn types() {}\n"), [""; 0]);
}

#[test]
fn what_is_rare_is_counted_over_all_files() {
    let file = |path: &str, dyns: usize| Source::new(path, &"fn a(x: &dyn B) {}\n".repeat(dyns));
    assert_eq!(counted(&[file("src/a.rs", 1), file("src/b.rs", 1), file("tests/c.rs", 3)]), []);
    let over = counted(&[file("src/a.rs", 1), file("src/b.rs", 2)]);
    assert!(over.iter().any(|finding| finding.to_string().starts_with("src/b.rs:2: count: `dyn` stands 3 times")));
    let expects = Source::new("src/a.rs", &"a.expect(b);\n".repeat(7));
    assert_eq!(counted(&[expects]).len(), 1);
}
