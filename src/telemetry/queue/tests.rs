//! Laws of the queue: what fits, what is dropped, and what is known of it.
//!
//! Not here: writing (`output::tests`).

use super::*;

/// A line of so many bytes.
fn of(bytes: usize) -> Vec<u8> {
    vec![b'x'; bytes]
}

fn lines(out: &Receiver<Item>) -> usize {
    out.try_iter().filter(|item| matches!(item, Item::Line(_))).count()
}

#[test]
fn the_queue_takes_no_more_than_its_bytes_and_keeps_the_reserve_for_what_is_serious() {
    let state = LogState::default();
    let (queue, out, budget) = queue(state.clone());
    let line = of(1024);
    (0..2_000).for_each(|_| queue.push(&line, Weight::Usual));
    assert_eq!(budget.bytes.load(Ordering::Relaxed), BYTES_MAX - RESERVE);
    assert_eq!(state.dropped_total(), 2_000 - 768);
    (0..300).for_each(|_| queue.push(&line, Weight::Serious));
    assert_eq!(budget.bytes.load(Ordering::Relaxed), BYTES_MAX);
    assert_eq!(state.dropped_total(), 2_000 - 768 + 44);
    assert_eq!(budget.dropped(), Dropped { lines: 1_232 + 44, serious: 44 });
    assert_eq!(lines(&out), 1024);
}

#[test]
fn the_shortest_lines_are_bounded_in_number_and_none_is_refused_for_want_of_a_place() {
    let state = LogState::default();
    let (queue, out, budget) = queue(state.clone());
    (0..10_000).for_each(|_| queue.push(b"\n", Weight::Serious));
    assert_eq!(budget.bytes.load(Ordering::Relaxed), BYTES_MAX);
    queue.force(b"what was lost");
    queue.force(b"why nothing is begun");
    let (end, _ended) = sync_channel(1);
    assert!(queue.put(Item::End(end)), "the end has its place");
    assert_eq!(lines(&out), LINES_MAX + 2);
}

#[test]
fn a_line_longer_than_the_queue_is_dropped_and_the_next_one_fits() {
    let state = LogState::default();
    let (queue, out, _) = queue(state.clone());
    queue.push(&of(BYTES_MAX + 1), Weight::Serious);
    queue.push(b"short", Weight::Usual);
    assert_eq!(state.dropped_total(), 1);
    assert!(matches!(out.try_recv(), Ok(Item::Gap)));
    assert!(matches!(out.try_recv(), Ok(Item::Line(line)) if *line == *b"short"));
}

#[test]
fn what_is_written_makes_room_to_the_byte() {
    let (queue, out, budget) = queue(LogState::default());
    for bytes in [1, 255, 256, 257, 5_000] {
        queue.push(&of(bytes), Weight::Usual);
    }
    queue.force(&of(3 * BYTES_MAX));
    out.try_iter().for_each(|item| {
        if let Item::Line(line) = item {
            budget.give_back(cost(&line))
        }
    });
    assert_eq!(budget.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn a_gap_has_one_mark_until_it_is_told() {
    let (queue, out, budget) = queue(LogState::default());
    let gaps = || out.try_iter().filter(|item| matches!(item, Item::Gap)).count();
    let drop_three = || (0..3).for_each(|_| queue.push(&of(BYTES_MAX), Weight::Usual));
    drop_three();
    assert_eq!(gaps(), 1);
    drop_three();
    assert_eq!(gaps(), 0);
    assert_eq!(budget.dropped(), Dropped { lines: 6, serious: 0 });
    drop_three();
    assert_eq!(gaps(), 1);
}

#[test]
fn lines_that_nobody_will_ever_write_are_counted() {
    let state = LogState::default();
    let (queue, out, budget) = queue(state.clone());
    drop(out);
    queue.push(b"line", Weight::Usual);
    assert_eq!(state.dropped_total(), 1);
    assert_eq!(budget.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn eight_threads_at_once_lose_no_count() {
    let state = LogState::default();
    let (queue, out, budget) = queue(state.clone());
    std::thread::scope(|scope| {
        (0..8).for_each(|_| drop(scope.spawn(|| (0..1_000).for_each(|_| queue.push(&of(512), Weight::Usual)))));
    });
    let taken = lines(&out);
    assert_eq!(taken, (BYTES_MAX - RESERVE) / 512);
    assert_eq!(state.dropped_total(), 8_000 - taken as u64);
    assert_eq!(budget.dropped().lines, 8_000 - taken as u64);
}
