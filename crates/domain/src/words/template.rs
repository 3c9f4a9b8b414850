//! The texts of the template that the settings describe, where there is no catalogue.

/// Its name.
pub const DEFAULT_NAME: &str = "AI stack";
/// What it is, in one line.
pub const DEFAULT_SUMMARY: &str = "An AI stack of your own";
/// The label of its link.
pub const OPEN: &str = "Open";

/// The sentence of the pages about a template that is not offered.
pub const NOT_OFFERED: &str =
    "The portal does not offer this template, or not any more. Choose another one.";
