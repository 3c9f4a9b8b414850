//! The fields of queries.

use std::str::FromStr;

use domain::refusal::{QueryField, Refusal, Unreadable};

/// Returns the refusal of a query whose `field` cannot be used.
pub(super) fn unreadable(field: QueryField) -> Refusal {
    Refusal::InvalidRequest(Unreadable::Field(field))
}

/// Parses a number in a field.
pub(super) fn number<N: FromStr>(
    field: QueryField,
    text: Option<&str>,
) -> Result<Option<N>, Refusal> {
    text.map(|text| text.parse().map_err(|_| unreadable(field))).transpose()
}
