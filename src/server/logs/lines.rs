//! Turns the text of a log into lines that can be shown.
//!
//! A line is whole before anything is removed from it, so nothing depends on how the text was split
//! on its way.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use regex::Regex;

use super::mask::Masks;
use crate::server::masking::visible;

/// The largest line that is shown, in bytes.
pub const LONGEST_LINE: usize = 16 << 10;
/// The largest line that is read, in bytes, in addition to twice the longest secret. The rest of a
/// longer one is not kept.
const MOST_READ: usize = 64 << 10;
/// The number of bytes after which Docker repeats the time within a line (recording day-two 433).
const DOCKERS_PART: usize = 16_384;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The container that wrote it, by its name.
    pub container: Arc<str>,
    /// The time at which it was written, which distinguishes it within the container.
    pub at: Timestamp,
    /// Its text, without secrets and without what controls a terminal.
    pub text: String,
    /// True if its end is left out.
    pub is_cut: bool,
}

/// A line as Docker writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawLine<'a> {
    text: &'a str,
    /// True if its end was not kept.
    is_truncated: bool,
}

/// Joins chunks to lines.
#[derive(Debug, Default)]
pub struct LineReader {
    begun: String,
    is_truncated: bool,
    most: usize,
}

impl LineReader {
    /// Creates a reader of lines that are to be shown with these masks.
    pub fn new(masks: &Masks) -> Self {
        Self { most: MOST_READ + 2 * masks.longest(), ..Self::default() }
    }

    /// Reads a chunk, and passes each line that it completes to `take`.
    pub(super) fn read(&mut self, chunk: &str, mut take: impl FnMut(RawLine<'_>)) {
        let mut rest = chunk;
        while let Some((end, after)) = rest.split_once('\n') {
            rest = after;
            if self.begun.is_empty() && end.len() <= self.most {
                take(RawLine { text: end, is_truncated: false });
                continue;
            }
            self.keep(end);
            take(RawLine { text: &self.begun, is_truncated: self.is_truncated });
            self.begun.clear();
            self.is_truncated = false;
        }
        self.keep(rest);
    }

    /// Passes the line that has no end to `take`.
    pub(super) fn finish(&mut self, take: impl FnOnce(RawLine<'_>)) {
        if !self.begun.is_empty() {
            take(RawLine { text: &self.begun, is_truncated: true });
        }
        *self = Self { most: self.most, ..Self::default() };
    }

    fn keep(&mut self, part: &str) {
        let fits = part.floor_char_boundary(self.most.saturating_sub(self.begun.len()));
        let (kept, lost) = part.split_at(fits);
        if !self.is_truncated {
            self.begun.push_str(kept);
        }
        self.is_truncated |= !lost.is_empty();
    }

    /// Reads chunks to their end, and returns the lines of a container.
    pub fn read_all<'a>(
        &mut self,
        container: &Arc<str>,
        chunks: impl IntoIterator<Item = &'a str>,
        masks: &Masks,
    ) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for chunk in chunks {
            self.read(chunk, |line| lines.extend(line.shown(container, masks)));
        }
        self.finish(|line| lines.extend(line.shown(container, masks)));
        lines
    }
}

impl RawLine<'_> {
    /// Returns the time of the line; `None` if it has none.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.text.split_once(' ').map_or(self.text, |(time, _)| time).parse().ok()
    }

    /// Returns the line as it is shown; `None` if it has no time.
    pub(super) fn shown(&self, container: &Arc<str>, masks: &Masks) -> Option<LogLine> {
        let at = self.at()?;
        let text = self.text.split_once(' ').map_or("", |(_, text)| text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let visible = visible(&without_times(text)).replace('\n', " ");
        let visible = visible.trim_end();
        // If it is truncated, it may end with a part of a secret.
        let unsure = if self.is_truncated { masks.longest() } else { 0 };
        let end = visible.len().saturating_sub(unsure);
        let mut text = masks.mask_until(visible, end).into_owned();
        let is_cut = self.is_truncated || text.len() > LONGEST_LINE;
        text.truncate(text.floor_char_boundary(LONGEST_LINE));
        Some(LogLine { container: Arc::clone(container), at, text, is_cut })
    }
}

/// Removes the times that Docker repeats within a long line.
fn without_times(text: &str) -> String {
    static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z ").ok()
    });
    let (first, rest) = text.split_at(text.floor_char_boundary(DOCKERS_PART));
    match TIME.as_ref() {
        Some(time) if !rest.is_empty() => first.to_owned() + &time.replace_all(rest, ""),
        Some(_) | None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
