//! The log of a container, as a stream.
//!
//! The stream has the text as Docker writes it: each line begins with its time, in nanoseconds, and a
//! space, and ends with `\\r\\n`; the lines of both outputs are mixed. Chunks are no lines, and may end
//! anywhere but within a character. Within a line of more than 16,384 bytes, the time is repeated
//! after each 16,384 (recording day-two 433). The text may contain any character, such as those that
//! control a terminal, and secrets of the stack.
//!
//! A line without a time is not the container's, but Docker's own, and ends the stream.

use std::sync::Arc;
use std::time::Duration;

use clock::Clock;
use futures_util::future::{Either, select};

use super::client::{Call, Dokploy};
use super::exchange::{Content, Frame, Socket};
use crate::answer::Discretion;
use crate::{ContainerId, Error};

/// The call, which is not among those of the API.
const CALL: &str = "docker-container-logs";
/// The most lines that the platform accepts as `tail` (recording day-two 431).
const MOST_LINES: u32 = 10_000;
/// The code with which the platform refuses a parameter (recordings day-two 57, 431).
const REFUSED: u16 = 4000;
/// The number of bytes from which a line is recognised: those of a time in seconds.
const TIME_LENGTH: usize = "2026-11-28T17:08:08".len();
/// The largest sentence of Docker that is kept, in bytes.
const LONGEST_SENTENCE: usize = 300;

/// The part of a container's log to read.
#[derive(Clone, Copy, Debug)]
pub struct LogQuery<'a> {
    /// The container, by its id. For the name of a service the platform would mix the logs of several
    /// containers.
    pub container: &'a ContainerId,
    /// The number of lines before the new ones, at most 10,000.
    pub tail: u32,
    /// The age of the oldest line, in whole seconds; `None` for any. The platform accepts no time, so
    /// lines that are known already come again, and are recognised by their times (recording day-two
    /// 432).
    pub since: Option<Duration>,
    /// The time without a byte after which the stream ends with [`LogEnd::Silent`]. If a container is
    /// replaced, its stream just becomes silent (recording day-two 441).
    pub silence: Duration,
}

/// The log of a container that is being read. When it is dropped, the platform ends its own reading
/// within a second (recording day-two 435).
///
/// It holds at most one chunk, of at most 1 MiB. While nobody reads, nothing is lost: the platform
/// keeps what is new (recording day-two 438).
#[derive(Debug)]
pub struct LogStream {
    socket: Box<dyn Socket>,
    clock: Arc<dyn Clock>,
    silence: Duration,
    reader: Reader,
    end: Option<LogEnd>,
}

/// The reason for which a stream has ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogEnd {
    /// The platform closed the socket at once and without a code, as it does for a wrong key, a key
    /// over its limit, and while its database is unavailable (recording day-two 55). A call of the API
    /// distinguishes these.
    #[error("the platform did not accept the key for the log")]
    NotAdmitted,
    /// The platform rejects a parameter, and would reject it again.
    #[error("the platform refused the log: {reason}")]
    Refused {
        /// The platform's reason, such as `Invalid container ID format`.
        reason: String,
    },
    /// There is no such container on the platform's own node (recordings day-two 56, 442).
    #[error("the container does not exist")]
    UnknownContainer,
    /// Docker reports something else, for example that it is down.
    #[error("Docker does not show the log: {sentence}")]
    Docker {
        /// Docker's own sentence, for the operator's log only.
        sentence: String,
    },
    /// Nothing came for the time that the caller set. The container may have been replaced.
    #[error("nothing came for {} s", limit.as_secs())]
    Silent {
        /// That time.
        limit: Duration,
    },
    /// The platform closed the socket, for example since it restarts.
    #[error("the platform closed the log: {reason}")]
    Closed {
        /// The code, if it gave one.
        code: Option<u16>,
        /// Its reason, which may be empty.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection broke: {reason}")]
    Lost {
        /// The reason.
        reason: String,
    },
}

impl Dokploy {
    /// Opens the log of a container (recordings day-two 52, 430): its last lines, then the new ones.
    /// It changes nothing, and is not counted among changing calls. Each open stream is a process and
    /// a connection of the platform.
    ///
    /// What a client sends would be typed into a terminal of the platform; this one sends nothing.
    /// The platform's own search is not offered, since a stream with it ends after what is found at
    /// once (recording day-two 54).
    ///
    /// # Errors
    ///
    /// Fails as [`Error`] says if the socket cannot be opened within the time limit of a call. The
    /// platform opens it with any key and for any container; [`LogStream::next`] then fails.
    pub async fn open_log(&self, query: &LogQuery<'_>) -> Result<LogStream, Error> {
        let tail = query.tail.min(MOST_LINES).to_string();
        let since = match query.since {
            Some(since) => format!("{}s", since.as_secs().max(1)),
            None => "all".to_owned(),
        };
        let parameters = [
            ("containerId", query.container.0.as_str()),
            ("tail", tail.as_str()),
            ("since", since.as_str()),
            ("runType", "native"),
        ];
        let content = Content::Query(&parameters);
        let (discretion, limit) = (Discretion::Ordinary, self.timeout);
        let call = Call { name: CALL, content, discretion, limit, expected: &[] };
        let socket = self.open(call).await?;
        let (clock, silence) = (Arc::clone(&self.clock), query.silence);
        Ok(LogStream { socket, clock, silence, reader: Reader::default(), end: None })
    }
}

impl LogStream {
    /// Waits for the next chunk, which is not empty. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    ///
    /// Returns the reason for which the stream has ended, also when it is called again.
    pub async fn next(&mut self) -> Result<String, LogEnd> {
        loop {
            if let Some(end) = &self.end {
                return Err(end.clone());
            }
            let received = {
                let silence = self.clock.sleep(self.silence);
                match select(self.socket.receive(), silence).await {
                    Either::Left((received, _)) => Some(received),
                    Either::Right(((), _)) => None,
                }
            };
            let chunk = match received {
                Some(Ok(Frame::Data(text))) => {
                    let (chunk, sentence) = self.reader.read(&text);
                    self.end = sentence.map(end_of);
                    chunk
                }
                Some(Ok(Frame::Closed { code, reason })) => {
                    self.finish(|has_begun| match (code, has_begun) {
                        (Some(REFUSED), _) => LogEnd::Refused { reason },
                        (None, false) => LogEnd::NotAdmitted,
                        _ => LogEnd::Closed { code, reason },
                    })
                }
                Some(Err(reason)) => self.finish(|_| LogEnd::Lost { reason }),
                None => {
                    let limit = self.silence;
                    self.finish(|_| LogEnd::Silent { limit })
                }
            };
            if !chunk.is_empty() {
                return Ok(chunk);
            }
        }
    }

    /// Ends the stream, and returns what is left of it: the end of Docker's own sentence, which takes
    /// precedence, or the beginning of a line.
    fn finish(&mut self, end: impl FnOnce(bool) -> LogEnd) -> String {
        let has_begun = self.reader.has_begun;
        let (rest, sentence) = self.reader.finish();
        self.end = Some(sentence.map_or_else(|| end(has_begun), end_of));
        rest
    }
}

/// Returns the end that Docker's own sentence stands for.
fn end_of(sentence: String) -> LogEnd {
    if sentence.contains("No such container") {
        LogEnd::UnknownContainer
    } else {
        LogEnd::Docker { sentence }
    }
}

/// Distinguishes the lines of a container from Docker's own sentences.
#[derive(Debug, Default)]
struct Reader {
    /// True if anything has come.
    has_begun: bool,
    /// True if the next character is not the first of a line.
    is_within: bool,
    /// The beginning of a line that is too short to be recognised.
    kept: String,
}

impl Reader {
    /// Reads a frame. Returns the container's part of it, and Docker's own sentence if one has come.
    fn read(&mut self, text: &str) -> (String, Option<String>) {
        self.has_begun |= !text.is_empty();
        let text = std::mem::take(&mut self.kept) + text;
        let mut at = 0;
        loop {
            let (before, rest) = text.split_at(at);
            if !self.is_within {
                if rest.is_empty() {
                    return (before.to_owned(), None);
                }
                let line = rest.split_inclusive('\n').next().unwrap_or_default();
                let is_whole = line.ends_with('\n');
                match (begins_with_time(line), is_whole) {
                    (Some(true), _) => {}
                    (Some(false), false) if line.len() < LONGEST_SENTENCE => {
                        rest.clone_into(&mut self.kept);
                        return (before.to_owned(), None);
                    }
                    (None, false) => {
                        rest.clone_into(&mut self.kept);
                        return (before.to_owned(), None);
                    }
                    (Some(false) | None, _) => return (before.to_owned(), Some(shortened(line))),
                }
            }
            let Some(end) = rest.find('\n') else {
                self.is_within = true;
                return (text, None);
            };
            self.is_within = false;
            at += end + 1;
        }
    }

    /// Returns what is left at the end of the stream.
    fn finish(&mut self) -> (String, Option<String>) {
        let rest = std::mem::take(&mut self.kept);
        match begins_with_time(&rest) {
            Some(false) => (String::new(), Some(shortened(&rest))),
            Some(true) | None => (rest, None),
        }
    }
}

/// Returns whether a line begins with a time; `None` if it is too short to tell.
fn begins_with_time(line: &str) -> Option<bool> {
    const PATTERN: &[u8; TIME_LENGTH] = b"0000-00-00T00:00:00";
    let fits = |(byte, pattern): (u8, &u8)| match pattern {
        b'0' => byte.is_ascii_digit(),
        other => byte == *other,
    };
    let does_fit = line.bytes().zip(PATTERN).all(fits);
    (line.len() >= TIME_LENGTH || !does_fit).then_some(does_fit)
}

fn shortened(sentence: &str) -> String {
    let kept = sentence.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c });
    kept.take(LONGEST_SENTENCE).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "2026-11-28T17:08:13.935908053Z /two\r\n";
    const UNKNOWN: &str = "Error response from daemon: No such container: abcdef012345\r\n";

    /// Reads all parts, and returns the container's text and Docker's sentence.
    fn read(parts: &[&str]) -> (String, Option<String>) {
        let mut reader = Reader::default();
        let mut text = String::new();
        for part in parts {
            let (chunk, sentence) = reader.read(part);
            text += &chunk;
            if sentence.is_some() {
                return (text, sentence);
            }
        }
        let (rest, sentence) = reader.finish();
        (text + &rest, sentence)
    }

    #[test]
    fn a_line_without_a_time_is_dockers_own() {
        let two = format!("{LINE}{LINE}");
        let sentence = || Some(UNKNOWN.trim_end().to_owned());
        for (parts, text, expected) in [
            (vec![LINE, LINE], two.as_str(), None),
            (vec![UNKNOWN], "", sentence()),
            (vec![LINE, UNKNOWN], LINE, sentence()),
            (
                vec!["Error ", "response from daemon: No such container: abcdef012345\r\n"],
                "",
                sentence(),
            ),
            (vec!["Error response from daemon: No such container: abcdef012345"], "", sentence()),
            (
                vec!["2026-11", "-28T17:08:13.935908053Z Error response\r\n"],
                "2026-11-28T17:08:13.935908053Z Error response\r\n",
                None,
            ),
            (vec!["2026-1"], "2026-1", None),
            (vec![], "", None),
        ] {
            assert_eq!(read(&parts), (text.to_owned(), expected), "{parts:?}");
        }
    }

    #[test]
    fn a_sentence_without_an_end_is_cut() {
        let endless = "x".repeat(10_000);
        let (text, sentence) = read(&[LINE, endless.as_str()]);
        assert_eq!((text.as_str(), sentence.unwrap().len()), (LINE, LONGEST_SENTENCE));
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn however_a_log_is_split_nothing_is_lost(
            lines in proptest::collection::vec("[a-zü \r\u{1b}]{0,40}", 0..8),
            cuts in proptest::collection::vec(0..400_usize, 0..8),
        ) {
            let line = |line: &String| format!("2026-11-28T17:08:13.935908053Z {line}\r\n");
            let text: String = lines.iter().map(line).collect();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let parts: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&parts), (text.clone(), None));
        }
    }
}
