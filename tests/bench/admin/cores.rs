//! Which core is whose.
//!
//! Not here: what runs there.

use std::fs;
use std::process::Command;

/// The cores that this process may use, as `taskset` writes them: the last for the abuse, the others for the work.
pub struct Cores {
    pub work: String,
    pub abuse: String,
}

impl Cores {
    /// None where there is one core.
    pub fn divided() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
        let mut all: Vec<u32> = allowed.split(',').flat_map(range).collect();
        let abuse = all.pop()?.to_string();
        let work = all.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        (!work.is_empty()).then_some(Self { work, abuse })
    }

    /// Keeps these processes on the cores of the work, each with all its threads.
    pub fn keep(&self, pids: impl IntoIterator<Item = u32>) {
        for pid in pids {
            taskset(&["-a", "-c", "-p", &self.work, &pid.to_string()]);
        }
    }
}

/// Puts the thread that calls this on that core.
pub fn pin_this_thread(core: &str) {
    let this = fs::read_link("/proc/thread-self").unwrap();
    taskset(&["-c", "-p", core, this.file_name().unwrap().to_str().unwrap()]);
}

fn range(words: &str) -> std::ops::RangeInclusive<u32> {
    let (from, to) = words.split_once('-').unwrap_or((words, words));
    from.parse().unwrap()..=to.parse().unwrap()
}

fn taskset(arguments: &[&str]) {
    let done = Command::new("taskset").args(arguments).output().expect("taskset, which the package util-linux brings");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
