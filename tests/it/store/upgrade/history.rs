//! The history of stacks of older versions: what their operations tell.

use ai_stack_deployer::server::store::Store;
use domain::deployment::DeploymentId;
use domain::kind::{REMOVE, StackState};
use domain::stack_event::StackHistory;
use domain::stack_id::StackId;

/// Checks that replaying the history of each stack gives its state.
pub(super) async fn assert_told(store: &dyn Store, has_removals: bool) {
    let deployment = |number| Some((DeploymentId::from_random(number), number == 2));
    let removal = |number| Some((REMOVE.operation_id(number), number == 7));
    let (live, gone) = (Some(StackState::Live), Some(StackState::Gone));
    let mut stacks = vec![
        (1, live, None, Some(1)),
        (2, None, deployment(2), None),
        (3, gone, None, None),
        (4, None, deployment(4), None),
    ];
    if has_removals {
        stacks.extend([
            (6, live, removal(7), Some(1)),
            (8, gone, None, Some(1)),
            (10, live, removal(11), Some(1)),
        ]);
    }
    for (number, state, held, revision) in stacks {
        let stack = StackId::of(&DeploymentId::from_random(number));
        let events = store.stack_events(stack, 0, 100).await.unwrap();
        let count = events.len() as u64;
        assert!(count > 0 && events.iter().map(|event| event.seq).eq(1..=count), "{events:?}");
        let history = StackHistory::of(events);
        let told = history.held.map(|held| (held.operation, held.is_stuck));
        assert_eq!((history.state, told, history.revision), (state, held, revision), "{number}");
    }
}
