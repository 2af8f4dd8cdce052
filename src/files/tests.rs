//! Paths that are no files, and files that are too large.
//!
//! Not here: changes (`watch`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

/// A path of each kind that is no regular file, and what it is called.
pub(super) fn odd_paths(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let (pipe, socket, link) = (folder.join("pipe"), folder.join("socket"), folder.join("link"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    std::os::unix::fs::symlink("pipe", &link).unwrap();
    let device = PathBuf::from("/dev/zero");
    vec![(folder.to_owned(), "folder"), (pipe, "pipe"), (link, "pipe"), (socket, "socket"), (device, "device")]
}

#[tokio::test]
async fn what_is_no_regular_file_is_refused_by_what_it_is_and_never_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for (path, kind) in odd_paths(folder.path()) {
        let reading = tokio::task::spawn_blocking(move || read(&path, SECRET_MAX).unwrap_err().to_string());
        let words = tokio::time::timeout(Duration::from_secs(10), reading).await.expect("no wait").unwrap();
        assert_eq!(words, format!("is a {kind}, not a regular file"));
    }
}

#[test]
fn a_file_is_read_up_to_its_bound_and_refused_beyond_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, vec![b'x'; SECRET_MAX]).unwrap();
    assert_eq!(read(&path, SECRET_MAX).unwrap().len(), SECRET_MAX);
    std::fs::write(&path, vec![b'x'; SECRET_MAX + 1]).unwrap();
    assert_eq!(read(&path, SECRET_MAX).unwrap_err().to_string(), "is larger than 64 KiB");
}

#[test]
fn bytes_that_are_no_text_are_refused_in_words_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, b"swordfish\xff").unwrap();
    assert_eq!(read_text(&path, SECRET_MAX).unwrap_err().to_string(), "stream did not contain valid UTF-8");
}

#[test]
fn too_many_open_files_are_known_as_an_error_and_in_words() {
    for (code, is_so) in [(24, true), (23, true), (2, false), (13, false)] {
        let error = io::Error::from_raw_os_error(code);
        assert_eq!(is_for_want_of_descriptors(&error), is_so, "{error}");
        assert_eq!(tells_of_want_of_descriptors(&format!("/run/token: {error}")), is_so, "{error}");
    }
    assert!(!are_descriptors_spent());
}
