//! What is to be done: about an operation as a whole, and about each of its steps.

/// What an operation is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Bring a stack up, or undo what was made for it.
    Deploy,
    /// Take a live stack down.
    Remove,
    /// Remove what is left after the end: there are no more events.
    CleanUp,
    /// Remove what a live stack has twice: there are no more events.
    Tidy,
}

impl Course {
    /// Tells whether the operation has ended already.
    pub(super) fn is_after_end(self) -> bool {
        matches!(self, Self::CleanUp | Self::Tidy)
    }
}

/// What to do about a step, given its record.
#[derive(Debug, PartialEq)]
pub(super) enum Plan<T> {
    /// It succeeded before: here is its output.
    Replay(T),
    /// Run it.
    Run,
    /// It ran, or may have: it must be undone.
    Undo,
    /// It is undone already.
    Undone,
    /// It never ran, and never will.
    Stop,
}
