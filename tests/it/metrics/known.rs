//! The series whose labels are from a fixed list are there before anything happens. An event that
//! created its series would be in no `increase()`.

use std::collections::BTreeSet;
use std::time::Duration;

use ai_stack_deployer::server::metrics::{Access, Metrics, Outcome, Present};
use domain::event::FailureCode;
use domain::kind::Kinds;
use domain::phase::Phase;
use domain::refusal::RefusalCode;

use super::text::{Labels, Scrape};

/// The families whose series exist from the start.
const FAMILIES: [&str; 4] = [
    "portal_operations_ended_total",
    "portal_phase_seconds_count",
    "portal_refusals_total",
    "portal_store_seconds_count",
];

/// Returns all series of these families.
pub(super) fn series(scrape: &Scrape) -> BTreeSet<(String, Labels)> {
    let of_family = |(name, _): &&(String, Labels)| FAMILIES.contains(&name.as_str());
    scrape.samples.keys().filter(of_family).cloned().collect()
}

/// Returns what a scrape of these metrics shows, with the database out of reach for counts.
pub(super) fn scrape(metrics: &Metrics) -> Scrape {
    Scrape::of(&metrics.text(&Present {
        breaker: "closed",
        platform_reachable: true,
        problem: None,
        store_ok: true,
        operations: None,
        panics: 0,
    }))
}

#[test]
fn no_event_creates_a_series() {
    let metrics = Metrics::default();
    let before = scrape(&metrics);
    for family in FAMILIES {
        assert!(series(&before).iter().any(|(name, _)| name == family), "no {family}");
    }
    assert!(series(&before).iter().all(|series| before.samples[series] == 0.0));
    for kind in Kinds::default().all() {
        metrics.ended(kind.name, Outcome::Done, None);
        for code in FailureCode::all() {
            metrics.ended(kind.name, Outcome::Stuck, Some(code));
            match code {
                FailureCode::Cancelled => metrics.ended(kind.name, Outcome::Cancelled, Some(code)),
                _ => metrics.ended(kind.name, Outcome::Failed, Some(code)),
            }
        }
        metrics.phase_took(kind, kind.first_phase(), Duration::ZERO);
        kind.listed().for_each(|phase| metrics.phase_took(kind, phase, Duration::ZERO));
        if kind.may_become(kind.first_phase(), Phase::ROLLING_BACK) {
            metrics.phase_took(kind, Phase::ROLLING_BACK, Duration::ZERO);
        }
    }
    RefusalCode::all().for_each(|code| metrics.refused(code));
    for access in [Access::Read, Access::Write] {
        for is_answered in [true, false] {
            metrics.stored(access, is_answered, Duration::ZERO);
        }
    }
    let after = scrape(&metrics);
    assert_eq!(series(&after), series(&before));
    assert!(series(&after).iter().all(|series| after.samples[series] > 0.0));
}

#[test]
fn a_call_that_the_breaker_did_not_let_through_is_counted_but_took_no_time() {
    let metrics = Metrics::default();
    metrics.called("project.create", "paused", None);
    metrics.called("project.create", "done", Some(Duration::from_secs(3)));
    let scrape = scrape(&metrics);
    for outcome in ["paused", "done"] {
        let labels = [("call", "project.create"), ("outcome", outcome)];
        assert_eq!(scrape.count("portal_platform_calls_total", &labels), 1, "{outcome}");
    }
    let labels = [("call", "project.create")];
    assert_eq!(scrape.count("portal_platform_call_seconds_count", &labels), 1);
    assert_eq!(scrape.count("portal_platform_call_seconds_sum", &labels), 3);
}
