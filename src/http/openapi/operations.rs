//! The descriptions of the routes, one function each. The table of routes names them.

pub(in crate::http) mod changes;

use axum::http::StatusCode;
use domain::refusal::RefusalCode as Code;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::content::ContentBuilder;

use super::described::{Described, Group, header};
use super::schema::{integer, one_of_texts, reference, text};
use super::schemas::{id, name};

/// What the start of a deployment refuses, whoever begins it.
const BEGINNING: [Code; 17] = [
    Code::InvalidName,
    Code::InvalidParameters,
    Code::TemplateRequired,
    Code::NoSuchTemplate,
    Code::TemplateChanged,
    Code::NoSuchData,
    Code::DataInUse,
    Code::DataLost,
    Code::WrongTemplate,
    Code::NameTaken,
    Code::NameHeld,
    Code::LimitReached,
    Code::PlatformUnreachable,
    Code::PlatformTooOld,
    Code::PlatformKeyRefused,
    Code::PlatformWedged,
    Code::PortalImpaired,
];

const KEY: &str = "Idempotency-Key";
const KEY_ABOUT: &str =
    "Makes the request safe to repeat for 24 hours: the same key and body get the first answer.";
pub(super) const OF_OPERATION: &str =
    "The id of the operation: `dep_` or another prefix, and 32 hexadecimal digits.";
pub(super) const OF_STACK: &str =
    "Only the stack that this deployment made is meant, or the one that this removal removes.";

pub(in crate::http) fn check_name(it: Described) -> Described {
    it.named(
        "checkName",
        Group::Names,
        "Check a name",
        "Says whether a stack can have this name. A name that breaks a rule is answered with 200 as \
         well, and `valid` is false. Only the start of a deployment reserves a name.",
    )
    .path("name", "The name.", text().min_length(Some(1)))
    .answers(StatusCode::OK, "NameCheck", "Whether the name is available.")
}

pub(in crate::http) fn deploy(it: Described) -> Described {
    it.named(
        "deploy",
        Group::Operations,
        "Start a deployment",
        "Reserves the name and begins to bring a stack up. The answer comes at once; the events say \
         how it goes on.",
    )
    .header(
        KEY,
        KEY_ABOUT,
        text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]+$")),
    )
    .body(
        "DeployRequest",
        "At most 1 MiB, within 10 seconds. It is read as JSON, whatever its content type.",
    )
    .creates("StartedDeployment", "The deployment was started.")
    .refuses(BEGINNING)
    .refuses([
        Code::SecretKeyMissing,
        Code::InvalidJson,
        Code::InvalidIdempotencyKey,
        Code::IdempotencyKeyInUse,
        Code::IdempotencyKeyReused,
    ])
}

pub(in crate::http) fn operation(it: Described) -> Described {
    it.named(
        "getOperation",
        Group::Operations,
        "Get the state of an operation",
        "Returns how far a deployment, a removal or another operation is, and what it left.",
    )
    .path("id", OF_OPERATION, id())
    .answers(StatusCode::OK, "OperationAnswer", "The operation.")
    .refuses([Code::NotFound])
}

pub(in crate::http) fn cancel(it: Described) -> Described {
    it.named(
        "cancelDeployment",
        Group::Operations,
        "Cancel a deployment",
        "Requests that the deployment ends and that what it made is removed. It may be repeated.",
    )
    .path("id", OF_OPERATION, id())
    .answers(StatusCode::ACCEPTED, "CancelledDeployment", "The cancellation was requested.")
    .refuses([Code::NotFound, Code::NotCancellable, Code::AlreadyEnded])
}

pub(in crate::http) fn retry(it: Described) -> Described {
    it.named(
        "retryDeployment",
        Group::Operations,
        "Retry a deployment",
        "Starts a new deployment with the name, the template and the answers of one that failed or \
         was cancelled.",
    )
    .path("id", OF_OPERATION, id())
    .creates("StartedDeployment", "The new deployment was started.")
    .refuses(BEGINNING)
    .refuses([
        Code::SecretKeyMissing,
        Code::SecretsExpired,
        Code::SecretsLost,
        Code::NotFound,
        Code::NotEnded,
        Code::NameNotClean,
        Code::NotADeployment,
    ])
}

pub(in crate::http) fn events(it: Described) -> Described {
    let content = ContentBuilder::new().schema(Some(text()));
    let stream = ResponseBuilder::new()
        .description(
            "The events: each has the number of the event in `id`, and JSON in `data`. The data of \
             `progress` is a `ProgressEvent`, of `log` a `LogEntry` with `seq`, of `complete` a \
             `CompleteEvent`, and of `error` an `ErrorEvent`. The last one is `complete` or `error`. \
             A comment every 15 seconds keeps the connection open.",
        )
        .header("X-Accel-Buffering", header("`no`: a proxy must not hold events back."))
        .content("text/event-stream", content.build());
    let it = it.named(
        "streamEvents",
        Group::Operations,
        "Watch an operation",
        "Sends the recorded events of an operation as server-sent events, and those to come. After a \
         lost connection, it continues after the last event: the larger of `Last-Event-ID` and \
         `after` counts, and what is no number counts as 0.",
    )
    .path("id", OF_OPERATION, id());
    of_events(it)
        .responds(StatusCode::OK, stream)
        .answers_nothing(
            StatusCode::NO_CONTENT,
            "The caller has all events, and there will be no more.",
        )
        .refuses([Code::NotFound, Code::TooManyStreams])
}

/// Adds the parameters of a stream of numbered events.
pub(super) fn of_events(it: Described) -> Described {
    it.query("after", "The number of the last event that the caller has.", integer())
        .query(
            "follow",
            "With `false`, the answer ends after the events that are recorded.",
            one_of_texts(["true", "false"]),
        )
        .header("Last-Event-ID", "The number of the last event that the caller has.", integer())
}

pub(in crate::http) fn stacks(it: Described) -> Described {
    it.named(
        "listStacks",
        Group::Stacks,
        "List the stacks",
        "Returns the live stacks that the caller may see, or with `all` every one that is not gone.",
    )
    .query("all", "`1`: also the stacks that are stopped, or not live yet.", text())
    .answers(StatusCode::OK, "StacksAnswer", "The stacks.")
}

pub(in crate::http) fn stacks_events(it: Described) -> Described {
    let content = ContentBuilder::new().schema(Some(text()));
    let stream = ResponseBuilder::new()
        .description(
            "The events: each is called `stacks`, and its data has all stacks of the caller, as `StacksAnswer` \
             has them. A comment every 15 seconds keeps the connection open.",
        )
        .header("X-Accel-Buffering", header("`no`: a proxy must not hold events back."))
        .content("text/event-stream", content.build());
    it.named(
        "followStacks",
        Group::Stacks,
        "Follow the caller's stacks",
        "Returns the caller's stacks as server-sent events: one event `stacks` at once, and with `follow` \
         one whenever something has changed, each with all of them.",
    )
    .query(
        "follow",
        "With `true`, the answer goes on; otherwise it ends after the first event.",
        one_of_texts(["true", "false"]),
    )
    .responds(StatusCode::OK, stream)
    .refuses([Code::TooManyStreams])
}

pub(in crate::http) fn stack(it: Described) -> Described {
    it.named("getStack", Group::Stacks, "Get a live stack", "Returns one live stack.")
        .path("name", "The name of the stack.", name())
        .query("id", OF_STACK, id())
        .answers(StatusCode::OK, "StackAnswer", "The stack.")
        .refuses([Code::NotFound, Code::AnotherStack])
}

pub(in crate::http) fn remove(it: Described) -> Described {
    it.named(
        "removeStack",
        Group::Stacks,
        "Remove a stack",
        "Begins the removal of a live stack, or returns the removal that is in progress. The owner \
         may omit `id`. A stack without an owner requires it.",
    )
    .path("name", "The name of the stack.", name())
    .query("id", OF_STACK, id())
    .query(
        "keepData",
        "`0` deletes the data of the stack. With `1`, or without it, data is kept for some time.",
        one_of_texts(["0", "1"]),
    )
    .answers(StatusCode::ACCEPTED, "StartedRemoval", "The removal is in progress.")
    .refuses([
        Code::NotFound,
        Code::AnotherStack,
        Code::IdRequired,
        Code::KeptDataFull,
        Code::OperationUnderWay,
    ])
}

pub(in crate::http) fn stop(it: Described) -> Described {
    act(it.named(
        "stopStack",
        Group::Stacks,
        "Stop a stack",
        "Lets nothing of a live stack run. Its address, its data and its name stay.",
    ))
}

pub(in crate::http) fn start(it: Described) -> Described {
    act(it.named(
        "startStack",
        Group::Stacks,
        "Start a stopped stack",
        "Lets a stopped stack run again, and verifies that it answers.",
    ))
}

pub(in crate::http) fn restart(it: Described) -> Described {
    act(it.named(
        "restartStack",
        Group::Stacks,
        "Restart a stack",
        "Replaces the container of a live stack, and verifies that the new one answers.",
    ))
}

fn act(it: Described) -> Described {
    it.path("name", "The name of the stack.", name())
        .query("id", OF_STACK, id())
        .answers(StatusCode::OK, "UnchangedStack", "The stack is so already.")
        .answers(StatusCode::ACCEPTED, "StartedRemoval", "The operation is in progress.")
        .refuses([
            Code::NotFound,
            Code::AnotherStack,
            Code::IdRequired,
            Code::OperationUnderWay,
            Code::WrongState,
            Code::LimitReached,
        ])
}

pub(in crate::http) fn remove_alias(it: Described) -> Described {
    remove(it).named(
        "removeStackAlias",
        Group::Stacks,
        "Remove a stack, by the older address",
        "The same as `DELETE /api/stacks/{name}`.",
    )
}

pub(in crate::http) fn kept_data(it: Described) -> Described {
    it.named(
        "listKeptData",
        Group::Stacks,
        "List kept data",
        "Returns the data of the caller's removed stacks that is kept for some time, and what a new \
         stack is to have that is not live yet. Data without an owner is not listed: who removed its \
         stack was told its id.",
    )
    .answers(StatusCode::OK, "KeptDataAnswer", "The kept data.")
}

pub(in crate::http) fn delete_data(it: Described) -> Described {
    it.named(
        "deleteKeptData",
        Group::Stacks,
        "Delete kept data",
        "Begins the deletion of kept data, which is an operation like a removal.",
    )
    .path("id", "The id of the kept data.", text())
    .answers(StatusCode::ACCEPTED, "StartedRemoval", "The deletion is in progress.")
    .refuses([Code::NoSuchData, Code::DataInUse])
}

pub(in crate::http) fn templates(it: Described) -> Described {
    it.named(
        "listTemplates",
        Group::Templates,
        "List the templates",
        "Returns the templates that the caller is offered.",
    )
    .answers(StatusCode::OK, "TemplatesAnswer", "The templates.")
}

pub(in crate::http) fn template_schema(it: Described) -> Described {
    let content = ContentBuilder::new().schema(Some(reference("AnswerSchema"))).build();
    let schema = ResponseBuilder::new().description("The schema.");
    it.named(
        "getTemplateSchema",
        Group::Templates,
        "Get the questions of a template",
        "Returns the JSON Schema of the answers to a template's questions.",
    )
    .path("id", "The id of the template.", text().min_length(Some(1)))
    .query("name", "The name that the stack will have, on which some defaults depend.", name())
    .responds(StatusCode::OK, schema.content("application/schema+json", content))
    .refuses([Code::NoSuchTemplate, Code::InvalidName])
}

pub(in crate::http) fn document(it: Described) -> Described {
    it.named(
        "getDocument",
        Group::Description,
        "Get this document",
        "Returns this document, OpenAPI 3.1 in JSON. It is the same for all callers, and changes \
         only with the version of the portal.",
    )
    .header("If-None-Match", "The `ETag` of a document that the caller has.", text())
    .responds(
        StatusCode::OK,
        ResponseBuilder::new()
            .description("The document.")
            .header("ETag", header("A digest of the document."))
            .content(
                "application/json",
                ContentBuilder::new().schema(Some(reference("Document"))).build(),
            ),
    )
    .answers_nothing(StatusCode::NOT_MODIFIED, "The caller has this document.")
}

pub(in crate::http) fn page(it: Described) -> Described {
    it.named(
        "getDocumentation",
        Group::Description,
        "Read this document as a page",
        "Returns a page for people that says the same.",
    )
    .answers_text("text/html; charset=utf-8", "The page.")
}
