//! A health check with several paths, each with the status codes that are good.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::probe::{Health, Probe};
use ai_stack_deployer::server::store::State;
use async_trait::async_trait;
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::stack_spec::StackSpec;
use domain::template::{Accept, HealthPath};

use crate::saga::world::World;
use crate::support::core_platform::CorePlatform;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::stack_settings;

/// A stack whose paths answer with these codes once its address is attached. The router answers 404
/// before.
struct ByPath {
    platform: CorePlatform,
    codes: &'static [(&'static str, u16)],
}

#[async_trait]
impl Probe for ByPath {
    async fn check(&self, url: &str, _: Duration) -> Health {
        if self.platform.count("domain.create") == 0 {
            return Health::Answering(404);
        }
        let path = url.strip_prefix("http://alice.localhost:8081").unwrap();
        let code = self.codes.iter().find(|(own, _)| *own == path);
        Health::Answering(code.map_or(404, |(_, code)| *code))
    }
}

/// Asks for a password at `/`, and for success at `/ready`.
fn two_paths(spec: &mut StackSpec) {
    let path = |path: &str, accept: &[Accept]| HealthPath {
        path: path.to_owned(),
        accept: accept.to_vec(),
    };
    let codes = [Accept::Class(2), Accept::Code(401)];
    spec.health.paths = vec![path("/", &codes), path("/ready", &[Accept::Class(2)])];
}

async fn drive(codes: &'static [(&'static str, u16)]) -> World {
    let store = Arc::new(MemoryStore::default());
    let settings = stack_settings("sandbox/hello");
    let mut world = World::begin_by(Arc::clone(&store) as _, settings, &[]).await;
    store.change_specs(two_paths);
    world.ports.probe = Arc::new(ByPath { platform: world.platform.clone(), codes });
    world.drive().await;
    world
}

#[tokio::test]
async fn a_stack_is_live_once_all_paths_answer_with_good_codes() {
    for codes in [&[("/", 401), ("/ready", 204)], &[("/", 200), ("/ready", 200)]] {
        assert_eq!(drive(codes).await.record().await.state, State::Live, "{codes:?}");
    }
}

#[tokio::test]
async fn one_path_with_another_code_fails_the_deployment_and_is_named() {
    let cases: [(&[_], _, _); 3] = [
        (&[("/", 401), ("/ready", 401)], "/ready", 401),
        (&[("/", 403), ("/ready", 200)], "/", 403),
        (&[("/", 200), ("/ready", 302)], "/ready", 302),
    ];
    for (codes, path, status) in cases {
        let world = drive(codes).await;
        let failure = world.failure().await;
        assert_eq!(failure.code, FailureCode::HealthTimeout, "{codes:?}");
        let path = Some(path.to_owned());
        let reason = MessageCode::NotHealthy { seconds: 60, status, path };
        assert_eq!(failure.reason, Some(reason), "{codes:?}");
    }
}
