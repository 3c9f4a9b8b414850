//! The limit on operations on stacks within an hour.

use std::time::Duration;

use ai_stack_deployer::server::store::{
    Desired, LimitReached, NewOperation, OperationLimit, OperationOutcome, Quota, Result, State,
    Store,
};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{DEPLOY, Kind, RESTART, STOP};
use domain::stack_name::StackName;

use super::acts::{finish, finish_leaving, remove};
use super::{at, by, counted, id, refuses};

fn operation(kind: &'static Kind, number: u128, started: i64, max: Option<u32>) -> NewOperation {
    NewOperation {
        id: kind.operation_id(number),
        kind,
        started: at(started),
        first: EventBody::Progress(ProgressUpdate::first(kind, at(started))),
        of: None,
        limit: max.map(|max| OperationLimit { max, kinds: vec![DEPLOY.name, RESTART.name] }),
        expired: None,
        revision: None,
        audit_entry: None,
        claim: None,
    }
}

/// Those of all stacks of a person count, but for stops and removals.
pub(super) async fn are_limited_but_for_what_takes_away(store: &dyn Store) {
    let quota = Quota { stacks: Some(9), ..counted("ursula") };
    let names = ["ursula-one", "ursula-two"].map(|name| StackName::parse(name).unwrap());
    for (number, name) in (2_100..).zip(&names) {
        let mut new = by("ursula", number, name.as_str(), &quota);
        new.deployment.started = at(50);
        store.begin(&new, None).await.unwrap();
        finish(store, &id(number), State::Live, at(60)).await;
    }
    let begin = async |name: &StackName, new: NewOperation| -> Result<()> {
        let outcome = store.begin_operation(name, &new).await?;
        assert_eq!(outcome, OperationOutcome::Accepted(new.id.clone()));
        finish_leaving(store, &new.id, Desired::of(new.kind.done), new.started).await;
        Ok(())
    };
    let restart = |number, started| operation(&RESTART, number, started, Some(3));
    // The two deployments and this one.
    begin(&names[0], restart(2_110, 100)).await.unwrap();
    let wait =
        |seconds| LimitReached::OperationsPerHour { max: 3, wait: Duration::from_secs(seconds) };
    for name in &names {
        refuses(begin(name, restart(2_111, 110)).await, wait(3_540));
    }
    begin(&names[1], operation(&STOP, 2_112, 120, None)).await.unwrap();
    refuses(begin(&names[0], restart(2_113, 130)).await, wait(3_520));
    begin(&names[0], restart(2_113, 3_651)).await.unwrap();
    begin(&names[0], restart(2_114, 3_652)).await.unwrap();
    refuses(begin(&names[0], restart(2_115, 3_653)).await, wait(47));
    begin(&names[0], operation(&RESTART, 2_115, 3_653, None)).await.unwrap();
    for (number, name) in (2_120..).zip(&names) {
        let removal = remove(store, number, name.as_str(), at(3_700)).await;
        finish(store, &removal, State::RolledBack, at(3_701)).await;
    }
}
