//! The comparison on tables, and its safety on random inputs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::server::platform::{DomainId, ProjectId};
use crate::server::reconciler::report::Standstill;
use domain::event::Resources;
use domain::stack_name::StackName;

const HOST: &str = "alice.localhost";

fn id(number: u8) -> DeploymentId {
    DeploymentId::from_random(u128::from(number))
}

fn marker(number: u8) -> String {
    format!("ai-stack-deployer/test/{}", id(number))
}

fn application(number: u8, description: Option<String>) -> ApplicationSummary {
    ApplicationSummary {
        id: ApplicationId(format!("application-{number}")),
        name: String::from("alice"),
        app_name: AppName(format!("stack-{number}")),
        description,
        created_at: String::new(),
    }
}

fn project(number: u8, of: u8, applications: Vec<ApplicationSummary>) -> MarkedProject {
    MarkedProject {
        id: ProjectId(format!("project-{number}")),
        name: String::from("ai-stack-alice"),
        marker: marker(of),
        creator: Some(id(of)),
        applications,
    }
}

fn host(domain: u8, application: Option<u8>) -> Host {
    Host {
        name: String::from(HOST),
        domain: DomainId(format!("domain-{domain}")),
        leads_to: application.map(|number| ApplicationId(format!("application-{number}"))),
    }
}

/// A deployment of alice that left nothing.
fn gone() -> OperationState {
    OperationState::Gone { name: StackName::parse("alice").unwrap() }
}

/// A stack that is live with the resources of this number.
fn live(number: u8) -> OperationState {
    OperationState::Live(Live {
        name: StackName::parse("alice").unwrap(),
        host: String::from(HOST),
        kept: Resources {
            project_id: Some(format!("project-{number}")),
            application_id: Some(format!("application-{number}")),
            domain_id: Some(format!("domain-{number}")),
            ..Resources::default()
        },
        should_run: true,
        expected: None,
    })
}

fn store(operations: Vec<(u8, OperationState)>, services: &[(u8, u8)]) -> StoreView {
    let service = |(name, of): &(u8, u8)| (AppName(format!("stack-{name}")), id(*of));
    StoreView {
        operations: operations
            .into_iter()
            .map(|(number, operation_state)| (id(number), operation_state))
            .collect(),
        services: services.iter().map(service).collect(),
        kept: Vec::new(),
    }
}

/// The platform of one live stack, number 1, as it should be.
fn whole() -> PlatformView {
    PlatformView {
        projects: vec![project(1, 1, vec![application(1, Some(marker(1)))])],
        all_projects: [String::from("project-1")].into(),
        hosts: vec![host(1, Some(1))],
        services: [AppName(String::from("stack-1"))].into(),
        idle: BTreeMap::new(),
        states: BTreeMap::new(),
        rows: BTreeMap::new(),
        volumes: Vec::new(),
        all_volumes: Vec::new(),
        is_volume_list_proven: true,
    }
}

/// What is found when stack 1 is live and `change` has happened to its platform.
fn after(change: impl FnOnce(&mut PlatformView)) -> Vec<String> {
    let mut platform = whole();
    change(&mut platform);
    let found = findings(&store(vec![(1, live(1))], &[(1, 1)]), &platform);
    found.iter().map(kind).collect()
}

/// Names a finding and what it is about.
fn kind(finding: &Finding) -> String {
    match finding {
        Finding::Leftover { resource, .. } => format!("leftover {}", resource.id),
        Finding::Duplicate { resource, .. } => format!("double {}", resource.id),
        Finding::Unknown { resource, .. } => format!("unknown {}", resource.id),
        Finding::Copy { resource, .. } => format!("copy {}", resource.id),
        Finding::Service { name, .. } => format!("service {name}"),
        Finding::Lost { part, .. } => format!("lost {part:?}"),
        Finding::StrayVolume { volume } => format!("stray {volume}"),
        Finding::LostData { volume, .. } => format!("lost data {volume}"),
        Finding::NotRunning { service, why, .. } => format!("not running {service} {why:?}"),
        Finding::Drift { drift, .. } => format!("runs {drift}"),
        Finding::RowDrift { drift, .. } => format!("has {drift}"),
        Finding::Unrouted { .. } => String::from("unrouted"),
        Finding::RetryLost { path } | Finding::NoRetry { path, .. } => format!("retry {path}"),
        Finding::Contested { domain, .. } => format!("contested {domain}"),
    }
}

#[test]
fn a_live_stack_that_is_whole_and_what_is_not_ours_are_in_order() {
    assert!(after(|_| {}).is_empty());
    let theirs = |platform: &mut PlatformView| {
        platform.projects[0].applications.push(application(7, None));
        platform.hosts.push(Host { name: String::from("theirs.example.com"), ..host(7, Some(7)) });
        platform.services.insert(AppName(String::from("theirs")));
    };
    assert!(after(theirs).is_empty());
    assert!(after(|platform| platform.hosts[0].name = HOST.to_uppercase()).is_empty());
}

#[test]
fn what_is_there_beside_a_live_stack_is_a_duplicate() {
    let second_project =
        |platform: &mut PlatformView| platform.projects.push(project(2, 1, vec![]));
    assert_eq!(after(second_project), ["double project-2"]);
    let second_application = |platform: &mut PlatformView| {
        platform.projects[0].applications.push(application(2, Some(marker(1))));
        platform.hosts.push(host(2, Some(2)));
    };
    assert_eq!(after(second_application), ["double application-2"], "its host goes with it");
    let second_domain = |platform: &mut PlatformView| platform.hosts.push(host(2, Some(1)));
    assert_eq!(after(second_domain), ["double domain-2"]);
}

#[test]
fn what_carries_our_marker_under_another_name_is_a_copy_that_is_theirs() {
    let renamed = |project| MarkedProject { name: String::from("alice for testing"), ..project };
    let copied = |platform: &mut PlatformView| {
        platform.projects.push(renamed(project(2, 1, vec![])));
        let copy = application(2, Some(marker(1)));
        let copy = ApplicationSummary { name: String::from("alice (copy)"), ..copy };
        platform.projects[0].applications.push(copy);
    };
    assert_eq!(after(copied), ["copy project-2", "copy application-2"]);
    let platform =
        PlatformView { projects: vec![renamed(project(2, 2, vec![]))], ..PlatformView::default() };
    let found = findings(&store(vec![(2, gone())], &[]), &platform);
    assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), ["copy project-2"]);
    assert!(found.iter().all(|finding| finding.removable().is_none()));
}

#[test]
fn without_what_is_recorded_nothing_is_a_duplicate() {
    let moved = |platform: &mut PlatformView| platform.projects[0] = project(2, 1, vec![]);
    assert_eq!(after(moved), ["lost Project"]);
    let replaced = |platform: &mut PlatformView| {
        platform.projects[0].applications[0] = application(2, Some(marker(1)));
        platform.hosts.clear();
    };
    assert_eq!(after(replaced), ["lost Application", "service stack-1"]);
    let attached_anew = |platform: &mut PlatformView| platform.hosts[0] = host(2, Some(1));
    assert!(after(attached_anew).is_empty(), "somebody repaired it");
}

#[test]
fn a_host_that_leads_nowhere_or_also_elsewhere_is_reported() {
    assert_eq!(after(|platform| platform.hosts.clear()), ["unrouted"]);
    assert_eq!(after(|platform| platform.hosts.push(host(7, Some(7)))), ["contested domain-7"]);
    assert_eq!(after(|platform| platform.hosts.push(host(7, None))), ["contested domain-7"]);
    let stolen = |platform: &mut PlatformView| platform.hosts[0] = host(7, Some(7));
    assert_eq!(after(stolen), ["unrouted", "contested domain-7"]);
}

#[test]
fn a_live_stack_without_a_container_is_not_running_and_what_is_unknown_stays_as_it_was() {
    let stack = |number: u8| AppName(format!("stack-{number}"));
    let without_container = |name, idle| {
        after(|platform| {
            platform.idle.insert(name, idle);
        })
    };
    let scaled = Idle::Known(Standstill::ScaledToNothing);
    assert_eq!(without_container(stack(1), scaled), ["not running stack-1 ScaledToNothing"]);
    assert!(without_container(stack(7), scaled).is_empty(), "somebody else's");
    assert!(without_container(stack(1), Idle::Unknown).is_empty());

    let mut platform = PlatformView { idle: [(stack(1), scaled)].into(), ..whole() };
    let live = store(vec![(1, live(1))], &[]);
    let known = [NotRunning {
        deployment: id(1),
        since: Timestamp::UNIX_EPOCH,
        service: stack(1),
        why: Standstill::ScaledToNothing,
    }];
    let still = |store: &StoreView, platform: &PlatformView| {
        undecided(&known, store, platform).map(|one| kind(&one)).collect::<Vec<_>>()
    };
    assert!(still(&live, &platform).is_empty(), "it is found anyway");
    platform.idle.insert(stack(1), Idle::Unknown);
    assert_eq!(still(&live, &platform), ["not running stack-1 ScaledToNothing"]);
    assert!(
        still(&store(vec![(1, OperationState::Busy)], &[]), &platform).is_empty(),
        "being removed"
    );
    platform.idle.clear();
    assert!(still(&live, &platform).is_empty(), "it runs again");
}

#[test]
fn an_application_that_lost_its_marker_is_lost_but_its_service_is_no_orphan() {
    let unmarked =
        |platform: &mut PlatformView| platform.projects[0].applications[0].description = None;
    assert_eq!(after(unmarked), ["lost Application"]);
    assert_eq!(after(|platform| platform.projects.clear()), ["lost Project"]);
}

#[test]
fn a_marker_is_judged_by_how_its_deployment_stands() {
    let cases = [
        (Some(gone()), vec!["leftover project-2"]),
        (Some(OperationState::Busy), vec![]),
        (None, vec!["unknown project-2"]),
    ];
    for (operation_state, expected) in cases {
        let operations =
            operation_state.map(|operation_state| (2, operation_state)).into_iter().collect();
        let platform = PlatformView {
            projects: vec![project(2, 2, vec![application(2, Some(marker(2)))])],
            hosts: vec![host(2, Some(2))],
            ..PlatformView::default()
        };
        let found = findings(&store(operations, &[]), &platform);
        assert_eq!(found.iter().map(kind).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_service_is_an_orphan_once_all_who_own_it_are_gone() {
    let services = [(2, 2), (2, 3)];
    let cases = [
        (gone(), gone(), true),
        (gone(), OperationState::Busy, false),
        (OperationState::Busy, gone(), false),
    ];
    for (deployment, removal, expected) in cases {
        let platform = PlatformView {
            services: [AppName(String::from("stack-2"))].into(),
            ..PlatformView::default()
        };
        let store = store(vec![(2, deployment), (3, removal)], &services);
        assert_eq!(findings(&store, &platform).len(), usize::from(expected));
        let row =
            PlatformView { projects: vec![project(9, 9, vec![application(2, None)])], ..platform };
        let found = findings(&store, &row);
        assert!(!found.iter().any(|finding| matches!(finding, Finding::Service { .. })));
    }
}

#[test]
fn a_service_whose_project_is_deleted_is_an_orphan_beside_the_lost_stack() {
    let deleted = |platform: &mut PlatformView| {
        platform.projects.clear();
        platform.all_projects.clear();
        platform.hosts.clear();
    };
    assert_eq!(after(deleted), ["lost Project", "service stack-1"]);
    // Somebody has only changed its description: its applications are not seen here.
    assert_eq!(after(|platform| platform.projects.clear()), ["lost Project"]);
}

#[test]
fn a_service_whose_application_somebody_has_moved_is_no_orphan() {
    let moved = |platform: &mut PlatformView| platform.projects[0].applications.clear();
    assert_eq!(after(moved), ["lost Application"], "its host leads to it, wherever it is");
}

fn any_operation_state() -> impl Strategy<Value = OperationState> {
    prop_oneof![Just(OperationState::Busy), Just(gone()), (0..4_u8).prop_map(live)]
}

fn any_store() -> impl Strategy<Value = StoreView> {
    let operations = vec((0..5_u8, any_operation_state()), 0..6);
    (operations, vec((0..4_u8, 0..5_u8), 0..5))
        .prop_map(|(operations, services)| store(operations, &services))
}

fn any_platform() -> impl Strategy<Value = PlatformView> {
    let description = option::of((0..5_u8).prop_map(marker));
    let application = (0..4_u8, description).prop_map(|(number, text)| application(number, text));
    let project = (0..4_u8, 0..5_u8, vec(application, 0..4))
        .prop_map(|(number, of, applications)| project(number, of, applications));
    let host = (0..4_u8, option::of(0..4_u8)).prop_map(|(domain, to)| host(domain, to));
    let service = || (0..4_u8).prop_map(|number| AppName(format!("stack-{number}")));
    let idle = prop_oneof![Just(Idle::Known(Standstill::NoService)), Just(Idle::Unknown)];
    let idle = btree_map(service(), idle, 0..4);
    (vec(project, 0..5), vec(host, 0..5), vec(service(), 0..4), idle).prop_map(
        |(projects, hosts, services, idle)| PlatformView {
            all_projects: projects.iter().map(|project| project.id.0.clone()).collect(),
            projects,
            hosts,
            services: services.into_iter().collect(),
            idle,
            ..PlatformView::default()
        },
    )
}

/// Returns the markers that a resource on the platform carries, or whose application it is of.
fn carriers(platform: &PlatformView, resource: &Resource) -> Vec<String> {
    let of_project = |project: &MarkedProject| {
        let own = (project.id.0 == resource.id).then(|| project.marker.clone());
        let ours = project.applications.iter().filter(|one| one.id.0 == resource.id);
        own.into_iter().chain(ours.filter_map(|one| one.description.clone())).collect::<Vec<_>>()
    };
    platform.projects.iter().flat_map(of_project).collect()
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn nothing_removable_is_live_busy_unknown_or_without_our_marker(
        store in any_store(),
        platform in any_platform(),
    ) {
        for finding in findings(&store, &platform) {
            let Some((id, resource)) = finding.removable() else { continue };
            match store.operation_state(id) {
                Some(OperationState::Gone { .. }) => prop_assert_eq!(resource.kind, ResourceKind::Project),
                Some(OperationState::Live(live)) => {
                    let Resources { project_id, application_id, domain_id, .. } = &live.kept;
                    for kept in [project_id, application_id, domain_id] {
                        prop_assert_ne!(kept.as_ref(), Some(&resource.id));
                    }
                }
                Some(OperationState::Busy) | None => prop_assert!(false, "{finding}"),
            }
            let mark = format!("ai-stack-deployer/test/{id}");
            let is_ours = resource.kind == ResourceKind::Domain
                || carriers(&platform, resource).contains(&mark);
            prop_assert!(is_ours, "{}", finding);
        }
    }

    #[test]
    fn what_somebody_works_on_is_never_mentioned(
        store in any_store(),
        platform in any_platform(),
    ) {
        let busy = store.operations.iter().filter(|(_, operation_state)| matches!(operation_state, OperationState::Busy));
        let busy: Vec<_> = busy.map(|(id, _)| id.to_string()).collect();
        for finding in findings(&store, &platform) {
            let text = finding.to_string();
            prop_assert!(!busy.iter().any(|id| text.contains(id.as_str())), "{}", text);
        }
    }
}
