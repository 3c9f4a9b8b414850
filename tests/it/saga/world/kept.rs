//! A deployment that brings back the data of a former stack.

use std::sync::Arc;

use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::{
    Disposal, Kept as _, KeptFilter, KeptState, Stacks as _, Store,
};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::stack_id::StackId;
use domain::stack_spec::BroughtBack;
use domain::template::Volume;

use super::World;
use crate::support::settings::new_deployment;

impl World {
    /// Runs a stack with a volume once, removes it, and begins the deployment of `bobby`, which brings
    /// its data back, with these settings.
    pub(in crate::saga) async fn begin_with_kept_data(
        store: Arc<dyn Store>,
        settings: StackSettings,
        volume: Volume,
    ) -> Self {
        let former = StackSettings { image: String::from("sandbox/hello"), ..settings.clone() };
        let change = |spec: &mut domain::stack_spec::StackSpec| spec.volumes.push(volume.clone());
        let mut world = Self::begin_with(store, former, change, &[]).await;
        world.drive().await;
        let stack = StackId::of(&world.id);
        world.remove_with(Disposal::Keep).await;
        world.drive().await;
        world.configure(|now| *now = settings);
        let id = DeploymentId::from_random(44);
        let mut new = new_deployment(&world.ports.settings, id.clone(), "bobby", world.clock.now());
        let name = world.ports.settings.volume_prefix(stack) + &volume.key;
        let volumes = [(volume.key.clone(), name)].into();
        new.spec.spec.volumes.push(volume);
        new.spec.spec.brought_back = Some(BroughtBack { id: stack.data_id(), volumes });
        new.data = Some(stack);
        world.store.begin(&new, None).await.unwrap();
        (world.id, world.is_brought_back) = (id, true);
        world
    }

    /// Checks that a start that failed has given the data back which it had brought back.
    pub(super) async fn assert_given_back(&self, what: &str) {
        let kept = self.store.kept_data(&KeptFilter::All).await.unwrap();
        let states: Vec<_> = kept.into_iter().map(|data| data.state).collect();
        let expected = if self.is_brought_back { vec![KeptState::Kept] } else { Vec::new() };
        assert_eq!(states, expected, "{what}");
    }
}
