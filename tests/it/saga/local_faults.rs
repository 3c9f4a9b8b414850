//! Local faults of the portal: it waits for their end and says so, and undoes nothing before the
//! deadline of the deployment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ai_stack_deployer::server::local_fault::LocalFault;
use ai_stack_deployer::server::platform::PlatformError;
use ai_stack_deployer::server::probe::{Health, Probe};
use ai_stack_deployer::server::store::{Lane, State};
use async_trait::async_trait;
use clock::Clock;
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::words;
use jiff::Timestamp;

use super::world::{CHANGING, World};
use crate::support::clock::JumpingClock;
use crate::support::core_platform::CorePlatform;

/// The local faults that a call can have.
const FAULTS: [LocalFault; 3] = [LocalFault::Resources, LocalFault::Names, LocalFault::Network];

/// Lets the next `count` calls of `call` fail with a local fault.
fn hold_up(world: &World, call: &'static str, fault: LocalFault, count: usize) {
    for _ in 0..count {
        let reason = String::from("Too many open files (os error 24)");
        let fault = match fault {
            LocalFault::Names => transport::LocalFault::Names,
            LocalFault::Network => transport::LocalFault::Network,
            LocalFault::Resources | LocalFault::Database => transport::LocalFault::Resources,
        };
        world.platform.plan(call, Some(PlatformError::Local { call, fault, reason }));
    }
}

/// Returns the message during the fault.
fn waiting(fault: LocalFault) -> String {
    words::message::sentence(&MessageCode::WaitingForPortal { fault })
}

/// Checks that the stack is live, once, that a message named the fault, and that nothing was
/// undone.
async fn assert_live_after(world: &World, fault: LocalFault, what: &str) {
    assert_eq!(world.record().await.state, State::Live, "{what}: {:?}", world.end().await);
    let sentences = world.sentences().await;
    let said = |text: &str| sentences.iter().any(|(_, sentence)| sentence == text);
    assert!(said(&waiting(fault)), "{what}: {sentences:?}");
    let undone = sentences.iter().any(|(phase, _)| *phase == Phase::ROLLING_BACK);
    assert!(!undone, "{what}: {sentences:?}");
    let log = world.log().await.join("\n");
    assert!(log.contains(words::fault::present(fault)), "{what}: {log}");
    world.assert_all_or_nothing(what).await;
}

#[tokio::test]
async fn a_local_fault_of_a_call_is_waited_for_beyond_the_deadline_of_its_step() {
    let calls = CHANGING.into_iter().chain(["deployment.all", "docker.getContainersByAppLabel"]);
    for (fault, call) in FAULTS.into_iter().cycle().zip(calls) {
        let mut world = World::begin("sandbox/hello", &[]).await;
        world.configure(|settings| {
            settings.deadlines.step = Duration::from_secs(30);
            settings.deadlines.deploy = Duration::from_mins(1);
        });
        // More than two minutes of pauses or probes.
        let count = if call.starts_with("docker") { 130 } else { 20 };
        hold_up(&world, call, fault, count);
        world.drive().await;
        let what = format!("{fault:?} at {call}");
        assert_live_after(&world, fault, &what).await;
        let took = world.took().await;
        assert!(took > Duration::from_mins(1), "{what}: {took:?}");
    }
}

#[tokio::test]
async fn a_permanent_local_fault_of_a_call_ends_at_the_deadline_with_its_own_cause() {
    for fault in FAULTS {
        let world = World::begin("sandbox/hello", &[]).await;
        hold_up(&world, "application.create", fault, 500);
        world.drive().await;
        let failure = world.failure().await;
        assert_eq!(failure.code, FailureCode::PortalImpaired, "{failure:?}");
        assert!(failure.message.starts_with(words::fault::past(fault)), "{failure:?}");
        assert_eq!(failure.phase, Phase::CREATING_APPLICATION);
        let (took, limits) = (world.took().await, world.ports.settings.deadlines);
        assert!((limits.whole..limits.whole + limits.drain).contains(&took), "{took:?}");
        world.assert_all_or_nothing("until the time was up").await;
    }
}

#[tokio::test]
async fn a_platform_that_does_not_answer_uses_up_the_retries() {
    let world = World::begin("sandbox/hello", &[]).await;
    for _ in 0..20 {
        let (call, reason) = ("project.create", String::from("Connection refused"));
        world.platform.plan(call, Some(PlatformError::Unreachable { call, reason }));
    }
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::PlatformUnreachable);
    let took = world.took().await;
    assert!(took < Duration::from_mins(2), "{took:?}");
}

#[tokio::test]
async fn a_cancellation_is_observed_during_a_local_fault() {
    let world = World::begin("sandbox/hello", &[]).await;
    hold_up(&world, "application.create", LocalFault::Resources, 500);
    let cancel = async {
        while !world.has_said(&waiting(LocalFault::Resources)).await {
            tokio::task::yield_now().await;
        }
        world.cancel_now().await;
    };
    tokio::join!(world.drive(), cancel);
    assert_eq!(world.failure().await.code, FailureCode::Cancelled);
    assert!(world.took().await < Duration::from_mins(1));
    world.assert_all_or_nothing("cancelled while something lacked").await;
}

/// The answer of an address, by the milliseconds since the first probe after it was attached.
type Script = fn(u64) -> Health;

/// An address that answers by a script.
struct ScriptedProbe {
    platform: CorePlatform,
    clock: Arc<JumpingClock>,
    before: Mutex<Vec<Health>>,
    after: Script,
    began: Mutex<Option<Timestamp>>,
    asked: Mutex<usize>,
}

#[async_trait]
impl Probe for ScriptedProbe {
    async fn check(&self, _: &str, _: Duration) -> Health {
        let now = self.clock.now();
        self.clock.advance(Duration::from_millis(5));
        *self.asked.lock().unwrap() += 1;
        if self.platform.count("domain.create") == 0 {
            return self.before.lock().unwrap().pop().unwrap_or(Health::Answering(404));
        }
        let began = *self.began.lock().unwrap().get_or_insert(now);
        let ms = u64::try_from(now.as_millisecond() - began.as_millisecond()).unwrap();
        let health = (self.after)(ms);
        if matches!(&health, Health::LocalFault(_, reason) if reason.starts_with("no answer")) {
            self.clock.advance(Duration::from_secs(5));
        }
        health
    }
}

fn unasked(fault: LocalFault) -> Health {
    Health::LocalFault(fault, String::from("Too many open files (os error 24)"))
}

fn silent() -> Health {
    Health::Silent(String::from("connection refused"))
}

async fn begin(before: Vec<Health>, after: Script) -> (World, Arc<ScriptedProbe>) {
    let mut world = World::begin("sandbox/hello", &[]).await;
    let probe = Arc::new(ScriptedProbe {
        platform: world.platform.clone(),
        clock: Arc::clone(&world.clock),
        before: Mutex::new(before),
        after,
        began: Mutex::default(),
        asked: Mutex::default(),
    });
    world.ports.probe = Arc::clone(&probe) as _;
    (world, probe)
}

#[tokio::test]
async fn a_stack_that_cannot_be_probed_for_minutes_does_not_fail() {
    let scripts: [(LocalFault, Script); 3] = [
        (LocalFault::Resources, |ms| {
            if ms < 240_000 { unasked(LocalFault::Resources) } else { Health::Answering(200) }
        }),
        // The stack had nearly used up its limit before.
        (LocalFault::Names, |ms| match ms {
            0..50_000 | 240_000..245_000 => silent(),
            50_000..240_000 => unasked(LocalFault::Names),
            _ => Health::Answering(200),
        }),
        (LocalFault::Network, |ms| match ms {
            10_000..100_000 | 110_000..200_000 => unasked(LocalFault::Network),
            200_000.. => Health::Answering(200),
            _ => silent(),
        }),
    ];
    for (fault, script) in scripts {
        let (world, _) = begin(Vec::new(), script).await;
        world.drive().await;
        assert_live_after(&world, fault, &format!("{fault:?}")).await;
    }
}

#[tokio::test]
async fn a_local_fault_of_the_last_probe_does_not_fail_the_stack() {
    // The stack is healthy as soon as it can be probed, and must be probed twice.
    let (world, _) = begin(Vec::new(), |ms| match ms {
        0..59_000 => silent(),
        59_000..59_500 => {
            Health::LocalFault(LocalFault::Resources, String::from("no answer within 5000 ms"))
        }
        _ => Health::Answering(200),
    })
    .await;
    world.drive().await;
    assert_live_after(&world, LocalFault::Resources, "its last time").await;
}

#[tokio::test]
async fn a_local_fault_of_probes_does_not_use_up_the_limit_of_the_stack() {
    let (world, _) = begin(Vec::new(), |ms| match ms {
        30_000..200_000 => unasked(LocalFault::Resources),
        _ => silent(),
    })
    .await;
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::HealthTimeout);
    let took = world.took().await.as_secs();
    assert!((225..270).contains(&took), "30 s, 170 s that do not count, and 30 s: {took}");
    world.assert_all_or_nothing("its own fault").await;
}

#[tokio::test]
async fn a_permanent_local_fault_of_probes_ends_at_the_deadline() {
    let (world, probe) = begin(Vec::new(), |_| unasked(LocalFault::Resources)).await;
    world.drive().await;
    let failure = world.failure().await;
    assert_eq!(failure.code, FailureCode::PortalImpaired, "{failure:?}");
    assert_eq!(failure.phase, Phase::VERIFYING_HEALTH);
    let (took, limits) = (world.took().await, world.ports.settings.deadlines);
    assert!((limits.whole..limits.whole + limits.drain).contains(&took), "{took:?}");
    // The wait has pauses, but not too long ones.
    let asked = *probe.asked.lock().unwrap();
    assert!((100..4_000).contains(&asked), "{asked}");
    world.assert_all_or_nothing("never asked").await;
}

#[tokio::test]
async fn an_address_that_cannot_be_probed_does_not_count_as_free() {
    // The last one comes first.
    let mut before = vec![unasked(LocalFault::Names); 90];
    before.insert(0, Health::Answering(404));
    let (world, _) = begin(before, |_| Health::Answering(200)).await;
    world.drive().await;
    assert_live_after(&world, LocalFault::Names, "a free address").await;
    assert!(world.took().await > Duration::from_secs(90));

    let mut before = vec![Health::Answering(200); 100];
    before.extend(vec![unasked(LocalFault::Names); 90]);
    let (world, _) = begin(before, |_| Health::Answering(200)).await;
    world.drive().await;
    assert_eq!(world.failure().await.code, FailureCode::AddressInUse);
    assert_eq!(world.platform.count("project.create"), 0);
}

#[tokio::test]
async fn a_restart_during_a_local_fault_does_not_count_against_the_stack() {
    let (world, _) = begin(Vec::new(), |ms| match ms {
        0..40_000 | 240_000..250_000 => silent(),
        40_000..240_000 => unasked(LocalFault::Resources),
        _ => Health::Answering(200),
    })
    .await;
    let crash = async {
        while !world.has_said(&waiting(LocalFault::Resources)).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = crash => {}
        ended = world.drive_once(Lane::Forward) => panic!("it ended: {ended:?}"),
    }
    world.clock.advance(Duration::from_secs(31));
    world.drive().await;
    assert_live_after(&world, LocalFault::Resources, "after a restart").await;
}

#[tokio::test]
async fn a_stack_does_not_fail_while_the_network_is_down() {
    // When packets are lost, both the stack and the platform seem silent.
    let (world, _) =
        begin(Vec::new(), |ms| if ms < 300_000 { silent() } else { Health::Answering(200) }).await;
    for _ in 0..330 {
        let (call, reason) =
            ("docker.getServiceContainersByAppName", String::from("No route to host"));
        world.platform.plan(call, Some(PlatformError::Unreachable { call, reason }));
    }
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live, "{:?}", world.end().await);
}

/// Drives a deployment without a network, which reaches the platform again after four minutes.
async fn without_network(stack: Script) -> World {
    let (world, _) = begin(Vec::new(), stack).await;
    let back = world.clock.now() + Duration::from_mins(4);
    for _ in 0..1_000 {
        let (call, reason) =
            ("docker.getServiceContainersByAppName", String::from("No route to host"));
        world.platform.plan(call, Some(PlatformError::Unreachable { call, reason }));
    }
    let redirect_back = async {
        while world.clock.now() < back {
            tokio::task::yield_now().await;
        }
        world.platform.forget_plans();
    };
    tokio::join!(world.drive(), redirect_back);
    world
}

#[tokio::test]
async fn a_stack_that_answers_shortly_after_the_platform_does_not_fail() {
    let stacks: [Script; 2] = [
        |ms| if ms < 248_000 { silent() } else { Health::Answering(200) },
        |ms| match ms {
            0..244_000 => silent(),
            244_000..250_000 => Health::Answering(502),
            _ => Health::Answering(200),
        },
    ];
    for stack in stacks {
        let world = without_network(stack).await;
        assert_eq!(world.record().await.state, State::Live, "{:?}", world.end().await);
    }
}

#[tokio::test]
async fn a_stack_that_stays_silent_after_the_platform_is_back_fails() {
    let world = without_network(|_| silent()).await;
    assert_eq!(world.failure().await.code, FailureCode::HealthTimeout);
    let took = world.took().await.as_secs();
    assert!((240..330).contains(&took), "soon after the platform came back: {took}");
}

#[tokio::test]
async fn a_local_fault_at_the_end_of_a_limit_causes_no_tight_loop() {
    let mut world = World::begin("sandbox/hello", &[]).await;
    world.configure(|settings| settings.deadlines.step = Duration::from_millis(3));
    hold_up(&world, "project.create", LocalFault::Resources, 100_000);
    world.drive().await;
    let failure = world.failure().await;
    assert_eq!(failure.code, FailureCode::PortalImpaired, "{failure:?}");
    let (asked, whole) = (world.platform.count("project.create"), world.took().await.as_secs());
    assert!(asked < 1_000, "asked {asked} times in {whole} s");
}
