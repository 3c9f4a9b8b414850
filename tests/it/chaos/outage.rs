//! Outages of the database, with a worker in virtual time: they do not count against the limits of
//! steps, but against the deadline of the deployment.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::probe::{Health, Probe};
use ai_stack_deployer::server::store::{Journal, State};
use async_trait::async_trait;
use clock::Clock;
use domain::event::FailureCode;
use domain::progress::{End, Progress};
use jiff::Timestamp;

use super::clock::VirtualClock;
use super::portal::{Portal, in_virtual_time};
use crate::support::core_platform::CorePlatform;
use crate::support::faulty_store::FaultyStore;

/// Returns a portal whose database can fail.
fn portal(clock: VirtualClock, image: &str) -> (Portal, Arc<FaultyStore>) {
    let mut portal = Portal::new(clock, image);
    let line = Arc::new(FaultyStore::new(Arc::clone(&portal.store) as _));
    portal.ports.store = Arc::clone(&line) as _;
    (portal, line)
}

/// The ways in which the database can fail.
#[derive(Clone, Copy, Debug)]
enum Want {
    /// It cannot be reached.
    Reach,
    /// Its disk is full: reads succeed, and so do statements that change nothing.
    Space,
}

impl Want {
    const ALL: [Self; 2] = [Self::Reach, Self::Space];

    /// Lets the database fail `after` this many seconds, for `seconds`.
    async fn last(self, portal: &Portal, line: &FaultyStore, after: u64, seconds: u64) {
        let set = |is_away| match self {
            Self::Reach => line.set_down(is_away),
            Self::Space => line.set_full(is_away),
        };
        portal.clock.sleep(Duration::from_secs(after)).await;
        set(true);
        portal.clock.sleep(Duration::from_secs(seconds)).await;
        set(false);
    }
}

/// Runs `test` for each way in which the database can fail.
fn for_each_want(test: impl AsyncFn(Want, VirtualClock)) {
    for want in Want::ALL {
        in_virtual_time(async |clock| test(want, clock).await);
    }
}

async fn end(portal: &Portal) -> (State, End) {
    let record = portal.ended().await.remove(0);
    let events = portal.store.events(&record.deployment.id, 0, u32::MAX).await.unwrap();
    let progress = Progress::of(events.iter().map(|event| event.decode().unwrap()));
    (record.state, progress.end.unwrap())
}

/// A stack that does not answer for some time after its address is attached.
struct LateStack {
    platform: CorePlatform,
    clock: VirtualClock,
    began: Timestamp,
    silent: Duration,
}

#[async_trait]
impl Probe for LateStack {
    async fn check(&self, _: &str, _: Duration) -> Health {
        self.clock.sleep(Duration::from_millis(5)).await;
        let passed = self.clock.now().duration_since(self.began).unsigned_abs();
        if self.platform.count("domain.create") == 0 {
            Health::Answering(404)
        } else if passed < self.silent {
            Health::Silent(String::from("connection refused"))
        } else {
            Health::Answering(200)
        }
    }
}

#[test]
fn an_outage_of_the_database_at_the_deadline_of_a_step_undoes_nothing() {
    for_each_want(async |want, clock| {
        // Its job takes two minutes, during most of which the database is away.
        let (mut portal, line) = portal(clock, "sandbox/slow");
        Arc::make_mut(&mut portal.ports.settings).deadlines.deploy = Duration::from_secs(70);
        portal.reserve(0).await;
        drop(portal.start("one"));
        want.last(&portal, &line, 10, 85).await;
        let (state, end) = end(&portal).await;
        assert_eq!(state, State::Live, "{want:?}: {end:?}");
    });
}

#[test]
fn an_outage_of_the_database_does_not_count_against_the_stacks_health() {
    for_each_want(async |want, clock| {
        let (mut portal, line) = portal(clock, "sandbox/hello");
        portal.ports.probe = Arc::new(LateStack {
            platform: portal.platform.clone(),
            clock: portal.clock.clone(),
            began: portal.clock.now(),
            silent: Duration::from_secs(140),
        });
        portal.reserve(0).await;
        drop(portal.start("one"));
        want.last(&portal, &line, 20, 100).await;
        let (state, end) = end(&portal).await;
        assert_eq!(state, State::Live, "{want:?}: {end:?}");
    });
}

#[test]
fn an_outage_of_the_database_until_the_deadline_is_the_reported_cause() {
    for_each_want(async |want, clock| {
        let (portal, line) = portal(clock, "sandbox/slow");
        let whole = portal.ports.settings.deadlines.whole;
        portal.reserve(0).await;
        drop(portal.start("one"));
        want.last(&portal, &line, 10, whole.as_secs()).await;
        let (state, end) = end(&portal).await;
        assert_eq!(state, State::RolledBack, "{want:?}: {end:?}");
        let End::Failed(failure) = end else { panic!("{end:?}") };
        assert_eq!(failure.code, FailureCode::PortalImpaired, "{want:?}: {failure:?}");
        assert!(failure.message.contains("could not reach its database"), "{failure:?}");
    });
}
