//! A strict parser of Prometheus' text format, version 0.0.4.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

/// The labels of a sample.
pub(super) type Labels = BTreeMap<String, String>;

/// Everything that a scrape showed.
#[derive(Debug, Default)]
pub(super) struct Scrape {
    /// The families by name: type and help.
    pub(super) families: BTreeMap<String, (String, String)>,
    /// The samples by name and labels.
    pub(super) samples: BTreeMap<(String, Labels), f64>,
}

impl Scrape {
    /// Parses a text.
    ///
    /// # Panics
    ///
    /// Panics if it breaks a rule of the format.
    pub(super) fn of(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut scrape = Self::default();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let help = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("no help: {line}"));
            let (name, help) = help.split_once(' ').unwrap();
            let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{name}: {kind}");
            let known = (kind.to_owned(), help.to_owned());
            assert!(scrape.families.insert(name.to_owned(), known).is_none(), "{name} twice");
            while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
                scrape.add(name, kind, sample);
            }
        }
        scrape.check_histograms();
        scrape
    }

    fn add(&mut self, family: &str, kind: &str, line: &str) {
        static FORM: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\S+)$").unwrap()
        });
        let parts = FORM.captures(line).unwrap_or_else(|| panic!("{line}"));
        let name = &parts[1];
        let ends: &[&str] =
            if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(ends.iter().any(|end| name == format!("{family}{end}")), "{name} in {family}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        let labels = parts.get(2).map_or_else(Labels::new, |labels| labels_of(labels.as_str()));
        let value: f64 = parts[3].parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(kind == "gauge" || value >= 0.0, "{line}");
        let again = self.samples.insert((name.to_owned(), labels), value);
        assert!(again.is_none(), "{line} twice");
    }

    /// Checks that the buckets of each histogram add up.
    fn check_histograms(&self) {
        let histograms = self.families.iter().filter(|(_, (kind, _))| kind == "histogram");
        for (family, _) in histograms {
            let (bucket, count) = (format!("{family}_bucket"), format!("{family}_count"));
            let counted: BTreeSet<_> = self.labels(&count).collect();
            for labels in &counted {
                let mut buckets: Vec<_> = self
                    .samples
                    .iter()
                    .filter(|((name, _), _)| *name == bucket)
                    .filter_map(|((_, own), value)| {
                        let mut own = own.clone();
                        let bound: f64 = own.remove("le").expect("no bound").parse().unwrap();
                        (own == **labels).then_some((bound, *value))
                    })
                    .collect();
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{buckets:?}");
                let (last, all) = buckets.last().copied().expect("no buckets");
                assert!(last.is_infinite());
                assert!((all - self.samples[&(count.clone(), (*labels).clone())]).abs() < 0.1);
                assert!(self.samples.contains_key(&(format!("{family}_sum"), (*labels).clone())));
            }
        }
    }

    fn labels<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Labels> {
        self.samples.keys().filter(move |(own, _)| own == name).map(|(_, labels)| labels)
    }

    /// Returns the value of the sample with exactly these labels, if there is one.
    pub(super) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let labels = labels.iter().map(own).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// Returns the value of the sample with exactly these labels.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.find(name, labels);
        found.unwrap_or_else(|| panic!("no {name} {labels:?} in {:#?}", self.samples.keys()))
    }

    /// Returns the whole number of the sample with exactly these labels; 0 if there is none.
    pub(super) fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let value = self.find(name, labels).unwrap_or_default();
        value.to_string().parse().unwrap_or_else(|_| panic!("{name} {labels:?} is {value}"))
    }

    /// Returns all pairs of label and value.
    pub(super) fn pairs(&self) -> BTreeSet<(String, String)> {
        self.samples.keys().flat_map(|(_, labels)| labels.clone()).collect()
    }
}

/// Parses labels: `name="value"`, separated by commas.
fn labels_of(text: &str) -> Labels {
    static FORM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)"#).unwrap()
    });
    let (mut rest, mut labels) = (text, Labels::new());
    while !rest.is_empty() {
        let parts = FORM.captures(rest).unwrap_or_else(|| panic!("{text}"));
        let again = labels.insert(parts[1].to_owned(), parts[2].to_owned());
        assert!(again.is_none(), "{text}");
        rest = &rest[parts[0].len()..];
    }
    labels
}
