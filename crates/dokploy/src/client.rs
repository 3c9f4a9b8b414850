//! The execution of every call: circuit breaker, request, classification, verdict, log.
//!
//! It must not know which calls exist, and repeats none.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{
    Discretion, Expected, Fault, Judge, decode, explain_unauthorized, result_of, verdict,
};
use super::breaker::Breaker;
use super::config::{BuildDokployError, DokployConfig};
use super::exchange::{Answer, Content, Exchange, Opened, Request, Socket};
use super::http::Http;
use super::problem::{Problem, Problems};
use super::report::{OnCall, report, report_breaker, report_paused};
use crate::{Breaker as BreakerSnapshot, Error};
use clock::Clock;

/// The call that checks health.
const HEALTH: &str = "settings.health";

/// A client of a Dokploy server.
#[derive(Debug)]
pub struct Dokploy {
    exchange: Box<dyn Exchange>,
    key: SecretString,
    pub(super) timeout: Duration,
    pub(super) removal_timeout: Duration,
    breaker: Breaker,
    problems: Problems,
    on_call: OnCall,
    pub(super) clock: Arc<dyn Clock>,
}

/// A call to make.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// Its name, such as `application.create`.
    pub name: &'static str,
    /// Its parameters or body.
    pub content: Content<'a>,
    /// True if it carries secrets.
    pub discretion: Discretion,
    /// Its time limit.
    pub limit: Duration,
    /// The refusals that are results.
    pub expected: &'static [Expected],
}

/// The outcome of sending a call: the HTTP status, if there was an answer, and the result.
type Attempt<T> = (Option<u16>, Result<T, Fault>);

impl Dokploy {
    /// Creates a client. It connects when it is first used.
    ///
    /// # Errors
    /// Returns why `config` is invalid.
    pub fn new(config: DokployConfig, clock: Arc<dyn Clock>) -> Result<Self, BuildDokployError> {
        let http = Http::new(&config)?;
        Ok(Self::over(Box::new(http), config, clock))
    }

    /// Creates a client that sends its requests through `exchange`, for example to a server in the
    /// same process. The settings of `config` about HTTP connections are not used.
    pub fn over(exchange: Box<dyn Exchange>, config: DokployConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            exchange,
            key: config.api_key,
            timeout: config.timeout,
            removal_timeout: config.removal_timeout,
            breaker: Breaker::new(config.failures_to_open),
            problems: Problems::new(config.report_problem),
            on_call: config.on_call,
            clock,
        }
    }

    /// Returns the state of the circuit breaker, without a call.
    pub fn breaker(&self) -> BreakerSnapshot {
        self.breaker.snapshot(self.clock.monotonic())
    }

    /// Returns the problem that only an operator can solve, if there is one, without a call.
    pub fn problem(&self) -> Option<Problem> {
        self.problems.current()
    }

    /// Returns for how long the platform hung between the two times, as far as this client observed
    /// it.
    pub fn hung_for(&self, from: Timestamp, now: Timestamp) -> Duration {
        self.problems.hung_for(from, now)
    }

    /// Makes one call.
    pub(super) async fn call<T: DeserializeOwned>(&self, request: Call<'_>) -> Result<T, Error> {
        self.guard(request.name, self.attempt(request)).await
    }

    /// Opens the WebSocket of a call.
    pub(super) async fn open(&self, request: Call<'_>) -> Result<Box<dyn Socket>, Error> {
        self.guard(request.name, self.attempt_to_open(request)).await
    }

    /// Makes one attempt if the circuit breaker lets it through, and reports its outcome.
    async fn guard<T>(
        &self,
        call: &'static str,
        attempt: impl Future<Output = Attempt<T>>,
    ) -> Result<T, Error> {
        let started = self.clock.now();
        let permit = self.breaker.admit(self.clock.monotonic()).map_err(|retry_after| {
            report_paused(call, &self.on_call);
            Error::Paused { retry_after }
        })?;
        let (status, result) = attempt.await;
        let ended = self.clock.now();
        let (result, verdict) = match result {
            Ok(value) => (Ok(value), verdict(None)),
            Err(Fault::Known(error)) => {
                let verdict = verdict(Some(&error));
                (Err(error), verdict)
            }
            Err(Fault::Unauthorized) => {
                let (error, verdict) = explain_unauthorized(call, &self.check_health().await);
                if matches!(error, Error::KeyRefused { .. }) {
                    self.problems.refused(self.clock.now());
                }
                (Err(error), verdict)
            }
        };
        if is_accepted(status, &result) {
            self.problems.accepted();
        }
        let before = self.breaker();
        match verdict {
            Some(verdict) => permit.conclude(verdict, self.clock.monotonic()),
            None => drop(permit),
        }
        let after = self.breaker();
        report(call, status, (started, ended), result.as_ref().err(), &self.on_call);
        report_breaker(before.state, after);
        result
    }

    /// Checks the platform's health, without the key and past the circuit breaker.
    ///
    /// # Errors
    /// Fails as [`Error`] says.
    pub async fn check_health(&self) -> Result<(), Error> {
        let started = self.clock.now();
        let request = Request {
            call: HEALTH,
            path: "trpc/settings.health",
            content: Content::Query(&[]),
            has_key: false,
            limit: self.timeout,
        };
        let (status, result) = match self.exchange.send(request).await {
            Ok(answer) => (Some(answer.status), self.judge_health(&answer)),
            Err(error) => (None, Err(error)),
        };
        let ended = self.clock.now();
        report(HEALTH, status, (started, ended), result.as_ref().err(), &self.on_call);
        if result.is_ok() {
            self.problems.record_healthy(ended);
        }
        result
    }

    /// Checks the platform's health after a call that was not answered: if this is not answered
    /// either, the platform hangs.
    ///
    /// # Errors
    /// Fails as [`Error`] says.
    pub async fn diagnose(&self) -> Result<(), Error> {
        let since = self.clock.now();
        let health = self.check_health().await;
        if matches!(health, Err(Error::TimedOut { .. })) {
            self.problems.hangs(since);
        }
        health
    }

    fn judge_health(&self, answer: &Answer) -> Result<(), Error> {
        let status = answer.status;
        let unwell = Error::Unavailable { call: HEALTH, status, retry_after: None };
        match self.judge(HEALTH, Discretion::Ordinary).judge(answer) {
            Ok(()) => {
                let said: Value = decode(HEALTH, &answer.body)?;
                let word = said.pointer("/result/data/json/status").and_then(Value::as_str);
                (word == Some("ok")).then_some(()).ok_or(unwell)
            }
            Err(Fault::Known(error)) => Err(error),
            Err(Fault::Unauthorized) => Err(unwell),
        }
    }

    fn judge(&self, call: &'static str, discretion: Discretion) -> Judge<'_> {
        Judge { call, discretion, key: &self.key, now: self.clock.now() }
    }

    /// Sends the handshake of a WebSocket.
    async fn attempt_to_open(&self, request: Call<'_>) -> Attempt<Box<dyn Socket>> {
        let Call { name: call, content, discretion, limit, expected: _ } = request;
        let request = Request { call, path: call, content, has_key: true, limit };
        match self.exchange.open(request).await {
            Ok(Opened::Socket(socket)) => (Some(SWITCHING_PROTOCOLS), Ok(socket)),
            Ok(Opened::Answer(answer)) => {
                let fault =
                    self.judge(call, discretion).judge(&answer).err().unwrap_or_else(|| {
                        let detail = String::from("it is no WebSocket");
                        Fault::Known(Error::Refused { call, status: answer.status, detail })
                    });
                (Some(answer.status), Err(fault))
            }
            Err(error) => (None, Err(Fault::Known(error))),
        }
    }

    /// Sends a call and decodes its answer.
    async fn attempt<T: DeserializeOwned>(&self, request: Call<'_>) -> Attempt<T> {
        let Call { name: call, content, discretion, limit, expected } = request;
        let request = Request { call, path: call, content, has_key: true, limit };
        let answer = match self.exchange.send(request).await {
            Ok(answer) => answer,
            Err(error) => return (None, Err(Fault::Known(error))),
        };
        let read = match result_of(&answer, call, expected) {
            Some(result) => decode(call, result).map_err(Fault::Known),
            None => self
                .judge(call, discretion)
                .judge(&answer)
                .and_then(|()| decode(call, &answer.body).map_err(Fault::Known)),
        };
        (Some(answer.status), read)
    }
}

/// The status of an open WebSocket.
const SWITCHING_PROTOCOLS: u16 = 101;

/// Returns whether an answer shows that the platform accepted the key: the call succeeded, or the
/// platform itself rejected it for another reason. A WebSocket is opened with any key (recording
/// day-two 55).
fn is_accepted<T>(status: Option<u16>, result: &Result<T, Error>) -> bool {
    status.is_some_and(|status| status != SWITCHING_PROTOCOLS)
        && matches!(result, Ok(_) | Err(Error::Unexplained { .. } | Error::NotFound { .. }))
}
