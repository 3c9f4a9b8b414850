//! The schemas of the revisions of a stack.

use super::{Named, anything, id};
use crate::http::openapi::schema::{
    always, flag, integer, object, one_of_texts, or_null, reference, text, time,
};

/// Returns them with their names.
pub(super) fn changes() -> Vec<Named> {
    let request = object("What a stack is to become. What is left out stays as it is.")
        .map("parameters", anything(), "Answers to the template's questions, by their keys.")
        .map("secrets", text(), "Answers that are secrets, by their keys.")
        .optional("size", text(), "The id of a size of the template.")
        .optional("version", text(), "The version of the template that is offered now.")
        .optional(
            "label",
            text().schema_type(or_null()).max_length(Some(100)),
            "What its owner calls it, without control characters; null removes that.",
        )
        .optional(
            "expiresAt",
            time().schema_type(or_null()),
            "When the portal stops it; null if never, where that is not limited.",
        );
    let rollback =
        object("Which revision to go back to.").has("revision", integer(), "Its number.");
    let change = object("One thing that differs between two revisions.")
        .has(
            "field",
            text(),
            "A question's key, `size`, `version`, `image`, `port`, `volumes` or `settings`.",
        )
        .has(
            "from",
            anything(),
            "What it was; null if nothing, or a secret. Volumes are an object with the folder of \
             each by its key.",
        )
        .has("to", anything(), "What it is then; null if nothing, or a secret.")
        .optional("secret", flag(), "Whether it is a secret, whose values are not shown.")
        .has(
            "effect",
            one_of_texts(["restart", "data"]),
            "The container is replaced; with `data`, it also gets other volumes. What it gets no \
             more stays until the stack is removed.",
        );
    let plan = object("What a change would do.")
        .has("success", always(true), "Always true.")
        .list("changes", reference("RevisionChange"), "What it would change.")
        .required("changes")
        .has(
            "downtime",
            one_of_texts(["none", "waits", "seconds"]),
            "Whether the stack answers all the time meanwhile, lets requests wait some seconds, or \
             answers with an error for some seconds.",
        )
        .optional_one("usual", "Usual", "How long a deployment of the template usually takes.");
    let revision = object("What a stack is or was made of.")
        .has("number", integer(), "Its number, from 1 on.")
        .has("current", flag(), "Whether the stack has it now.")
        .optional(
            "outcome",
            one_of_texts(["live", "reverted", "never_live", "untried", "unknown"]),
            "What became of it, once the operation that makes it has ended.",
        )
        .optional("operationId", id(), "The operation that made it.")
        .optional("by", text(), "The id of who asked for it.")
        .optional("at", time(), "When it was asked for, in UTC.")
        .optional("template", text(), "The id of its template.")
        .optional("version", text(), "The version of its template.")
        .optional("size", text(), "The id of its size.")
        .map("parameters", anything(), "The answers; of a secret, its fingerprint.")
        .required("parameters")
        .list("changes", reference("RevisionChange"), "The difference to the one before it.")
        .required("changes");
    let revisions = object("The revisions of a stack.")
        .has("success", always(true), "Always true.")
        .list("revisions", reference("Revision"), "The revisions, newest first.")
        .required("revisions")
        .optional(
            "updateAvailable",
            text(),
            "The version of the template that is offered now, if it is another one.",
        );
    vec![
        ("ChangeRequest", request.into()),
        ("RollbackRequest", rollback.into()),
        ("RevisionChange", change.into()),
        ("PlanAnswer", plan.into()),
        ("Revision", revision.into()),
        ("RevisionsAnswer", revisions.into()),
    ]
}
