//! The audit log, a page at a time.

use jiff::Timestamp;

use super::{Names, PAGE, allow, page, typed};
use crate::server::audit::{AuditEntry, AuditFilter};
use crate::server::auth::access::Caller;
use crate::server::stacks::Service;
use crate::wire::ApiError;
use domain::owner::OwnerId;
use domain::refusal::{FilterField, Refusal};

/// The filter of the audit log, as typed. An empty field matches all entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// The actor: as in the log, or a person's name.
    pub who: String,
    /// The action, by its word.
    pub act: String,
    /// The target.
    pub target: String,
    /// The earliest day or time.
    pub since: String,
    /// The number of the last entry on the previous page.
    pub before: String,
}

/// A page of the audit log, newest first.
#[derive(Debug)]
pub struct AuditPage {
    /// The entries.
    pub lines: Vec<AuditLine>,
    /// The number after which the next page begins, if there is one.
    pub next: Option<i64>,
}

/// An entry of the audit log.
#[derive(Debug)]
pub struct AuditLine {
    /// Its number.
    pub number: i64,
    /// The actor's display name, if it is a person whose name is known.
    pub name: Option<String>,
    /// The entry itself.
    pub entry: AuditEntry,
}

impl AuditQuery {
    /// Parses the filter.
    fn filter(&self, names: &Names) -> Result<AuditFilter, ApiError> {
        let act = typed(&self.act).map(str::parse).transpose();
        let since = typed(&self.since).map(since).transpose();
        let before = typed(&self.before).map(str::parse).transpose();
        Ok(AuditFilter {
            who: typed(&self.who).map(|who| names.in_log(who)),
            act: act.map_err(|_| Refusal::InvalidFilter(FilterField::Action))?,
            target: typed(&self.target).map(ToOwned::to_owned),
            since: since.map_err(|_| Refusal::InvalidFilter(FilterField::Date))?,
            before: before.map_err(|_| Refusal::InvalidFilter(FilterField::Page))?,
            limit: PAGE + 1,
        })
    }
}

impl Names {
    /// Returns the actor as in the log: the owner id if exactly one person has this name, otherwise
    /// the text as typed.
    fn in_log(&self, who: &str) -> String {
        let name = who.to_lowercase();
        let mut found = self.0.iter().filter(|(_, called)| called.to_lowercase() == name);
        match (found.next(), found.next()) {
            (Some((owner, _)), None) => owner.to_string(),
            (Some(_), Some(_)) | (None, _) => who.to_owned(),
        }
    }

    /// Returns the display name of the actor `who` of the log.
    fn called(&self, who: &str) -> Option<String> {
        let id = who.strip_suffix(" (token)").unwrap_or(who);
        self.0.get(&OwnerId::parse(id).ok()?).cloned()
    }
}

impl Service {
    /// Lists entries of the audit log.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller is not an operator, the query is invalid, or the store is
    /// unavailable.
    pub async fn audit(&self, caller: &Caller, query: &AuditQuery) -> Result<AuditPage, ApiError> {
        allow(caller)?;
        let names = self.names().await?;
        let (entries, goes_on) = page(self.parts.audit.entries(&query.filter(&names)?).await?);
        let line = |(number, entry): (_, AuditEntry)| AuditLine {
            number,
            name: names.called(&entry.who),
            entry,
        };
        let lines: Vec<_> = entries.into_iter().map(line).collect();
        let last = lines.last().map(|line| line.number);
        Ok(AuditPage { next: last.filter(|_| goes_on), lines })
    }
}

/// A text is neither a time nor a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a day as 2026-11-23, or a time as 2026-11-23T09:55:24Z")]
pub struct ParseSinceError;

/// Parses a time, or a day, which means its beginning in UTC.
///
/// # Errors
///
/// Returns an error when `text` is neither.
pub fn since(text: &str) -> Result<Timestamp, ParseSinceError> {
    let day = || format!("{text}T00:00:00Z").parse();
    text.parse().or_else(|_| day()).map_err(|_| ParseSinceError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_or_a_time_is_read_and_nothing_else() {
        let read = |text| since(text).map(|time| time.to_string());
        assert_eq!(read("2026-11-23").unwrap(), "2026-11-23T00:00:00Z");
        assert_eq!(read("2026-11-23T09:55:24Z").unwrap(), "2026-11-23T09:55:24Z");
        assert_eq!(read("2026-11-23T09:55:24+02:00").unwrap(), "2026-11-23T07:55:24Z");
        for text in ["", "yesterday", "2026-11-31", "23.11.2026", "1795427270"] {
            assert_eq!(read(text), Err(ParseSinceError), "{text:?}");
        }
    }
}
