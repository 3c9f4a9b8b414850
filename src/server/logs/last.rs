//! The last lines of a stack, read once before its container is removed or replaced.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::lines::LineReader;
use super::mask::Masks;
use super::secrets::masks;
use super::{LogParts, is_of_no_container};
use crate::server::platform::{Container, LogEnd, LogQuery, PlatformError};
use domain::last_log::{LastLog, LogState};
use domain::stack_id::StackId;

/// The number of lines that are kept.
const LINES: u32 = 200;
/// The most bytes that are kept.
const MOST_KEPT: usize = 32 << 10;
/// The most bytes that are read.
const MOST_READ: usize = 4 << 20;
/// The time without a line after which all are read: the platform does not tell that a log has ended
/// (recording day-two 441).
const SILENCE: Duration = Duration::from_secs(1);
/// The time after which no other call begins and nothing more is read.
const LIMIT: Duration = Duration::from_secs(3);
/// Reads what the first of `containers` that has written something wrote last. They are those of one
/// service, and not none.
///
/// Nothing that goes wrong is worth an error. It takes at most three seconds, and the time limit of
/// one call.
pub(crate) async fn of_containers(
    parts: &LogParts,
    stack: StackId,
    containers: &[Container],
) -> LastLog {
    let until = parts.clock.monotonic() + LIMIT;
    let of = |container: Option<&Container>, log, lines| {
        let container = container.map(|one| one.name.clone());
        LastLog { container, log, lines, ..LastLog::default() }
    };
    // A secret that does not open could not be masked.
    let Ok(masks) = masks(parts, stack).await else {
        return of(containers.first(), LogState::Unavailable, Vec::new());
    };
    let mut nothing = None;
    for container in containers {
        if parts.clock.monotonic() >= until {
            break;
        }
        let state = match read(parts, container, &masks, until).await {
            Ok(lines) if lines.is_empty() => LogState::Read,
            Ok(lines) => return of(Some(container), LogState::Read, lines),
            Err(error) => {
                tracing::debug!(%error, "The last log of a container cannot be read");
                error.state()
            }
        };
        nothing.get_or_insert_with(|| of(Some(container), state, Vec::new()));
    }
    nothing.unwrap_or_else(|| of(containers.first(), LogState::Unavailable, Vec::new()))
}

/// The last lines of a container cannot be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    End(LogEnd),
}

impl ReadError {
    fn state(&self) -> LogState {
        match self {
            Self::End(end) if is_of_no_container(end) => LogState::Gone,
            Self::Platform(_) | Self::End(_) => LogState::Unavailable,
        }
    }
}

/// Reads the last lines of a container.
async fn read(
    parts: &LogParts,
    container: &Container,
    masks: &Masks,
    until: Duration,
) -> Result<Vec<String>, ReadError> {
    let query = LogQuery { container: &container.id, tail: LINES, since: None, silence: SILENCE };
    let mut log = parts.platform.open_log(&query).await?;
    let mut last = Last::of(container, masks);
    loop {
        match log.next().await {
            Ok(chunk) => last.read(&chunk),
            Err(LogEnd::Silent { .. } | LogEnd::Closed { .. }) => return Ok(last.finish()),
            // What was read before is good.
            Err(end) => {
                let lines = last.finish();
                return if lines.is_empty() { Err(ReadError::End(end)) } else { Ok(lines) };
            }
        }
        if last.is_enough() || parts.clock.monotonic() >= until {
            return Ok(last.finish());
        }
    }
}

/// The last lines so far.
struct Last<'a> {
    container: Arc<str>,
    masks: &'a Masks,
    reader: LineReader,
    lines: VecDeque<String>,
    /// The number of lines, and of bytes, that were read.
    count: (u32, usize),
}

impl<'a> Last<'a> {
    fn of(container: &Container, masks: &'a Masks) -> Self {
        let (reader, lines) = (LineReader::new(masks), VecDeque::new());
        Self { container: container.name.as_str().into(), masks, reader, lines, count: (0, 0) }
    }

    fn read(&mut self, chunk: &str) {
        let Self { container, masks, reader, lines, count } = self;
        count.1 += chunk.len();
        reader.read(chunk, |line| {
            count.0 += 1;
            let Some(line) = line.shown(container, masks) else { return };
            lines.push_back(format!("{:.9} {}", line.at, line.text));
            while lines.len() > usize::try_from(LINES).unwrap_or(usize::MAX) {
                lines.pop_front();
            }
        });
    }

    /// Returns whether all lines were read that were there when the log was opened.
    fn is_enough(&self) -> bool {
        self.count.0 >= LINES || self.count.1 >= MOST_READ
    }

    /// Returns the last lines, of which the last ones fit.
    fn finish(mut self) -> Vec<String> {
        // A last line without an end.
        self.read("\n");
        let mut size = 0;
        let fits = |line: &&String| {
            size += line.len();
            size <= MOST_KEPT
        };
        let count = self.lines.iter().rev().take_while(fits).count();
        self.lines.drain(..self.lines.len() - count);
        self.lines.into()
    }
}
