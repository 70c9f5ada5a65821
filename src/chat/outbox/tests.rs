//! Tests of the outbox: back-pressure, coalescing and closing.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn frame(text: &str) -> EncodedFrames {
    let mut frames = Frames::default();
    frames.add(|bytes| bytes.extend_from_slice(text.as_bytes()));
    frames.seal()
}

fn take(outbox: &Outbox) -> (Vec<Bytes>, Poll<Option<CloseReason>>) {
    let mut batch = Vec::new();
    let poll = outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut batch);
    (batch, poll)
}

#[test]
fn all_queued_frames_are_taken_at_once_in_order() {
    let outbox = Outbox::default();
    assert!(take(&outbox).1.is_pending());
    assert!(outbox.push(frame("a"), Priority::Full) && outbox.push(frame("b"), Priority::Full));
    assert_eq!(
        take(&outbox),
        (vec![Bytes::from("a"), Bytes::from("b")], Poll::Ready(None))
    );
}

#[test]
fn an_overflowing_connection_is_closed() {
    let outbox = Outbox::default();
    let pushed = (0..1000)
        .take_while(|_| outbox.push(frame("x"), Priority::Full))
        .count();
    assert_eq!(pushed, FRAMES_MAX);
    assert_eq!(
        take(&outbox),
        (vec![], Poll::Ready(Some(CloseReason::Lagging)))
    );
}

#[test]
fn a_newer_light_frame_replaces_the_queued_one() {
    let outbox = Outbox::default();
    outbox.push(frame("old"), Priority::Newest(1));
    outbox.push(frame("message"), Priority::Full);
    outbox.push(frame("new"), Priority::Newest(1));
    assert_eq!(
        take(&outbox).0,
        vec![Bytes::from("new"), Bytes::from("message")]
    );
}

#[test]
fn light_frames_never_close_a_connection() {
    let outbox = Outbox::default();
    assert!((0..1000).all(|_| outbox.push(frame("x"), Priority::Light)));
    assert_eq!(take(&outbox).0.len(), LIGHT_MAX);
}

/// Accepts that many bytes of the next frames.
struct Kernel(AtomicUsize);

fn weak(kernel: &Arc<Kernel>) -> Weak<dyn Line> {
    Arc::downgrade(kernel) as _
}

impl Line for Kernel {
    fn send(&self, frames: &Bytes) -> usize {
        frames.len().min(self.0.swap(0, Ordering::Relaxed))
    }
}

#[test]
fn frames_bypass_the_queue_only_while_the_writer_is_idle() {
    let (outbox, kernel) = (Outbox::default(), Arc::new(Kernel(9.into())));
    outbox.set_line(weak(&kernel));
    assert!(outbox.send(frame("early")));
    assert_eq!(take(&outbox).0, ["early"]);
    // The frame was taken but may not be written yet.
    assert!(outbox.send(frame("next")));
    assert_eq!(take(&outbox).0, ["next"]);
    assert!(take(&outbox).1.is_pending());
    assert!(outbox.send(frame("past")));
    assert_eq!(take(&outbox), (vec![], Poll::Pending));

    // Nothing can be sent: the frame is queued, and later ones wait behind it.
    assert!(outbox.send(frame("stuck")));
    kernel.0.store(9, Ordering::Relaxed);
    assert!(outbox.send(frame("behind")));
    assert_eq!(take(&outbox).0, ["stuck", "behind"]);
    outbox.close(CloseReason::SessionEnded);
    assert!(!outbox.send(frame("late")));
}

#[test]
fn a_partially_written_frame_is_finished_first() {
    let (outbox, kernel) = (Outbox::default(), Arc::new(Kernel(2.into())));
    outbox.set_line(weak(&kernel));
    assert!(take(&outbox).1.is_pending());
    assert!(outbox.send(frame("begun")));
    kernel.0.store(9, Ordering::Relaxed);
    assert!(outbox.send(frame("behind")));
    assert_eq!(take(&outbox), (vec!["behind".into()], Poll::Ready(None)));

    assert!(take(&outbox).1.is_pending());
    kernel.0.store(2, Ordering::Relaxed);
    assert!(outbox.send(frame("begun")));
    assert_eq!(take(&outbox), (vec![], Poll::Ready(None)));
    assert!(take(&outbox).1.is_pending());
    drop(kernel);
    assert!(outbox.send(frame("the line is gone")));
    assert_eq!(take(&outbox).0, ["the line is gone"]);
}

#[test]
fn frames_queued_before_the_close_are_written() {
    let outbox = Outbox::default();
    outbox.push(frame("bye"), Priority::Full);
    outbox.close(CloseReason::SessionEnded);
    assert!(!outbox.push(frame("late"), Priority::Full));
    assert_eq!(
        take(&outbox),
        (
            vec![Bytes::from("bye")],
            Poll::Ready(Some(CloseReason::SessionEnded))
        )
    );
}
