//! The wait for the stack's own answer: its pauses, limits and messages (promise P15).

mod paths;

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ai_stack_deployer::server::probe::{Health, Probe};
use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::State;
use async_trait::async_trait;
use clock::Clock;
use domain::event::FailureCode;
use domain::phase::Phase;
use jiff::Timestamp;
use tokio::sync::Notify;

use super::world::World;
use crate::support::clock::JumpingClock;
use crate::support::core_platform::CorePlatform;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::stack_settings;

/// The answer of a stack, by the milliseconds since the first probe.
type Script = fn(u64) -> Health;

/// A stack that answers by a script once its address is attached.
struct ScriptedProbe {
    platform: CorePlatform,
    clock: Arc<JumpingClock>,
    script: Script,
    asked: Mutex<Vec<Timestamp>>,
    /// The milliseconds at which the portal is killed, each once.
    kills: Mutex<Vec<u64>>,
    killed: Notify,
}

#[async_trait]
impl Probe for ScriptedProbe {
    async fn check(&self, url: &str, _: Duration) -> Health {
        assert_eq!(url, "http://alice.localhost:8081/health");
        let now = self.clock.now();
        if self.platform.count("domain.create") == 0 {
            return Health::Answering(404);
        }
        // The undo probes, too, to verify that the address is gone. That is not the wait.
        let is_undone = self.platform.count("domain.delete") > 0;
        let ms = {
            let mut asked = self.asked.lock().unwrap();
            if asked.is_empty() || !is_undone {
                asked.push(now);
            }
            between(asked[0], now)
        };
        if self.kills.lock().unwrap().pop_if(|at| ms >= *at).is_some() {
            self.killed.notify_one();
            pending::<()>().await;
        }
        (self.script)(ms)
    }
}

impl ScriptedProbe {
    /// Returns the pauses between probes, each with its start.
    fn pauses(&self) -> Vec<(u64, u64)> {
        let asked = self.asked.lock().unwrap();
        asked.windows(2).map(|two| (between(asked[0], two[0]), between(two[0], two[1]))).collect()
    }

    /// Returns for how long the stack was probed.
    fn total(&self) -> u64 {
        let asked = self.asked.lock().unwrap();
        between(asked[0], *asked.last().unwrap())
    }
}

fn between(since: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - since.as_millisecond()).unwrap()
}

fn silent() -> Health {
    Health::Silent(String::from("nothing answers"))
}

fn untrusted() -> Health {
    Health::Untrusted(String::from("self-signed"))
}

/// Drives the deployment of `image` whose stack answers by `script`.
async fn drive(image: &str, script: Script) -> (World, Arc<ScriptedProbe>) {
    drive_within(image, Duration::from_mins(1), script).await
}

async fn drive_within(
    image: &str,
    timeout: Duration,
    script: Script,
) -> (World, Arc<ScriptedProbe>) {
    drive_killed(image, timeout, script, Vec::new()).await
}

/// Drives it while the portal is killed at each of `kills`, of which the last comes first. Another
/// worker takes over when the lease has expired.
async fn drive_killed(
    image: &str,
    timeout: Duration,
    script: Script,
    kills: Vec<u64>,
) -> (World, Arc<ScriptedProbe>) {
    let settings = StackSettings { health_timeout: timeout, ..stack_settings(image) };
    let mut world = World::begin_by(Arc::new(MemoryStore::default()), settings, &[]).await;
    let clock = Arc::clone(&world.clock);
    let probe = Arc::new(ScriptedProbe {
        platform: world.platform.clone(),
        clock,
        script,
        asked: Mutex::default(),
        kills: Mutex::new(kills),
        killed: Notify::new(),
    });
    world.ports.probe = Arc::clone(&probe) as _;
    loop {
        tokio::select! {
            biased;
            _ = world.drive() => return (world, probe),
            () = probe.killed.notified() => world.clock.advance(Duration::from_secs(31)),
        }
    }
}

/// Returns the messages shown while the stack was probed.
async fn sentences(world: &World) -> Vec<String> {
    let all = world.sentences().await.into_iter();
    all.filter(|(phase, _)| *phase == Phase::VERIFYING_HEALTH).map(|(_, text)| text).collect()
}

#[tokio::test]
async fn a_stack_is_probed_every_250_ms_for_a_minute_and_then_less_often() {
    let limit = Duration::from_mins(5);
    let (world, probe) = drive_within("sandbox/hello", limit, |_| silent()).await;
    assert_eq!(world.failure().await.code, FailureCode::HealthTimeout);
    let mut pauses = probe.pauses();
    // The undo probes, too, to verify that the address is gone.
    pauses.retain(|(at, pause)| at + pause < 300_000);
    let (eager, patient): (Vec<_>, Vec<_>) = pauses.iter().partition(|(at, _)| *at < 60_000);
    assert!(eager.len() > 200, "{}", eager.len());
    for (at, pause) in eager {
        assert!((250..=300).contains(&pause), "{pause} ms at {at}");
    }
    assert!(patient.iter().all(|(_, pause)| (250..=5_050).contains(pause)), "{patient:?}");
    assert!(patient.iter().any(|(_, pause)| *pause >= 5_000), "{patient:?}");
    assert!(patient[1].1 < 1_000, "it slows down step by step: {patient:?}");
}

#[tokio::test]
async fn a_stack_that_never_answers_fails_at_its_limit() {
    for seconds in [60, 303] {
        let limit = Duration::from_secs(seconds);
        let (_, probe) = drive_within("sandbox/hello", limit, |_| silent()).await;
        let total = probe.total();
        assert!((seconds * 1_000..=seconds * 1_000 + 300).contains(&total), "{total} ms");
    }
}

#[tokio::test]
async fn one_answer_is_not_enough_and_the_second_follows_50_ms_after_it() {
    let flaps: Script = |ms| match ms {
        0 | 1_000..1_040 | 3_000.. => Health::Answering(200),
        _ => Health::Answering(502),
    };
    let (world, probe) = drive("sandbox/hello", flaps).await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(probe.total() >= 3_050, "a single good answer did not count");
    assert_eq!(probe.pauses().first().unwrap().1, 50);
    assert_eq!(probe.pauses().last().unwrap().1, 50);
}

#[tokio::test]
async fn time_without_a_certificate_is_not_counted_against_the_stack() {
    let late: Script = |ms| if ms < 240_000 { untrusted() } else { Health::Answering(200) };
    let (world, _) = drive("sandbox/hello", late).await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(
        sentences(&world).await,
        ["Checking that it answers", "Waiting for the address to get its certificate"]
    );
}

#[tokio::test]
async fn a_certificate_that_never_comes_ends_the_wait_after_its_own_limit() {
    let (world, probe) = drive("sandbox/hello", |_| untrusted()).await;
    assert_eq!(world.failure().await.code, FailureCode::CertificateTimeout);
    world.assert_all_or_nothing("no certificate").await;
    let total = probe.total();
    assert!((300_000..=300_300).contains(&total), "{total} ms");
}

#[tokio::test]
async fn the_message_goes_back_once_the_certificate_is_there() {
    let in_turn: Script = |ms| match ms {
        0..10_000 => untrusted(),
        10_000..20_000 => Health::Answering(502),
        _ => Health::Answering(200),
    };
    let (world, _) = drive("sandbox/hello", in_turn).await;
    assert_eq!(
        sentences(&world).await,
        [
            "Checking that it answers",
            "Waiting for the address to get its certificate",
            "Checking that it answers",
        ]
    );
}

#[tokio::test]
async fn a_crash_loop_ends_the_wait_early_even_behind_a_missing_certificate() {
    for script in [(|_| silent()) as Script, |_| untrusted()] {
        let (world, probe) = drive("sandbox/crashloop", script).await;
        assert_eq!(world.failure().await.code, FailureCode::CrashLoop);
        assert!(probe.total() < 10_000, "{} ms", probe.total());
    }
}

#[tokio::test]
async fn takeovers_extend_the_limit_of_a_stack_by_no_more_than_a_few_probes() {
    let minute = Duration::from_mins(1);
    // The second takeover is at 86 s, which leaves time for only a few probes.
    let kills = vec![55_000, 20_000];
    let (world, probe) = drive_killed("sandbox/hello", minute, |_| silent(), kills).await;
    assert_eq!(world.failure().await.code, FailureCode::HealthTimeout);
    let total = probe.total();
    assert!((86_000..=92_000).contains(&total), "{total} ms");
    world.assert_all_or_nothing("taken over while the stack was asked").await;
}

#[tokio::test]
async fn takeovers_do_not_extend_the_limit_of_a_certificate() {
    let minute = Duration::from_mins(1);
    let (world, probe) =
        drive_killed("sandbox/hello", minute, |_| untrusted(), vec![200_000, 100_000]).await;
    assert_eq!(world.failure().await.code, FailureCode::CertificateTimeout);
    let total = probe.total();
    assert!((300_000..=301_000).contains(&total), "{total} ms");
}

#[tokio::test]
async fn time_for_a_certificate_before_a_takeover_is_not_counted_against_the_stack() {
    let late: Script = |ms| match ms {
        0..200_000 => untrusted(),
        200_000..240_000 => Health::Answering(502),
        _ => Health::Answering(200),
    };
    let minute = Duration::from_mins(1);
    let (world, _) = drive_killed("sandbox/hello", minute, late, vec![205_000, 90_000]).await;
    assert_eq!(world.record().await.state, State::Live);
}

#[tokio::test]
async fn a_stack_that_restarts_with_the_portal_has_a_moment_to_answer() {
    let late: Script = |ms| if ms < 72_000 { silent() } else { Health::Answering(200) };
    let minute = Duration::from_mins(1);
    let (world, _) = drive_killed("sandbox/hello", minute, late, vec![40_000]).await;
    assert_eq!(world.record().await.state, State::Live, "both were away for half a minute");
}
