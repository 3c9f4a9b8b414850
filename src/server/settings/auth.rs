//! The settings of access and sign-in.

use std::time::Duration;

use secrecy::SecretString;

/// The access mode of the portal.
#[derive(Clone, Debug)]
pub enum AuthSettings {
    /// Whoever reaches it.
    Open,
    /// People who sign in.
    Oidc(OidcSettings),
}

/// Describes how people sign in by OpenID Connect.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The provider's address, exactly as it names itself.
    pub issuer: String,
    /// The client id of the portal.
    pub client_id: String,
    /// The client secret; none for a public client.
    pub client_secret: Option<SecretString>,
    /// The display name of the provider.
    pub name: String,
    /// The scopes that the portal asks for.
    pub scopes: Vec<String>,
    /// The claim that holds a person's groups.
    pub groups_claim: String,
    /// The group whose members are operators.
    pub operator_group: Option<String>,
    /// The time for which people stay signed in.
    pub session: SessionSettings,
}

/// The time for which people stay signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// Without doing anything.
    pub idle: Duration,
    /// At most.
    pub lifetime: Duration,
}
