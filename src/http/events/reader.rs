//! The reader of an operation: reads its events once for all who watch it.
//!
//! It reads the store after each notification, and now and then, because a notification may have
//! been lost.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use tokio::task::yield_now;

use super::authorization::{KEEPALIVE, Known, StreamAuthorization};
use super::channel::{Channel, Members};
use super::channels::Channels;
use super::frame::{Batch, Frame};
use super::member::Member;
use crate::server::notifier::Subscription;
use crate::server::store::PAGE;
use clock::Clock;
use domain::event::Seq;

/// The number of members to which the reader writes before others may run.
const AT_ONCE: usize = 1_024;
/// The number of events in a batch beyond which it gets no more.
const LARGEST: usize = 64;

/// The number of credentials that are read at a time.
const READINGS: usize = 8;

/// Ends the streams of the members when the reader ends, however it does.
struct EndOfReading {
    channels: Arc<Channels>,
    channel: Arc<Channel>,
}

impl Drop for EndOfReading {
    fn drop(&mut self) {
        self.channels.close(&self.channel);
    }
}

/// Reads the events of an operation until nobody watches it.
pub(super) async fn run(
    channels: Arc<Channels>,
    channel: Arc<Channel>,
    mut notifications: Subscription,
) {
    let end = EndOfReading { channels, channel };
    let (channels, channel) = (&*end.channels, &*end.channel);
    let clock = channels.service().clock();
    while !channel.is_closed() {
        notifications.mark_unchanged();
        if !read(channels, channel, &mut notifications).await {
            return;
        }
        let next_reading = channel.last().map(|_| clock.monotonic() + KEEPALIVE);
        loop {
            keep_alive(&end.channels, channel).await;
            if next_reading.is_some_and(|due| due <= clock.monotonic()) {
                break;
            }
            let due = channel.next_due().into_iter().chain(next_reading).min();
            tokio::select! {
                biased;
                () = channels.shutdown().cancelled() => return,
                _ = notifications.changed() => break,
                () = channel.changed() => break,
                () = sleep_until(&**clock, due) => {}
            }
        }
    }
}

async fn sleep_until(clock: &dyn Clock, due: Option<Duration>) {
    match due {
        Some(due) => clock.sleep(due.saturating_sub(clock.monotonic())).await,
        None => pending().await,
    }
}

/// Reads the events that were recorded since, and sends them to the members. Returns whether the
/// store could be read.
async fn read(channels: &Channels, channel: &Channel, notifications: &mut Subscription) -> bool {
    while let Some(last) = channel.last() {
        let Some(frames) = frames_after(channels, channel, last).await else { return false };
        if frames.is_empty() {
            break;
        }
        let is_all = frames.len() < PAGE as usize;
        channel.set_delivering(true);
        let is_read = deliver(channels, channel, notifications, (last, frames)).await;
        channel.set_delivering(false);
        if !is_read {
            return false;
        }
        // What is recorded after the reading is announced.
        if is_all {
            break;
        }
    }
    true
}

async fn frames_after(channels: &Channels, channel: &Channel, last: Seq) -> Option<Vec<Frame>> {
    let events = channels.events(channel.id(), last).await?;
    Some(events.iter().map(Frame::of).collect())
}

/// Sends the `frames` after the event `last` to all members. Events that are recorded meanwhile go
/// with them to those whose turn has not come, and then to the others. Returns whether the store
/// could be read.
async fn deliver(
    channels: &Channels,
    channel: &Channel,
    notifications: &mut Subscription,
    (last, frames): (Seq, Vec<Frame>),
) -> bool {
    let mut members = channel.publish(&frames);
    let (mut batch, mut next) = (Batch::default(), 0);
    batch.extend(last, frames);
    while next < members.len() {
        let some = members.iter().skip(next).take(AT_ONCE);
        some.filter_map(|(_, member)| member.upgrade()).for_each(|member| member.offer(&batch));
        next += AT_ONCE;
        yield_now().await;
        let Some((following, _)) = members.get(next) else { break };
        if batch.is_end() || batch.len() > LARGEST || !notifications.has_changed().unwrap_or(false)
        {
            continue;
        }
        let following = *following;
        notifications.mark_unchanged();
        let last = batch.last();
        channel.set_delivering(false);
        let Some(frames) = frames_after(channels, channel, last).await else { return false };
        channel.set_delivering(true);
        if !frames.is_empty() {
            members = channel.publish(&frames);
            let before = members.partition_point(|(key, _)| *key < following);
            members.rotate_left(before);
            next = 0;
            batch.extend(last, frames);
        }
    }
    if batch.is_end() {
        // Only now: to close connections takes time.
        in_turn(&members, Member::close_if_ended).await;
    }
    true
}

/// A member that is due for a check, and its authorization.
type Checked = (Arc<StreamAuthorization>, Weak<Member>);

/// Sends the keepalive comment to those who are due, and ends the streams of those who are no
/// longer authorized.
async fn keep_alive(channels: &Arc<Channels>, channel: &Channel) {
    let clock = channels.service().clock();
    let next = |member: &Member| due_after(&**clock, member.authorization());
    let (mut open, mut checked) = (Members::new(), Vec::new());
    for (key, member) in channel.take_due(clock.monotonic(), next) {
        match member.upgrade().map(|member| member.authorization().cloned()) {
            Some(Some(authorization)) => checked.push((authorization, member)),
            Some(None) => open.push((key, member)),
            None => {}
        }
    }
    in_turn(&open, Member::keep_alive).await;
    if checked.is_empty() {
        return;
    }
    // Beside the reading of events, which must not wait for it.
    match channel.begin_check() {
        Some(turn) => {
            let own = Arc::clone(channels);
            channels.tasks().spawn(async move {
                tokio::select! {
                    () = own.shutdown().cancelled() => {}
                    () = check(&own, checked) => {}
                }
                drop(turn);
            });
        }
        // The store is slow: nothing more is asked of it until it has answered.
        None => apply(&checked, &Known::Unavailable, clock.now()).await,
    }
}

/// Sends the keepalive comment to the members whose callers are still authorized, and ends the
/// streams of the others. Each credential is read once.
async fn check(channels: &Channels, members: Vec<Checked>) {
    let mut by_credential: HashMap<Vec<u8>, Vec<Checked>> = HashMap::new();
    for (authorization, member) in members {
        by_credential.entry(authorization.key()).or_default().push((authorization, member));
    }
    let clock = channels.service().clock();
    let check_one = async |members: Vec<Checked>| {
        if let Some((authorization, _)) = members.first() {
            let known = authorization.known(channels.authenticator(), clock.now()).await;
            apply(&members, &known, clock.now()).await;
        }
    };
    let groups = stream::iter(by_credential.into_values());
    groups.for_each_concurrent(READINGS, check_one).await;
}

/// Lets the streams of the members go on, or ends them, by what is `known` at `now`.
async fn apply(members: &[Checked], known: &Known, now: Timestamp) {
    for some in members.chunks(AT_ONCE) {
        for (authorization, member) in some {
            match member.upgrade() {
                Some(member) if authorization.allows(known, now) => member.keep_alive(),
                Some(member) => member.stop(),
                None => {}
            }
        }
        yield_now().await;
    }
}

/// Calls `act` for each member that is still there, and lets others run now and then.
async fn in_turn(members: &Members, act: impl Fn(&Member)) {
    for some in members.chunks(AT_ONCE) {
        some.iter().filter_map(|(_, member)| member.upgrade()).for_each(|member| act(&member));
        yield_now().await;
    }
}

/// Returns when a member is due for its next check. Those of the same second are due together, so
/// that each credential is read once for them.
pub(super) fn due_after(
    clock: &dyn Clock,
    authorization: Option<&Arc<StreamAuthorization>>,
) -> Duration {
    let now = clock.monotonic();
    let keepalive = Duration::from_secs((now + KEEPALIVE).as_secs());
    match authorization {
        None => keepalive,
        Some(authorization) => keepalive.min(now + authorization.next_check_in(clock.now())),
    }
}
