//! The dashboard and the alert rules in `deploy/` can be read, and name only metrics that a portal
//! has.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use ai_stack_deployer::server::metrics::{Access, HealthTurn, LookResult, Metrics, Outcome};
use domain::kind::DEPLOY;
use domain::phase::Phase;
use domain::refusal::RefusalCode;
use regex::Regex;
use serde_json::Value;

use super::known::scrape;

fn shipped(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file);
    fs::read_to_string(path).unwrap_or_else(|_| panic!("no deploy/{file}"))
}

/// Returns the texts under `key`, at any depth.
fn texts<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == key {
                    found.extend(field.as_str());
                }
                texts(field, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns the names of all samples of a portal in which everything has happened once.
fn names() -> BTreeSet<String> {
    let (metrics, took) = (Metrics::default(), Duration::ZERO);
    metrics.ended(DEPLOY.name, Outcome::Done, None);
    metrics.phase_took(&DEPLOY, Phase::FAILED, took);
    metrics.called("project.create", "done", Some(took));
    metrics.refused(RefusalCode::NotFound);
    metrics.looked(LookResult::Good);
    metrics.turned(HealthTurn::Unhealthy);
    metrics.stored(Access::Write, true, took);
    let scrape = scrape(&metrics);
    assert!(scrape.value("portal_operations", &[("state", "stuck")]).is_nan());
    let names = scrape.families.into_iter().flat_map(|(name, (kind, _))| match kind.as_str() {
        "histogram" => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).to_vec(),
        _ => vec![name],
    });
    names.collect()
}

/// Checks that each of `expressions` names a metric, and only ones that exist.
fn check(expressions: &[&str], names: &BTreeSet<String>) -> BTreeSet<String> {
    let word = Regex::new(r"\bportal_[a-z_]+").unwrap();
    let mut used = BTreeSet::new();
    for expression in expressions {
        let own: Vec<_> = word.find_iter(expression).map(|found| found.as_str()).collect();
        assert!(!own.is_empty(), "{expression} names no metric");
        used.extend(own.into_iter().map(ToOwned::to_owned));
        let open = expression.matches(['(', '{', '[']).count();
        assert_eq!(open, expression.matches([')', '}', ']']).count(), "{expression}");
    }
    let missing: Vec<_> = used.difference(names).collect();
    assert!(missing.is_empty(), "there is no {missing:?}");
    used
}

#[test]
fn the_alert_rules_name_only_metrics_that_exist() {
    let rules: Value = serde_saphyr::from_str(&shipped("alerts.yaml")).unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let mut expressions = Vec::new();
    let mut alerts = BTreeSet::new();
    for rule in groups.iter().flat_map(|group| group["rules"].as_array().unwrap()) {
        let name = rule["alert"].as_str().unwrap();
        assert!(alerts.insert(name), "{name} twice");
        expressions.push(rule["expr"].as_str().unwrap());
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["page", "ticket"].contains(&severity), "{name}");
        for text in ["summary", "description"] {
            assert!(rule["annotations"][text].as_str().unwrap().ends_with('.'), "{name} {text}");
        }
    }
    assert!(alerts.len() >= 6, "{alerts:?}");
    check(&expressions, &names());
}

#[test]
fn the_dashboard_shows_every_metric_and_none_that_does_not_exist() {
    let dashboard: Value = serde_json::from_str(&shipped("dashboard.json")).unwrap();
    let mut expressions = Vec::new();
    texts(&dashboard, "expr", &mut expressions);
    let names = names();
    let used = check(&expressions, &names);
    let hidden: Vec<_> = names
        .iter()
        .filter(|name| !name.ends_with("_sum") && !name.ends_with("_count"))
        .filter(|name| !used.contains(*name))
        .collect();
    assert!(hidden.is_empty(), "the dashboard does not show {hidden:?}");
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
}
