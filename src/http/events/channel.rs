//! The channel of an operation: its watchers, and the last events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedMutexGuard, watch};

use super::frame::Frame;
use super::member::{Member, Watcher};
use crate::http::connections::ClientStream;
use domain::deployment::DeploymentId;
use domain::event::Seq;
use domain::owner::OwnerId;

/// The number of events that a channel keeps at its beginning.
const KEPT: Seq = 256;
/// The number of bytes of events that a channel keeps.
const KEPT_BYTES: usize = 64 << 10;

/// An operation, as far as its watchers need to know it.
#[derive(Clone)]
pub(in crate::http) struct Operation {
    /// Its id.
    pub(in crate::http) id: DeploymentId,
    /// Its owner; `None` if an anonymous client started it.
    pub(in crate::http) owner: Option<OwnerId>,
    /// The number of an event, after which there may be others.
    pub(in crate::http) last: Seq,
    /// True if that was the terminal event.
    pub(in crate::http) has_ended: bool,
}

/// The channel of an operation.
pub(super) struct Channel {
    id: DeploymentId,
    owner: Option<OwnerId>,
    state: Mutex<State>,
    /// Notified when the reader has something to do that it does not wait for.
    changed: Notify,
    /// Counts the beginnings and ends of deliveries: odd while events are written to the members.
    deliveries: watch::Sender<u64>,
    /// Locked while the authorizations of members are read.
    check: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    next_key: u64,
    /// In the order in which they came.
    members: BTreeMap<u64, Place>,
    /// When each member is due for its check and the keepalive comment.
    due: BTreeSet<(Duration, u64)>,
    /// The last events.
    kept: VecDeque<Frame>,
    kept_bytes: usize,
    /// The number of the event before those that are kept.
    kept_after: Seq,
    /// The last event that was read.
    last: Seq,
    /// True if the last event is the terminal one.
    has_ended: bool,
    /// True if nobody can enter any more.
    is_closed: bool,
}

struct Place {
    member: Arc<Member>,
    due: Duration,
}

/// What a channel knows of the events after a certain one.
pub(super) enum Known {
    /// All of them, perhaps none.
    Frames(Vec<Frame>),
    /// There will be none.
    End,
    /// They are no longer kept, but in the store.
    NotKept,
}

/// The outcome of [`Channel::join`].
pub(super) enum Joining {
    /// The reader writes to the stream from now on.
    Joined,
    /// There are events that the client has not got.
    Behind,
    /// The stream must end.
    Stopped,
}

/// Members and their keys. They are not kept by it: with its stream, a member gives back its place.
pub(super) type Members = Vec<(u64, Weak<Member>)>;

impl Channel {
    /// Creates the channel of an operation.
    pub(super) fn new(operation: Operation) -> Self {
        let Operation { id, owner, last, .. } = operation;
        let last = last.saturating_sub(KEPT);
        let state = State { last, kept_after: last, ..State::default() };
        let (changed, deliveries, check) =
            (Notify::new(), watch::Sender::default(), Arc::default());
        Self { id, owner, state: Mutex::new(state), changed, deliveries, check }
    }

    pub(super) fn id(&self) -> &DeploymentId {
        &self.id
    }

    /// Returns the operation, as far as its events were read.
    pub(super) fn operation(&self) -> Operation {
        let (id, owner, state) = (self.id.clone(), self.owner.clone(), self.state.lock());
        Operation { id, owner, last: state.last, has_ended: state.has_ended }
    }

    /// Adds a member, which is due for its first check at `due`. The operation's last event is at
    /// least `last`.
    pub(super) fn enter(
        &self,
        watcher: Watcher,
        stream: ClientStream,
        last: Seq,
        due: Duration,
    ) -> Arc<Member> {
        let mut state = self.state.lock();
        let key = state.next_key;
        state.next_key += 1;
        let member = Arc::new(Member::new(key, watcher, stream));
        let is_first = state.due.first().is_none_or(|(first, _)| due < *first);
        state.due.insert((due, key));
        state.members.insert(key, Place { member: Arc::clone(&member), due });
        if is_first || last > state.last {
            self.changed.notify_one();
        }
        member
    }

    /// Removes a member. If nobody is left, the channel is closed; returns whether it is.
    pub(super) fn leave(&self, member: &Member) -> bool {
        let mut state = self.state.lock();
        let place = state.members.remove(&member.key());
        if let Some(Place { due, .. }) = place {
            state.due.remove(&(due, member.key()));
        }
        if state.members.is_empty() {
            state.is_closed = true;
            self.changed.notify_one();
        }
        state.is_closed
    }

    /// Closes the channel and ends the streams of its members.
    pub(super) fn close(&self) {
        let members = {
            let mut state = self.state.lock();
            state.is_closed = true;
            state.due.clear();
            self.set_delivering(false);
            mem::take(&mut state.members)
        };
        for place in members.into_values() {
            place.member.stop();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().is_closed
    }

    /// Returns the last event that was read; `None` after the terminal one.
    pub(super) fn last(&self) -> Option<Seq> {
        let state = self.state.lock();
        (!state.has_ended).then_some(state.last)
    }

    /// Returns what is known of the events after `cursor`.
    pub(super) fn after(&self, cursor: Seq) -> Known {
        let state = self.state.lock();
        if cursor >= state.last {
            return if state.has_ended { Known::End } else { Known::Frames(Vec::new()) };
        }
        if cursor < state.kept_after {
            return Known::NotKept;
        }
        let first = state.kept.partition_point(|frame| frame.seq <= cursor);
        Known::Frames(state.kept.range(first..).cloned().collect())
    }

    /// Leaves the stream of a member to the reader, unless there are events after its `cursor`.
    pub(super) fn join(&self, member: &Member, cursor: Seq) -> Joining {
        let state = self.state.lock();
        if cursor < state.last || state.has_ended {
            Joining::Behind
        } else if member.join(cursor) {
            Joining::Joined
        } else {
            Joining::Stopped
        }
    }

    /// Keeps events that follow the last one, and returns the members to offer them to.
    pub(super) fn publish(&self, frames: &[Frame]) -> Members {
        let mut state = self.state.lock();
        for frame in frames {
            state.keep(frame.clone());
        }
        if let Some(frame) = frames.last() {
            (state.last, state.has_ended) = (frame.seq, frame.is_end);
        }
        state.members.iter().map(|(key, place)| (*key, Arc::downgrade(&place.member))).collect()
    }

    /// Takes the turn to read authorizations; `None` if the last one is not over.
    pub(super) fn begin_check(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.check).try_lock_owned().ok()
    }

    /// Marks whether events are being written to the members.
    pub(super) fn set_delivering(&self, is_delivering: bool) {
        self.deliveries.send_if_modified(|count| {
            let is_other = (*count % 2 == 1) != is_delivering;
            *count += u64::from(is_other);
            is_other
        });
    }

    /// Waits until the events that are being written are.
    pub(super) async fn delivered(&self) {
        let mut deliveries = self.deliveries.subscribe();
        let present = *deliveries.borrow();
        let is_over = |count: &u64| *count != present || present.is_multiple_of(2);
        // An error is impossible: the sender is in this channel.
        drop(deliveries.wait_for(is_over).await);
    }

    /// Returns when the next member is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.state.lock().due.first().map(|(due, _)| *due)
    }

    /// Returns the members that are due at `now`, and makes each due again at the time that `next`
    /// returns.
    pub(super) fn take_due(&self, now: Duration, next: impl Fn(&Member) -> Duration) -> Members {
        let mut state = self.state.lock();
        let mut taken = Vec::new();
        while let Some(&(due, key)) = state.due.first()
            && due <= now
        {
            state.due.pop_first();
            let Some(place) = state.members.get_mut(&key) else { continue };
            place.due = next(&place.member);
            let again = (place.due, key);
            taken.push((key, Arc::downgrade(&place.member)));
            state.due.insert(again);
        }
        taken
    }

    /// Waits until a member has entered that is due first or knows a later event, or the last one has
    /// left.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl State {
    fn keep(&mut self, frame: Frame) {
        self.kept_bytes += frame.text.len();
        self.kept.push_back(frame);
        while self.kept_bytes > KEPT_BYTES
            && let Some(first) = self.kept.pop_front()
        {
            self.kept_bytes -= first.text.len();
            self.kept_after = first.seq;
        }
    }
}
