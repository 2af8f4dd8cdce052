//! Files that others write. They are read so that no read waits for ever: a path that is a pipe, a device, a socket or a
//! folder is refused before it is opened, and a file is read up to a bound. `watch` tells when they hold something else.
//!
//! Not here: what they hold (secrets, certificates, rules), and what follows from a change.

mod watch;

pub use watch::{Change, EVERY, FileWatch, Seen};

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// The most that a file of a secret or of a private key may hold, in bytes.
pub const SECRET_MAX: usize = 64 * 1024;

/// The most that any other file may hold, in bytes.
pub const FILE_MAX: usize = 64 * 1024 * 1024;

/// `EMFILE` and `ENFILE` of Linux.
const TOO_MANY_HERE: i32 = 24;
const TOO_MANY_IN_ALL: i32 = 23;

/// What a regular file holds, at most `max` bytes. Blocks.
///
/// # Errors
/// Whatever the system says; that the path is no regular file, and what it is; or that it holds more.
pub fn read(path: &Path, max: usize) -> io::Result<Vec<u8>> {
    let (file, mut bytes) = (open(path)?, Vec::new());
    // The size is not asked for: it is 0 in some file systems, and may grow.
    file.take(max as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > max {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {} KiB", max / 1024)));
    }
    Ok(bytes)
}

/// Opens a regular file for reading.
///
/// # Errors
/// Whatever the system says; or that the path is no regular file, and what it is.
pub fn open(path: &Path) -> io::Result<File> {
    // To open a pipe waits for its other end, so the path is checked first, and what was opened once more.
    check(path)?;
    let file = File::open(path)?;
    is_regular(&file.metadata()?)?;
    Ok(file)
}

/// Whether it was refused since the process, or the system, has as many files and connections open as it may.
#[must_use]
pub fn is_for_want_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(TOO_MANY_HERE | TOO_MANY_IN_ALL))
}

/// The same, of an error that was put in words.
#[must_use]
pub fn tells_of_want_of_descriptors(words: &str) -> bool {
    [TOO_MANY_HERE, TOO_MANY_IN_ALL].iter().any(|code| words.contains(&format!("(os error {code})")))
}

/// Whether no file can be opened now for want of descriptors.
#[must_use]
pub fn are_descriptors_spent() -> bool {
    File::open("/dev/null").is_err_and(|error| is_for_want_of_descriptors(&error))
}

/// What a regular file holds, as text.
///
/// # Errors
/// As [`read`], and that it is no UTF-8.
pub fn read_text(path: &Path, max: usize) -> io::Result<String> {
    text(read(path, max)?)
}

/// Bytes as text.
///
/// # Errors
/// That they are no UTF-8. The words hold nothing of them.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// Whether the path is a regular file, or leads to one. Never opens it.
///
/// # Errors
/// Whatever the system says, or what it is instead.
pub fn check(path: &Path) -> io::Result<()> {
    is_regular(&path.metadata()?)
}

fn is_regular(file: &Metadata) -> io::Result<()> {
    if file.is_file() {
        return Ok(());
    }
    let words = format!("is a {}, not a regular file", kind(file.file_type()));
    Err(io::Error::new(io::ErrorKind::InvalidInput, words))
}

fn kind(file: FileType) -> &'static str {
    if file.is_dir() {
        "folder"
    } else if file.is_fifo() {
        "pipe"
    } else if file.is_socket() {
        "socket"
    } else {
        "device"
    }
}

#[cfg(test)]
mod tests;
