//! Reads tables of TOML strictly: each key is known, and has the type that it must have.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::template::decimal::Decimal;
use domain::template::text::{FALLBACK, Localized};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::Faults;

/// A value with its place.
pub(super) type Located<'a, 'i> = &'a Spanned<DeValue<'i>>;

/// How alike a key must be to a known one to be taken for it: 1 is equal.
const ALIKE: f64 = 0.7;

/// A table that is being read.
pub(super) struct Table<'a, 'i> {
    /// The name for people, such as `[template]`.
    name: String,
    /// Where it begins.
    at: usize,
    entries: BTreeMap<&'a str, (usize, Located<'a, 'i>)>,
    known: Vec<&'static str>,
}

impl<'a, 'i> Table<'a, 'i> {
    pub(super) fn new(name: &str, at: usize, table: &'a DeTable<'i>) -> Self {
        let entry = |(key, value): (&'a Spanned<Cow<'i, str>>, Located<'a, 'i>)| {
            (key.get_ref().as_ref(), (key.span().start, value))
        };
        let entries = table.iter().map(entry).collect();
        Self { name: name.to_owned(), at, entries, known: Vec::new() }
    }

    /// Returns where it begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns where the value of `key` is, or where the table begins.
    pub(super) fn at_key(&self, key: &str) -> usize {
        self.entries.get(key).map_or(self.at, |(_, value)| value.span().start)
    }

    /// Returns the text of a key, which stays unknown if it was.
    pub(super) fn peek(&self, key: &str) -> Option<&'a str> {
        self.entries.get(key).and_then(|(_, value)| value.get_ref().as_str())
    }

    /// Returns all keys with their places and values, for a table whose keys are free.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, usize, Located<'a, 'i>)> {
        self.entries.iter().map(|(key, (at, value))| (*key, *at, *value))
    }

    /// Returns the value of a key, which is known from now on.
    pub(super) fn value(&mut self, key: &'static str) -> Option<Located<'a, 'i>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.get(key).map(|(_, value)| *value)
    }

    /// Returns whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Reports that a key is missing.
    pub(super) fn missing(&self, key: &str, example: &str, faults: &mut Faults<'_>) {
        faults.error(self.at, format!("{} has no `{key}`: add {key} = {example}", self.name));
    }

    /// Returns the text of a key.
    pub(super) fn text(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<&'a str> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            wrong_type(value, key, "a text in quotes", faults);
        }
        text
    }

    /// Returns the text of a key that must be there.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        example: &str,
        faults: &mut Faults<'_>,
    ) -> Option<&'a str> {
        let text = self.text(key, faults);
        if !self.has(key) {
            self.missing(key, example, faults);
        }
        text
    }

    /// Returns whether a key is `true`.
    pub(super) fn flag(&mut self, key: &'static str, faults: &mut Faults<'_>) -> bool {
        let Some(value) = self.value(key) else { return false };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            wrong_type(value, key, "true or false", faults);
        }
        flag.unwrap_or_default()
    }

    /// Returns the whole number of a key.
    pub(super) fn whole(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<u32> {
        let value = self.value(key)?;
        let number = value.get_ref().as_integer().filter(|number| number.radix() == 10);
        let number = number.and_then(|number| number.as_str().parse().ok());
        if number.is_none() {
            wrong_type(value, key, "a whole number", faults);
        }
        number
    }

    /// Returns the number of a key.
    pub(super) fn number(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Option<Decimal> {
        let value = self.value(key)?;
        let number = decimal(value.get_ref());
        if number.is_none() {
            wrong_type(value, key, "a number with at most 6 decimal places and 15 digits", faults);
        }
        number
    }

    /// Returns the list of texts of a key.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        faults: &mut Faults<'_>,
    ) -> Vec<(usize, &'a str)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let item = |item: Located<'a, 'i>| Some((item.span().start, item.get_ref().as_str()?));
        let items = value.get_ref().as_array();
        let texts = items.and_then(|items| items.iter().map(item).collect::<Option<_>>());
        texts.unwrap_or_else(|| {
            wrong_type(value, key, "a list of texts: [\"…\", \"…\"]", faults);
            Vec::new()
        })
    }

    /// Returns the table of a key, which is written such as `example`.
    pub(super) fn table(
        &mut self,
        key: &'static str,
        example: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Self> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            wrong_type(value, key, &format!("a table: {example}"), faults);
            return None;
        };
        Some(Self::new(&format!("`{key}`"), value.span().start, table))
    }

    /// Returns the tables of a key.
    pub(super) fn tables(&mut self, key: &'static str, faults: &mut Faults<'_>) -> Vec<Self> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let table = |item: Located<'a, 'i>| {
            let table = item.get_ref().as_table()?;
            Some(Self::new(&format!("this entry of `{key}`"), item.span().start, table))
        };
        let items = value.get_ref().as_array();
        let tables = items.and_then(|items| items.iter().map(table).collect::<Option<_>>());
        tables.unwrap_or_else(|| {
            wrong_type(value, key, &format!("a list of tables: [[{key}]]"), faults);
            Vec::new()
        })
    }

    /// Returns the tables of a key whose list is written in one place, such as `example`; `None` if
    /// it is something else.
    pub(super) fn listed(
        &mut self,
        key: &'static str,
        example: &str,
        faults: &mut Faults<'_>,
    ) -> Option<Vec<Self>> {
        let is_list = |value: Located<'a, 'i>| {
            let items = value.get_ref().as_array();
            items.is_some_and(|items| items.iter().all(|item| item.get_ref().is_table()))
        };
        match self.value(key) {
            Some(value) if !is_list(value) => {
                wrong_type(value, key, &format!("a list of tables: {key} = {example}"), faults);
                None
            }
            Some(_) | None => Some(self.tables(key, faults)),
        }
    }

    /// Returns the text for people of a key, of at most `most` characters.
    pub(super) fn localized(
        &mut self,
        key: &'static str,
        most: usize,
        faults: &mut Faults<'_>,
    ) -> Option<Localized> {
        let value = self.value(key)?;
        let localized = match value.get_ref() {
            DeValue::String(text) => Some(Localized::Plain(text.to_string())),
            DeValue::Table(table) => {
                let table = Self::new(&format!("`{key}`"), value.span().start, table);
                Some(table.tagged(faults))
            }
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => {
                wrong_type(
                    value,
                    key,
                    "a text, or texts such as { en = \"…\", nl = \"…\" }",
                    faults,
                );
                None
            }
        }?;
        for text in localized.texts() {
            let is_shown = !text.trim().is_empty() && !text.contains(|c: char| c.is_control());
            if !is_shown || text.chars().count() > most {
                faults.error(
                    value.span().start,
                    format!("`{key}` must be one line of 1 to {most} characters"),
                );
            }
        }
        Some(localized)
    }

    /// Reads texts by their languages.
    fn tagged(self, faults: &mut Faults<'_>) -> Localized {
        let mut texts = BTreeMap::new();
        for (tag, at, value) in self.all() {
            if !is_language(tag) {
                faults
                    .error(at, format!("`{tag}` is no language: write a tag such as en or pt-BR"));
            }
            match value.get_ref().as_str() {
                Some(text) => drop(texts.insert(tag.to_owned(), text.to_owned())),
                None => wrong_type(value, tag, "a text in quotes", faults),
            }
        }
        if !texts.contains_key(FALLBACK) {
            self.missing(FALLBACK, "\"…\"", faults);
        }
        Localized::Tagged(texts)
    }

    /// Reports the keys that nobody has asked for.
    pub(super) fn finish(self, faults: &mut Faults<'_>) {
        for (key, (at, _)) in &self.entries {
            if self.known.contains(key) {
                continue;
            }
            let known = self.known.join(", ");
            let remedy = match nearest(self.known.iter().copied(), key) {
                Some(nearest) => format!("write `{nearest}`, or one of: {known}"),
                None => format!("write one of: {known}"),
            };
            faults.error(*at, format!("unknown key `{key}` in {}: {remedy}", self.name));
        }
    }
}

/// Returns the known key for which `key` may have been meant.
pub(super) fn nearest<'k>(known: impl Iterator<Item = &'k str>, key: &str) -> Option<&'k str> {
    let alike = |known: &&str| strsim::jaro_winkler(known, key);
    known.filter(|known| alike(known) >= ALIKE).max_by(|a, b| alike(a).total_cmp(&alike(b)))
}

/// Returns the number that a value is.
pub(super) fn decimal(value: &DeValue<'_>) -> Option<Decimal> {
    let text = match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        DeValue::Integer(_)
        | DeValue::String(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => return None,
    };
    Decimal::parse(&text.replace('_', "")).ok()
}

/// Reports that a value has another type than it must have.
pub(super) fn wrong_type(
    value: Located<'_, '_>,
    key: &str,
    expected: &str,
    faults: &mut Faults<'_>,
) {
    faults.error(value.span().start, format!("`{key}` must be {expected}"));
}

/// Returns whether `tag` is a tag of a language, such as `en` or `pt-BR`.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let is_primary = primary.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_part = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    is_primary && (2..=3).contains(&primary.len()) && parts.all(is_part)
}
