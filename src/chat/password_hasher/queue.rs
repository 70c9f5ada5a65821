//! A bounded fair queue: lanes take turns, however many jobs wait in each.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Maximum number of jobs in one lane.
const LANE_MAX: usize = 64;
/// Maximum number of jobs in total.
const QUEUE_MAX: usize = 1024;
/// If both classes have jobs, every fourth turn belongs to the second class.
const SECOND_EVERY: u32 = 4;

/// Priority of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    First,
    Second,
}

pub(super) struct Queue<L, J> {
    lanes: HashMap<L, VecDeque<J>>,
    /// The lanes with jobs in the order of their turns, per class.
    turns: [VecDeque<L>; 2],
    taken: u32,
    len: usize,
}

impl<L, J> Default for Queue<L, J> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            turns: [VecDeque::new(), VecDeque::new()],
            taken: 0,
            len: 0,
        }
    }
}

impl<L: Copy + Eq + Hash, J> Queue<L, J> {
    /// Appends a job to its lane. Returns the job that was rejected or displaced: this one, or the last of the longest
    /// lane.
    pub(super) fn push(&mut self, lane: L, class: Class, job: J) -> Option<J> {
        let mine = self.lanes.get(&lane).map_or(0, VecDeque::len);
        if mine >= LANE_MAX {
            return Some(job);
        }
        let mut displaced = None;
        if self.len >= QUEUE_MAX {
            let longest = self.lanes.iter().max_by_key(|(_, jobs)| jobs.len());
            match longest.map(|(other, jobs)| (*other, jobs.len())) {
                Some((other, length)) if length > mine + 1 => displaced = self.take_last(other),
                _ => return Some(job),
            }
        }
        let jobs = self.lanes.entry(lane).or_default();
        if jobs.is_empty() {
            self.turns[class as usize].push_back(lane);
        }
        jobs.push_back(job);
        self.len += 1;
        displaced
    }

    pub(super) fn pop(&mut self) -> Option<J> {
        self.taken = self.taken.wrapping_add(1);
        let second_first = self.taken.is_multiple_of(SECOND_EVERY);
        let order = if second_first { [1, 0] } else { [0, 1] };
        let class = order
            .into_iter()
            .find(|class| !self.turns[*class].is_empty())?;
        let lane = self.turns[class].pop_front()?;
        let jobs = self.lanes.get_mut(&lane)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.lanes.remove(&lane);
        } else {
            self.turns[class].push_back(lane);
        }
        self.len -= usize::from(job.is_some());
        job
    }

    /// Removes the last job of a lane that has more than one, so that the lane keeps its turn.
    fn take_last(&mut self, lane: L) -> Option<J> {
        let job = self.lanes.get_mut(&lane)?.pop_back();
        self.len -= usize::from(job.is_some());
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns() {
        let mut queue = Queue::default();
        for n in 0..50 {
            assert_eq!(queue.push('a', Class::First, n), None);
        }
        queue.push('b', Class::First, 100);
        queue.push('c', Class::First, 200);
        let first: Vec<_> = (0..4).filter_map(|_| queue.pop()).collect();
        assert_eq!(first, [0, 100, 200, 1]);
        let rest = std::iter::from_fn(|| queue.pop()).count();
        assert_eq!((rest, queue.len), (49 - 1, 0));
        assert!(queue.lanes.is_empty());
    }

    #[test]
    fn the_first_class_is_preferred_without_starving_the_second() {
        let mut queue = Queue::default();
        for n in 0..8 {
            queue.push('r', Class::Second, n + 100);
        }
        for n in 0..8 {
            queue.push('l', Class::First, n);
        }
        let first: Vec<_> = (0..8).filter_map(|_| queue.pop()).collect();
        assert_eq!(first, [0, 1, 2, 100, 3, 4, 5, 101]);
    }

    #[test]
    fn lanes_are_bounded_and_a_full_queue_evicts_from_the_longest() {
        let mut queue = Queue::default();
        for n in 0..LANE_MAX {
            assert_eq!(queue.push(0, Class::First, n), None);
        }
        assert_eq!(queue.push(0, Class::First, 999), Some(999));
        for lane in 1..(QUEUE_MAX / LANE_MAX) as u32 {
            (0..LANE_MAX).for_each(|n| _ = queue.push(lane, Class::First, n));
        }
        assert_eq!(queue.len, QUEUE_MAX);
        assert_eq!(queue.push(5000, Class::First, 7), Some(LANE_MAX - 1));
        assert_eq!(queue.len, QUEUE_MAX);
    }
}
