//! Traces of operations for an OpenTelemetry collector, by OTLP over HTTP.
//!
//! Each operation is one trace, whose id is derived from the operation's: what several processes do
//! for it, after a restart as well, is in the same trace. Its root is sent at the end, with the
//! recorded start. Below it is a span for each attempt of a step and for each undo, and below those
//! one for each call to the platform. The span of an attempt whose process was killed is sent by the
//! one that takes the operation over. Spans have words of fixed lists and the operation's reference:
//! neither the name of a person or stack, nor the operation's id, which may be sufficient for access.
//!
//! A thread of its own sends the spans, from a queue with a limit. While the collector is away, they
//! are lost, and operations go on as without it.

mod exporter;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use transport::Outbound;

pub use self::exporter::BuildTracesError;
use crate::server::lease::Lease;
use crate::server::metrics::Outcome;
use crate::server::settings::TraceSettings;
use clock::Clock;
use domain::event::FailureCode;
use domain::kind::{KindName, StepId};

/// The number of calls of one attempt that have spans: a step may poll for minutes.
const MOST_CALLS: u32 = 100;
/// The time for which a shutdown waits until the last spans are sent.
const LAST_SPANS: Duration = Duration::from_secs(1);
/// The outcome of what succeeded.
const DONE: &str = "done";
/// The outcome of an attempt that its process did not finish.
const INTERRUPTED: &str = "interrupted";

/// Sends spans to the collector; by default, to nobody.
#[derive(Debug, Default)]
pub struct Traces {
    processor: Option<BatchSpanProcessor>,
}

impl Traces {
    /// Starts the thread that sends spans, if there are settings. Its calls run in the present
    /// runtime.
    ///
    /// # Errors
    ///
    /// Returns why the client for the collector cannot be made.
    pub fn start(
        settings: Option<&TraceSettings>,
        outbound: &Outbound,
    ) -> Result<Self, BuildTracesError> {
        let processor = settings.map(|settings| exporter::start(settings, outbound));
        Ok(Self { processor: processor.transpose()? })
    }

    /// Sends the last spans, within a second.
    pub async fn stop(self: Arc<Self>) {
        let stop = move || {
            self.processor.as_ref().map_or(Ok(()), |last| last.shutdown_with_timeout(LAST_SPANS))
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(stop).await {
            tracing::warn!(%error, "The last traces were not sent");
        }
    }

    /// Returns the trace of the operation that `lease` is for.
    pub(crate) fn of(self: &Arc<Self>, lease: &Lease, kind: KindName) -> Trace {
        let digest: [u8; 32] = Sha256::digest(lease.id.as_str()).into();
        let (trace, rest) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
        let root = rest.first_chunk().unwrap_or(&[0; 8]);
        Trace {
            traces: Arc::clone(self),
            id: TraceId::from_bytes(*trace),
            root: SpanId::from_bytes(*root),
            kind,
            reference: lease.id.reference(),
            token: lease.token,
            attempt: Mutex::default(),
        }
    }
}

/// The trace of one operation.
#[derive(Debug)]
pub(crate) struct Trace {
    traces: Arc<Traces>,
    id: TraceId,
    root: SpanId,
    kind: KindName,
    reference: String,
    /// The fencing token of the lease under which the attempts are made.
    token: i64,
    /// The attempt in progress, to which calls belong.
    attempt: Mutex<Option<Arc<Calls>>>,
}

/// The calls of one attempt.
#[derive(Debug)]
struct Calls {
    attempt: SpanId,
    count: AtomicU32,
}

/// What is attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// To run a step.
    Run(StepId),
    /// To undo it.
    Undo(StepId),
}

impl Trace {
    /// Begins the span of an attempt, which ends when the result is dropped.
    pub(crate) fn attempt<'a>(&'a self, what: Attempt, clock: &'a dyn Clock) -> AttemptSpan<'a> {
        let id = match what {
            Attempt::Run(step) => self.id_of_run(step, self.token),
            // A step may be undone several times under one lease.
            Attempt::Undo(_) => random_id(),
        };
        let calls = Arc::new(Calls { attempt: id, count: AtomicU32::new(0) });
        *self.attempt.lock() = Some(Arc::clone(&calls));
        AttemptSpan { trace: self, what, calls, clock, since: clock.now(), outcome: INTERRUPTED }
    }

    /// Sends the span of an attempt to run `step` that the former holder of the lease did not end.
    /// Its calls that were sent are below it.
    pub(crate) fn interrupted(&self, step: StepId, span: (Timestamp, Timestamp)) {
        self.send(Sent {
            ids: (self.id_of_run(step, self.token - 1), self.root),
            kind: SpanKind::Internal,
            name: step.as_str().to_owned().into(),
            span,
            attributes: Vec::new(),
            outcome: INTERRUPTED,
            is_error: true,
        });
    }

    /// Returns the id of the attempt to run `step` under the lease with this token, of which there
    /// is one. It is derived, so that the next holder knows it as well.
    fn id_of_run(&self, step: StepId, token: i64) -> SpanId {
        let digest = Sha256::new()
            .chain_update(self.id.to_bytes())
            .chain_update(token.to_be_bytes())
            .chain_update(step.as_str());
        let digest: [u8; 32] = digest.finalize().into();
        SpanId::from_bytes(*digest.first_chunk().unwrap_or(&[0; 8]))
    }

    /// Sends the span of a call to the platform.
    pub(crate) fn called(
        &self,
        action: &'static str,
        attempt: u32,
        outcome: &'static str,
        span: (Timestamp, Timestamp),
    ) {
        let Some(calls) = self.attempt.lock().clone() else { return };
        if calls.count.fetch_add(1, Ordering::Relaxed) < MOST_CALLS {
            let attributes = vec![KeyValue::new("portal.attempt", i64::from(attempt))];
            self.send(Sent {
                ids: (random_id(), calls.attempt),
                kind: SpanKind::Client,
                name: action.into(),
                span,
                attributes,
                outcome,
                is_error: outcome != DONE,
            });
        }
    }

    /// Sends the root, at the end of the operation.
    pub(crate) fn ended(
        &self,
        outcome: Outcome,
        code: Option<FailureCode>,
        span: (Timestamp, Timestamp),
    ) {
        let code = code.map(|code| KeyValue::new("portal.code", code.as_str()));
        self.send(Sent {
            ids: (self.root, SpanId::INVALID),
            kind: SpanKind::Internal,
            name: self.kind.as_str().to_owned().into(),
            span,
            attributes: code.into_iter().collect(),
            outcome: outcome.into(),
            is_error: match outcome {
                Outcome::Done | Outcome::Cancelled => false,
                Outcome::Failed | Outcome::Stuck => true,
            },
        });
    }

    fn send(&self, sent: Sent) {
        let Some(processor) = &self.traces.processor else { return };
        let Sent { ids: (id, parent), kind, name, span: (since, until), .. } = sent;
        let mut attributes = sent.attributes;
        attributes.extend([
            KeyValue::new("portal.outcome", sent.outcome),
            KeyValue::new("portal.kind", self.kind.as_str().to_owned()),
            KeyValue::new("portal.reference", self.reference.clone()),
        ]);
        let state = TraceState::default();
        processor.on_end(SpanData {
            span_context: SpanContext::new(self.id, id, TraceFlags::SAMPLED, false, state),
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: kind,
            name,
            start_time: system_time(since),
            end_time: system_time(until.max(since)),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if sent.is_error { Status::error(sent.outcome) } else { Status::Ok },
            instrumentation_scope: InstrumentationScope::builder("ai-stack-deployer").build(),
        });
    }
}

/// What a span says besides what all spans of its operation say.
struct Sent {
    /// Its id, and its parent's.
    ids: (SpanId, SpanId),
    kind: SpanKind,
    name: Cow<'static, str>,
    span: (Timestamp, Timestamp),
    attributes: Vec<KeyValue>,
    outcome: &'static str,
    is_error: bool,
}

/// The span of an attempt in progress.
pub(crate) struct AttemptSpan<'a> {
    trace: &'a Trace,
    what: Attempt,
    calls: Arc<Calls>,
    clock: &'a dyn Clock,
    since: Timestamp,
    outcome: &'static str,
}

impl AttemptSpan<'_> {
    /// Ends the span of an attempt that succeeded, or that failed with a code.
    pub(crate) fn end(mut self, code: Option<FailureCode>) {
        self.outcome = code.map_or(DONE, FailureCode::as_str);
    }
}

impl Drop for AttemptSpan<'_> {
    fn drop(&mut self) {
        *self.trace.attempt.lock() = None;
        let calls = i64::from(self.calls.count.load(Ordering::Relaxed));
        self.trace.send(Sent {
            ids: (self.calls.attempt, self.trace.root),
            kind: SpanKind::Internal,
            name: match self.what {
                Attempt::Run(step) => step.as_str().to_owned().into(),
                Attempt::Undo(step) => format!("undo {}", step.as_str()).into(),
            },
            span: (self.since, self.clock.now()),
            attributes: vec![KeyValue::new("portal.calls", calls)],
            outcome: self.outcome,
            is_error: self.outcome != DONE,
        });
    }
}

fn system_time(time: Timestamp) -> SystemTime {
    let since = Duration::try_from(time.as_duration()).unwrap_or_default();
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn random_id() -> SpanId {
    SpanId::from_bytes(rand::random())
}
