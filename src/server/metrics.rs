//! The metrics of one portal, in Prometheus' text format.
//!
//! Whoever makes something happen calls one method here. Labels are words from fixed lists: kinds,
//! phases, codes and names of calls, never names of people or stacks. Counters and histograms are
//! of this process and start at zero with it, as `known.rs` says; the number of operations comes
//! from the database, so that all replicas report the same. Each `HELP` says which. It must not
//! know who reads them.

mod health;
mod known;
mod labels;
mod present;

use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use self::health::{HealthTurn, LookResult};
use self::labels::{
    CallLabels, CodeLabels, EndLabels, LookLabels, OutcomeLabels, PhaseLabels, StoreLabels,
    TurnLabels,
};
pub use self::present::{OperationCounts, Present};
use domain::event::{EventBody, FailureCode};
use domain::kind::{Kind, KindName, Kinds};
use domain::phase::Phase;
use domain::refusal::RefusalCode;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// The bounds of the histograms' buckets, in seconds: of phases, calls and statements.
const PHASES: [f64; 12] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0];
const CALLS: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 45.0];
const STORE: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0, 10.0];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The metrics of one portal.
pub struct Metrics {
    registry: Registry,
    ended: Family<EndLabels, Counter>,
    phases: Histograms<PhaseLabels>,
    calls: Family<OutcomeLabels, Counter>,
    call_seconds: Histograms<CallLabels>,
    refusals: Family<CodeLabels, Counter>,
    store: Histograms<StoreLabels>,
    looks: Family<LookLabels, Counter>,
    turns: Family<TurnLabels, Counter>,
    streams: Gauge,
    leases: Gauge,
    /// Locked while a text is written, so that each shows one state.
    present: Mutex<present::Gauges>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Kinds::default())
    }
}

impl Metrics {
    /// Creates the metrics of a portal that drives operations of these `kinds`.
    pub fn new(kinds: Kinds) -> Self {
        let mut registry = Registry::with_prefix("portal");
        let present = present::Gauges::register(&mut registry);
        let metrics = Self {
            registry: Registry::default(),
            ended: Family::default(),
            phases: Family::new_with_constructor(|| Histogram::new(PHASES)),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| Histogram::new(CALLS)),
            refusals: Family::default(),
            store: Family::new_with_constructor(|| Histogram::new(STORE)),
            looks: Family::default(),
            turns: Family::default(),
            streams: Gauge::default(),
            leases: Gauge::default(),
            present: Mutex::new(present),
        };
        metrics.register(&mut registry);
        metrics.create_known(kinds);
        Self { registry, ..metrics }
    }

    fn register(&self, to: &mut Registry) {
        to.register(
            "operations_ended",
            "Operations that this process drove to their end, by kind, outcome and the code of \
             the failure",
            self.ended.clone(),
        );
        to.register(
            "phase_seconds",
            "Seconds that each phase took, of operations of which this process drove the end of \
             the phase",
            self.phases.clone(),
        );
        to.register(
            "platform_calls",
            "Calls of this process to the platform, by call and outcome",
            self.calls.clone(),
        );
        to.register(
            "platform_call_seconds",
            "Seconds until the platform answered a call of this process",
            self.call_seconds.clone(),
        );
        to.register(
            "refusals",
            "Requests that this process refused, by code",
            self.refusals.clone(),
        );
        to.register(
            "store_seconds",
            "Seconds that this process waited for the database, by kind of access and whether it \
             answered",
            self.store.clone(),
        );
        to.register(
            "health_looks",
            "Looks of this process at stacks that should run, by result",
            self.looks.clone(),
        );
        to.register(
            "health_turns",
            "Stacks that this process found not to work any more, or to work again",
            self.turns.clone(),
        );
        to.register(
            "event_streams",
            "Event streams that this process has open",
            self.streams.clone(),
        );
        to.register(
            "leases_held",
            "Operations that this process drives under a lease",
            self.leases.clone(),
        );
    }

    /// Counts the end of an operation.
    pub fn ended(&self, kind: KindName, outcome: Outcome, code: Option<FailureCode>) {
        self.ended.get_or_create(&EndLabels::new(kind, outcome, code)).inc();
    }

    /// Records how long a phase took.
    pub fn phase_took(&self, kind: &Kind, phase: Phase, took: Duration) {
        self.phases.get_or_create(&PhaseLabels::new(kind, phase)).observe(took.as_secs_f64());
    }

    /// Counts a call to the platform, and records how long it took, if it was made.
    pub fn called(&self, call: &'static str, outcome: &'static str, took: Option<Duration>) {
        self.calls.get_or_create(&OutcomeLabels { call, outcome }).inc();
        if let Some(took) = took {
            let labels = CallLabels { call };
            self.call_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    /// Counts a refused request.
    pub fn refused(&self, code: RefusalCode) {
        self.refusals.get_or_create(&CodeLabels { code: code.as_str() }).inc();
    }

    /// Records how long the database took for one access, and whether it answered.
    pub fn stored(&self, access: Access, is_answered: bool, took: Duration) {
        let labels = StoreLabels::new(access, is_answered);
        self.store.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts an event stream as open until the result is dropped.
    pub fn stream(&self) -> Counted {
        Counted::in_gauge(&self.streams)
    }

    /// Counts a lease as held until the result is dropped.
    pub fn lease(&self) -> Counted {
        Counted::in_gauge(&self.leases)
    }

    /// Returns all metrics as text, with the `present` state of what is not counted.
    pub fn text(&self, present: &Present) -> String {
        let gauges = self.present.lock();
        gauges.set(present);
        let mut text = String::new();
        // Writing to a string never fails.
        prometheus_text::encode(&mut text, &self.registry).unwrap_or_default();
        drop(gauges);
        text
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// With what it was started for.
    Done,
    /// Undone after a failure.
    Failed,
    /// Undone because a person cancelled it.
    Cancelled,
    /// Something could not be removed.
    Stuck,
}

impl Outcome {
    /// Returns the outcome that the last event of an operation means, and the code of the failure.
    pub fn of(end: &EventBody, is_stuck: bool) -> (Self, Option<FailureCode>) {
        let code = match end {
            EventBody::Error(failure) => Some(failure.code),
            EventBody::Complete(_)
            | EventBody::Removed(_)
            | EventBody::Progress(_)
            | EventBody::Log(_) => None,
        };
        let outcome = match code {
            _ if is_stuck => Self::Stuck,
            Some(FailureCode::Cancelled) => Self::Cancelled,
            Some(_) => Self::Failed,
            None => Self::Done,
        };
        (outcome, code)
    }
}

/// How a statement uses the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Access {
    /// It only reads.
    Read,
    /// It is or may be part of a transaction that writes.
    Write,
}

/// One of the things that a gauge counts. It is no longer counted when this is dropped.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    fn in_gauge(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
