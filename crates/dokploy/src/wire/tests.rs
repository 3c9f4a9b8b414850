//! No answer, however malformed, makes the decoding panic.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;
use crate::answer::decode;
use crate::{
    Container, ContainerUsage, InspectedTask, Mount, MountId, NodeContainer, Task, TaskState,
    VolumeConfig, VolumeName, VolumeRemoval,
};

/// The fields that are read from any of the answers.
const FIELDS: [&str; 45] = [
    "project", "environment", "environmentId", "projectId", "name", "description", "createdAt",
    "environments", "isDefault", "applications", "applicationId", "appName", "domainId", "host",
    "serviceOwnerId", "deploymentId", "title", "status", "id", "state", "timestamp", "data",
    "currentState", "Name", "mountId", "volumeName", "mountPath", "Hostname", "Self", "Status",
    "Driver", "containerId", "ID", "CPUPerc", "MemUsage", "NetIO", "Spec", "TaskTemplate",
    "ContainerSpec", "Env", "Labels", "UpdateStatus", "State", "Image", "Version",
];

/// Random JSON with the names of the fields that are read.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec!["done", "error", "active", "Running 1 second ago", "job-7"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 12, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(FIELDS.to_vec()), inner), 0..12).prop_map(|pairs| pairs
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<Value>()),
        ]
    })
}

/// Decodes `body` as a list of `T` and as a single `T`, and converts the result.
fn read<T: serde::de::DeserializeOwned, U: From<T>>(body: &[u8]) {
    let rows = decode::<Vec<T>>("test", body).unwrap_or_default();
    rows.into_iter().chain(decode("test", body).ok()).map(U::from).for_each(drop);
}

#[test]
fn a_task_that_ended_by_itself_has_failed_whatever_its_exit_code() {
    for (words, expected) in [
        ("Running 3 seconds ago", TaskState::Running),
        ("Failed less than a second ago", TaskState::Failed),
        ("Rejected 2 seconds ago", TaskState::Failed),
        ("Complete 4 seconds ago", TaskState::Failed),
        ("Preparing 1 second ago", TaskState::Other),
        ("Pending 5 minutes ago", TaskState::Other),
        ("", TaskState::Other),
    ] {
        let row = TaskRow::of(words);
        assert_eq!(Task::from(row).state, expected, "{words:?}");
    }
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn whatever_the_platform_answers_is_read_or_refused(
        body in prop_oneof![
            anything().prop_map(|value| value.to_string().into_bytes()),
            vec(any::<u8>(), 0..60),
        ]
    ) {
        read::<ProjectCreated, CreatedProject>(&body);
        read::<ProjectRow, ProjectSummary>(&body);
        read::<ProjectWhole, Project>(&body);
        read::<ApplicationRow, ApplicationSummary>(&body);
        read::<ApplicationRow, Application>(&body);
        read::<DomainRow, Domain>(&body);
        read::<HostRow, Host>(&body);
        read::<JobRow, Job>(&body);
        read::<TaskRow, Task>(&body);
        read::<ContainerRow, Container>(&body);
        read::<NodeContainerRow, NodeContainer>(&body);
        read::<UsageRow, ContainerUsage>(&body);
        read::<TaskConfig, InspectedTask>(&body);
        decode::<ServiceConfig>("test", &body).map(|config| config.keep(&["A"])).ok();
        decode::<ContainerConfig>("test", &body).map(|config| config.keep(&["A"])).ok();
        read::<ServiceRow, AppName>(&body);
        read::<MountRow, Mount>(&body);
        read::<MountRow, MountId>(&body);
        read::<VolumeRow, VolumeName>(&body);
        read::<VolumeInspection, VolumeConfig>(&body);
        read::<RemovalWord, VolumeRemoval>(&body);
        for row in decode::<Vec<QueueRow>>("test", &body).unwrap_or_default() {
            let is_active = row.order().0;
            prop_assert_eq!(QueuedJob::from(row).active, !is_active);
        }
        for row in decode::<Vec<NodeRow>>("test", &body).unwrap_or_default() {
            row.is_ready();
            row.into_own_name();
        }
    }

    #[test]
    fn what_is_read_is_what_the_platform_wrote(id: String, name: String, title: String, rest in anything()) {
        let row = json!({ "projectId": id, "name": name, "description": title, "rest": rest });
        let read: ProjectRow = decode("test", row.to_string().as_bytes()).unwrap();
        let read = ProjectSummary::from(read);
        prop_assert_eq!((&read.id.0, &read.name), (&id, &name));
        prop_assert_eq!(read.description, Some(title.clone()));
        let row = json!({ "deploymentId": id, "title": title, "status": rest });
        if let Ok(read) = decode::<JobRow>("test", row.to_string().as_bytes()) {
            let read = Job::from(read);
            prop_assert_eq!((read.id.0, read.title), (id, title));
        }
    }
}
