//! Whether files hold something else than they did. Contents are compared, not times: a volume that a cluster swaps by a
//! link is noticed, and a file that is written again with the same text is no news.
//!
//! Not here: what they hold, and what follows.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

/// What a file holds, by its digest; none where it cannot be read.
type Content = Option<[u8; 32]>;

/// What files held at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen(Vec<(PathBuf, Content)>);

impl Seen {
    /// Reads these files.
    pub(super) async fn of(paths: Vec<PathBuf>) -> Self {
        let mut seen = Vec::with_capacity(paths.len());
        for path in paths {
            let content = tokio::fs::read(&path).await.ok().map(|bytes| Sha256::digest(bytes).into());
            seen.push((path, content));
        }
        Self(seen)
    }

    /// Reads the same files again.
    async fn again(&self) -> Self {
        Self::of(self.paths()).await
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.0.iter().map(|(path, _)| path.clone()).collect()
    }

    /// The files of `later`, each as it was seen here, if it was.
    fn before(&self, later: Self) -> Self {
        let here = |path: &PathBuf| self.0.iter().find(|(seen, _)| seen == path).map(|(_, content)| *content);
        Self(later.0.into_iter().map(|(path, content)| (path.clone(), here(&path).unwrap_or(content))).collect())
    }
}

/// Files, what was taken from them last, and what they seem to become.
#[derive(Debug)]
pub(super) struct Files {
    taken: Seen,
    becoming: Option<Seen>,
}

impl Files {
    pub(super) fn new(taken: Seen) -> Self {
        Self { taken, becoming: None }
    }

    /// Whether they hold something else than was taken, and did so at the check before: what is being written is left in
    /// peace until it rests.
    pub(super) async fn have_changed(&mut self) -> bool {
        let now = self.taken.again().await;
        let before = self.becoming.take();
        if now == self.taken {
            return false;
        }
        let rests = before.as_ref() == Some(&now);
        self.becoming = Some(now);
        rests
    }

    /// What they hold now.
    pub(super) async fn read(&self) -> Seen {
        self.taken.again().await
    }

    /// What they held when they were read, good or bad: the same is not read again. From now on, `paths` are watched.
    pub(super) async fn take(&mut self, read: Seen, paths: Vec<PathBuf>) {
        self.taken = read.before(Seen::of(paths).await);
        self.becoming = None;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    async fn in_time<T>(wanted: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(30), wanted).await.expect("within the deadline")
    }

    async fn watched(path: &Path) -> Files {
        in_time(async { Files::new(Seen::of(vec![path.to_owned()]).await) }).await
    }

    /// The answers to so many checks.
    async fn lookups(files: &mut Files, count: usize) -> Vec<bool> {
        let mut answers = Vec::new();
        for _ in 0..count {
            answers.push(in_time(files.have_changed()).await);
        }
        answers
    }

    #[tokio::test]
    async fn a_change_counts_once_it_rests_and_is_no_news_once_it_was_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path).await;
        assert_eq!(lookups(&mut files, 2).await, [false, false]);
        fs::write(&path, "tw").unwrap();
        assert_eq!(lookups(&mut files, 1).await, [false]);
        fs::write(&path, "two").unwrap();
        assert_eq!(lookups(&mut files, 3).await, [false, true, true]);
        let read = in_time(files.read()).await;
        in_time(files.take(read, vec![path.clone()])).await;
        assert_eq!(lookups(&mut files, 2).await, [false, false]);
        fs::write(&path, "one").unwrap();
        assert_eq!(lookups(&mut files, 2).await, [false, true]);
    }

    #[tokio::test]
    async fn a_file_that_is_written_again_with_the_same_text_or_changed_back_is_no_news() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path).await;
        fs::write(&path, "one").unwrap();
        assert_eq!(lookups(&mut files, 2).await, [false, false]);
        fs::write(&path, "two").unwrap();
        assert_eq!(lookups(&mut files, 1).await, [false]);
        fs::write(&path, "one").unwrap();
        assert_eq!(lookups(&mut files, 2).await, [false, false]);
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
        let mut files = watched(&at("config.toml")).await;
        std::os::unix::fs::symlink("..two", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        assert_eq!(lookups(&mut files, 2).await, [false, true]);
    }

    #[tokio::test]
    async fn what_was_written_after_it_was_read_is_still_to_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("config.toml"), folder.path().join("schema.json"));
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path).await;
        let read = in_time(files.read()).await;
        fs::write(&path, "two").unwrap();
        in_time(files.take(read, vec![path, other.clone()])).await;
        assert_eq!(lookups(&mut files, 2).await, [false, true]);
        let read = in_time(files.read()).await;
        in_time(files.take(read, files.taken.paths())).await;
        fs::write(other, "{}").unwrap();
        assert_eq!(lookups(&mut files, 2).await, [false, true]);
    }

    #[tokio::test]
    async fn a_file_that_goes_and_comes_back_as_it_was_is_no_news_and_one_that_stays_away_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "one").unwrap();
        let mut files = watched(&path).await;
        fs::remove_file(&path).unwrap();
        assert_eq!(lookups(&mut files, 1).await, [false]);
        fs::write(&path, "one").unwrap();
        assert_eq!(lookups(&mut files, 1).await, [false]);
        fs::remove_file(&path).unwrap();
        assert_eq!(lookups(&mut files, 2).await, [false, true]);
    }
}
