//! The part of the contract about the platform's logs of failures.

use std::collections::HashMap;

use ai_stack_deployer::server::store::{Cause, Fact, Lane, StepId, StepRecord, Store};
use domain::deployment::DeploymentId;
use domain::event::FailureCode;
use domain::last_log::{LastLog, LogState};
use domain::message::MessageCode;
use domain::phase::Phase;

use super::{LEASE, at, new, progress};
use crate::support::claim_one::KINDS;

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    let begun = new(7_654, "logged");
    store.begin(&begun, None).await.unwrap();
    let waiting = store.claim(Lane::Forward, &KINDS, 100, "a", at(7_654), LEASE).await.unwrap();
    let lease = waiting.into_iter().find(|lease| lease.id == begun.deployment.id).unwrap();
    let last_log = LastLog {
        container: Some(String::from("stack-logged-abc123.1.x")),
        exit_code: Some(137),
        out_of_memory: true,
        log: LogState::Read,
        lines: vec![String::from("2026-01-02T03:04:05.678901234Z \"é\"")],
    };
    let cause = Cause {
        last_log: Some(Box::new(last_log.clone())),
        platform_log: Some("manifest unknown\n\"é\"".into()),
        ..Cause::new(FailureCode::ImageNotFound, MessageCode::ImageNotFound)
    };
    let other = DeploymentId::from_random(7_655);
    let ids = [lease.id.clone(), other];
    assert_eq!(store.platform_logs(&ids).await.unwrap(), HashMap::new());
    assert_eq!(store.platform_logs(&[]).await.unwrap(), HashMap::new());
    for record in [
        StepRecord::Failed { cause: cause.clone() },
        StepRecord::Undone { lines: Vec::new(), cause: Some(cause.clone()) },
    ] {
        let step = Some((StepId::DEPLOY, record));
        let events = vec![progress(Phase::ROLLING_BACK)];
        store.record(&lease, &Fact { step, events, ..Fact::default() }).await.unwrap();
        let kept =
            HashMap::from([(lease.id.clone(), cause.platform_log.as_deref().unwrap().to_owned())]);
        assert_eq!(store.platform_logs(&ids).await.unwrap(), kept, "also once it is undone");
        let journal = store.journal(&lease.id).await.unwrap();
        assert_eq!(journal.last_log(), Some(last_log.clone()), "also once it is undone");
    }
}
