//! Reads the log of a stack: of one container after the other.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::feed::{Feed, Status};
use super::lines::{LineReader, RawLine};
use super::mask::Masks;
use super::ring::{Item, MOST_ITEMS};
use super::secrets::{OpenMasksError, masks};
use super::{LogParts, is_of_no_container};
use crate::server::platform::{Container, ContainerId, LogEnd, LogQuery, PlatformError};
use domain::time::earlier;

/// The pause between two looks whether another container runs, while nothing comes, and before a log
/// is opened again.
const PAUSE: Duration = Duration::from_secs(5);
/// The time without a line after which those that were there are read.
const SETTLED: Duration = Duration::from_millis(400);
/// The time without a line after which a log is opened again, in case its connection is dead.
const SILENCE: Duration = Duration::from_mins(30);
/// The number of lines that are shown within a second.
const MOST_IN_A_SECOND: u32 = 2_000;
const SECOND: Duration = Duration::from_secs(1);
/// The number of lines to read before the new ones.
const TAIL: u32 = 10_000;
const _: () = assert!(TAIL as usize <= MOST_ITEMS);

/// The reason for which a log cannot be read now.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Masks(#[from] OpenMasksError),
    #[error(transparent)]
    End(#[from] LogEnd),
}

/// Reads the log of a stack for ever.
pub(super) async fn read(parts: &LogParts, feed: &Feed) {
    let mut reader = Reader { parts, feed, current: None, is_over: false };
    loop {
        if let Err(error) = reader.read_one().await {
            tracing::debug!(%error, stack.id = %feed.stack(), "The log of a stack is interrupted");
            feed.set(match error {
                ReadError::Masks(OpenMasksError::Secret(_)) => Status::SecretsLost,
                ReadError::Masks(OpenMasksError::Store(_)) | ReadError::Platform(_) => {
                    Status::Unavailable
                }
                ReadError::End(end) if is_of_no_container(&end) => Status::NoContainer,
                ReadError::End(_) => Status::Unavailable,
            });
        }
        parts.clock.sleep(PAUSE).await;
    }
}

struct Reader<'a> {
    parts: &'a LogParts,
    feed: &'a Feed,
    /// The container that is read.
    current: Option<Current>,
    /// True if its log has ended, since it does not run.
    is_over: bool,
}

/// A container whose log is read.
struct Current {
    id: ContainerId,
    name: Arc<str>,
    masks: Arc<Masks>,
    /// The time of the last line that was read.
    last: Option<Timestamp>,
}

impl Reader<'_> {
    /// Reads the log of the container that runs, or ran last, until another does.
    async fn read_one(&mut self) -> Result<(), ReadError> {
        let Some(container) = self.container().await? else {
            self.feed.set(Status::NoContainer);
            return Ok(());
        };
        let is_known = self.current.as_ref().is_some_and(|current| current.id == container.id);
        if is_known && self.is_over && !container.is_running {
            return Ok(());
        }
        let current = match self.current.take() {
            Some(current) if is_known => current,
            _ => {
                // Its revision may have other secrets.
                let masks = masks(self.parts, self.feed.stack()).await?;
                let name: Arc<str> = container.name.into();
                self.feed.push(vec![Item::Container(Arc::clone(&name))]);
                Current { id: container.id, name, masks, last: None }
            }
        };
        self.is_over = false;
        let current = self.current.insert(current);
        let now = self.parts.clock.now();
        let since = current
            .last
            .map(|last| Duration::try_from(now.duration_since(last)).unwrap_or_default() + PAUSE);
        let query = LogQuery { container: &current.id, tail: TAIL, since, silence: SILENCE };
        let mut log = self.parts.platform.open_log(&query).await?;
        let mut intake = Intake::new(self.feed, current, self.parts, now);
        let id = intake.current.id.clone();
        loop {
            let pause = intake.pause();
            let received = tokio::select! {
                received = log.next() => Some(received),
                () = self.parts.clock.sleep(pause) => None,
            };
            match received {
                Some(Ok(chunk)) => intake.take(&chunk),
                Some(Err(end)) => {
                    intake.finish();
                    self.is_over = true;
                    if container.is_running {
                        return Err(end.into());
                    }
                    // It has said all.
                    self.feed.set(Status::Read);
                    return Ok(());
                }
                None if intake.settle() => {
                    let found = container_of(self.parts, self.feed).await?;
                    if found.is_some_and(|found| found.id != id) {
                        intake.finish();
                        return Ok(());
                    }
                }
                None => {}
            }
        }
    }

    async fn container(&self) -> Result<Option<Container>, PlatformError> {
        container_of(self.parts, self.feed).await
    }
}

/// Finds the container of a stack that runs, or the last one that did. Only containers of exactly
/// its services count.
async fn container_of(parts: &LogParts, feed: &Feed) -> Result<Option<Container>, PlatformError> {
    let mut containers = Vec::new();
    for service in feed.services() {
        let found = parts.platform.containers_to_read(service).await?;
        containers.extend(found.into_iter().filter(|one| service.owns_container(&one.name)));
    }
    let running = containers.iter().position(|container| container.is_running);
    Ok((!containers.is_empty()).then(|| containers.swap_remove(running.unwrap_or(0))))
}

/// Takes in what the log of a container says.
struct Intake<'a> {
    feed: &'a Feed,
    current: &'a mut Current,
    parts: &'a LogParts,
    lines: LineReader,
    opened: Timestamp,
    /// The time of the last line before the log was opened again.
    known: Option<Timestamp>,
    /// The number of lines that were there.
    earlier: u32,
    /// True if those are read.
    is_settled: bool,
    /// The beginning of the current second, and the number of its lines.
    second: (Duration, u32),
    skipped: u64,
}

impl<'a> Intake<'a> {
    fn new(feed: &'a Feed, current: &'a mut Current, parts: &'a LogParts, now: Timestamp) -> Self {
        let lines = LineReader::new(&current.masks);
        let (known, second) = (current.last, (parts.clock.monotonic(), 0));
        // Lines of the same moment may not have been there yet.
        let opened = earlier(now, SETTLED);
        let (earlier, is_settled, skipped) = (0, false, 0);
        Self { feed, current, parts, lines, opened, known, earlier, is_settled, second, skipped }
    }

    /// Returns the time after which something is to be done although nothing comes.
    fn pause(&self) -> Duration {
        match (self.is_settled, self.skipped) {
            (false, _) => SETTLED,
            (true, 0) => PAUSE,
            (true, _) => SECOND,
        }
    }

    /// Takes in a chunk.
    fn take(&mut self, chunk: &str) {
        let now = self.parts.clock.monotonic();
        let mut items = Vec::new();
        let mut lines = std::mem::take(&mut self.lines);
        lines.read(chunk, |line| self.line(line, now, &mut items));
        self.lines = lines;
        self.feed.push(items);
        if self.is_settled {
            self.feed.set(Status::Read);
        }
    }

    fn line(&mut self, line: RawLine<'_>, now: Duration, items: &mut Vec<Item>) {
        if self.is_settled {
            let (begun, count) = &mut self.second;
            if now.saturating_sub(*begun) >= SECOND {
                (*begun, *count) = (now, 0);
            }
            *count += 1;
            if *count > MOST_IN_A_SECOND {
                self.skipped += 1;
                return;
            }
        }
        let Some(at) = line.at() else { return };
        if self.known.is_some_and(|known| at <= known) {
            return;
        }
        self.current.last = Some(at);
        self.earlier += 1;
        self.is_settled |= self.earlier >= TAIL || at >= self.opened;
        self.end_gap(items);
        items.extend(line.shown(&self.current.name, &self.current.masks).map(Item::Line));
    }

    fn end_gap(&mut self, items: &mut Vec<Item>) {
        if self.skipped > 0 {
            items.push(Item::Gap(std::mem::take(&mut self.skipped)));
        }
    }

    /// Does what is to be done after a pause. Returns whether the container is to be looked at.
    fn settle(&mut self) -> bool {
        if !self.is_settled {
            self.is_settled = true;
            self.feed.set(Status::Read);
            return false;
        }
        let had_gap = self.skipped > 0;
        let mut items = Vec::new();
        self.end_gap(&mut items);
        self.feed.push(items);
        !had_gap
    }

    /// Takes in the line that has no end.
    fn finish(&mut self) {
        let now = self.parts.clock.monotonic();
        let mut items = Vec::new();
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|line| self.line(line, now, &mut items));
        self.end_gap(&mut items);
        self.feed.push(items);
        if self.earlier > 0 {
            self.feed.set(Status::Read);
        }
    }
}
