//! Laws of the thread that writes: every line whole and in order, whatever the output does, and what was lost is counted.
//!
//! Not here: what fits into the queue (`queue::tests`), the process (`tests/log.rs`).

use std::collections::VecDeque;
use std::sync::mpsc::Sender;

use tracing_subscriber::fmt::MakeWriter as _;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// An output that fails as told, then takes bytes one at a time, or waits for ever where it is told to.
struct Bad {
    fails: VecDeque<ErrorKind>,
    taken: Sender<u8>,
}

impl Write for Bad {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kind) = self.fails.pop_front() {
            return Err(kind.into());
        }
        self.taken.send(bytes[0]).expect("the test reads");
        Ok(1)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits at its first write until the other side is dropped.
struct Stuck {
    until: Receiver<()>,
    taken: Sender<u8>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Ends with an error once nobody holds it up any more.
        assert!(self.until.recv().is_err());
        bytes.iter().for_each(|byte| self.taken.send(*byte).expect("the test reads"));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text(taken: &Receiver<u8>) -> String {
    String::from_utf8(taken.try_iter().collect()).unwrap()
}

#[test]
fn every_error_is_survived_and_every_line_is_whole() {
    let (taken, read) = std::sync::mpsc::channel();
    let errors = [ErrorKind::BrokenPipe, ErrorKind::StorageFull, ErrorKind::WouldBlock, ErrorKind::Interrupted];
    let output = Output::begin_at(Bad { fails: errors.into(), taken }, LogState::default()).unwrap();
    for line in ["one\n", "two\n", "three\n"] {
        output.queue.make_writer().write_all(line.as_bytes()).unwrap();
    }
    output.end(DEADLINE);
    assert_eq!(text(&read), "one\ntwo\nthree\n");
}

#[test]
fn the_end_waits_for_a_stuck_output_no_longer_than_it_was_told() {
    let (_hold, until) = sync_channel(0);
    let (taken, read) = std::sync::mpsc::channel();
    let state = LogState::default();
    let output = Output::begin_at(Stuck { until, taken }, state.clone()).unwrap();
    output.say("never written");
    let began = std::time::Instant::now();
    output.end(Duration::from_millis(50));
    assert!(began.elapsed() >= Duration::from_millis(50) && began.elapsed() < DEADLINE);
    assert!(state.stuck_since_ms().is_some());
    assert_eq!(text(&read), "");
}

#[test]
fn what_was_kept_is_written_once_it_goes_again_and_the_rest_is_counted() {
    let (hold, until) = sync_channel(0);
    let (taken, read) = std::sync::mpsc::channel();
    let state = LogState::default();
    let output = Output::begin_at(Stuck { until, taken }, state.clone()).unwrap();
    let logged = tracing_subscriber::fmt().with_writer(output.queue.clone()).without_time().with_ansi(false).finish();
    tracing::subscriber::with_default(logged, || {
        (0..10_000).for_each(|number| tracing::info!(number, "{}", "x".repeat(300)));
        tracing::error!("serious");
    });
    let lost = state.dropped_total();
    assert!(lost > 5_000, "{lost}");
    assert!(state.dropping_since_ms().is_some());
    drop(hold);
    output.end(DEADLINE);
    let text = text(&read);
    assert_eq!(text.lines().filter(|line| line.contains("xxx")).count() as u64, 10_000 - lost);
    assert!(text.lines().all(|line| line.contains("INFO") || line.contains("serious")), "{text}");
    assert_eq!(state.dropping_since_ms(), None);
    assert_eq!(state.stuck_since_ms(), None);
}

#[test]
fn the_log_has_its_share_of_the_drain_and_two_seconds_at_most() {
    let ms = Duration::from_millis;
    assert_eq!(flush_time(ms(25_000), ms(300)), ms(2_000));
    assert_eq!(flush_time(ms(25_000), ms(24_000)), ms(1_000));
    assert_eq!(flush_time(ms(25_000), ms(25_100)), ms(100));
    assert_eq!(flush_time(ms(500), ms(600)), ms(50));
    assert_eq!(flush_time(ms(500), ms(0)), ms(500));
}
