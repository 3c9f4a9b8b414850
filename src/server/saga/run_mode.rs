//! The mode in which an operation runs, and the action for each of its steps.

/// The mode in which the line of steps is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunMode {
    /// Runs the steps, and undoes them if one fails.
    Forward,
    /// Undoes the steps of an earlier operation.
    Back,
    /// Removes leftovers after the end: there are no more events.
    CleanUp,
    /// Looks once more at the result of a good end: there are no more events.
    Recheck,
}

impl RunMode {
    /// Returns whether the operation has ended already.
    pub(crate) fn is_after_end(self) -> bool {
        matches!(self, Self::CleanUp | Self::Recheck)
    }
}

/// The action for a step, given its record.
#[derive(Debug, PartialEq)]
pub(crate) enum StepAction<T> {
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
