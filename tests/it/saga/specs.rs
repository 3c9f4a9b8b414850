//! An operation uses the spec that it began with until its end, even if the settings change.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::origin::Scheme;
use ai_stack_deployer::server::platform::Registry;
use ai_stack_deployer::server::secrets::{Keyring, OpenSecretError};
use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::spec::OperationSpec;
use ai_stack_deployer::server::store::sqlite::SqliteStore;
use ai_stack_deployer::server::store::{Lane, SealedSpec, SpecOrigin, Specs, State, StepId};
use domain::deployment::DeploymentId;
use domain::event::FailureCode;
use domain::kind::DEPLOY;
use domain::message::MessageCode;
use domain::stack_id::RevisionId;
use domain::stack_spec::CertificateSource;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::world::{STEPS_WITHOUT_VOLUMES, World};
use crate::support::core_platform::Moment;
use crate::support::faulty_store::Crash;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::{seal, stack_settings};

/// The test's key, and another one.
const OLD: &str = "test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
/// Returns the settings with which these operations begin.
fn settings() -> StackSettings {
    StackSettings {
        scheme: Scheme::Https,
        certificate: CertificateSource::Custom,
        registry: Some(registry("first")),
        port: 8_080,
        cpu_nanos: Some(500_000_000),
        memory_bytes: Some(268_435_456),
        environment: vec![variable("TOKEN", "first"), variable("ONLY_FIRST", "1")],
        health_path: String::from("/first"),
        ..stack_settings("sandbox/hello")
    }
}

fn registry(user: &str) -> Registry {
    let url = Some(format!("{user}.example.com"));
    Registry { url, user: user.to_owned(), password: format!("password of {user}").into() }
}

fn variable(name: &str, value: &str) -> (String, secrecy::SecretString) {
    (name.to_owned(), value.into())
}

/// Changes every setting of a stack. No stack could be deployed with these settings.
fn change(settings: &mut StackSettings) {
    *settings = StackSettings {
        // The portal does not start with another name while there are stacks.
        portal_name: settings.portal_name.clone(),
        scheme: Scheme::Http,
        suffix: String::from("example.org"),
        public_port: Some(9_999),
        certificate: CertificateSource::None,
        image: String::from("sandbox/crashloop"),
        registry: Some(registry("second")),
        port: 9_090,
        cpu_nanos: None,
        memory_bytes: Some(536_870_912),
        environment: vec![variable("TOKEN", "second"), variable("ONLY_SECOND", "2")],
        health_path: String::from("/second"),
        health_timeout: Duration::from_millis(1),
        health_interval: Duration::from_millis(1),
        certificate_timeout: Duration::from_millis(1),
        // They limit the operation, and are not part of the stack.
        deadlines: settings.deadlines,
        lifetime_max: Some(Duration::from_hours(1)),
    };
}

async fn begin() -> World {
    World::begin_by(Arc::new(MemoryStore::default()), settings(), &[]).await
}

/// Returns what the platform received about the stack, and the probed addresses.
async fn sent(world: &World) -> (Value, BTreeSet<String>) {
    let inventory = world.platform.inventory().await;
    let id = inventory["applications"][0]["applicationId"].as_str().unwrap();
    let row = world.platform.read(&format!("/api/application.one?applicationId={id}"));
    let domain = &inventory["domains"][0];
    let pick = |from: &Value, keys: &[&str]| {
        keys.iter().map(|key| ((*key).to_owned(), from[*key].clone())).collect::<Value>()
    };
    let columns = [
        "dockerImage", "username", "password", "registryUrl", "env", "labelsSwarm", "memoryLimit",
        "cpuLimit",
    ];
    let sent = json!({
        "application": pick(&row, &columns),
        "domain": pick(domain, &["host", "port", "https", "certificateType"]),
        "services": pick(&inventory["services"][0], &["image", "answers"]),
    });
    (sent, world.platform.probed())
}

#[tokio::test]
async fn an_undisturbed_deployment_sends_the_settings() {
    let world = begin().await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    let (sent, probed) = sent(&world).await;
    let id = world.id.to_string();
    assert_eq!(
        sent,
        json!({
            "application": {
                "dockerImage": "sandbox/hello",
                "username": "first",
                "password": "password of first",
                "registryUrl": "first.example.com",
                "env": format!("TOKEN=first\nONLY_FIRST=1\nSTACK_OPERATION={id}\nSTACK_REVISION=1"),
                "labelsSwarm": { "STACK_OPERATION": id, "STACK_REVISION": "1" },
                "memoryLimit": "268435456",
                "cpuLimit": "500000000",
            },
            "domain": {
                "host": "alice.localhost", "port": 8080, "https": true, "certificateType": "custom",
            },
            "services": { "image": "sandbox/hello", "answers": true },
        })
    );
    assert_eq!(probed, BTreeSet::from([String::from("https://alice.localhost:8081/first")]));
}

#[tokio::test]
async fn after_a_restart_with_other_settings_at_any_write_or_call_the_stored_spec_is_sent() {
    let undisturbed = begin().await;
    undisturbed.drive().await;
    let expected = sent(&undisturbed).await;
    // The intent and the result of each step, and the end.
    let writes = undisturbed.store.writes();
    assert!(writes as usize > 2 * STEPS_WITHOUT_VOLUMES.len(), "{writes}");
    for write in 1..=writes {
        for crash in [Crash::Before, Crash::After] {
            let world = begin().await;
            world.store.crash_at(write, crash);
            world.drive_once(Lane::Forward).await.unwrap_err();
            assert_sends(world, &expected, &format!("{crash:?} write {write}")).await;
        }
    }
    // In the middle of each step, which may make several calls.
    for call in 1..=undisturbed.platform.calls() {
        for moment in [Moment::Before, Moment::After] {
            let world = begin().await;
            die_at_call(&world, call, moment).await;
            assert_sends(world, &expected, &format!("{moment:?} call {call}")).await;
        }
    }
}

/// Drives the operation until the portal dies at the `call`-th call, and its lease expires.
async fn die_at_call(world: &World, call: usize, moment: Moment) {
    let (dying, died) = oneshot::channel();
    world.platform.at_call(call, moment, async move {
        dying.send(()).unwrap();
        std::future::pending::<()>().await;
    });
    tokio::select! {
        biased;
        _ = died => {}
        ended = world.drive_once(Lane::Forward) => panic!("call {call} never came: {ended:?}"),
    }
    world.clock.advance(Duration::from_secs(31));
}

/// Continues with other settings, and checks what is sent.
async fn assert_sends(mut world: World, expected: &(Value, BTreeSet<String>), what: &str) {
    world.configure(change);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live, "{what}");
    assert_eq!(sent(&world).await, *expected, "{what}");
}

#[tokio::test]
async fn a_removal_probes_the_address_with_which_the_stack_was_deployed() {
    let mut world = begin().await;
    world.drive().await;
    world.configure(change);
    world.run_removal().await;
    world.assert_all_or_nothing("removed").await;
    assert_eq!(world.platform.probed().len(), 1, "{:?}", world.platform.probed());
}

#[tokio::test]
async fn a_key_that_only_opens_secrets_is_enough_to_continue() {
    let mut world = begin().await;
    world.drive_until(StepId::CONFIGURATION).await;
    world.ports.keyring = Some(Keyring::parse(&format!("{NEW},{OLD}")).unwrap());
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
}

#[tokio::test]
async fn without_its_key_a_deployment_that_needs_it_is_undone_and_says_why() {
    for keyring in [None, Some(Keyring::parse(NEW).unwrap())] {
        let mut world = begin().await;
        world.drive_until(StepId::CONFIGURATION).await;
        world.ports.keyring = keyring;
        world.drive().await;
        let failure = world.failure().await;
        assert_eq!(failure.code, FailureCode::SecretsSealed);
        assert!(
            failure.message.contains("cannot open this deployment's secrets. "),
            "{}",
            failure.message
        );
        world.assert_all_or_nothing("without a key").await;
    }
}

#[test]
fn a_secret_that_was_exchanged_for_another_value_does_not_open() {
    let keyring = Keyring::parse(OLD).unwrap();
    let revision = RevisionId::first_of(&DeploymentId::from_random(1));
    let sealed = |password: &str| {
        let mut settings = settings();
        settings.environment = vec![variable("TOKEN", password)];
        seal(&settings, Some(&keyring), revision).unwrap()
    };
    let open = |spec: SealedSpec| {
        OperationSpec::stored(spec, revision, Some(keyring.clone())).environment()
    };
    assert!(open(sealed("first")).is_ok());
    let exchanged = SealedSpec { secrets: sealed("second").secrets, ..sealed("first") };
    let damaged = OpenSecretError::Damaged { key_id: String::from("test") };
    assert_eq!(open(exchanged).unwrap_err(), damaged);
}

#[tokio::test]
async fn without_its_key_a_deployment_that_is_configured_goes_on() {
    let mut world = begin().await;
    world.drive_until(StepId::DOMAIN).await;
    world.ports.keyring = None;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
}

/// Begins a deployment without a spec, as an older version did.
async fn begin_without_spec(keyring: Option<Keyring>) -> (World, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    let mut world = World::begin_by(Arc::clone(&store) as _, settings(), &[]).await;
    world.ports.keyring = keyring;
    store.forget_specs();
    (world, store)
}

#[tokio::test]
async fn a_deployment_of_an_older_version_gets_its_spec_at_the_first_claim() {
    let (mut world, _) = begin_without_spec(Some(Keyring::parse(OLD).unwrap())).await;
    // Storing the spec is the first write.
    world.store.crash_at(4, Crash::After);
    world.drive_once(Lane::Forward).await.unwrap_err();
    let stored = world.store.spec(world.record().await.revision).await.unwrap().unwrap();
    assert_eq!((stored.spec.port, stored.secrets.len()), (8_080, 3));
    assert_eq!(stored.origin, SpecOrigin::Assumed);
    world.configure(change);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(sent(&world).await.0["application"]["dockerImage"], "sandbox/hello");
}

#[tokio::test]
async fn a_deployment_of_an_older_version_continues_without_a_key_and_nothing_is_sealed() {
    let (world, _) = begin_without_spec(None).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(world.store.spec(world.record().await.revision).await.unwrap(), None);
    assert_eq!(sent(&world).await.0["application"]["password"], "password of first");
}

#[tokio::test]
async fn an_ended_deployment_of_an_older_version_gets_no_spec() {
    let (mut world, store) = begin_without_spec(Some(Keyring::parse(OLD).unwrap())).await;
    world.drive().await;
    store.forget_specs();
    world.run_removal().await;
    world.assert_all_or_nothing("removed").await;
    assert_eq!(world.store.spec(world.record().await.revision).await.unwrap(), None);
}

/// Begins a deployment on disk. The function spoils what its stack is made of.
async fn begin_on_disk() -> (World, impl AsyncFn(), TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    let store = Arc::new(SqliteStore::open(&path).await.unwrap());
    let world = World::begin_by(store, settings(), &[]).await;
    let spoil = async move || {
        let options = SqliteConnectOptions::new().filename(&path);
        let mut connection = options.connect().await.unwrap();
        connection.execute("UPDATE revisions SET spec = '{}'").await.unwrap();
        connection.close().await.unwrap();
    };
    (world, spoil, folder)
}

#[tokio::test]
async fn a_stack_whose_spec_cannot_be_read_is_removed_all_the_same() {
    let (mut world, spoil, _folder) = begin_on_disk().await;
    world.drive().await;
    spoil().await;
    world.remove().await;
    world.drive().await;
    world.assert_all_or_nothing("removed").await;
    let said = "warn spec.read: The stored spec of the stack cannot be read";
    assert!(world.log().await.iter().any(|entry| entry.starts_with(said)));
}

#[tokio::test]
async fn a_deployment_whose_spec_cannot_be_read_is_undone_at_each_step() {
    for step in STEPS_WITHOUT_VOLUMES {
        let (world, spoil, _folder) = begin_on_disk().await;
        world.drive_until(step).await;
        spoil().await;
        world.drive().await;
        let failure = world.failure().await;
        assert_eq!(failure.reason, Some(MessageCode::SpecLost), "{step:?}");
        // A step that a stack without volumes leaves out is not the one that failed.
        let last = if step == StepId::HEALTH { StepId::DEPLOY } else { step };
        assert_eq!(failure.phase, DEPLOY.phase_of(last));
        world.assert_all_or_nothing("undone").await;
    }
}
