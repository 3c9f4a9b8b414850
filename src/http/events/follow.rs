//! A watcher's own task: sends the response from its head on, and what the reader cannot write at
//! once, at the pace of the client. It reads the events from the channel or from the store.

use std::io;
use std::mem;
use std::sync::Arc;

use super::channel::{Channel, Joining, Known, Operation};
use super::channels::Channels;
use super::frame::{Frame, RETRY};
use super::member::{Member, Place, Unsent, Watcher};
use super::reader::{self, due_after};
use crate::http::connections::ClientStream;

/// The number of bytes that a client may send while it watches.
const MOST_IGNORED: usize = 64 << 10;

/// Serves a watcher of an operation, whose connection was taken over, until its stream ends. The
/// first one starts the reader of the operation.
pub(super) async fn serve(
    channels: Arc<Channels>,
    operation: Operation,
    watcher: Watcher,
    stream: ClientStream,
    head: Vec<u8>,
) {
    let clock = channels.service().clock();
    let due = due_after(&**clock, watcher.authorization.as_ref());
    let (channel, member, notifications) = channels.enter(operation, watcher, stream, due);
    if let Some(notifications) = notifications {
        let reading = reader::run(Arc::clone(&channels), Arc::clone(&channel), notifications);
        channels.tasks().spawn(reading);
    }
    let leaving = Leaving { channels: &channels, channel: &channel, member: &member };
    member.follow(&channels, &channel, head).await;
    drop(leaving);
}

/// Removes a member from its channel when it ends, however it does.
struct Leaving<'a> {
    channels: &'a Channels,
    channel: &'a Arc<Channel>,
    member: &'a Member,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.channels.leave(self.channel, self.member);
    }
}

impl Member {
    /// Sends the response, whose first bytes are `head`, until it ends or the client is gone.
    async fn follow(&self, channels: &Channels, channel: &Channel, head: Vec<u8>) {
        tokio::select! {
            () = self.stream.ended() => {}
            () = self.hung_up(channel) => {}
            () = self.send_events(channels, channel, head) => {}
        }
    }

    /// Waits until the client closes the connection, or has sent too much.
    async fn hung_up(&self, channel: &Channel) {
        let mut ignored = 0;
        while ignored < MOST_IGNORED {
            self.stream.readable().await;
            // To close a connection takes time, which the other members wait for.
            channel.delivered().await;
            match self.stream.ignore_input() {
                Some(count) => ignored += count,
                None => return,
            }
        }
    }

    async fn send_events(&self, channels: &Channels, channel: &Channel, head: Vec<u8>) {
        let mut begun = head;
        self.framing.append(&mut begun, [RETRY].into_iter());
        let mut unsent = Unsent { bytes: begun.into(), cursor: self.cursor(), is_end: false };
        loop {
            let has_events = unsent.is_end || self.gather(channels, channel, &mut unsent).await;
            if !has_events || unsent.is_end || !unsent.bytes.is_empty() {
                match self.send(&mut unsent).await {
                    Ok(()) if has_events && !unsent.is_end && !self.has_ended() => continue,
                    // Between two events, the body ends as it should.
                    Ok(()) if !unsent.is_end => return self.end(),
                    Ok(()) | Err(_) => return,
                }
            }
            match channel.join(self, unsent.cursor) {
                Joining::Joined => {}
                Joining::Behind => continue,
                Joining::Stopped => return self.end(),
            }
            match self.slow().await {
                Some(slow) => unsent = slow,
                None => return,
            }
        }
    }

    /// Adds the events that the client has not got, as far as they are known. Returns whether they
    /// could be read.
    async fn gather(&self, channels: &Channels, channel: &Channel, unsent: &mut Unsent) -> bool {
        let frames = match channel.after(unsent.cursor) {
            Known::Frames(frames) => frames,
            Known::End => {
                unsent.is_end = true;
                let mut bytes = Vec::from(mem::take(&mut unsent.bytes));
                bytes.extend_from_slice(self.framing.end());
                unsent.bytes = bytes.into();
                return true;
            }
            Known::NotKept => match channels.events(channel.id(), unsent.cursor).await {
                Some(events) if !events.is_empty() => events.iter().map(Frame::of).collect(),
                // They were purged.
                Some(_) | None => return false,
            },
        };
        if let Some(last) = frames.last() {
            (unsent.cursor, unsent.is_end) = (last.seq, last.is_end);
            let mut bytes = Vec::from(mem::take(&mut unsent.bytes));
            self.framing.append_frames(&mut bytes, &frames);
            unsent.bytes = bytes.into();
        }
        true
    }

    /// Writes all bytes, as fast as the client reads them.
    async fn send(&self, unsent: &mut Unsent) -> io::Result<()> {
        let bytes = mem::take(&mut unsent.bytes);
        let mut rest = &*bytes;
        loop {
            let written = self.stream.try_write(rest)?;
            rest = rest.get(written..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(());
            }
            tokio::select! {
                () = self.stream.writable() => {}
                () = self.left.notified() => {
                    if self.has_ended() {
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                }
            }
        }
    }

    /// Waits until the client does not read as fast as events come, and returns what it has not got
    /// yet; `None` at the end.
    async fn slow(&self) -> Option<Unsent> {
        loop {
            self.left.notified().await;
            let mut place = self.place.lock();
            match mem::replace(&mut *place, Place::Behind) {
                Place::Joined(cursor) => *place = Place::Joined(cursor),
                Place::Behind => {}
                Place::Slow(unsent) => return Some(unsent),
                Place::Ended => {
                    *place = Place::Ended;
                    return None;
                }
            }
        }
    }
}
