//! The schemas of stacks.

use super::{Named, anything, id, name};
use crate::http::openapi::schema::{
    Fields, address, always, flag, integer, number, object, one_of_texts, path, reference, text,
    time,
};

/// The words for what a stack is now.
const STATUSES: [&str; 11] = [
    "deploying", "running", "changing", "stopping", "stopped", "starting", "restarting",
    "unhealthy", "removing", "stuck", "gone",
];

/// Returns them with their names.
pub(super) fn stacks() -> Vec<Named> {
    let health = object("A known problem of a live stack.")
        .has(
            "state",
            one_of_texts([
                "not_running", "restarting", "no_answer", "bad_answer", "bad_certificate",
            ]),
            "The problem: no container runs, it ends again and again, nothing answers at the \
             address, an error does, or its certificate is not trusted.",
        )
        .has("since", time(), "Since when that is known, in UTC.")
        .has("seen", time(), "When it was last confirmed, in UTC.");
    let stack = object("A stack that is not gone.")
        .optional("id", text(), "Its id, `stk_` and 32 digits, if the caller may see that.")
        .has("name", name(), "Its name.")
        .has("url", address(), "Its address.")
        .has("since", time(), "Since when it has been live, or when it was requested, in UTC.")
        .optional("deploymentId", id(), "The deployment that made it, if the caller may see that.")
        .optional(
            "state",
            one_of_texts(["live", "removing", "stuck"]),
            "`stuck`: part of it could not be removed yet. Not of a stack that has not been live \
             yet. `status` says more.",
        )
        .has("status", one_of_texts(STATUSES), "What it is now.")
        .has("desired", one_of_texts(["running", "stopped"]), "What it should be.")
        .has("revision", integer(), "The number of what it is made of, from 1 on.")
        .has("template", text(), "The id of its template.")
        .optional("label", text(), "What its owner calls it, if the caller may see that.")
        .optional(
            "updateAvailable",
            text(),
            "The version of its template that the caller is offered now, if it is another one than \
             the stack has, and the caller may see its id.",
        )
        .optional("expiresAt", time(), "When the portal stops it, in UTC, unless it is kept on.")
        .optional_one("operation", "StackOperation", "What is under way or stuck, if anything is.")
        .optional("removalId", id(), "Its removal that has not ended well, if there is one.")
        .optional_one("health", "StackHealth", "The known problem of the stack, if there is one.");
    let stack = with_details(stack);
    let operation = object("An operation on a stack.")
        .has("id", id(), "Its id.")
        .has("kind", text(), "Its kind, such as `stop`.")
        .has(
            "status",
            one_of_texts(["in_progress", "failure"]),
            "`failure`: it has ended, and something is left to be done.",
        )
        .has("progress", integer(), "Percent, 0 to 100.")
        .has("message", text(), "What happens, as a sentence.");
    let unchanged = object("No operation was begun.")
        .has("success", always(true), "Always true.")
        .has("changed", flag(), "False if the stack is already what was asked for.");
    let one = object("A live stack.")
        .has("success", always(true), "Always true.")
        .has_one("stack", "Stack", "The stack.");
    let all = object("The stacks.")
        .has("success", always(true), "Always true.")
        .list("stacks", reference("Stack"), "The stacks, by name.")
        .required("stacks");
    let removal = object("An operation on a stack was started, or is in progress.")
        .has("success", always(true), "Always true.")
        .has("operationId", id(), "The id of the operation.")
        .has("statusEndpoint", path(), "The path of its events.")
        .has("deploymentEndpoint", path(), "The path of its state.")
        .has("page", path(), "The path of its page.")
        .optional("dataId", text(), "The id of the data of the stack that is kept, if it is.")
        .optional(
            "dataUntil",
            time(),
            "Until when it is kept at least: the time counts from the end of the removal.",
        )
        .map(
            "generated",
            text(),
            "The secrets that the portal generated for a change, by the keys of their questions. They \
             are in no other answer, and not in one that is repeated for an idempotency key.",
        );
    let history = object("A part of the history of a stack.")
        .has("success", always(true), "Always true.")
        .list("events", reference("StackEvent"), "The events, oldest first.")
        .required("events")
        .has("more", flag(), "Whether there are more events behind them.");
    vec![
        ("StackHistory", history.into()),
        ("StacksAnswer", all.into()),
        ("StackAnswer", one.into()),
        ("Stack", stack.into()),
        ("StackHealth", health.into()),
        ("StackResources", resources().into()),
        ("StackUrl", url().into()),
        ("StackVolume", volume().into()),
        ("StackOperation", operation.into()),
        ("UnchangedStack", unchanged.into()),
        ("StartedRemoval", removal.into()),
    ]
}

/// Adds what is told of one stack alone, to whoever may change it.
fn with_details(stack: Fields) -> Fields {
    stack
        .map("parameters", anything(), "Of one stack: its answers; of a secret, its fingerprint.")
        .optional_one("resources", "StackResources", "Of one stack: the limits of its container.")
        .list("urls", reference("StackUrl"), "Of one stack: its addresses, its own first.")
        .list("volumes", reference("StackVolume"), "Of one stack: its volumes.")
        .map("links", path(), "Of one stack: the paths at which more is told of it.")
}

fn resources() -> Fields {
    object("The limits of a container; none where a field is missing.")
        .optional("cpu", number(), "The number of CPUs.")
        .optional("memory", integer(), "The memory in bytes.")
}

fn url() -> Fields {
    object("An address of a stack.").has("url", address(), "The address.").optional(
        "label",
        text(),
        "What its template calls it.",
    )
}

fn volume() -> Fields {
    object("A volume of a stack.").has("key", text(), "Its key.").has(
        "path",
        text(),
        "The folder in the container.",
    )
}
