//! Keys that have another name now. Each is a mistake that names the new one.
//!
//! Not here: what the keys mean.

/// The old name, as `section.key`, and the new one.
const KEYS: [(&str, &str); 6] = [
    ("broker.deaf_after", "broker.stall_timeout"),
    ("retry.in_hand", "retry.max_local_delay"),
    ("gate.let_go_after", "gate.release_after"),
    ("look.lag", "lookup.lag"),
    ("look.window", "lookup.window"),
    ("look.on_absent", "lookup.on_absent"),
];

/// What is wrong with an old name.
pub(super) const WHAT: &str = "has another name now";

/// The new name of a key.
pub(super) fn key(old: &str) -> Option<&'static str> {
    KEYS.iter().find(|(name, _)| *name == old).map(|(_, new)| *new)
}

/// The new name of a section, all of whose keys are in another one now.
pub(super) fn section(old: &str) -> Option<&'static str> {
    let (_, new) = KEYS.iter().find(|(name, _)| name.split_once('.').is_some_and(|(section, _)| section == old))?;
    let new = new.split_once('.').map(|(section, _)| section)?;
    (new != old).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_name_is_known_and_no_old_one_is() {
        let known: Vec<String> =
            crate::config::known_keys().iter().map(|known| format!("{}.{}", known.section, known.name)).collect();
        for (old, new) in KEYS {
            assert!(known.iter().any(|key| key == new), "{new}");
            assert!(!known.iter().any(|key| key == old), "{old}");
        }
    }

    #[test]
    fn only_a_section_that_is_gone_is_renamed() {
        assert_eq!((section("look"), section("broker"), section("other")), (Some("lookup"), None, None));
    }
}
