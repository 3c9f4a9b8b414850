//! Classifies the platform's HTTP answers. It has no effects.
//!
//! Dokploy uses statuses in its own way; the match arms explain how. It must not know which call
//! was made, only its name and whether it carried secrets.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::breaker::Verdict;
use super::exchange::Answer;
use crate::Error;

/// The longest `Retry-After` that is used.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// The maximum number of characters that are kept of the platform's message.
const DETAIL_LENGTH: usize = 300;

/// How much of the platform's message about a call may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Discretion {
    /// The call carried no secret: the message, shortened.
    Ordinary,
    /// The call carried secrets, which the message may repeat: only codes and field names.
    Confidential,
}

/// The failure that an answer shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// This error.
    Known(Error),
    /// A 401 in either form: the platform rejects the key, or its database is down. It verifies the
    /// key twice for each request, and the second verification answers in another form (recordings
    /// 153, 229, and `postgres-of-dokploy-stopped`).
    Unauthorized,
}

/// The call that an answer belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    /// Its name.
    pub call: &'static str,
    /// True if it carried secrets.
    pub discretion: Discretion,
    /// The API key, which is removed from messages.
    pub key: &'a SecretString,
    /// The time at which the answer came.
    pub now: Timestamp,
}

impl Judge<'_> {
    /// Classifies an answer.
    ///
    /// # Errors
    /// Returns the failure, unless the call succeeded.
    pub(super) fn judge(&self, answer: &Answer) -> Result<(), Fault> {
        let call = self.call;
        let status = answer.status;
        if (200..=299).contains(&status) {
            return Ok(());
        }
        let said = ErrorBody::read(&answer.body);
        let error = match status {
            401 => return Err(Fault::Unauthorized),
            400 if said.issues().is_none() => {
                Error::Unexplained { call, detail: self.detail(answer, &said) }
            }
            404 => self.judge_not_found(answer, &said),
            // 408 and 425 are a proxy's; the others are the platform's or its proxy's.
            408 | 425 | 429 | 500.. => self.unavailable(answer),
            _ => self.refused(answer, &said),
        };
        Err(Fault::Known(error))
    }

    /// Distinguishes the 404 for a missing resource, for an unknown call, and of a proxy that has
    /// no server behind it.
    fn judge_not_found(&self, answer: &Answer, said: &ErrorBody) -> Error {
        // `path` is the call that answered, which is missing if the server has no such call.
        match (said.text("/code"), said.text("/data/path")) {
            (Some(_), Some(_)) => Error::NotFound { call: self.call },
            // The call does not exist: the server is older (recording 96).
            (Some(_), None) => self.refused(answer, said),
            // This is not the platform's own answer: its reverse proxy answers this way while it
            // restarts.
            (None, _) => self.unavailable(answer),
        }
    }

    fn refused(&self, answer: &Answer, said: &ErrorBody) -> Error {
        let detail = match &answer.location {
            Some(location) => self.keep(&format!("redirected to {location}")),
            None => self.detail(answer, said),
        };
        Error::Refused { call: self.call, status: answer.status, detail }
    }

    fn unavailable(&self, answer: &Answer) -> Error {
        let retry_after = answer.retry_after.as_deref().and_then(|text| pause(text, self.now));
        Error::Unavailable { call: self.call, status: answer.status, retry_after }
    }

    /// Returns the platform's message, as far as it may be kept.
    fn detail(&self, answer: &Answer, said: &ErrorBody) -> String {
        let text = match (said.issues(), self.discretion) {
            (Some(issues), discretion) => describe_issues(issues, discretion).into(),
            (None, Discretion::Confidential) => said.text("/code").unwrap_or_default().into(),
            (None, Discretion::Ordinary) => match said.text("/message") {
                Some(message) => Cow::from(message),
                None => String::from_utf8_lossy(&answer.body),
            },
        };
        self.keep(&text)
    }

    /// Reduces `text` to what may be kept: without the parameters of SQL queries, without the key,
    /// on one line.
    fn keep(&self, text: &str) -> String {
        let text = text.split("params:").next().unwrap_or_default().trim();
        let text = text.replace(self.key.expose_secret(), "[redacted]");
        let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        line.take(DETAIL_LENGTH).collect()
    }
}

/// A refusal of a call that is one of its results, as the one of a volume that is in use.
///
/// The platform answers with 500 and Docker's message, as it does for failures of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// A part of Docker's message, which nothing of the request can contain.
    pub message: &'static str,
    /// The JSON that is decoded in place of the body.
    pub result: &'static str,
}

/// Returns the result that an answer stands for, if it is one of the `expected` refusals of `call`
/// and the platform's own.
pub(super) fn result_of(
    answer: &Answer,
    call: &str,
    expected: &[Expected],
) -> Option<&'static [u8]> {
    if answer.status != 500 || expected.is_empty() {
        return None;
    }
    let said = ErrorBody::read(&answer.body);
    let message = said.text("/message").filter(|_| said.text("/data/path") == Some(call))?;
    let found = expected.iter().find(|one| message.contains(one.message))?;
    Some(found.result.as_bytes())
}

/// Decodes the body of a successful answer; an empty body counts as null.
///
/// # Errors
/// Returns [`Error::Lost`], which contains nothing of the body.
pub(super) fn decode<T: DeserializeOwned>(call: &'static str, body: &[u8]) -> Result<T, Error> {
    let body = if body.trim_ascii().is_empty() { b"null" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = format!("it cannot be read ({:?}, {line}:{column})", error.classify());
        Error::Lost { call, reason }
    })
}

/// The body of an error; null if it is not JSON.
struct ErrorBody(Value);

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        Self(serde_json::from_slice(body).unwrap_or_default())
    }

    /// Returns the text at a JSON pointer.
    fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }

    /// Returns the issues of a failed validation.
    fn issues(&self) -> Option<&[Value]> {
        self.0.get("issues").and_then(Value::as_array).map(Vec::as_slice)
    }
}

/// Describes the issues of a failed validation.
fn describe_issues(issues: &[Value], discretion: Discretion) -> String {
    let describe = |issue: &Value| {
        let path = issue.get("path").map(ToString::to_string).unwrap_or_default();
        let key = match discretion {
            Discretion::Ordinary => "message",
            Discretion::Confidential => "code",
        };
        let text = issue.get(key).and_then(Value::as_str).unwrap_or_default();
        format!("{path} {text}")
    };
    issues.iter().map(describe).collect::<Vec<_>>().join("; ")
}

/// Parses a `Retry-After` in seconds or as a date.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let pause = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    };
    Some(pause.min(LONGEST_PAUSE))
}

/// Returns the verdict of an ended call for the circuit breaker. A platform that answers counts as
/// well, even if it rejects the call or the rate limit is reached. A local fault gives no verdict.
pub(super) fn verdict(error: Option<&Error>) -> Option<Verdict> {
    match error {
        Some(Error::Local { .. }) => None,
        None
        | Some(
            Error::Unavailable { status: 429, .. }
            | Error::Refused { .. }
            | Error::Unexplained { .. }
            | Error::NotFound { .. }
            | Error::KeyRefused { .. }
            | Error::Paused { .. },
        ) => Some(Verdict::Well),
        Some(
            Error::Unavailable { .. }
            | Error::TimedOut { .. }
            | Error::Lost { .. }
            | Error::Unreachable { .. },
        ) => Some(Verdict::Unwell),
    }
}

/// Distinguishes a rejected key from an outage, which have the same answer (recordings 04, 228,
/// 229), by the result of the platform's `health` call, and returns the verdict. A single rejection
/// proves nothing: the database may have recovered in between.
pub(super) fn explain_unauthorized(
    call: &'static str,
    health: &Result<(), Error>,
) -> (Error, Option<Verdict>) {
    let outage = Error::Unavailable { call, status: 401, retry_after: None };
    match health {
        Ok(()) => (Error::KeyRefused { call }, Some(Verdict::Well)),
        // A local fault prevented the call: the platform's health is unknown.
        Err(Error::Local { .. }) => (outage, None),
        Err(_) => (outage, Some(Verdict::Unwell)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};
    use serde_json::json;

    use super::*;
    use transport::LocalFault;

    #[test]
    fn a_401_is_a_refused_key_only_where_the_platform_says_that_it_is_well() {
        let call = "project.all";
        let reason = String::from("Too many open files (os error 24)");
        let local = Error::Local { call, fault: LocalFault::Resources, reason };
        let lost = Error::Lost { call, reason: String::from("reset") };
        let outage = || Error::Unavailable { call, status: 401, retry_after: None };
        for (health, error, verdict) in [
            (Ok(()), Error::KeyRefused { call }, Some(Verdict::Well)),
            (Err(lost), outage(), Some(Verdict::Unwell)),
            (Err(local), outage(), None),
        ] {
            assert_eq!(explain_unauthorized(call, &health), (error, verdict), "{health:?}");
        }
    }

    const KEY: &str = "key-of-the-test";

    /// Bodies in Dokploy's format, bodies that repeat the key, and random bytes.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let words =
            || prop_oneof![any::<String>(), Just(KEY.to_owned()), Just(format!("params: {KEY}"))];
        let said =
            (words(), option::of(words()), option::of(words()), option::of(vec(words(), 0..3)));
        let said = said.prop_map(|(message, code, path, issues)| {
            let issue = |text: String| json!({ "path": [text], "code": text, "message": text });
            let issues = issues.map(|issues| issues.into_iter().map(issue).collect::<Vec<_>>());
            json!({ "message": message, "code": code, "data": { "path": path }, "issues": issues })
                .to_string()
                .into_bytes()
        });
        prop_oneof![said, words().prop_map(String::into_bytes), vec(any::<u8>(), 0..60)]
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_the_platform_answers_is_judged_and_the_key_is_not_kept(
            status in 100..1_000_u16,
            retry_after in option::of("\\PC{0,30}|[0-9]{1,30}"),
            location in option::of("\\PC{0,30}|https?://x/key-of-the-test"),
            body in body(),
            is_confidential: bool,
        ) {
            let discretion =
                if is_confidential { Discretion::Confidential } else { Discretion::Ordinary };
            let (key, now) = (SecretString::from(KEY), Timestamp::UNIX_EPOCH);
            let judge = Judge { call: "project.create", discretion, key: &key, now };
            let judged = judge.judge(&Answer { status, retry_after, location, body });
            prop_assert_eq!(judged.is_ok(), (200..300).contains(&status));
            let kept = format!("{judged:?}");
            prop_assert!(!kept.contains(KEY));
        }

        #[test]
        fn the_platform_never_asks_for_a_long_pause(
            text in "\\PC{0,40}|[0-9]{1,40}|[A-Z][a-z]{2}, [0-9]{1,2} (Jan|Dec) [0-9]{1,5} [0-9:]{8} (GMT|[+-][0-9]{4})",
            seconds in -100_000_000_000..200_000_000_000_i64,
        ) {
            let now = Timestamp::from_second(seconds).unwrap();
            prop_assert!(pause(&text, now).is_none_or(|pause| pause <= LONGEST_PAUSE));
        }

        #[test]
        fn a_pause_in_seconds_is_kept_up_to_the_longest(seconds: u32) {
            let expected = Duration::from_secs(seconds.into()).min(LONGEST_PAUSE);
            prop_assert_eq!(pause(&format!(" {seconds}"), Timestamp::MAX), Some(expected));
        }
    }
}
