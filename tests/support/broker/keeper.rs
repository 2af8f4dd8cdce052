//! A shell beside the test process that outlives it just long enough to end what the tests started.
//!
//! Statics are not dropped and a killed process drops nothing; a pipe closes in every case.
//! Not here: what is kept; the scripts say that.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A running script, and the pipe that keeps it waiting.
pub struct Keeper {
    child: Child,
    line: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Keeper {
    /// Starts the script with its arguments, in a process group of its own: Ctrl-C must not end it before its work.
    pub fn start(script: &str, arguments: &[String], environment: Option<&[(String, String)]>) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "keeper"]).args(arguments).process_group(0);
        if let Some(environment) = environment {
            command.env_clear().envs(environment.iter().cloned());
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("every test machine has /bin/sh");
        let line = child.stdin.take().zip(child.stdout.take().map(BufReader::new));
        Self { child, line: Mutex::new(line) }
    }

    /// Says a verb and reads the one line that the script answers, within milliseconds.
    pub fn ask(&self, verb: &str) -> String {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let (stdin, stdout) = line.as_mut().expect("the pipe closes in drop only");
        let mut answer = String::new();
        writeln!(stdin, "{verb}").expect("the keeper reads until its pipe closes");
        stdout.read_line(&mut answer).expect("the keeper answers");
        answer.trim().to_owned()
    }
}

/// Closes the pipe and waits until the script has tidied up.
impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.line.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        drop(self.child.wait());
    }
}
