//! The schemas of the document, which mirror the wire types. `domain` does not know this format.
//!
//! An object may get further fields in later versions, so the schemas allow them. The tests, which
//! compare every answer with the document, do not.

mod changes;
mod data;
mod history;
mod own_operations;
mod stacks;

use domain::event::FailureCode;
use domain::stack_name::{MAX_LENGTH, MIN_LENGTH};
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ComponentsBuilder, RefOr};

use super::schema::{
    ERROR, address, always, either, flag, integer, object, one_of_texts, or_null, path, reference,
    text, time,
};

/// Returns the schema of the id of an operation.
pub(super) fn id() -> ObjectBuilder {
    text().pattern(Some("^(dep|rem|op)_[0-9a-f]{32}$"))
}

/// Returns the schema of the name of a stack.
pub(super) fn name() -> ObjectBuilder {
    text()
        .min_length(Some(MIN_LENGTH))
        .max_length(Some(MAX_LENGTH))
        .pattern(Some("^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))
}

/// Adds all schemas.
pub(super) fn add(to: ComponentsBuilder) -> ComponentsBuilder {
    let of_all =
        [errors(), names(), starts(), operations(), receipts(), events(), stacks::stacks()];
    let all = of_all
        .into_iter()
        .flatten()
        .chain(templates())
        .chain(data::kept())
        .chain(own_operations::own_operations())
        .chain(history::history())
        .chain(changes::changes());
    all.fold(to, |to, (name, schema)| to.schema(name, schema))
}

type Named = (&'static str, RefOr<Schema>);

fn errors() -> Vec<Named> {
    let field = object("What is wrong with one answer.")
        .has("code", text(), "The code of the rule that it breaks.")
        .has("message", text(), "The rule and the remedy, as a sentence for a person.");
    let error = object("Why a request was refused.")
        .has("success", always(false), "Always false.")
        .has("error", text(), "The error and the remedy, as a sentence for a person.")
        .has("code", text().pattern(Some("^[A-Z_]+$")), "The kind of error.")
        .map(
            "fields",
            reference("FieldError"),
            "With `INVALID_PARAMETERS`: what is wrong, by the keys of the questions.",
        )
        .list(
            "templates",
            text(),
            "With `TEMPLATE_REQUIRED`: the ids of the templates to choose from.",
        )
        .list("kept", reference("KeptData"), "With `KEPT_DATA_FULL`: what is kept, to choose from.")
        .optional("latest", time(), "With `INVALID_EXPIRY`: the latest time, if that is limited.")
        .optional("operationId", id(), "With `OPERATION_UNDER_WAY`: that operation.");
    vec![(ERROR, error.into()), ("FieldError", field.into())]
}

fn names() -> Vec<Named> {
    let valid = object("The name keeps the rules.")
        .has("available", flag(), "True if nothing has the name. Only a start reserves it.")
        .has("valid", always(true), "Always true.")
        .has("name", name(), "The name.")
        .has("url", address(), "The address that the stack would have.");
    let invalid = object("The name breaks a rule.")
        .has("available", always(false), "Always false.")
        .has("valid", always(false), "Always false.")
        .has("name", text(), "The text that was sent.")
        .has("error", text(), "The rule and the remedy, as a sentence for a person.")
        .has("code", text().pattern(Some("^NAME_[A-Z_]+$")), "The code of the rule.");
    let check = either("Whether a name is available.", ["ValidName", "InvalidName"]);
    vec![("NameCheck", check), ("ValidName", valid.into()), ("InvalidName", invalid.into())]
}

fn starts() -> Vec<Named> {
    let request = object("What to start. Other fields are ignored.")
        .has("name", name(), "The name of the stack.")
        .optional(
            "template",
            text().schema_type(or_null()),
            "The id of the template. Without one, it is the default or the only template.",
        )
        .optional("size", text(), "The id of the size, if the template has sizes.")
        .map(
            "parameters",
            anything(),
            "The answers to the template's questions, by their keys. The template's schema says \
             which there are.",
        )
        .map("secrets", text(), "The answers that are secrets, by the keys of their questions.")
        .optional("data", text(), "The id of kept data that the stack brings back.")
        .example(json!({ "name": "alice", "template": "notes", "parameters": {}, "secrets": {} }));
    let started = object("A deployment was started.")
        .has("success", always(true), "Always true.")
        .has("deploymentId", id(), "The id of the deployment.")
        .has("url", address(), "The address that the stack will have.")
        .has("statusEndpoint", path(), "The path of its events.")
        .has("deploymentEndpoint", path(), "The path of its state.")
        .has("page", path(), "The path of its page.")
        .map(
            "generated",
            text(),
            "The secrets that the portal generated, by the keys of their questions. They are in no \
             other answer, and not in one that is repeated for an idempotency key.",
        );
    vec![("DeployRequest", request.into()), ("StartedDeployment", started.into())]
}

fn operations() -> Vec<Named> {
    let cancelled = object("The cancellation was requested.")
        .has("success", always(true), "Always true.")
        .has("deploymentId", id(), "The id of the deployment.")
        .has("statusEndpoint", path(), "The path of its events.");
    let answer = object("The state of an operation.")
        .has("success", always(true), "Always true.")
        .has_one("deployment", "Operation", "The operation.")
        .optional_one(
            "lastLog",
            "LastLog",
            "What the container wrote last, if it was stopped or has failed. Only for those who may \
             change the stack.",
        );
    let last_log = object("The end of a container's log.")
        .optional("container", text(), "The name of the container, if one was there.")
        .optional("exitCode", integer(), "Its exit code, if it has ended.")
        .has("outOfMemory", flag(), "True if it was killed because it used too much memory.")
        .has(
            "log",
            one_of_texts(["read", "gone", "unavailable"]),
            "Whether the log was read. `gone`: the container was gone already.",
        )
        .list("lines", text(), "The lines, each with its time. Secrets are masked.");
    let timestamps = object("When an operation started and ended, in UTC.")
        .has("started", time(), "When it was accepted.")
        .has("completed", time().schema_type(or_null()), "When it ended; null until then.");
    let error = object("Why an operation failed.")
        .has("phase", text(), "The phase that failed.")
        .has("message", text(), "What happened, as a sentence for a person.")
        .has("code", failure_code(), "The kind of failure.")
        .optional_one("args", "Message", "The code of the sentence, and its arguments.")
        .has("reference", text(), "By this, an operator finds the full log.");
    let message = object("The code of a sentence, and its arguments.")
        .has("code", text(), "The code.")
        .map("args", anything(), "The arguments, by their names. Some codes have none.");
    vec![
        ("CancelledDeployment", cancelled.into()),
        ("LastLog", last_log.into()),
        ("OperationAnswer", answer.into()),
        ("Operation", operation()),
        ("Timestamps", timestamps.into()),
        ("OperationError", error.into()),
        ("Message", message.into()),
        ("Resources", resources()),
    ]
}

fn operation() -> RefOr<Schema> {
    object("An operation, as it is now.")
        .has("id", id(), "Its id.")
        .has("kind", text(), "`deployment` or `removal`. There may be more kinds.")
        .has("stackName", name(), "The stack that it is about.")
        .has("phase", text(), PHASE)
        .has("status", status(), "Whether it is in progress, or how it ended.")
        .has("progress", percent(), "How far it is, in percent.")
        .has("message", text(), "What happens now, as a sentence for a person.")
        .has("currentStep", text(), "The same text, under the older server's name.")
        .optional("code", text(), "The code of the message, unless it is the phase's own.")
        .map("args", anything(), "The arguments of the message, by their names.")
        .has("url", address(), "The address that the stack has or will have.")
        .has_one("resources", "Resources", "What is known to exist on the platform.")
        .has_one("timestamps", "Timestamps", "When it started and ended.")
        .optional_one("error", "OperationError", "Why it failed, once it has.")
        .optional_one(
            "receipt",
            "Receipt",
            "What became of each resource, after a failure or removal.",
        )
        .optional("cancelling", always(true), "True from the request to cancel it until its end.")
        .optional("nextTry", time(), "When the portal next tries to remove what is left, in UTC.")
        .optional("retryOf", id(), "The deployment that this one retries.")
        .optional("retriedBy", id(), "The deployment that retries this one.")
        .optional("removes", id(), "The deployment whose stack this removal removes.")
        .has("seq", integer(), "The number of the last event in this state.")
        .list(
            "logs",
            text(),
            "The last 50 log entries, oldest first, each a text with the JSON of a `LogEntry`.",
        )
        .required("logs")
        .into()
}

const PHASE: &str = "The phase, such as `deploying`. There may be more phases in later versions.";

fn resources() -> RefOr<Schema> {
    let id = || text().schema_type(or_null());
    object("The platform's ids of what exists; null if there is none, or it is not known.")
        .has("projectId", id(), "The project.")
        .has("environmentId", id(), "Its environment.")
        .has("applicationId", id(), "The application.")
        .has("domainId", id(), "The application's domain.")
        .into()
}

fn receipts() -> Vec<Named> {
    let line = object("What became of one resource.")
        .has(
            "resource",
            text(),
            "Its kind: `domain`, `service`, `application`, `volume` or `project`.",
        )
        .has(
            "id",
            text().schema_type(or_null()),
            "Its id on the platform; null if it is not known.",
        )
        .has("name", text(), "Its name.")
        .has(
            "outcome",
            one_of_texts(["made", "removed", "verified_gone", "left", "kept", "restored"]),
            "`removed`: the platform confirmed it. `verified_gone`: a search did not find it.",
        )
        .has("at", time(), "When that was observed, in UTC.")
        .optional("remedy", text(), "What an operator can do about it, as a sentence.")
        .optional("code", text(), "The code of the remedy.")
        .map("args", anything(), "The arguments of the remedy, by their names.");
    let receipt = object("What became of each resource of an operation, the newest first.")
        .has("clean", flag(), "True if nothing is left.")
        .list("lines", reference("ReceiptLine"), "One line for each resource.")
        .required("lines");
    vec![("Receipt", receipt.into()), ("ReceiptLine", line.into())]
}

fn events() -> Vec<Named> {
    let progress = object("The data of a `progress` event: a phase began, or its message changed.")
        .has("phase", text(), PHASE)
        .has("status", status(), "Whether it is in progress, or how it ended.")
        .has("progress", percent(), "How far it is, in percent.")
        .has("message", text(), "What happens now, as a sentence for a person.")
        .has("currentStep", text(), "The same text, under the older server's name.")
        .optional("code", text(), "The code of the message, unless it is the phase's own.")
        .map("args", anything(), "The arguments of the message, by their names.")
        .has_one("resources", "Resources", "What is known to exist on the platform.")
        .has("at", time(), "When the phase began, in UTC.")
        .has("seq", integer(), "The number of the event.");
    let ready =
        object("The data of a last event: the stack is live, or stopped as it was asked for.")
            .has("url", address(), "The address of the stack.")
            .has("status", one_of_texts(["ready", "stopped"]), "`ready`: it answers.")
            .has_one("resources", "Resources", "What was made on the platform.")
            .has("duration", seconds(), "The time from the start to the end, in seconds.");
    let removed = object("The data of a removal's last event: nothing is left of the stack.")
        .has("status", one_of_texts(["removed"]), "Always `removed`.")
        .has_one("receipt", "Receipt", "What became of each resource.");
    let error = object("The data of an `error` event, which is the last: the operation failed.")
        .has("phase", text(), "The phase that failed.")
        .has("message", text(), "What happened, as a sentence for a person.")
        .has("code", failure_code(), "The kind of failure.")
        .optional_one("args", "Message", "The code of the sentence, and its arguments.")
        .has_one("receipt", "Receipt", "What became of each resource until then.")
        .has("reference", text(), "By this, an operator finds the full log.");
    let complete = either(
        "The data of a `complete` event, which is the last.",
        ["StackReady", "StackRemoved"],
    );
    vec![
        ("ProgressEvent", progress.into()),
        ("LogEntry", log_entry()),
        ("CompleteEvent", complete),
        ("StackReady", ready.into()),
        ("StackRemoved", removed.into()),
        ("ErrorEvent", error.into()),
    ]
}

fn log_entry() -> RefOr<Schema> {
    object("One entry of the log: the data of a `log` event.")
        .has("timestamp", time(), "When it was written, in UTC.")
        .has("level", one_of_texts(["info", "warn", "error"]), "Its level.")
        .has("phase", text(), "The phase to which it belongs.")
        .has("action", text(), "What was done, as `noun.verb`.")
        .has("message", text(), "What happened, as a sentence.")
        .has("durationMs", integer(), "The time that it took, in milliseconds.")
        .optional(
            "attempt",
            integer(),
            "The number of the attempt, from 1, if there can be several.",
        )
        .optional("seq", integer(), "The number of the event. An entry in `logs` has none.")
        .into()
}

fn templates() -> Vec<Named> {
    let template = object("A template of which stacks are made.")
        .has("id", text(), "Its id.")
        .has("name", text(), "Its name.")
        .has("summary", text(), "What it is, in one line.")
        .has("version", text(), "Its version.")
        .has("default", flag(), "True if a start that names no template gets this one.")
        .optional("icon", path(), "The path of its icon, an SVG image, if it has one.")
        .optional_one(
            "usual",
            "Usual",
            "How long a stack of it usually takes, if that was measured.",
        );
    let usual = object("The usual durations of deployments, in seconds.")
        .has("low_s", integer(), "One in five is faster.")
        .has("median_s", integer(), "Half of them are faster.")
        .has("high_s", integer(), "One in five is slower.");
    let all = object("The templates that the caller is offered.")
        .list("templates", reference("Template"), "The templates.")
        .required("templates");
    let schema = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(anything_at_all()))
        .description(Some(
            "A JSON Schema (2020-12) of the fields `parameters`, `secrets` and `size` of a start.",
        ));
    let document = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(anything_at_all()))
        .description(Some("A description of an API in OpenAPI 3.1."));
    vec![
        ("TemplatesAnswer", all.into()),
        ("Template", template.into()),
        ("Usual", usual.into()),
        ("AnswerSchema", schema.into()),
        ("Document", document.into()),
    ]
}

/// Returns the schema of how an operation is.
fn status() -> ObjectBuilder {
    one_of_texts(["in_progress", "success", "failure"])
}

/// Returns the schema of a number of percent.
fn percent() -> ObjectBuilder {
    integer().maximum(Some(100))
}

/// Returns the schema of a number of seconds, which may have a fraction.
fn seconds() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0))
}

/// Returns the schema of the kinds of failures.
fn failure_code() -> ObjectBuilder {
    text().enum_values(Some(FailureCode::all().map(FailureCode::as_str)))
}

/// Begins the schema of any value.
fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

fn anything_at_all() -> RefOr<Schema> {
    anything().into()
}
