//! Whether the process may take as much memory as its configuration may need.
//!
//! Not here: the formula (`config`), and raising the limit; whoever starts the daemon sets it.

use std::path::{Path, PathBuf};

use crate::config::Memory;
use crate::files;

const MIB: u64 = 1 << 20;

/// The kernel's files of groups are far shorter.
const FILE_MAX: usize = 64 * 1024;

/// A limit above this is none: version 1 of groups writes a number of so many bytes where there is none.
const NO_LIMIT: u64 = 1 << 60;

/// What deserves a word, as a sentence.
pub(super) fn warning(needed: Memory) -> Option<String> {
    let groups = files::read_text(Path::new("/proc/self/cgroup"), FILE_MAX).ok()?;
    let limits = limit_files(&groups).into_iter().filter_map(|file| limit(&files::read_text(&file, FILE_MAX).ok()?));
    short(limits.min()?, needed)
}

/// What is told of every configuration.
pub(super) fn told(needed: Memory) -> String {
    format!("memory: a replica needs {} MiB at most", mebibytes(needed.total))
}

/// Where the limits of our group and of those above it stand, in both versions of groups. In a container the group that is
/// told may be named from outside, and then only the topmost file is there.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let parts = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let (mut files, root) = (Vec::new(), Path::new("/sys/fs/cgroup"));
    for (controllers, path) in parts {
        let (root, name) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            list if list.split(',').any(|controller| controller == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let groups = Path::new(path.trim_start_matches('/')).ancestors();
        files.extend(groups.map(|group| root.join(group).join(name)));
    }
    files
}

/// The limit that a file holds, in bytes; none where there is none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|limit| *limit < NO_LIMIT)
}

fn short(limit: u64, needed: Memory) -> Option<String> {
    (limit < needed.total).then(|| {
        let fits = limit.saturating_sub(needed.fixed) / needed.each.max(1);
        let prefetch = if fits > 0 { format!("broker.prefetch to {fits}, or ") } else { String::new() };
        format!(
            "the container may take {} MiB of memory, and this configuration may need {} MiB: beyond its limit the daemon is \
             killed; raise the limit to that, or lower {prefetch}event.max_size, event.max_values, api.max_request and \
             api.max_reply",
            limit / MIB,
            mebibytes(needed.total)
        )
    })
}

/// Rounded up.
fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(MIB)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{limit, limit_files, short};
    use crate::config::Memory;

    #[test]
    fn the_limits_of_our_group_and_of_all_above_it_count_in_both_versions() {
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
        let files = limit_files("0::/system.slice/bridge.service\n");
        let expected = [
            "/sys/fs/cgroup/system.slice/bridge.service/memory.max",
            "/sys/fs/cgroup/system.slice/memory.max",
            "/sys/fs/cgroup/memory.max",
        ];
        assert_eq!(files, paths(&expected));
        let files = limit_files("11:cpu,cpuacct:/a\n4:memory:/docker/1\n0::/\n");
        let expected = [
            "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory.max",
        ];
        assert_eq!(files, paths(&expected));
        assert!(limit_files("nonsense\n").is_empty());
    }

    #[test]
    fn no_limit_is_told_from_one() {
        assert_eq!(limit("134217728\n"), Some(128 << 20));
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
    }

    #[test]
    fn a_limit_below_what_may_be_needed_is_said_with_both_numbers_and_the_keys() {
        let needed = Memory { fixed: 100 << 20, each: 10 << 20, total: 740 << 20 };
        assert_eq!(short(740 << 20, needed), None);
        let said = short((740 << 20) - 1, needed).unwrap();
        assert!(said.starts_with("the container may take 739 MiB of memory"), "{said}");
        assert!(said.contains("may need 740 MiB"), "{said}");
        assert!(said.contains("broker.prefetch to 63, or event.max_size"), "{said}");
        let said = short(64 << 20, needed).unwrap();
        assert!(said.starts_with("the container may take 64 MiB") && !said.contains("broker.prefetch"), "{said}");
    }
}
