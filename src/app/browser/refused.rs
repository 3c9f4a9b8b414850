//! Why the portal did not do what a page asked for.

/// A refusal of the portal, or that it cannot be reached.
pub(crate) struct Refused {
    /// The code, if it came from the portal.
    #[cfg(any(feature = "name-form", feature = "question-form"))]
    pub(crate) code: String,
    /// What happened and what to do, as a sentence for a person.
    pub(crate) message: String,
}
