//! Who may use the portal, and how people sign in.

use std::time::Duration;

use secrecy::SecretString;

/// Who may use the portal.
#[derive(Clone, Debug)]
pub enum AuthSettings {
    /// Whoever reaches it.
    Open,
    /// Who signs in.
    Oidc(OidcSettings),
}

/// How people sign in by OpenID Connect.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The provider's address, exactly as it names itself.
    pub issuer: String,
    /// What the portal is called there.
    pub client_id: String,
    /// What it proves that with; none for a public client.
    pub client_secret: Option<SecretString>,
    /// What people call the provider.
    pub name: String,
    /// What the portal asks to know.
    pub scopes: Vec<String>,
    /// The claim that holds a person's groups.
    pub groups_claim: String,
    /// The group whose members are operators.
    pub operator_group: Option<String>,
    /// How long people stay signed in.
    pub session: SessionSettings,
}

/// How long people stay signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// Without doing anything.
    pub idle: Duration,
    /// At most.
    pub lifetime: Duration,
}
