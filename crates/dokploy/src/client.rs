//! The one way of every call: breaker, request, classification, breaker, log.
//!
//! It must not know what calls there are; it never repeats one.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Url,
    header::{HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    answer::{Answer, Discretion, Fault, Judge, decode, explain_unauthorized, verdict},
    breaker::Breaker,
    problem::{Problem, Problems},
    report::{report, report_breaker},
};
use crate::{Breaker as BreakerSnapshot, Error};
use clock::Clock;
use transport::LocalFault;

/// The largest answer that is read.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
/// The number of characters of a transport failure that are kept.
const REASON_LENGTH: usize = 300;
/// The call that checks health.
const HEALTH: &str = "settings.health";

/// Describes how to reach a Dokploy server.
#[derive(Clone, Debug)]
pub struct DokployConfig {
    /// Its address, with or without a path or a trailing slash.
    pub base_url: String,
    /// An owner's or admin's API key, made without a rate limit.
    pub api_key: SecretString,
    /// The time that a call may take in all.
    pub timeout: Duration,
    /// The time that the removal of an application may take, which waits for Docker.
    pub removal_timeout: Duration,
    /// The time that connecting may take, name and TLS included.
    pub connect_timeout: Duration,
    /// The time for which an idle connection is kept: less than the 5 s after which the server
    /// closes it.
    pub idle_timeout: Duration,
    /// Told once of each problem of the whole server when it begins; logs it by default.
    pub report_problem: fn(Problem),
}

impl DokployConfig {
    /// Makes a configuration with the usual time limits.
    pub fn new(base_url: impl Into<String>, api_key: SecretString) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            timeout: Duration::from_secs(15),
            removal_timeout: Duration::from_secs(45),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(3),
            report_problem: Problem::log,
        }
    }
}

/// A configuration with which no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildDokployError {
    /// The address is none, or not one of HTTP, or holds a user or a query.
    #[error("the Dokploy address must look like https://dokploy.example.org")]
    BaseUrl,
    /// The key holds characters that no header can.
    #[error("the Dokploy API key holds characters that cannot be sent")]
    ApiKey,
    /// The TLS set-up failed, usually for want of the system's certificate authorities.
    #[error("the HTTP client for Dokploy cannot be made")]
    Http(#[source] reqwest::Error),
}

/// A Dokploy server.
#[derive(Debug)]
pub struct Dokploy {
    http: reqwest::Client,
    /// The address under which the calls lie.
    root: Url,
    key: SecretString,
    key_header: HeaderValue,
    pub(super) timeout: Duration,
    pub(super) removal_timeout: Duration,
    breaker: Breaker,
    pub(super) problems: Problems,
    clock: Arc<dyn Clock>,
}

/// One call to make.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// Its name, as `application.create`.
    pub call: &'static str,
    /// What it asks for or changes.
    pub content: Content<'a>,
    /// True if it carries secrets.
    pub discretion: Discretion,
    /// The time that it may take.
    pub limit: Duration,
}

/// What a call asks for or changes.
pub(super) enum Content<'a> {
    /// It asks, with these parameters.
    Query(&'a [(&'static str, &'a str)]),
    /// It changes, with this body.
    Mutation(Value),
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Query(_) => "Query",
            Self::Mutation(_) => "Mutation",
        })
    }
}

/// The result of sending a call: the status, if there was one, and the rest.
type Attempt<T> = (Option<u16>, Result<T, Fault>);

impl Dokploy {
    /// Makes a client. It connects when it is first used.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn new(config: DokployConfig, clock: Arc<dyn Clock>) -> Result<Self, BuildDokployError> {
        let root = root_of(&config.base_url).ok_or(BuildDokployError::BaseUrl)?;
        let mut key_header = HeaderValue::from_str(config.api_key.expose_secret())
            .map_err(|_| BuildDokployError::ApiKey)?;
        key_header.set_sensitive(true);
        transport::install_crypto_provider();
        let mut builder = reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(config.idle_timeout)
            .dns_resolver(transport::Resolver);
        if root.scheme() == "http" {
            // No certificate is ever looked at: do without the system's authorities.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            http: builder.build().map_err(BuildDokployError::Http)?,
            root,
            key: config.api_key,
            key_header,
            timeout: config.timeout,
            removal_timeout: config.removal_timeout,
            breaker: Breaker::new(),
            problems: Problems::new(config.report_problem),
            clock,
        })
    }

    /// Returns the time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Describes the breaker.
    pub(super) fn breaker_snapshot(&self) -> BreakerSnapshot {
        self.breaker.snapshot(self.clock.monotonic())
    }

    /// Makes one call.
    pub(super) async fn call<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, Error> {
        let call = request.call;
        let started = self.clock.now();
        let permit = self
            .breaker
            .admit(self.clock.monotonic())
            .map_err(|retry_after| Error::Paused { retry_after })?;
        let (status, result) = self.attempt(&request).await;
        let ended = self.clock.now();
        let (result, verdict) = match result {
            Ok(value) => (Ok(value), verdict(None)),
            Err(Fault::Known(error)) => {
                let verdict = verdict(Some(&error));
                (Err(error), verdict)
            }
            Err(Fault::Unauthorized) => {
                let (error, verdict) = explain_unauthorized(call, &self.ask_health().await);
                if matches!(error, Error::KeyRefused { .. }) {
                    self.problems.refused(self.clock.now());
                }
                (Err(error), verdict)
            }
        };
        if is_accepted(status, &result) {
            self.problems.accepted();
        }
        let before = self.breaker_snapshot();
        match verdict {
            Some(verdict) => permit.conclude(verdict, self.clock.monotonic()),
            None => drop(permit),
        }
        let after = self.breaker_snapshot();
        report(call, status, (started, ended), result.as_ref().err());
        report_breaker(before.state, after);
        result
    }

    /// Asks whether the platform works, without the key and past the breaker.
    pub(super) async fn ask_health(&self) -> Result<(), Error> {
        let started = self.clock.now();
        let url = self.url("trpc/settings.health");
        let sent = self.http.get(url).timeout(self.timeout);
        let (status, result) = match self.exchange(HEALTH, self.timeout, sent).await {
            Ok(answer) => (Some(answer.status), self.judge_health(&answer)),
            Err(error) => (None, Err(error)),
        };
        let ended = self.clock.now();
        report(HEALTH, status, (started, ended), result.as_ref().err());
        if result.is_ok() {
            self.problems.is_well(ended);
        }
        result
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

    /// Sends a call and reads its answer.
    async fn attempt<T: DeserializeOwned>(&self, request: &Request<'_>) -> Attempt<T> {
        let Request { call, limit, .. } = *request;
        let answer = match self.exchange(call, limit, self.prepare(request)).await {
            Ok(answer) => answer,
            Err(error) => return (None, Err(Fault::Known(error))),
        };
        let read = self
            .judge(call, request.discretion)
            .judge(&answer)
            .and_then(|()| decode(call, &answer.body).map_err(Fault::Known));
        (Some(answer.status), read)
    }

    fn prepare(&self, request: &Request<'_>) -> reqwest::RequestBuilder {
        let url = self.url(request.call);
        let builder = match &request.content {
            Content::Query(parameters) => self.http.get(url).query(parameters),
            Content::Mutation(body) => self.http.post(url).json(body),
        };
        builder.timeout(request.limit).header("x-api-key", self.key_header.clone())
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(&format!("{}{path}", self.root.path()));
        url
    }

    /// Sends a request and reads the answer to its end.
    #[expect(clippy::disallowed_methods, reason = "this function sends every call")]
    async fn exchange(
        &self,
        call: &'static str,
        limit: Duration,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, Error> {
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let fault = self.local_fault(&error).await;
                return Err(transport_error(call, limit, error, fault));
            }
        };
        let status = response.status().as_u16();
        let mut answer = Answer {
            status,
            retry_after: text_of(response.headers(), RETRY_AFTER),
            location: text_of(response.headers(), LOCATION),
            body: Vec::new(),
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk),
                Ok(None) => return Ok(answer),
                // What is left of it would change nothing.
                Err(_) if status >= 500 => return Ok(answer),
                Err(error) => return Err(transport_error(call, limit, error, None)),
            }
            if answer.body.len() > LARGEST_ANSWER {
                let reason = format!("it is larger than {LARGEST_ANSWER} bytes");
                return Err(Error::Lost { call, reason });
            }
        }
    }

    /// Finds what this process itself lacks, where a connection could not be made for that.
    async fn local_fault(&self, error: &reqwest::Error) -> Option<LocalFault> {
        if !error.is_connect() {
            return None;
        }
        let host = self.root.host_str()?.trim_matches(['[', ']']);
        let port = self.root.port_or_known_default()?;
        transport::behind(error, transport::look_up(host, port), &[]).await
    }
}

/// Returns the address under which the calls lie, with a trailing slash.
fn root_of(base_url: &str) -> Option<Url> {
    let mut url = Url::parse(base_url.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !plain || !bare {
        return None;
    }
    let path = url.path().trim_end_matches('/');
    let path = format!("{}/api/", path.strip_suffix("/api").unwrap_or(path));
    url.set_path(&path);
    Some(url)
}

fn text_of(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}

/// Tells a call that surely was not made from one whose response was lost; `fault` is what the
/// portal itself lacked to make it.
fn transport_error(
    call: &'static str,
    limit: Duration,
    error: reqwest::Error,
    fault: Option<LocalFault>,
) -> Error {
    let (connecting, late) = (error.is_connect(), error.is_timeout());
    let described = transport::describe(&error.without_url());
    let reason = described.chars().take(REASON_LENGTH).collect();
    match (fault, connecting, late) {
        (Some(fault), _, _) => Error::Local { call, fault, reason },
        (None, true, _) => Error::Unreachable { call, reason },
        (None, false, true) => Error::timed_out(call, limit),
        (None, false, false) => Error::Lost { call, reason },
    }
}

/// Returns whether an answer shows that the key was taken: what was done, and what the platform
/// itself says no to.
fn is_accepted<T>(status: Option<u16>, result: &Result<T, Error>) -> bool {
    status.is_some()
        && matches!(result, Ok(_) | Err(Error::Unexplained { .. } | Error::NotFound { .. }))
}
