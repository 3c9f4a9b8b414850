//! The mode in which an operation runs, and the action for each of its steps.

/// The mode in which the sequence of steps is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunMode {
    /// Runs the steps, and undoes them if one fails or the operation is cancelled.
    Forward,
    /// Undoes the steps of an earlier operation.
    Back,
    /// Removes leftovers after the end: there are no more events.
    CleanUp,
    /// Rechecks the result of a successful end: there are no more events.
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
    /// It succeeded before with this output, which is used instead of another run.
    Replay(T),
    /// Run it.
    Run,
    /// It ran, or may have run: it must be undone.
    Undo,
    /// It is undone already.
    Undone,
    /// It never ran and must not begin: the steps before it are undone.
    Stop,
}
