//! The reader of an operation: reads its events once for all who watch it.
//!
//! It reads the store after each notification, and now and then, because a notification may have
//! been lost.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::yield_now;

use super::authorization::{KEEPALIVE, StreamAuthorization};
use super::channel::Channel;
use super::channels::Channels;
use super::frame::{Batch, Frame};
use super::member::Member;
use crate::server::auth::authenticate::Authenticator;
use crate::server::notifier::Subscription;
use clock::Clock;
use domain::event::Seq;

/// The number of members to which the reader writes before others may run.
const AT_ONCE: usize = 1_024;
/// The number of events in a batch beyond which it gets no more.
const LARGEST: usize = 64;

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
        channel.set_delivering(true);
        let is_read = deliver(channels, channel, notifications, (last, frames)).await;
        channel.set_delivering(false);
        if !is_read {
            return false;
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
        members.iter().skip(next).take(AT_ONCE).for_each(|member| member.offer(&batch));
        next += AT_ONCE;
        yield_now().await;
        let Some(following) = members.get(next).map(|member| member.key()) else { break };
        if batch.is_end() || batch.len() > LARGEST || !notifications.has_changed().unwrap_or(false)
        {
            continue;
        }
        notifications.mark_unchanged();
        let last = batch.last();
        let Some(frames) = frames_after(channels, channel, last).await else { return false };
        if !frames.is_empty() {
            members = channel.publish(&frames);
            let before = members.partition_point(|member| member.key() < following);
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

/// Sends the keepalive comment to those who are due, and ends the streams of those who are no
/// longer authorized.
async fn keep_alive(channels: &Arc<Channels>, channel: &Channel) {
    let clock = channels.service().clock();
    let next = |member: &Member| due_after(&**clock, member.authorization());
    let due = channel.take_due(clock.monotonic(), next);
    let (checked, open) = due.into_iter().partition(|member| member.authorization().is_some());
    let open: Vec<Arc<Member>> = open;
    in_turn(&open, Member::keep_alive).await;
    let checked: Vec<Arc<Member>> = checked;
    if !checked.is_empty() {
        // Beside the reading of events, which must not wait for it.
        let (own, now) = (Arc::clone(channels), clock.now());
        channels.tasks().spawn(async move {
            check(own.authenticator(), checked, now).await;
        });
    }
}

/// Sends the keepalive comment to the members whose callers are still authorized, and ends the
/// streams of the others. Each credential is read once.
async fn check(authenticator: &Authenticator, members: Vec<Arc<Member>>, now: Timestamp) {
    let mut by_credential: HashMap<Vec<u8>, Vec<Arc<Member>>> = HashMap::new();
    for member in members {
        let key = member.authorization().map(StreamAuthorization::key).unwrap_or_default();
        by_credential.entry(key).or_default().push(member);
    }
    for members in by_credential.into_values() {
        let Some(first) = members.first().and_then(|member| member.authorization()) else {
            continue;
        };
        let known = first.known(authenticator, now).await;
        for member in &members {
            let is_allowed = member.authorization().is_none_or(|own| own.allows(&known));
            if is_allowed { member.keep_alive() } else { member.stop() }
        }
    }
}

/// Calls `act` for each member, and lets others run now and then.
async fn in_turn(members: &[Arc<Member>], act: impl Fn(&Member)) {
    for some in members.chunks(AT_ONCE) {
        for member in some {
            act(member);
        }
        yield_now().await;
    }
}

/// Returns when a member is due for its next check. Those of the same second are due together, so
/// that each credential is read once for them.
pub(super) fn due_after(
    clock: &dyn Clock,
    authorization: Option<&StreamAuthorization>,
) -> Duration {
    let now = clock.monotonic();
    let keepalive = Duration::from_secs((now + KEEPALIVE).as_secs());
    match authorization {
        None => keepalive,
        Some(authorization) => keepalive.min(now + authorization.next_check_in(clock.now())),
    }
}
