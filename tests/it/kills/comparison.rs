//! The comparison at the end: the store, the watchers and the platform must agree.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use domain::event::{Event, EventBody, FailureCode, Resources};
use domain::kind::DEPLOY;
use domain::phase::Phase;
use domain::progress::Progress;
use serde_json::Value;

use super::starter::{Asked, Story};
use super::watcher::{Frame, Recall, replay};
use super::world::World;
use crate::support::process::exchange;

/// The outcome of a deployment, on which the store and its watchers agree.
enum End {
    Live(Resources),
    /// Failed, with nothing left.
    RolledBack,
}

/// The codes with which a deployment may fail here: only its image is a reason. Kills are none.
const REASONS: [FailureCode; 2] = [FailureCode::ImageNotFound, FailureCode::CrashLoop];

/// The numbers of what was compared.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) live: usize,
    pub(crate) rolled_back: usize,
    events: usize,
    streams: usize,
    watchers: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { live, rolled_back, events, streams, watchers } = self;
        write!(
            f,
            "{} deployments ({live} live, {rolled_back} rolled back), {events} events, \
             {watchers} watchers, {streams} streams",
            live + rolled_back
        )
    }
}

/// Compares store, watchers and platform once every deployment has ended. Ends the portal.
pub(crate) fn compare(world: &mut World, story: &Story) -> Figures {
    let mut live = BTreeMap::new();
    let mut figures = Figures { watchers: story.watched.len(), ..Figures::default() };
    for asked in &story.asked {
        asked.assert_happened_once(world.portal_dir.port, &world.board);
        let recorded = replay(&asked.id, world.portal_dir.port).unwrap();
        figures.events += recorded.len();
        figures.streams += assert_all_saw(story, asked, &recorded);
        match end(world, asked, &recorded) {
            End::RolledBack => figures.rolled_back += 1,
            End::Live(resources) => {
                figures.live += 1;
                assert_answers(world.portal_dir.edge, &asked.name);
                let earlier = live.insert(asked.name.clone(), (asked.id.clone(), resources));
                assert!(earlier.is_none(), "twice live: {} and {earlier:?}", asked.id);
            }
        }
    }
    assert_holds(&world.end(), &live);
    figures
}

/// Checks that each watcher saw exactly the recorded events, byte for byte, and returns the number
/// of streams.
fn assert_all_saw(story: &Story, asked: &Asked, recorded: &[Frame]) -> usize {
    let watchers = story.watched.iter().filter(|one| one.deployment == asked.id);
    let (recalls, streams): (Vec<Recall>, Vec<usize>) = watchers
        .inspect(|one| assert_eq!(one.frames, recorded, "{} {:?}", asked.id, one.recall))
        .map(|one| (one.recall, one.streams))
        .unzip();
    assert_eq!(recalls, [Recall::LastEvent, Recall::Nothing], "{}", asked.id);
    streams.iter().sum()
}

/// Checks that the recorded events are complete and have one end, and that the store has the same
/// end.
fn end(world: &World, asked: &Asked, recorded: &[Frame]) -> End {
    let id = &asked.id;
    let events: Vec<Event> = recorded.iter().map(|frame| frame.event().unwrap()).collect();
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "{id}");
    let ends: Vec<u64> = events.iter().filter(|one| one.is_end()).map(|one| one.seq).collect();
    assert_eq!(ends, [events.len() as u64], "{id} has not exactly one end, at the end");
    assert_legal(id, &events);

    let answer = world.portal_dir.get(&format!("/api/deployment/{id}"));
    let snapshot: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let snapshot = &snapshot["deployment"];
    let progress = Progress::of(events.iter().cloned());
    assert_eq!(snapshot["phase"], progress.phase.as_str(), "{snapshot}");
    assert_eq!(snapshot["stackName"], asked.name.as_str(), "{snapshot}");
    assert_eq!(snapshot["seq"], events.len() as u64, "{snapshot}");
    assert!(snapshot["timestamps"]["completed"].is_string(), "{snapshot}");
    match &events.last().unwrap().body {
        EventBody::Complete(completion) => End::Live(completion.resources.clone()),
        EventBody::Error(failure) => {
            assert!(failure.receipt.clean, "{id} left something: {:?}", failure.receipt);
            assert!(REASONS.contains(&failure.code), "{id} had no reason to fail: {failure:?}");
            End::RolledBack
        }
        EventBody::Removed(_) => unreachable!("nobody removes a stack here"),
        EventBody::Progress(_) | EventBody::Log(_) => unreachable!("the last event is the end"),
    }
}

/// Checks that all phase transitions are legal, and that progress never decreases.
fn assert_legal(id: &str, events: &[Event]) {
    let (mut phase, mut percent) = (Phase::INITIALIZING, 0);
    for event in events {
        let EventBody::Progress(update) = &event.body else { continue };
        let may = phase == update.phase || DEPLOY.may_become(phase, update.phase);
        assert!(may && update.progress >= percent, "{id}: after {phase:?} came {update:?}");
        (phase, percent) = (update.phase, update.progress);
    }
}

fn assert_answers(edge: u16, name: &str) {
    let ask = format!("GET /health HTTP/1.0\r\nHost: {name}.localhost\r\n\r\n");
    let answer = exchange(edge, &ask);
    assert!(answer.contains(" 200 OK"), "{name} does not answer: {answer}");
}

/// Checks that the platform has the resources of live stacks, once each, and nothing else.
fn assert_holds(platform: &Value, live: &BTreeMap<String, (String, Resources)>) {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let id = |id: &Option<String>| id.clone().unwrap();
    let applications = rows(platform, "applications", |row| {
        [text(row, "applicationId"), text(row, "description"), text(row, "environmentId")]
    });
    assert_same(
        "projects",
        live,
        rows(platform, "projects", |row| {
            [text(row, "projectId"), text(row, "name"), text(row, "description")]
        }),
        |name, marker, made| [id(&made.project_id), format!("ai-stack-{name}"), marker],
    );
    assert_same("applications", live, applications, |_, marker, made| {
        [id(&made.application_id), marker, id(&made.environment_id)]
    });
    assert_same(
        "domains",
        live,
        rows(platform, "domains", |row| {
            [text(row, "domainId"), text(row, "host"), text(row, "applicationId")]
        }),
        |name, _, made| {
            [id(&made.domain_id), format!("{name}.localhost"), id(&made.application_id)]
        },
    );

    let app_names: BTreeMap<String, String> = platform["applications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (text(row, "applicationId"), text(row, "appName")))
        .collect();
    assert_same(
        "services",
        live,
        rows(platform, "services", |row| [text(row, "appName"), row["replicas"].to_string()]),
        |_, _, made| [app_names[&id(&made.application_id)].clone(), String::from("1")],
    );
    let routes = rows(platform, "routes", |row| [text(row, "host"), text(row, "appName")]);
    // The portal's own, by which it proves that the proxy has its middleware.
    let routes: Vec<_> =
        routes.into_iter().filter(|[host, _]| host != "retry--default.localhost").collect();
    assert_same("routes", live, routes, |name, _, made| {
        [format!("{name}.localhost"), app_names[&id(&made.application_id)].clone()]
    });
}

fn rows<T: Ord>(platform: &Value, kind: &str, row: impl Fn(&Value) -> T) -> Vec<T> {
    let mut rows: Vec<T> = platform[kind].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

/// Checks that `found` has exactly the `expected` row of each live deployment.
fn assert_same<T: Ord + Debug>(
    kind: &str,
    live: &BTreeMap<String, (String, Resources)>,
    found: Vec<T>,
    expected: impl Fn(&str, String, &Resources) -> T,
) {
    let expected = live
        .iter()
        .map(|(name, (id, made))| expected(name, format!("ai-stack-deployer/default/{id}"), made));
    let mut expected: Vec<T> = expected.collect();
    expected.sort();
    assert_eq!(found, expected, "{kind} on the platform, and those of what is live");
}
