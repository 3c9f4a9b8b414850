//! The descriptions of the routes that tell what became of a stack.

use axum::http::StatusCode;
use domain::refusal::RefusalCode as Code;
use utoipa::openapi::ResponseBuilder;
use utoipa::openapi::content::ContentBuilder;

use super::described::{Described, Group, header};
use super::operations::{OF_OPERATION, OF_STACK, of_events};
use super::schema::{integer, one_of_texts, text};
use super::schemas::{id, name};

/// The largest integer that every reader of JSON has exactly (RFC 8259, section 6).
const MOST_EXACT: u64 = (1 << 53) - 1;

pub(in crate::http) fn history(it: Described) -> Described {
    of_own_stack(it.named(
        "getStackHistory",
        Group::Stacks,
        "Get the history of a stack",
        "Returns the events of a live stack in their order: operations that began and ended, and what \
         the portal found out in between. A stack without an owner requires `id`.",
    ))
    .query(
        "after",
        "The number of the last event that the caller has.",
        integer().minimum(Some(0)).maximum(Some(MOST_EXACT)),
    )
    .answers(StatusCode::OK, "StackHistory", "The events after that one, up to a hundred.")
}

pub(in crate::http) fn stack_events(it: Described) -> Described {
    let content = ContentBuilder::new().schema(Some(text()));
    let stream = ResponseBuilder::new()
        .description(
            "The events: each has its number in `id`, and a `StackEvent` in `data`. The stream ends \
             when the stack is gone. A comment every 15 seconds keeps the connection open.",
        )
        .header("X-Accel-Buffering", header("`no`: a proxy must not hold events back."))
        .content("text/event-stream", content.build());
    let it = of_own_stack(it.named(
        "streamStackEvents",
        Group::Stacks,
        "Watch a stack",
        "Sends the recorded events of a live stack as server-sent events, and those to come. After a \
         lost connection, it continues after the last event: the larger of `Last-Event-ID` and \
         `after` counts, and what is no number counts as 0.",
    ));
    of_events(it).responds(StatusCode::OK, stream).refuses([Code::TooManyStreams])
}

pub(in crate::http) fn usage(it: Described) -> Described {
    of_own_stack(it.named(
        "getStackUsage",
        Group::Stacks,
        "Get what a stack used",
        "Returns the CPU time, memory and traffic of a live stack in equal steps. A stack without an \
         owner requires `id`.",
    ))
    .query(
        "range",
        "`1h` in steps of 15 seconds, `7d` in steps of five minutes, `90d` in steps of an hour. \
         Without it, it is `1h`.",
        one_of_texts(["1h", "7d", "90d"]),
    )
    .answers(StatusCode::OK, "StackUsage", "What it used.")
}

pub(in crate::http) fn operations(it: Described) -> Described {
    it.named(
        "listOperations",
        Group::Operations,
        "List one's own operations",
        "Returns the caller's operations on all stacks, also on those that are gone, newest first, up \
         to 50. Operations of stacks without an owner are not listed.",
    )
    .query("stack", "Only those on stacks of this name.", name())
    .query(
        "kind",
        "Only those of this kind.",
        one_of_texts(["deployment", "removal", "stop", "start", "restart", "change", "deletion"]),
    )
    .query(
        "status",
        "Only those that are in progress, or stuck: something could not be removed.",
        one_of_texts(["in_progress", "stuck"]),
    )
    .query("before", "The next page: the `next` of the one before.", id())
    .answers(StatusCode::OK, "OperationsPage", "A page of operations.")
    .refuses([Code::NotFound])
}

pub(in crate::http) fn one_operation(it: Described) -> Described {
    it.named(
        "getOneOperation",
        Group::Operations,
        "Get an operation",
        "Returns an operation as the list has it, and what its container wrote last.",
    )
    .path("id", OF_OPERATION, id())
    .answers(StatusCode::OK, "OneOperation", "The operation.")
    .refuses([Code::NotFound])
}

/// Adds what all reading of the caller's own stack has.
pub(super) fn of_own_stack(it: Described) -> Described {
    it.path("name", "The name of the stack.", name()).query("id", OF_STACK, id()).refuses([
        Code::NotFound,
        Code::AnotherStack,
        Code::IdRequired,
    ])
}
