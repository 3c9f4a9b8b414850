//! The hub: one connection to the platform for all who watch, and what they get of it.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::logs::{Item, LogHub, LogParts, Status, Watching};
use ai_stack_deployer::server::platform::LogEnd;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::stack_id::StackId;
use tokio::task::yield_now;

use super::{ONE, SECRET, TWO, service};
use crate::support::app::settings;
use crate::support::fake_logs::FakeLogs;
use crate::support::manual_clock::ManualClock;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::keyring;

struct World {
    hub: Arc<LogHub>,
    logs: FakeLogs,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let (logs, clock) = (FakeLogs::default(), Arc::new(ManualClock::new()));
        let hub = LogHub::new(LogParts {
            platform: Arc::new(logs.clone()),
            store: Arc::new(MemoryStore::default()),
            keyring: Some(keyring()),
            settings: Arc::new(settings(&[("STACK_ENV_API_KEY", SECRET)]).stack),
            clock: Arc::<ManualClock>::clone(&clock),
        });
        logs.start(ONE);
        Self { hub: Arc::new(hub), logs, clock }
    }

    fn watch(&self) -> Watching {
        self.hub.watch(StackId::of(&DeploymentId::from_random(1)), vec![service()])
    }

    fn write(&self, container: &str, text: &str) {
        self.logs.write(container, self.clock.now(), text);
    }

    /// Lets time pass until `is_so`.
    async fn until(&self, mut is_so: impl FnMut() -> bool) {
        for _ in 0..10_000 {
            if is_so() {
                return;
            }
            self.pass().await;
        }
        panic!("it never is");
    }

    async fn pass(&self) {
        for _ in 0..20 {
            yield_now().await;
        }
        self.clock.advance(Duration::from_millis(50));
    }

    /// Lets time pass until `future` is complete.
    async fn passing<T>(&self, future: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            output = future => output,
            () = async { loop { self.pass().await } } => unreachable!(),
        }
    }
}

fn texts(items: &[Item]) -> Vec<String> {
    let text = |item: &Item| match item {
        Item::Line(line) => line.text.clone(),
        Item::Container(name) => format!("container {name}"),
        Item::Gap(skipped) => format!("gap {skipped}"),
    };
    items.iter().map(text).collect()
}

#[tokio::test]
async fn however_many_watch_there_is_one_connection_which_closes_half_a_minute_after_the_last() {
    let world = World::new();
    world.write(ONE, "one");
    let mut watchers: Vec<_> = (0..50).map(|_| world.watch()).collect();
    for watching in &mut watchers {
        assert_eq!(world.passing(watching.opened()).await, Status::Read);
    }
    world.write(ONE, "two");
    for watching in &mut watchers {
        watching.begin_with_last(1);
        world.until(|| texts(&watching.kept()).contains(&String::from("two"))).await;
    }
    assert_eq!((world.logs.opened(), world.logs.open()), (1, 1));
    watchers.truncate(1);
    for _ in 0..2_000 {
        world.pass().await;
    }
    assert_eq!(world.logs.open(), 1, "one still watches");

    watchers.clear();
    let left = world.clock.now();
    for _ in 0..20 {
        yield_now().await;
    }
    world.clock.advance(Duration::from_secs(29));
    let watching = world.watch();
    world.clock.advance(Duration::from_secs(29));
    for _ in 0..100 {
        yield_now().await;
    }
    assert_eq!((world.logs.opened(), world.logs.open()), (1, 1), "it came back in time");
    drop(watching);
    world.until(|| world.logs.open() == 0).await;
    assert!(world.clock.now().duration_since(left) > jiff::SignedDuration::from_secs(58));
    let mut watching = world.watch();
    world.passing(watching.opened()).await;
    assert_eq!(world.logs.opened(), 2);
}

#[tokio::test]
async fn another_container_is_read_although_the_first_one_is_only_silent() {
    let world = World::new();
    world.write(ONE, "one");
    let mut watching = world.watch();
    world.passing(watching.opened()).await;
    world.logs.start(TWO);
    world.write(TWO, "two");
    world.until(|| texts(&watching.kept()).contains(&String::from("two"))).await;
    let expected =
        [format!("container {ONE}"), "one".into(), format!("container {TWO}"), "two".into()];
    assert_eq!(texts(&watching.kept()), expected);
    assert_eq!(world.logs.open(), 1);
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_and_no_line_comes_twice() {
    let world = World::new();
    world.write(ONE, "one");
    let mut watching = world.watch();
    world.passing(watching.opened()).await;
    let lost = LogEnd::Lost { reason: String::from("reset") };
    world.logs.end(ONE, lost);
    world.until(|| world.logs.opened() >= 2).await;
    world.clock.advance(Duration::from_millis(1));
    world.write(ONE, "two");
    world.until(|| texts(&watching.kept()).contains(&String::from("two"))).await;
    assert_eq!(texts(&watching.kept())[1..], ["one", "two"]);
}

#[tokio::test]
async fn dockers_own_sentence_is_no_line() {
    let world = World::new();
    world.logs.end(ONE, LogEnd::Docker { sentence: String::from("Error response from daemon") });
    let mut watching = world.watch();
    assert_eq!(world.passing(watching.opened()).await, Status::Unavailable);
    assert_eq!(texts(&watching.kept()), [format!("container {ONE}")]);
}

#[tokio::test]
async fn of_a_flood_two_thousand_lines_a_second_are_shown_and_a_gap() {
    let world = World::new();
    world.write(ONE, "begin");
    let mut watching = world.watch();
    world.passing(watching.opened()).await;
    let at = world.clock.now();
    let flood: String = (0..50_000)
        .map(|line| format!("{at:.9} line {line} {SECRET}\r\n"))
        .collect::<Vec<_>>()
        .concat();
    for chunk in flood.as_bytes().chunks(4_095) {
        world.logs.write_raw(ONE, std::str::from_utf8(chunk).unwrap());
    }
    let mut all = Vec::new();
    watching.begin_with_last(0);
    while !texts(&all).iter().any(|text| text.starts_with("gap")) {
        all.extend(world.passing(watching.next()).await);
    }
    let texts = texts(&all);
    assert_eq!(texts.len(), 2_001);
    assert_eq!((texts[1_999].as_str(), texts[2_000].as_str()), ("line 1999 ***", "gap 48000"));
}

#[tokio::test]
async fn who_is_too_slow_loses_lines_and_delays_nobody() {
    let world = World::new();
    world.write(ONE, "begin");
    let (mut slow, mut fast) = (world.watch(), world.watch());
    world.passing(slow.opened()).await;
    slow.begin_with_last(0);
    fast.begin_with_last(0);
    let mut got = 0;
    for second in 0..30 {
        let at = world.clock.now();
        let text = "x".repeat(500);
        let lines: String = (0..1_000)
            .map(|line| format!("{at:.9} {second} {line} {text}\r\n"))
            .collect::<Vec<_>>()
            .concat();
        world.logs.write_raw(ONE, lines);
        while got < (second + 1) * 1_000 {
            let items = world.passing(fast.next()).await;
            assert!(items.iter().all(|item| matches!(item, Item::Line(_))));
            got += items.len();
        }
        world.clock.advance(Duration::from_secs(1));
    }
    let first = slow.next().await;
    let Item::Gap(lost) = first[0] else { panic!("{:?}", first[0]) };
    let bytes: usize = texts(&first).iter().map(String::len).sum();
    assert!(lost > 20_000 && bytes < 256 << 10, "{lost} lost, {bytes} bytes");
}
