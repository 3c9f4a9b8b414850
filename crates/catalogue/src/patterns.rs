//! Matches patterns on the server.

use std::collections::BTreeMap;

use domain::template::Template;
use domain::template::parameter::{Pattern, PatternMatcher};
use regex::{Regex, RegexBuilder};

/// The largest compiled pattern, in bytes.
const LARGEST: usize = 4 << 20;

/// The compiled patterns of a template. A pattern that is not among them is compiled whenever it is
/// used.
#[derive(Clone, Debug, Default)]
pub struct Patterns(BTreeMap<Pattern, Regex>);

impl Patterns {
    /// Compiles the patterns of a template.
    pub fn of(template: &Template) -> Self {
        let compiled = |pattern: &Pattern| Some((pattern.clone(), compile(pattern)?));
        Self(template.patterns().into_iter().filter_map(compiled).collect())
    }
}

/// Compiles a pattern; `None` if it is none, or too large.
pub(crate) fn compile(pattern: &Pattern) -> Option<Regex> {
    RegexBuilder::new(&pattern.whole()).size_limit(LARGEST).build().ok()
}

impl PatternMatcher for Patterns {
    fn matches(&self, pattern: &Pattern, value: &str) -> bool {
        match self.0.get(pattern) {
            Some(compiled) => compiled.is_match(value),
            None => compile(pattern).is_some_and(|compiled| compiled.is_match(value)),
        }
    }
}
