//! Stops, starts and restarts on what an older version left.

use ai_stack_deployer::server::store::{Desired, NewOperation, OperationOutcome, Store};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{REMOVE, RESTART, START, STOP};
use domain::stack_name::StackName;

use super::at;

/// Checks that they begin on what is live, and only there.
pub(super) async fn assert_they_begin(store: &dyn Store, has_removals: bool) {
    let begin = async |name: &str, kind: &'static domain::kind::Kind, number| {
        let new = NewOperation {
            id: kind.operation_id(number),
            kind,
            started: at(400),
            first: EventBody::Progress(ProgressUpdate::first(kind, at(400))),
            of: None,
            expired: None,
            limit: None,
            revision: None,
            audit_entry: None,
            claim: None,
        };
        store.begin_operation(&StackName::parse(name).unwrap(), &new).await.unwrap()
    };
    for stack in store.stacks(None).await.unwrap() {
        assert_eq!(stack.desired, Desired::Running, "{:?}", stack.deployment);
    }
    for gone in ["bobby", "carol", "david", "frank"] {
        assert_eq!(begin(gone, &RESTART, 90).await, OperationOutcome::NotLive, "{gone}");
    }
    assert_eq!(begin("alice", &START, 91).await, OperationOutcome::Unchanged);
    let stop = begin("alice", &STOP, 92).await;
    assert_eq!(stop, OperationOutcome::Accepted(STOP.operation_id(92)));
    if has_removals {
        for (name, number) in [("erika", 7), ("gerda", 11)] {
            let removal = OperationOutcome::UnderWay(REMOVE.operation_id(number));
            assert_eq!(begin(name, &STOP, 93).await, removal, "{name}");
        }
    }
}
