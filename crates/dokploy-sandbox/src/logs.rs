//! The logs of containers, and the questions to `/docker-container-logs` (recordings day-two 52 to
//! 57, 430 to 442).
//!
//! What a container writes follows from its image and the time; more can be written on demand. It
//! must not know sockets.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::core::Core;
use super::faults::FaultKind;
use super::input::Input;
use super::request::Request;
use super::service::Container;
use super::state::LogLine;

/// The path of the WebSocket, and the name of its faults.
pub(crate) const CALL: &str = "docker-container-logs";
/// The largest `tail`.
const MOST_LINES: u64 = 10_000;
/// The number of lines that a service keeps of those written on demand.
const MOST_WRITTEN: usize = 50_000;
/// The pause between two lines of a container that runs.
const BEAT: Duration = Duration::from_secs(10);
/// The time between two lines of a container that starts, as recorded.
const MOMENT: Duration = Duration::from_micros(43);
/// The number of bytes after which Docker repeats the time within a line (recording day-two 433).
const LONGEST_PART: usize = 16_384;

/// The answer to the opening of a log.
#[derive(Debug)]
pub enum LogAnswer {
    /// The socket stays open, and what the follower reads is sent.
    Follow(LogFollower),
    /// The socket is accepted and closed, with a code and a reason, or without (recordings day-two 55,
    /// 57, 431).
    Close(Option<(u16, &'static str)>),
    /// The request is never answered.
    Hang,
    /// The connection is dropped.
    Reset,
}

/// Reads the log of one container from a place on.
#[derive(Clone, Debug)]
pub struct LogFollower {
    container: String,
    since: Option<Duration>,
    tail: usize,
    search: Option<String>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing was read yet.
    Start,
    /// Everything until this time was read.
    After(Timestamp),
    /// There is nothing more to read, but the socket stays open.
    End,
}

impl Core {
    /// Answers a request for the log of a container, which is a WebSocket.
    pub fn open_log(&mut self, now: Timestamp, request: &Request) -> LogAnswer {
        self.tick(now);
        match self.faults.take(CALL, &mut self.rng) {
            Some(FaultKind::Timeout | FaultKind::TimeoutBefore) => return LogAnswer::Hang,
            Some(FaultKind::Reset | FaultKind::ResetBefore) => return LogAnswer::Reset,
            Some(FaultKind::Unauthorized | FaultKind::UnauthorizedWithin) => {
                return LogAnswer::Close(None);
            }
            // These are faults of an HTTP answer.
            Some(
                FaultKind::ErrorBefore
                | FaultKind::ErrorAfter
                | FaultKind::RefusedAfter
                | FaultKind::Late(_)
                | FaultKind::Ignored
                | FaultKind::Throttled(_)
                | FaultKind::Latency(_)
                | FaultKind::Restart
                | FaultKind::DockerDown(_)
                | FaultKind::DatabaseDown(_)
                | FaultKind::DatabaseLost(_)
                | FaultKind::KeyLimited(_),
            )
            | None => {}
        }
        let is_refused = self.outages.database.lasts(now) || self.outages.key.lasts(now);
        if is_refused || !self.admits(request) {
            return LogAnswer::Close(None);
        }
        match LogFollower::read(request.query()) {
            Ok(follower) => LogAnswer::Follow(follower),
            Err(reason) => LogAnswer::Close(Some((4000, reason))),
        }
    }

    /// Returns what a follower gets at `now`, as Docker writes it: each line with its time, and
    /// `\r\n` at its end. Empty if there is nothing new. A container that is replaced just becomes
    /// silent (recording day-two 441).
    pub fn read_log(&mut self, now: Timestamp, follower: &mut LogFollower) -> String {
        self.tick(now);
        if follower.place == Place::End {
            return String::new();
        }
        if self.outages.docker.lasts(now) {
            follower.place = Place::End;
            return NO_DOCKER.to_owned();
        }
        let is_meant = |one: &Container| {
            one.name == follower.container || follower.container.starts_with(&one.id())
        };
        let found = self.containers(now).into_iter().find(is_meant);
        let lines = found.map(|container| self.lines_of(&container, now));
        follower.next(lines, now)
    }

    /// Lists the lines of a container until `now`, oldest first.
    fn lines_of(&self, container: &Container, now: Timestamp) -> Vec<LogLine> {
        let Some(start) = container.started_at else { return Vec::new() };
        let end = container.exit.map_or(now, |exit| exit.at);
        let mut lines = Vec::new();
        let mut say = |at: Timestamp, text: String| lines.push(LogLine { at, text });
        say(start, format!("{} starting", container.image));
        if container.behaviour.stays_up() {
            let listening = start + self.timing.of_start(container.behaviour) + MOMENT;
            if listening <= end {
                say(listening, "listening".to_owned());
            }
            let beats = end.duration_since(start).unsigned_abs().as_secs() / BEAT.as_secs();
            for beat in beats.saturating_sub(MOST_LINES) + 1..=beats {
                let after = BEAT.saturating_mul(u32::try_from(beat).unwrap_or(u32::MAX));
                say(start + after + MOMENT * 2, format!("beat {beat}"));
            }
        }
        if container.exit.is_some_and(|exit| exit.code == 1) {
            say(end, "fatal: cannot open model file".to_owned());
        }
        lines.retain(|line| line.at <= now);
        lines.extend(self.state.logs.get(&container.name).into_iter().flatten().cloned());
        lines.sort_by_key(|line| line.at);
        lines
    }

    /// Writes lines into the log of a service's newest running container, as the body of a control
    /// call says; `false` if there is none.
    pub(super) fn write_log(&mut self, now: Timestamp, body: &Value) -> bool {
        let (name, lines) = (body.get("service").and_then(Value::as_str), body.get("lines"));
        let Some((name, lines)) = name.zip(lines.and_then(Value::as_array)) else { return false };
        let lines = lines.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        self.write_lines(now, name, lines)
    }

    /// Writes lines into the log of a service's newest running container; `false` if there is none.
    pub fn write_lines(&mut self, now: Timestamp, service: &str, lines: Vec<String>) -> bool {
        self.tick(now);
        let containers = self.containers(now);
        let own = containers.iter().find(|one| one.app_name == service && one.is_running());
        let Some(name) = own.map(|one| one.name.clone()) else { return false };
        self.state.logs.retain(|known, _| containers.iter().any(|one| one.name == *known));
        let log = self.state.logs.entry(name).or_default();
        for text in lines {
            let next = log.last().map(|line| line.at + Duration::from_nanos(1));
            log.push(LogLine { at: next.map_or(now, |next| next.max(now)), text });
        }
        let surplus = log.len().saturating_sub(MOST_WRITTEN);
        log.drain(..surplus);
        true
    }
}

/// Docker's message while it is down, which is assumed.
const NO_DOCKER: &str = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the \
                         docker daemon running?\r\n";

impl LogFollower {
    /// Reads the parameters of a request (recordings day-two 57, 431). The name of a service is
    /// accepted as well, but is not followed: nothing needs that.
    ///
    /// # Errors
    ///
    /// Returns the reason with which the socket is closed.
    fn read(query: Map<String, Value>) -> Result<Self, &'static str> {
        let mut input = Input::new(CALL, query);
        let container = input.string("containerId");
        let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if container.is_empty() || !container.chars().all(is_id) {
            return Err("Invalid container ID format");
        }
        let tail = match input.optional("tail") {
            None => 100,
            Some(text) => text.parse().ok().filter(|tail| *tail <= MOST_LINES).ok_or(BAD_TAIL)?,
        };
        let since = match input.optional("since").as_deref() {
            None | Some("all") => None,
            Some(text) => Some(period(text).ok_or("Invalid since parameter")?),
        };
        let tail = usize::try_from(tail).unwrap_or(usize::MAX);
        let search = input.optional("search").filter(|text| !text.is_empty());
        Ok(Self { container, since, tail, search, place: Place::Start })
    }

    /// Returns the text that comes next; `lines` are those of the container, if it exists.
    fn next(&mut self, lines: Option<Vec<LogLine>>, now: Timestamp) -> String {
        let Some(lines) = lines else {
            let sentence = match self.place {
                Place::Start => {
                    let container = &self.container;
                    format!("Error response from daemon: No such container: {container}\r\n")
                }
                Place::After(_) | Place::End => String::new(),
            };
            self.place = Place::End;
            return sentence;
        };
        let (from, place) = (self.since.map(|since| now - since), self.place);
        let last = lines.last().map_or(now - Duration::from_nanos(1), |line| line.at);
        let is_new = |line: &LogLine| match place {
            Place::Start => from.is_none_or(|from| line.at >= from),
            Place::After(last) => line.at > last,
            Place::End => false,
        };
        let mut new: Vec<_> = lines.into_iter().filter(is_new).collect();
        if place == Place::Start {
            new.drain(..new.len().saturating_sub(self.tail));
        }
        // A search shows what it finds at once, and then nothing (recording day-two 54).
        self.place = match (place, &self.search) {
            (_, Some(_)) | (Place::End, None) => Place::End,
            (Place::Start, None) => Place::After(last),
            (Place::After(before), None) => Place::After(last.max(before)),
        };
        let is_found =
            |line: &&LogLine| self.search.as_ref().is_none_or(|text| line.text.contains(text));
        new.iter().filter(is_found).map(written).collect()
    }
}

const BAD_TAIL: &str = "Invalid tail parameter";

/// Parses a period such as `5s` or `2h`.
fn period(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    let number: u32 = number.parse().ok().filter(|_| is_number)?;
    Some(Duration::from_secs(u64::from(number) * seconds))
}

/// Formats a line as Docker does.
fn written(line: &LogLine) -> String {
    let (time, mut rest) = (format!("{:.9}", line.at), line.text.as_str());
    let mut text = format!("{time} ");
    while rest.len() > LONGEST_PART {
        let (part, after) = rest.split_at(rest.floor_char_boundary(LONGEST_PART));
        text.extend([part, &time, " "]);
        rest = after;
    }
    text + rest + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_with_one_unit() {
        for (text, expected) in [
            ("5s", Some(5)),
            ("2m", Some(120)),
            ("1h", Some(3_600)),
            ("3d", Some(259_200)),
            ("5", None),
            ("1.5s", None),
            ("1h30m", None),
            ("", None),
            ("s", None),
            ("+5s", None),
            ("5ü", None),
            ("2026-11-28T18:00:00.000000001Z", None),
        ] {
            assert_eq!(period(text), expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn the_time_is_repeated_within_a_long_line() {
        let at = "2026-11-28T18:44:55.884089027Z";
        let text = "x".repeat(LONGEST_PART * 2 + 1);
        let line = written(&LogLine { at: at.parse().unwrap(), text });
        assert_eq!(line.matches(at).count(), 3);
        assert_eq!(line.find(&format!("x{at} x")), Some(at.len() + LONGEST_PART));
    }
}
