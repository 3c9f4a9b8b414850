//! What is wrong with the file of a template: where, and what to write instead.

use std::fmt;

/// The largest number of faults that are reported for one file.
const MOST: usize = 50;

/// A fault of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// The line, counted from 1; `None` if it is about the whole file.
    pub line: Option<usize>,
    /// Whether the template is refused because of it.
    pub severity: Severity,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Whether a template is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is refused.
    Error,
    /// It is not.
    Warning,
}

impl Fault {
    /// Returns an error about a whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            severity: Severity::Error,
            message: message.into(),
        }
    }

    /// Returns whether the template is refused because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match self.severity {
            Severity::Error => write!(f, ": {}", self.message),
            Severity::Warning => write!(f, ": warning: {}", self.message),
        }
    }
}

/// Collects the faults of one file.
pub(crate) struct Faults<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Adds an error at an offset into the text.
    pub(crate) fn error(&mut self, at: usize, message: impl Into<String>) {
        self.add(at, Severity::Error, message.into());
    }

    /// Adds a warning at an offset into the text.
    pub(crate) fn warning(&mut self, at: usize, message: impl Into<String>) {
        self.add(at, Severity::Warning, message.into());
    }

    fn add(&mut self, at: usize, severity: Severity, message: String) {
        let before = self.text.get(..self.text.floor_char_boundary(at)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let fault = Fault { file: self.file.to_owned(), line: Some(line), severity, message };
        if self.found.len() < MOST && !self.found.contains(&fault) {
            self.found.push(fault);
        }
    }

    /// Returns whether the template is refused.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(Fault::is_error)
    }

    /// Returns them in the order of their lines.
    pub(crate) fn into_sorted(mut self) -> Vec<Fault> {
        self.found.sort();
        self.found
    }
}
