//! The schemas of kept data.

use super::{Named, id, name};
use crate::http::openapi::schema::{always, flag, object, reference, text, time};

/// Returns them with their names.
pub(super) fn kept() -> Vec<Named> {
    let kept = object("The data of a stack that is gone.")
        .has("id", text(), "Its id.")
        .has(
            "template",
            text(),
            "The id of the template of the stack: only a stack of that can bring it back.",
        )
        .has("from", name(), "The name of the stack.")
        .list("volumes", text(), "The keys of its volumes.")
        .required("volumes")
        .has("until", time(), "When it is deleted, in UTC.")
        .has("deleting", flag(), "True if it is being deleted.")
        .optional_one("usedBy", "DataUser", "The new stack that is to have it, if there is one.")
        .optional(
            "lost",
            time(),
            "Since when the platform shows that none of its volumes exists, in UTC, if it does.",
        );
    let user = object("A new stack that brings kept data back, and is not live yet.")
        .has("name", name(), "Its name.")
        .has("deploymentId", id(), "The deployment that makes it.");
    let all = object("The kept data of the caller.")
        .has("success", always(true), "Always true.")
        .list("kept", reference("KeptData"), "What is kept.")
        .required("kept");
    vec![("KeptDataAnswer", all.into()), ("KeptData", kept.into()), ("DataUser", user.into())]
}
