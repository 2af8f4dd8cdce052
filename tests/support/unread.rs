//! Where a log goes that nobody reads: a pipe that is full, one whose reader has gone, a disk that is full.
//!
//! Not here: the daemon that writes there.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test that includes it uses a part of it")]

use std::fs::File;
use std::io::{ErrorKind, PipeReader, PipeWriter, Write as _};
use std::process::Stdio;

/// Empty lines, until not one more fits. Answers a writer that does not wait.
fn filled(mut writer: PipeWriter) -> PipeWriter {
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    for bytes in [4096, 1] {
        while let Ok(written) = writer.write(&vec![b'\n'; bytes]) {
            assert!(written > 0);
        }
    }
    assert_eq!(writer.write(b"\n").unwrap_err().kind(), ErrorKind::WouldBlock);
    writer
}

/// A pipe that takes nothing until its reader reads: a write waits.
pub fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, writer) = std::io::pipe().unwrap();
    let writer = filled(writer);
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer.into())
}

/// A pipe that takes nothing until its reader reads: a write fails.
pub fn full_pipe_that_does_not_wait() -> (PipeReader, Stdio) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader, filled(writer).into())
}

/// A pipe that nobody reads any more.
pub fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

pub fn full_disk() -> Stdio {
    File::create("/dev/full").unwrap().into()
}
