//! A watcher's own task: sends the response from its head on, and what the reader cannot write at
//! once, at the pace of the client. It reads the events from the channel or from the store.

use std::io;
use std::mem;
use std::sync::Arc;

use super::channel::{Channel, Known, Operation};
use super::channels::Channels;
use super::frame::{Frame, RETRY};
use super::member::{Member, Place, Unsent, Watcher};
use super::reader::{self, due_after};
use crate::http::connections::ClientStream;

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
    let due = due_after(&**clock, watcher.authorization.as_deref());
    let (channel, member, notifications) = channels.enter(operation, watcher, stream, due);
    if let Some(notifications) = notifications {
        let reading = reader::run(Arc::clone(&channels), Arc::clone(&channel), notifications);
        channels.tasks().spawn(reading);
    }
    member.follow(&channels, &channel, head).await;
    channels.leave(&channel, &member);
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

    /// Waits until the client closes the connection.
    async fn hung_up(&self, channel: &Channel) {
        loop {
            self.stream.readable().await;
            // To close a connection takes time, which the other members wait for.
            channel.delivered().await;
            if !self.stream.ignore_input() {
                return;
            }
        }
    }

    async fn send_events(&self, channels: &Channels, channel: &Channel, head: Vec<u8>) {
        let mut unsent = Unsent { bytes: head, cursor: self.cursor(), is_end: false };
        self.framing.append(&mut unsent.bytes, [RETRY].into_iter());
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
            if !channel.join(self, unsent.cursor) {
                continue;
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
                unsent.bytes.extend_from_slice(self.framing.end());
                return true;
            }
            Known::NotKept => match channels.events(channel.id(), unsent.cursor).await {
                Some(events) => events.iter().map(Frame::of).collect(),
                None => return false,
            },
        };
        if let Some(last) = frames.last() {
            (unsent.cursor, unsent.is_end) = (last.seq, last.is_end);
        }
        self.framing.append_frames(&mut unsent.bytes, &frames);
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
