//! The options of sign-in, and their valid combinations.

use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use strum::EnumString;

use super::{ConfigError, parse};
use crate::server::origin::{Origin, Scheme};
use crate::server::settings::{AuthSettings, HttpSettings, OidcSettings, SessionSettings};

/// The maximum lifetime of a cookie in browsers.
const LONGEST: Duration = Duration::from_hours(400 * 24);

/// The value of `AUTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Auth {
    Open,
    Oidc,
}

/// Who may use the portal, and how people sign in.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sign-in")]
pub(super) struct AuthOptions {
    /// Who may use the portal: open (anyone who can reach it) or oidc (people who sign in)
    /// [default: open where HOST is a loopback address, else required]
    #[arg(long, env, hide_env_values = true, value_parser = auth)]
    auth: Option<Auth>,
    /// Issuer of the OpenID Connect provider, exactly as in its discovery document
    #[arg(long, env, hide_env_values = true, value_parser = issuer)]
    oidc_issuer: Option<String>,
    /// Client id of the portal at the provider; its redirect URI is `PUBLIC_URL/auth/callback`
    #[arg(long, env, hide_env_values = true, value_parser = plain)]
    oidc_client_id: Option<String>,
    /// Client secret [default: none, a public client]
    #[arg(long, env, hide_env_values = true, value_parser = parse::secret)]
    oidc_client_secret: Option<SecretString>,
    /// Other audiences that the provider adds to every ID token of the portal, separated by
    /// commas; the token must then be issued to the portal (azp) [default: none]
    #[arg(long, env, hide_env_values = true, value_parser = plain)]
    oidc_trusted_audiences: Option<String>,
    /// Name of the provider on the sign-in button [default: your organisation]
    #[arg(long, env, hide_env_values = true, value_parser = plain)]
    oidc_name: Option<String>,
    /// Scopes to request, separated by spaces [default: openid profile]
    #[arg(long, env, hide_env_values = true, value_parser = plain)]
    oidc_scopes: Option<String>,
    /// The claim that holds a person's groups, or a path to it, with dots between the
    /// names [default: groups]
    #[arg(long, env, hide_env_values = true, value_parser = plain)]
    oidc_groups_claim: Option<String>,
    /// The group whose members are operators, with or without a slash before it [default: none:
    /// nobody is an operator]
    #[arg(long, env, hide_env_values = true, value_parser = plain)]
    oidc_operator_group: Option<String>,
    /// How long a session lasts without use
    #[arg(long, env, hide_env_values = true, value_parser = session_time, default_value = "8h")]
    session_idle: Duration,
    /// How long a session lasts at most
    #[arg(long, env, hide_env_values = true, value_parser = session_time, default_value = "7d")]
    session_lifetime: Duration,
}

/// Returns the settings of an open portal. Its cookie has another name with HTTPS than without.
fn open(http: &HttpSettings) -> Result<AuthSettings, ConfigError> {
    if http.origins().any(|url| url.scheme() != http.public_url.scheme()) {
        let problem = "has addresses with https and with http, but an open portal knows a browser \
                       by a cookie that must be the same at all of them: give https for all";
        return Err(ConfigError::setting("PUBLIC_URL", problem));
    }
    Ok(AuthSettings::Open)
}

impl AuthOptions {
    /// Determines the access settings of a portal with these addresses.
    pub(super) fn resolve(self, http: &HttpSettings) -> Result<AuthSettings, ConfigError> {
        match self.auth {
            Some(Auth::Oidc) => self.oidc(http).map(Box::new).map(AuthSettings::Oidc),
            Some(Auth::Open) => match self.first_of_oidc() {
                None => open(http),
                Some(variable) => Err(ConfigError::setting(
                    variable,
                    "is set, but AUTH is open: set AUTH to oidc so that people sign in, or remove \
                     this setting",
                )),
            },
            None => self.by_default(http),
        }
    }

    /// Returns the default: open on a loopback address. With any other address, the operator must
    /// decide.
    fn by_default(&self, http: &HttpSettings) -> Result<AuthSettings, ConfigError> {
        let host = http.addr.ip();
        if let Some(variable) = self.first_of_oidc() {
            let problem = format!("is not set, but {variable} is: set it to oidc as well");
            return Err(ConfigError::setting("AUTH", problem));
        }
        if host.to_canonical().is_loopback() {
            return open(http);
        }
        let problem = format!(
            "is not set, but with HOST {host} other machines can reach the portal: set it to oidc \
             so that people sign in, or to open so that anyone who can reach the portal can start \
             and remove stacks"
        );
        Err(ConfigError::setting("AUTH", problem))
    }

    fn oidc(self, http: &HttpSettings) -> Result<OidcSettings, ConfigError> {
        let is_unfit = |url: &&Origin| url.scheme() != Scheme::Https && !url.is_loopback();
        if let Some(public_url) = http.origins().find(is_unfit) {
            let problem = format!(
                "is {public_url}, but AUTH is oidc: browsers keep the sign-in cookies only from an \
                 https address or a loopback address"
            );
            return Err(ConfigError::setting("PUBLIC_URL", problem));
        }
        let example = "https://login.example.com/realms/staff";
        let text = |text: Option<String>, otherwise: &str| text.unwrap_or(otherwise.to_owned());
        let scopes = text(self.oidc_scopes, "openid profile");
        let audiences = self.oidc_trusted_audiences.unwrap_or_default();
        let audiences = audiences.split(',').map(|text| text.trim().to_owned());
        Ok(OidcSettings {
            issuer: required(self.oidc_issuer, "OIDC_ISSUER", example)?,
            client_id: required(self.oidc_client_id, "OIDC_CLIENT_ID", "portal")?,
            client_secret: self.oidc_client_secret,
            trusted_audiences: audiences.filter(|text| !text.is_empty()).collect(),
            name: text(self.oidc_name, "your organisation"),
            scopes: scopes.split_whitespace().map(ToOwned::to_owned).collect(),
            groups_claim: text(self.oidc_groups_claim, "groups"),
            operator_group: self.oidc_operator_group,
            session: SessionSettings { idle: self.session_idle, lifetime: self.session_lifetime },
        })
    }

    /// Returns the first variable that is set and is used only with `AUTH=oidc`.
    fn first_of_oidc(&self) -> Option<&'static str> {
        let given = [
            ("OIDC_ISSUER", self.oidc_issuer.is_some()),
            ("OIDC_CLIENT_ID", self.oidc_client_id.is_some()),
            ("OIDC_CLIENT_SECRET", self.oidc_client_secret.is_some()),
            ("OIDC_TRUSTED_AUDIENCES", self.oidc_trusted_audiences.is_some()),
            ("OIDC_NAME", self.oidc_name.is_some()),
            ("OIDC_SCOPES", self.oidc_scopes.is_some()),
            ("OIDC_GROUPS_CLAIM", self.oidc_groups_claim.is_some()),
            ("OIDC_OPERATOR_GROUP", self.oidc_operator_group.is_some()),
        ];
        given.into_iter().find_map(|(variable, is_given)| is_given.then_some(variable))
    }
}

fn required(value: Option<String>, variable: &str, example: &str) -> Result<String, ConfigError> {
    value.ok_or_else(|| {
        let problem = format!("is not set, but AUTH is oidc: give one like {example}");
        ConfigError::setting(variable, problem)
    })
}

fn auth(text: &str) -> Result<Auth, String> {
    text.parse().map_err(|_| format!("is {text:?}: give open or oidc"))
}

/// Validates a provider's address without normalizing it: tokens must contain exactly this text.
fn issuer(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%".contains(c);
    match Origin::split(text) {
        Ok((origin, path)) if !path.chars().all(is_plain) => Err(format!(
            "is {text:?}: give the provider's address without a query, like {origin}/realms/staff"
        )),
        Ok((origin, _)) if origin.scheme() == Scheme::Https || origin.is_loopback() => {
            Ok(text.to_owned())
        }
        Ok(_) => Err(format!("is {text:?}: the issuer must be an https address")),
        Err(_) => Err(format!("is {text:?}: give an address like https://login.example.com")),
    }
}

fn plain(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_plain = !text.is_empty() && !text.chars().any(char::is_control);
    parse::text_if(is_plain, text, "give a text without line breaks")
}

fn session_time(text: &str) -> Result<Duration, String> {
    let time = Some(parse::duration(text)?).filter(|time| *time <= LONGEST);
    parse::or_advice(time, text, "give at most 400d, because browsers delete cookies after that")
}

#[cfg(test)]
mod tests;
