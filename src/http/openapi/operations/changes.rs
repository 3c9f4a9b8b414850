//! The descriptions of the routes about the revisions of a stack.

use axum::http::StatusCode;
use domain::refusal::RefusalCode as Code;

use super::super::described::{Described, Group};
use super::super::schema::text;
use super::super::schemas::{id, name};
use super::{KEY, KEY_ABOUT, OF_STACK};

/// What a change refuses.
const CHANGING: [Code; 15] = [
    Code::NotFound,
    Code::AnotherStack,
    Code::IdRequired,
    Code::OperationUnderWay,
    Code::WrongState,
    Code::RevisionChanged,
    Code::SpecUnknown,
    Code::NoSuchTemplate,
    Code::TemplateChanged,
    Code::InvalidParameters,
    Code::PlatformUnreachable,
    Code::PortalImpaired,
    Code::SecretKeyMissing,
    Code::SecretsLost,
    Code::InvalidJson,
];

pub(in crate::http) fn change(it: Described) -> Described {
    begun(it.named(
        "changeStack",
        Group::Stacks,
        "Change a stack",
        "Leads a stack to a new revision, with other answers, another size or another version of its \
         template, verifies it, and leads it back if it does not run. What is not named stays. A \
         label or a time to expire alone changes nothing that runs.",
    ))
    .refuses([Code::InvalidExpiry])
    .body("ChangeRequest", "At most 1 MiB, within 10 seconds.")
}

pub(in crate::http) fn plan(it: Described) -> Described {
    of_stack(it.named(
        "planChange",
        Group::Stacks,
        "See what a change would do",
        "Says what a change with the same body would change, and whether the stack answers meanwhile. \
         A secret that is given counts as changed.",
    ))
    .header("If-Match", CONDITION, text())
    .body("ChangeRequest", "The body of the change.")
    .answers(StatusCode::OK, "PlanAnswer", "What it would do.")
    .refuses(CHANGING)
}

pub(in crate::http) fn rollback(it: Described) -> Described {
    begun(it.named(
        "rollbackStack",
        Group::Stacks,
        "Go back to an older revision",
        "Leads a stack to a new revision that is equal to an older one, as a change does.",
    ))
    .body("RollbackRequest", "Which one.")
    .refuses([Code::NoSuchRevision])
}

pub(in crate::http) fn revisions(it: Described) -> Described {
    of_stack(it.named(
        "listRevisions",
        Group::Stacks,
        "List the revisions of a stack",
        "Returns what the stack is and was made of, newest first.",
    ))
    .answers(StatusCode::OK, "RevisionsAnswer", "The revisions.")
    .refuses([Code::NotFound, Code::AnotherStack, Code::IdRequired])
}

const CONDITION: &str =
    "The number of the revision that the stack must have, in quotes, such as `\"3\"`.";

fn of_stack(it: Described) -> Described {
    it.path("name", "The name of the stack.", name()).query("id", OF_STACK, id())
}

fn begun(it: Described) -> Described {
    of_stack(it)
        .header("If-Match", CONDITION, text())
        .header(
            KEY,
            KEY_ABOUT,
            text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]+$")),
        )
        .answers(StatusCode::OK, "UnchangedStack", "Nothing was begun: `changed` says why.")
        .answers(StatusCode::ACCEPTED, "StartedRemoval", "The change is in progress.")
        .refuses(CHANGING)
        .refuses([
            Code::InvalidIdempotencyKey,
            Code::IdempotencyKeyInUse,
            Code::IdempotencyKeyReused,
        ])
}
