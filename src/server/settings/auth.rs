//! The settings of access and sign-in.

use std::time::Duration;

use secrecy::SecretString;

/// The access mode of the portal.
#[derive(Clone, Debug)]
pub enum AuthSettings {
    /// Anyone who can reach the portal may use it.
    Open,
    /// People sign in.
    Oidc(Box<OidcSettings>),
}

/// The settings of sign-in by OpenID Connect.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The provider's issuer, exactly as in its discovery document.
    pub issuer: String,
    /// The client id of the portal.
    pub client_id: String,
    /// The client secret; `None` for a public client.
    pub client_secret: Option<SecretString>,
    /// Other audiences that an ID token for the portal may have.
    pub trusted_audiences: Vec<String>,
    /// The display name of the provider.
    pub name: String,
    /// The scopes that the portal requests.
    pub scopes: Vec<String>,
    /// The claim with a person's groups: its name, or a path to it.
    pub groups_claim: String,
    /// The group whose members are operators; `None` if nobody is.
    pub operator_group: Option<String>,
    /// The duration of sessions.
    pub session: SessionSettings,
}

/// The duration of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// The time after which an unused session ends.
    pub idle: Duration,
    /// The time after which every session ends.
    pub lifetime: Duration,
}
