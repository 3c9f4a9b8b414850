//! A story: an image, the faults on the platform, and how it may end; and the twists in it.

use std::{collections::BTreeMap, fmt, sync::Arc};

use ai_stack_deployer::{
    domain::{event::FailureCode, progress::End},
    server::ports::store::{State, Store, Wish},
};

use super::world::World;
use crate::support::{core_platform::Moment, memory_store::MemoryStore, twisted_store::Crash};

/// Before the write, for a wish to cancel.
pub(super) const BEFORE: Crash = Crash::Before;
/// After the write, for a wish to cancel.
pub(super) const AFTER: Crash = Crash::After;

/// What goes wrong on the platform.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) image: &'static str,
    pub(super) faults: Vec<String>,
    /// How it may end when nothing else happens.
    pub(super) expected: &'static [State],
    /// Whether it is about the removal of the live stack: the faults begin with it.
    pub(super) is_removed: bool,
}

/// What happens to the portal meanwhile. Writes and calls are counted from the story's
/// beginning, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    /// It crashes at a write.
    Crash(u32, Crash),
    /// A person cancels just before or after a write.
    CancelAtWrite(u32, Crash),
    /// A person cancels before a call has its effect, or after that.
    CancelAtCall(usize, Moment),
}

/// How a story ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) state: State,
    pub(super) code: Option<FailureCode>,
    pub(super) writes: u32,
    wish: Wish,
    crashes: u32,
    /// The first write and the first call of the story.
    first: (u32, usize),
    calls: usize,
    /// The faults that nothing met.
    missed: Vec<String>,
}

impl Story {
    pub(super) fn new(image: &'static str, faults: &[&str], expected: &'static [State]) -> Self {
        let faults = faults.iter().map(|&fault| fault.to_owned()).collect();
        Self { image, faults, expected, is_removed: false }
    }

    /// Tells the story with `twists`, and checks that it ends in all or nothing.
    pub(super) async fn run(&self, twists: &[Twist]) -> Ended {
        self.run_in(Arc::new(MemoryStore::default()), twists).await
    }

    /// Tells the story over `store`, which must be empty.
    pub(super) async fn run_in(&self, store: Arc<dyn Store>, twists: &[Twist]) -> Ended {
        let what = format!("{self:?} {twists:?}");
        let mut world = World::begin_in(store, self.image, &[]).await;
        if self.is_removed {
            world.drive().await;
            world.remove().await;
        }
        let first = (world.store.writes() + 1, world.platform.calls() + 1);
        for fault in &self.faults {
            world.inject(fault);
        }
        for twist in twists {
            match *twist {
                Twist::Crash(write, crash) => world.store.crash_at(write, crash),
                Twist::CancelAtWrite(write, when) => world.store.cancel_at(write, when),
                Twist::CancelAtCall(call, moment) => world.cancel_at_call(call, moment),
            }
        }
        let crashes = world.drive().await;
        // What the deadline of the undo cut short goes on in the background.
        let tries = world.clean_up(4).await;
        assert!(tries == 0 || !twists.is_empty(), "{what}: it got stuck");
        world.assert_all_or_nothing(&what).await;
        let record = world.record().await;
        let waiting = world.platform.core().waiting_faults().to_vec();
        Ended {
            state: record.state,
            code: match world.end().await {
                End::Failed(failure) => Some(failure.code),
                End::Live(_) | End::Removed(_) => None,
            },
            writes: world.store.writes(),
            wish: record.wish,
            crashes,
            first,
            calls: world.platform.calls(),
            missed: waiting.iter().map(|fault| format!("{fault:?}")).collect(),
        }
    }
}

impl Ended {
    /// Every crash that it has room for.
    pub(super) fn crashes(&self) -> Vec<Twist> {
        let both = |write| [Crash::Before, Crash::After].map(|crash| Twist::Crash(write, crash));
        (self.first.0..=self.writes).flat_map(both).collect()
    }

    /// Every wish to cancel that it has room for.
    pub(super) fn cancellations(&self) -> Vec<Twist> {
        let at_write = |write| [BEFORE, AFTER].map(|when| Twist::CancelAtWrite(write, when));
        let at_call =
            |call| [Moment::Before, Moment::After].map(|at| Twist::CancelAtCall(call, at));
        // After the last write it has ended.
        let writes = (self.first.0..=self.writes).flat_map(at_write);
        let writes = writes.filter(|twist| *twist != Twist::CancelAtWrite(self.writes, AFTER));
        writes.chain((self.first.1..=self.calls).flat_map(at_call)).collect()
    }

    /// Checks that every fault struck.
    pub(super) fn assert_struck(&self, story: &Story) {
        assert!(self.missed.is_empty(), "{story:?}: nothing met {:?}", self.missed);
    }

    /// Checks that each twist happened, and that it was heeded.
    pub(super) fn assert_twisted(&self, story: &Story, twists: &[Twist]) {
        let what = format!("{story:?} {twists:?}");
        let is_crash = |twist: &&Twist| matches!(twist, Twist::Crash(..));
        let crashes = twists.iter().filter(is_crash).count();
        assert_eq!(self.crashes as usize, crashes, "{what}: it went on as if nothing had happened");
        if crashes < twists.len() {
            assert_eq!(self.wish, Wish::Cancel, "{what}: nobody cancelled");
            let end = (self.state, self.code);
            assert_eq!(end, (State::RolledBack, Some(FailureCode::Cancelled)), "{what}");
        }
    }
}

impl Ended {
    /// Checks that of two twists all happened that had the room for it after the other, and
    /// that a wish to cancel was heeded.
    pub(super) fn assert_pair(&self, story: &Story, twists: &[Twist]) {
        let what = format!("{story:?} {twists:?}");
        assert!(self.crashes >= 1 || self.wish == Wish::Cancel, "{what}: nothing happened");
        if self.wish == Wish::Cancel {
            let end = (self.state, self.code);
            assert_eq!(end, (State::RolledBack, Some(FailureCode::Cancelled)), "{what}");
        }
    }
}

/// How many schedules ran, by their twists.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<&'static str, u32>);

impl Tally {
    /// Counts one schedule.
    pub(super) fn count(&mut self, twists: &[Twist]) {
        let kind = match twists {
            [] => "calm",
            [Twist::Crash(..)] => "with a crash",
            [Twist::CancelAtWrite(..)] => "cancelled at a write",
            [Twist::CancelAtCall(..)] => "cancelled at a call",
            [Twist::Crash(..), Twist::Crash(..)] => "with two crashes",
            _ => "with a crash and cancelled",
        };
        *self.0.entry(kind).or_default() += 1;
    }

    /// Returns how many there were.
    pub(super) fn total(&self) -> u32 {
        self.0.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} schedules:", self.total())?;
        for (kind, count) in &self.0 {
            write!(f, " {count} {kind},")?;
        }
        Ok(())
    }
}
