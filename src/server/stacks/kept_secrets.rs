//! The secrets of a form that was refused: the page gets them sealed, so that nobody has to type them
//! again.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::Service;
use super::form::{FORGET_FIELD, KEPT_FIELD};
use crate::server::auth::access::Caller;
use crate::wire::FieldProblem;
use domain::refusal::RefusalCode;
use domain::template::Template;
use domain::template::answers::SECRET_FIELD;
use domain::template::parameter::Parameter;
use domain::time::later;
use domain::words::answer;

/// How long a form can be mended, and a failed start tried again, until the secrets must be given
/// again.
pub(crate) const KEPT_FOR: Duration = Duration::from_hours(1);
/// The purpose for which they are sealed.
const PURPOSE: &str = "form";

impl Service {
    /// Returns the secrets in the fields of a form of this template, sealed for the caller. It is
    /// empty if the portal has no key.
    pub(crate) fn keep_secrets(
        &self,
        caller: &Caller,
        template: &str,
        pairs: &[(String, String)],
    ) -> BTreeMap<String, String> {
        let Some(keyring) = &self.parts.keyring else { return BTreeMap::new() };
        let until = later(self.clock().now(), KEPT_FOR);
        let seal = |(field, text): &(String, String)| {
            let key = field.strip_prefix(SECRET_FIELD).filter(|_| !text.is_empty())?;
            let secret = SecretString::from(text.as_str());
            let context = [PURPOSE, owner(caller), template, key];
            Some((key.to_owned(), keyring.hand_out(&context, &secret, until)))
        };
        pairs.iter().filter_map(seal).collect()
    }

    /// Puts the secrets that were kept into their fields, if these are empty and the secrets were not
    /// withdrawn.
    pub(crate) fn take_secrets_back(
        &self,
        caller: &Caller,
        template: &str,
        mut pairs: Vec<(String, String)>,
    ) -> TakenBack {
        let now = self.clock().now();
        let mut fields_of = |prefix: &str| {
            let fields = pairs.extract_if(.., |(field, _)| field.starts_with(prefix));
            let key = |(field, value): (String, String)| {
                Some((field.strip_prefix(prefix)?.to_owned(), value))
            };
            fields.filter_map(key).collect::<Vec<_>>()
        };
        let (kept, withdrawn) = (fields_of(KEPT_FIELD), fields_of(FORGET_FIELD));
        let mut expired = Vec::new();
        for (key, sealed) in kept {
            let name = format!("{SECRET_FIELD}{key}");
            let is_typed = pairs.iter().any(|(field, text)| *field == name && !text.is_empty());
            if is_typed || withdrawn.iter().any(|(withdrawn, _)| *withdrawn == key) {
                continue;
            }
            // A browser without a cookie gets one with the page that has the secrets.
            let owners = [owner(caller), ""];
            let opened = owners.iter().find_map(|owner| {
                let context = [PURPOSE, owner, template, &key];
                self.parts.keyring.as_ref()?.take_back(&context, &sealed, now)
            });
            match opened {
                Some(secret) => {
                    pairs.retain(|(field, _)| *field != name);
                    pairs.push((name, secret.expose_secret().to_owned()));
                }
                None => expired.push(key),
            }
        }
        TakenBack { pairs, expired }
    }
}

/// The fields of a form with the secrets that it kept.
pub(crate) struct TakenBack {
    /// The fields of the answers.
    pub(crate) pairs: Vec<(String, String)>,
    /// The keys of the secrets that can no longer be read.
    expired: Vec<String>,
}

impl TakenBack {
    /// Returns what is wrong with the fields whose secrets must be given again.
    pub(super) fn expired_problems(&self) -> BTreeMap<String, FieldProblem> {
        let problem = |key: &String| (key.clone(), expired());
        self.expired.iter().map(problem).collect()
    }

    /// Returns what is wrong with the fields of this template whose secrets must be given again.
    pub(super) fn problems(&self, template: &Template) -> BTreeMap<String, FieldProblem> {
        let is_asked = |key: &&String| template.parameter(key).is_some_and(Parameter::is_secret);
        self.expired.iter().filter(is_asked).map(|key| (key.clone(), expired())).collect()
    }
}

/// Returns what is wrong with the field of a secret that must be given again.
fn expired() -> FieldProblem {
    FieldProblem {
        code: RefusalCode::SecretsExpired.as_str().to_owned(),
        message: answer::NOT_KEPT.to_owned(),
    }
}

/// Returns whom secrets are kept for.
fn owner(caller: &Caller) -> &str {
    caller.identity.owner().map_or("", |owner| owner.as_str())
}
