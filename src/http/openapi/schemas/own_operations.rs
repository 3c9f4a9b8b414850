//! The schemas of the operations of a caller.

use super::{Named, PHASE, id, name, percent, status};
use crate::http::openapi::schema::{address, always, integer, object, reference, text, time};

/// Returns them with their names.
pub(super) fn own_operations() -> Vec<Named> {
    let entry = object("An operation, in short.")
        .has("id", id(), "Its id.")
        .has("kind", text(), "Its kind, such as `change`. There may be more kinds.")
        .has("stackName", name(), "The name of the stack that it is about.")
        .has("stackId", text(), "The id of that stack.")
        .has("revision", integer(), "The number of the revision that it works by.")
        .optional("fromRevision", integer(), "The one that the stack had before, if it had one.")
        .has("phase", text(), PHASE)
        .has("status", status(), "Whether it is in progress, or how it ended.")
        .has("progress", percent(), "How far it is, in percent.")
        .has("message", text(), "What happens now, as a sentence for a person.")
        .has("url", address(), "The address that the stack has or will have.")
        .has_one("timestamps", "Timestamps", "When it started and ended.")
        .optional("cancelling", always(true), "True from the request to cancel it until its end.")
        .optional_one("error", "OperationError", "Why it failed, once it has.")
        .optional_one(
            "receipt",
            "Receipt",
            "What became of each resource, after a failure or removal.",
        )
        .optional("nextTry", time(), "When the portal next tries to remove what is left, in UTC.");
    let page = object("A page of the caller's operations.")
        .has("success", always(true), "Always true.")
        .list("operations", reference("OperationEntry"), "The operations, newest first.")
        .required("operations")
        .optional("next", id(), "If there are older ones: what to send as `before` for them.");
    let one = object("An operation.")
        .has("success", always(true), "Always true.")
        .has_one("operation", "OperationEntry", "The operation.")
        .optional_one(
            "lastLog",
            "LastLog",
            "What the container wrote last, if it was stopped or has failed. Only for those who may \
             change the stack.",
        );
    vec![
        ("OperationsPage", page.into()),
        ("OperationEntry", entry.into()),
        ("OneOperation", one.into()),
    ]
}
