//! The words of the page of kept data.

use domain::stack_name::StackName;
use jiff::Timestamp;

use super::admin::minute;

pub(crate) const TITLE: &str = "Kept data";
pub(crate) const LEAD: &str = "What is kept of the stacks that you removed. After the time that is \
                               given, it is deleted.";
pub(crate) const NOTHING: &str = "Nothing is kept.";
pub(crate) const BRING_BACK: &str = "Bring it back";
pub(crate) const DELETE: &str = "Delete it now";

/// Names the data of a stack.
pub(crate) fn data_of(from: &StackName, template: &str) -> String {
    format!("Data of {from} ({template})")
}

/// Says which data a button is about.
pub(crate) fn of(from: &StackName) -> String {
    format!(": the data of {from}")
}

/// Says until when it is kept.
pub(crate) fn until(until: Timestamp, is_deleting: bool) -> String {
    if is_deleting {
        return String::from("It is being deleted.");
    }
    format!("Kept until {}", minute(until))
}
