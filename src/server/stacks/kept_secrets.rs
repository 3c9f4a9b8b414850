//! The secrets of a form that was refused: the page gets them sealed, so that nobody has to type them
//! again.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::Service;
use super::form::KEPT_FIELD;
use crate::server::auth::access::Caller;
use domain::refusal::Refusal;
use domain::template::answers::SECRET_FIELD;
use domain::time::later;

/// How long a form can be mended until its secrets must be typed again.
const KEPT_FOR: Duration = Duration::from_hours(1);
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

    /// Puts the secrets that were kept into their fields, if these are empty.
    ///
    /// # Errors
    ///
    /// Returns [`Refusal::SecretsExpired`] if one can no longer be read.
    pub(crate) fn take_secrets_back(
        &self,
        caller: &Caller,
        template: &str,
        mut pairs: Vec<(String, String)>,
    ) -> Result<Vec<(String, String)>, Refusal> {
        let now = self.clock().now();
        let is_kept = |(field, _): &(String, String)| field.starts_with(KEPT_FIELD);
        let kept: Vec<_> = pairs.extract_if(.., |pair| is_kept(pair)).collect();
        for (field, sealed) in kept {
            let key = field.trim_start_matches(KEPT_FIELD);
            let name = format!("{SECRET_FIELD}{key}");
            if pairs.iter().any(|(field, text)| *field == name && !text.is_empty()) {
                continue;
            }
            // A browser without a cookie gets one with the page that has the secrets.
            let owners = [owner(caller), ""];
            let opened = owners.iter().find_map(|owner| {
                let context = [PURPOSE, owner, template, key];
                self.parts.keyring.as_ref()?.take_back(&context, &sealed, now)
            });
            let secret = opened.ok_or(Refusal::SecretsExpired)?;
            pairs.retain(|(field, _)| *field != name);
            pairs.push((name, secrecy::ExposeSecret::expose_secret(&secret).to_owned()));
        }
        Ok(pairs)
    }
}

/// Returns whom secrets are kept for.
fn owner(caller: &Caller) -> &str {
    caller.identity.owner().map_or("", |owner| owner.as_str())
}
