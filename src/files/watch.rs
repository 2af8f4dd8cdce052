//! Whether files hold something else than they did. Contents are compared, not times: a volume that a cluster swaps by a
//! link is noticed, and a file that is written again with the same text is no news. What cannot be read, or is no regular
//! file, counts as one content of its own, and no check waits for it.
//!
//! Not here: what they hold, and what follows.

use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{FILE_MAX, is_for_want_of_descriptors, read};

/// How often files are checked.
pub const EVERY: Duration = Duration::from_secs(1);

/// What a file holds, by its digest; none where it cannot be read.
type Content = Option<[u8; 32]>;

/// What files held at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(Vec<(PathBuf, Content)>);

impl Seen {
    /// With one more file, which held this when it was loaded; none where it could not be.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, held: Option<&[u8]>) -> Self {
        self.note(path, held);
        self
    }

    /// Adds a file, as [`Seen::with`].
    pub fn note(&mut self, path: impl Into<PathBuf>, held: Option<&[u8]>) {
        self.0.push((path.into(), held.map(|bytes| Sha256::digest(bytes).into())));
    }

    /// With more files.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// Looks at the same files again, on a thread that may wait.
    async fn again(&self) -> Self {
        let before = self.clone();
        let check = move || {
            let mut seen = Self::default();
            for (path, content) in before.0 {
                match read(&path, FILE_MAX) {
                    // That says nothing of the file.
                    Err(error) if is_for_want_of_descriptors(&error) => seen.0.push((path, content)),
                    held => seen.note(path, held.ok().as_deref()),
                }
            }
            seen
        };
        // A check that came to nothing has seen nothing new.
        tokio::task::spawn_blocking(check).await.unwrap_or_else(|_| self.clone())
    }
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The files hold what was taken from them last.
    Same,
    /// They hold something else, and may still be written.
    Changed,
    /// They hold something else, and held the same at the check before.
    Settled,
}

/// Files, what was taken from them last, and what they seem to become.
#[derive(Debug)]
pub struct FileWatch {
    taken: Seen,
    becoming: Option<Seen>,
    ticks: Interval,
}

impl FileWatch {
    /// Watches the files of `loaded`. What they held is told by whoever loaded them, so that no edit between the loading and
    /// the first check is missed.
    #[must_use]
    pub fn new(loaded: Seen) -> Self {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { taken: loaded, becoming: None, ticks }
    }

    /// Waits until a check is due, and checks. The first is due at once. Dropping the future loses nothing but the check.
    pub async fn check(&mut self) -> Change {
        self.ticks.tick().await;
        self.check_now().await
    }

    async fn check_now(&mut self) -> Change {
        let now = self.taken.again().await;
        if now == self.taken {
            self.becoming = None;
            return Change::Same;
        }
        let is_settled = self.becoming.as_ref() == Some(&now);
        self.becoming = Some(now);
        if is_settled { Change::Settled } else { Change::Changed }
    }

    /// What the last check saw counts as taken. Whoever reads the files calls this first: an edit in between is then seen by
    /// the next check.
    pub fn accept(&mut self) {
        if let Some(seen) = self.becoming.take() {
            self.taken = seen;
        }
    }

    /// From now on these files are watched, and this was taken from them, good or bad.
    pub fn take(&mut self, loaded: Seen) {
        self.taken = loaded;
        self.becoming = None;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::files::tests::odd_paths;
    use Change::{Changed, Same, Settled};

    async fn in_time<T>(wanted: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(30), wanted).await.expect("within the deadline")
    }

    /// A watch of a file from which this was loaded.
    fn watched(path: &Path, held: &str) -> FileWatch {
        FileWatch::new(Seen::default().with(path, Some(held.as_bytes())))
    }

    /// The answers to so many checks.
    async fn checks(files: &mut FileWatch, count: usize) -> Vec<Change> {
        let mut answers = Vec::new();
        for _ in 0..count {
            answers.push(in_time(files.check_now()).await);
        }
        answers
    }

    #[tokio::test]
    async fn a_change_settles_once_two_looks_saw_the_same_and_is_no_news_once_it_was_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path, "one");
        assert_eq!(checks(&mut files, 1).await, [Same]);
        fs::write(&path, "two").unwrap();
        assert_eq!(checks(&mut files, 1).await, [Changed]);
        fs::write(&path, "three").unwrap();
        assert_eq!(checks(&mut files, 3).await, [Changed, Settled, Settled]);
        files.accept();
        assert_eq!(checks(&mut files, 2).await, [Same, Same]);
    }

    #[tokio::test]
    async fn what_is_written_again_with_the_same_text_is_no_news() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path, "one");
        fs::write(&path, "one").unwrap();
        assert_eq!(checks(&mut files, 1).await, [Same]);
        fs::write(&path, "two").unwrap();
        assert_eq!(checks(&mut files, 1).await, [Changed]);
        fs::write(&path, "one").unwrap();
        assert_eq!(checks(&mut files, 1).await, [Same]);
        fs::write(&path, "two").unwrap();
        assert_eq!(checks(&mut files, 1).await, [Changed], "what was seen before the text came back is forgotten");
    }

    /// As kubelet does it: the file is a link through a link to a folder, and the inner link is swapped.
    #[tokio::test]
    async fn a_volume_that_is_swapped_by_its_link_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (version, text) in [("..one", "one"), ("..two", "two")] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("config.toml"), text).unwrap();
        }
        std::os::unix::fs::symlink("..one", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/config.toml", at("config.toml")).unwrap();
        let mut files = watched(&at("config.toml"), "one");
        std::os::unix::fs::symlink("..two", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert_eq!(checks(&mut files, 2).await, [Changed, Settled]);
    }

    #[tokio::test]
    async fn an_edit_between_the_loading_and_the_first_look_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("config.toml"), folder.path().join("schema.json"));
        fs::write(&path, "two").unwrap();
        let mut files = watched(&path, "one");
        assert_eq!(checks(&mut files, 2).await, [Changed, Settled]);
        fs::write(&other, "{}").unwrap();
        files.take(Seen::default().with(&path, Some(b"two")).and(Seen::default().with(&other, Some(b"[]"))));
        assert_eq!(checks(&mut files, 2).await, [Changed, Settled]);
        files.take(Seen::default().with(&path, Some(b"two")).with(&other, Some(b"{}")));
        assert_eq!(checks(&mut files, 1).await, [Same]);
    }

    #[tokio::test]
    async fn an_edit_after_it_was_accepted_is_still_to_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "two").unwrap();
        let mut files = watched(&path, "one");
        assert_eq!(checks(&mut files, 1).await, [Changed]);
        files.accept();
        fs::write(&path, "three").unwrap();
        assert_eq!(checks(&mut files, 2).await, [Changed, Settled]);
    }

    #[tokio::test]
    async fn a_file_that_goes_and_comes_back_as_it_was_is_no_news_and_one_that_stays_away_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let mut files = watched(&path, "one");
        assert_eq!(checks(&mut files, 1).await, [Changed]);
        fs::write(&path, "one").unwrap();
        assert_eq!(checks(&mut files, 1).await, [Same]);
        fs::remove_file(&path).unwrap();
        assert_eq!(checks(&mut files, 2).await, [Changed, Settled]);
    }

    #[tokio::test]
    async fn a_file_that_becomes_a_pipe_a_device_or_a_folder_is_a_change_that_nobody_waits_for() {
        let folder = tempfile::tempdir().unwrap();
        for (path, kind) in odd_paths(folder.path()) {
            let mut files = watched(&path, "one");
            assert_eq!(checks(&mut files, 2).await, [Changed, Settled], "{kind}");
            files.accept();
            assert_eq!(checks(&mut files, 1).await, [Same], "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_look_is_due_at_once_and_each_further_one_a_second_later() {
        let (begun, mut files) = (tokio::time::Instant::now(), FileWatch::new(Seen::default()));
        for seconds in 0..3 {
            assert_eq!(in_time(files.check()).await, Same);
            assert_eq!(begun.elapsed(), EVERY * seconds);
        }
    }
}
