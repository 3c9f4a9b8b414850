//! Names of resources for people.

use crate::server::visible;
use domain::remedy::Named;

/// Names a resource as people see it: its name may be somebody else's choice.
pub(super) fn named(name: &str, id: &impl ToString) -> Named {
    Named { name: visible::name(name), id: id.to_string() }
}
