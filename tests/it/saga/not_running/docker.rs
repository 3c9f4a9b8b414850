//! Docker that stops, after which nothing is known.

use std::sync::Arc;

use clock::Clock as _;

use super::Live;
use crate::support::clock::JumpingClock;
use crate::support::core_platform::{CorePlatform, Moment};

#[tokio::test]
async fn docker_that_stops_during_a_survey_is_not_reported_as_a_stopped_stack() {
    for call in 1..40 {
        let live = Live::begin().await;
        let (core, clock) = (live.world.platform.clone(), Arc::clone(&live.world.clock));
        let begun = live.world.platform.calls();
        live.world.platform.at_call(begun + call, Moment::Before, async move {
            core.core().stop_docker(clock.now());
        });
        assert_eq!(live.why().await, None, "call {call}");
        if live.world.platform.calls() < begun + call {
            assert!(call > 4, "a survey takes some calls");
            return;
        }
    }
    panic!("a survey does not end");
}

/// Lets Docker be down whenever the services are listed from the `call`-th call on, and be up again
/// for the list of nodes that follows, in every check of a survey.
fn flicker(platform: CorePlatform, clock: Arc<JumpingClock>, call: usize) {
    let next = platform.clone();
    platform.at_call(call, Moment::Before, async move {
        let calls = next.all_calls();
        match (calls[call - 2].0, calls[call - 1].0) {
            (_, "swarm.getNodeApps") => next.core().stop_docker(clock.now()),
            ("swarm.getNodeApps", "swarm.getNodes") => next.core().start_docker(clock.now()),
            _ => {}
        }
        flicker(next, clock, call + 1);
    });
}

#[tokio::test]
async fn docker_that_stops_while_containers_are_listed_proves_nothing() {
    let live = Live::begin().await;
    let platform = &live.world.platform;
    let begun = platform.calls();
    flicker(platform.clone(), Arc::clone(&live.world.clock), begun + 1);
    assert_eq!(live.why().await, None);
    let calls: Vec<_> = platform.all_calls()[begun..].iter().map(|(call, _)| *call).collect();
    let looks = [
        "swarm.getNodeApps",
        "swarm.getNodes",
        "swarm.getNodeApps",
        "docker.getContainersByAppLabel",
        "swarm.getNodes",
        // These are about the volumes.
        "swarm.getNodes",
        "dockerVolume.getVolumes",
    ];
    assert!(calls.ends_with(&looks), "it was listed as gone, and looked for: {calls:?}");
}
