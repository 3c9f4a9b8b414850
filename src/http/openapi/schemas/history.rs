//! The schemas of the events of stacks.

use super::{Named, id};
use crate::http::openapi::schema::{
    always, flag, integer, number, object, one_of_texts, or_null, reference, text, time,
};

/// Returns them with their names.
pub(super) fn history() -> Vec<Named> {
    let event = object(
        "An event of a stack. Which of the further fields it has depends on `event`. Later versions \
         may have further events.",
    )
    .has("id", integer(), "Its number within the stack, counted from 1 without gaps.")
    .has("at", time(), "When it happened, in UTC.")
    .has(
        "event",
        one_of_texts([
            "operation_begun", "operation_ended", "cleaned_up", "revision_live", "unhealthy",
            "recovered", "stopped_by_itself", "expiry_changed", "unknown",
        ]),
        "What happened.",
    )
    .optional("operation", id(), "The operation that began, ended or was cleaned up.")
    .optional("kind", text(), "The kind of the operation, such as `stop`.")
    .optional(
        "reason",
        one_of_texts(["expired", "unknown"]),
        "With `operation_begun`: why the portal began it by itself, if it did.",
    )
    .optional(
        "outcome",
        one_of_texts(["done", "failed", "cancelled"]),
        "With `operation_ended`: how it ended.",
    )
    .optional(
        "leaves",
        one_of_texts(["live", "stopped", "gone"]),
        "What the operation left of the stack; missing if something is left to be done.",
    )
    .optional("revision", integer(), "With `revision_live`: its number.")
    .optional_one("why", "StackWhy", "With `unhealthy`: what was found.")
    .optional_one("exit", "ContainerExit", "With `stopped_by_itself`: how the container ended.")
    .optional(
        "expiresAt",
        time().schema_type(or_null()),
        "With `expiry_changed`: the time, or null if the stack does not expire.",
    );
    let why = object("What was found when a stack did not work.")
        .has(
            "problem",
            one_of_texts([
                "not_running", "restarting", "no_answer", "bad_answer", "bad_certificate",
                "unknown",
            ]),
            "The problem.",
        )
        .optional("status", integer(), "The HTTP status at its address, if something answered.")
        .list("exits", reference("ContainerExit"), "How its containers ended, the last one first.")
        .optional_one("after", "StackChange", "The last change of the stack before.");
    let exit = object("How a container ended.")
        .has("state", text(), "The state of its task, in Docker's words.")
        .optional("error", text(), "What Docker says of it.")
        .optional("code", integer(), "Its exit code.")
        .has("outOfMemory", flag(), "Whether it was ended because its memory was used up.");
    let change = object("A change of a stack: an event in its history.")
        .has("event", integer(), "The number of the event.")
        .has("at", time(), "When it happened, in UTC.")
        .has("operation", id(), "The operation that made it.");
    let point = object("What a stack used in one step.")
        .has("at", time(), "The beginning of the step, in UTC.")
        .has("cpu", number(), "The mean CPU time, in CPUs.")
        .has("memory", integer(), "The mean memory, in bytes.")
        .has("received", integer(), "What its container had received since its start, in bytes.")
        .has("sent", integer(), "What its container had sent since its start, in bytes.");
    let usage = object("What a stack used. Steps without a measurement are missing.")
        .has("success", always(true), "Always true.")
        .has("step", integer(), "The length of a step, in seconds.")
        .list("points", reference("UsagePoint"), "The steps, the oldest first.")
        .required("points");
    vec![
        ("StackUsage", usage.into()),
        ("UsagePoint", point.into()),
        ("StackEvent", event.into()),
        ("StackWhy", why.into()),
        ("ContainerExit", exit.into()),
        ("StackChange", change.into()),
    ]
}
