//! The words of the page of kept data.

use super::admin::minute;
use crate::wire::KeptView;
use domain::stack_name::StackName;

pub(crate) const TITLE: &str = "Kept data";
pub(crate) const LEAD: &str = "What is kept of the stacks that you removed. After the time that is \
                               given, it is deleted.";
pub(crate) const NOTHING: &str = "Nothing is kept. If you remove a stack that has data, you find it \
                                  here: bring it back in a new stack, or delete it.";
pub(crate) const BRING_BACK: &str = "Bring it back";
pub(crate) const DELETE: &str = "Delete it now";
/// What a removal asks of the owner of a stack that would keep more than may be kept.
pub(crate) const FULL: &str = "You keep the data of as many removed stacks as you may. To keep the data \
                               of this stack as well, delete some of it first:";
/// The same for somebody who is not the owner.
pub(crate) const FULL_OF_OWNER: &str = "The owner of this stack keeps the data of as many removed \
                                        stacks as they may. To keep the data of this stack as well, \
                                        delete some of it first:";
/// The links from other pages to this one.
pub(crate) const HOME_LINK: &str = "Data of stacks that you removed is kept";
pub(crate) const PAGE_LINK: &str = "Kept data of your removed stacks";
/// What stands before the link to the stack that is to have the data.
pub(crate) const USED_BY: &str = "It is being brought back by ";

/// Names the data of a stack.
pub(crate) fn data_of(from: &StackName, template: &str) -> String {
    format!("Data of {from} ({template})")
}

/// Says which data a button is about.
pub(crate) fn of(from: &StackName) -> String {
    format!(": the data of {from}")
}

/// Says until when it is kept; nothing if a new stack is to have it.
pub(crate) fn until(kept: &KeptView) -> String {
    if kept.is_deleting {
        return String::from("It is being deleted.");
    }
    let until = minute(kept.until);
    match (kept.lost, &kept.used_by) {
        (_, Some(_)) => String::new(),
        (Some(_), None) => format!(
            "Its volumes are gone from the platform, so it cannot be brought back. Listed until \
             {until}"
        ),
        (None, None) => format!("Kept until {until}"),
    }
}
