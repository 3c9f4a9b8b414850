//! Reads the wire types as the browser does: see `domain::read`.

use super::{DeploymentView, Downtime, NameVerdict, StackSecrets, Usual};
use domain::read::{FromJson, Json, field, optional};

impl FromJson for NameVerdict {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        if let Some(free) = json.get("free") {
            return Some(Self::Free { name: field(&free, "name")?, url: field(&free, "url")? });
        }
        if let Some(taken) = json.get("taken") {
            return Some(Self::Taken {
                name: field(&taken, "name")?,
                url: field(&taken, "url")?,
                suggestions: field(&taken, "suggestions")?,
            });
        }
        let invalid = json.get("invalid")?;
        Some(Self::Invalid {
            name: field(&invalid, "name")?,
            code: field(&invalid, "code")?,
            sentence: field(&invalid, "sentence")?,
        })
    }
}

impl FromJson for DeploymentView {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            deployment: field(json, "deployment")?,
            progress: field(json, "progress")?,
            metadata: field(json, "standing")?,
            is_cancelling: field(json, "is_cancelling")?,
            next_try: optional(json, "next_try")?,
            stack_removal: None,
            secrets: StackSecrets::Quiet,
            form: None,
            #[cfg(feature = "ssr")]
            leads_to_data: false,
            #[cfg(feature = "ssr")]
            last_log: None,
            not_running: optional(json, "not_running")?,
            is_stopped: field(json, "is_stopped")?,
            stack_page: optional(json, "stack_page")?,
            revision: optional(json, "revision")?,
            usual: optional(json, "usual")?,
            may_change: field(json, "may_change")?,
            data_days: optional(json, "data_days")?,
            kept_hours: optional(json, "kept_hours")?,
            now: field(json, "now")?,
        })
    }
}

impl FromJson for Downtime {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self { since: field(json, "since")?, seen: field(json, "seen")? })
    }
}

impl FromJson for Usual {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            low_s: field(json, "low_s")?,
            median_s: field(json, "median_s")?,
            high_s: field(json, "high_s")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use jiff::Timestamp;
    use serde::Serialize;
    use serde_json::Value;

    use super::*;
    use domain::deployment::{Deployment, DeploymentId, DeploymentMetadata};
    use domain::kind::DEPLOY;
    use domain::progress::Progress;
    use domain::stack_name::StackName;

    /// As a browser has it: a field that is `null` is missing.
    struct Parsed(Value);

    impl Json for Parsed {
        fn get(&self, name: &str) -> Option<Self> {
            self.0.get(name).filter(|value| !value.is_null()).cloned().map(Self)
        }

        fn text(&self) -> Option<String> {
            self.0.as_str().map(ToOwned::to_owned)
        }

        fn number(&self) -> Option<f64> {
            self.0.as_f64()
        }

        fn flag(&self) -> Option<bool> {
            self.0.as_bool()
        }

        fn list(&self) -> Option<Vec<Self>> {
            Some(self.0.as_array()?.iter().cloned().map(Self).collect())
        }
    }

    fn reads_back<T: Serialize + FromJson + PartialEq + Debug>(value: &T) {
        let json = Parsed(serde_json::to_value(value).unwrap());
        assert_eq!(T::from_json(&json).as_ref(), Some(value));
    }

    #[test]
    fn a_verdict_is_read_as_it_was_written() {
        let name = || StackName::parse("alice").unwrap();
        let url = || String::from("https://alice.example.com");
        reads_back(&NameVerdict::Free { name: name(), url: url() });
        reads_back(&NameVerdict::Taken { name: name(), url: url(), suggestions: vec![name()] });
        reads_back(&NameVerdict::Taken { name: name(), url: url(), suggestions: Vec::new() });
        let error = StackName::for_new_stack("A").unwrap_err();
        reads_back(&NameVerdict::invalid("A", error));
        reads_back(&NameVerdict::invalid("", StackName::parse("").unwrap_err()));
    }

    #[test]
    fn the_view_of_a_deployment_is_read_as_it_was_written() {
        let now: Timestamp = "2026-11-23T09:55:24.515Z".parse().unwrap();
        let mut view = DeploymentView {
            deployment: Deployment {
                kind: DEPLOY.name,
                id: DeploymentId::from_random(1),
                name: StackName::parse("alice").unwrap(),
                url: String::from("https://alice.example.com"),
                started: now,
            },
            progress: Progress::default(),
            metadata: DeploymentMetadata::default(),
            is_cancelling: false,
            next_try: None,
            stack_removal: None,
            secrets: StackSecrets::Quiet,
            form: None,
            #[cfg(feature = "ssr")]
            leads_to_data: false,
            #[cfg(feature = "ssr")]
            last_log: None,
            not_running: None,
            is_stopped: false,
            stack_page: None,
            revision: None,
            usual: None,
            may_change: true,
            data_days: None,
            kept_hours: None,
            now,
        };
        reads_back(&view);
        view.next_try = Some(now);
        view.not_running = Some(Downtime { since: now, seen: now });
        view.usual = Some(Usual { low_s: 1, median_s: 2, high_s: 3 });
        view.kept_hours = Some(24);
        view.data_days = Some(7);
        view.is_stopped = true;
        view.stack_page = Some(String::from("/stacks/alice"));
        view.revision = Some(2);
        view.is_cancelling = true;
        reads_back(&view);
    }
}
