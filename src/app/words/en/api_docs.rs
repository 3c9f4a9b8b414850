//! The words of the page about the API. What it says of each operation is in the API's document.

use crate::api::docs::{Limit, Place};

pub(crate) const TITLE: &str = "API";
pub(crate) const DOCUMENT: &str = "OpenAPI document";
pub(crate) const OPERATIONS: &str = "Operations";
pub(crate) const PARAMETERS: &str = "Parameters";
pub(crate) const BODY: &str = "Body";
pub(crate) const ANSWERS: &str = "Answers";
pub(crate) const SCHEMAS: &str = "Schemas";
pub(crate) const HEADER: &str = "Header";
pub(crate) const FOR_ALL: &str = "Everyone may call it.";
pub(crate) const NEEDS_CALLER: &str = "Where people sign in, it needs an API token or a session.";
pub(crate) const ONE_OF: &str = "One of";
pub(crate) const LIST_OF: &str = "list of";
pub(crate) const MAP_OF: &str = "object with values of type";
pub(crate) const ANY: &str = "any value";

/// Returns where a parameter is.
pub(crate) fn place(place: Place) -> &'static str {
    match place {
        Place::Path => "in the path",
        Place::Query => "in the query",
        Place::Header => "in the headers",
    }
}

/// Returns the words for a limit, with code between backticks.
pub(crate) fn limit(limit: &Limit) -> String {
    match limit {
        Limit::Format(format) => format.clone(),
        Limit::Length(least, most) => format!("{} characters", range(*least, *most)),
        Limit::Range(least, most) => range(*least, *most),
        Limit::Pattern(pattern) => format!("like `{pattern}`"),
    }
}

fn range(least: Option<u64>, most: Option<u64>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => String::from("any number of"),
    }
}

/// Returns whether a parameter or a field must be there.
pub(crate) fn presence(is_required: bool) -> &'static str {
    if is_required { "required" } else { "optional" }
}
