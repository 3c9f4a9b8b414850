//! The HTTP statuses of refusals.

use super::RefusalCode;

impl RefusalCode {
    /// Returns the HTTP status of the API's answer.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidName
            | Self::IdRequired
            | Self::InvalidFilter
            | Self::InvalidIdempotencyKey
            | Self::InvalidJson
            | Self::IncompleteBody
            | Self::InvalidPath
            | Self::InvalidRequest
            | Self::InvalidTokenName => 400,
            Self::SignInRequired
            | Self::TokenInvalid
            | Self::SignInStale
            | Self::IdentityUntrusted => 401,
            Self::ScopeMissing | Self::CrossSite | Self::SignInDenied | Self::SignInAgain => 403,
            Self::NotFound
            | Self::NoSuchPerson
            | Self::NoSuchToken
            | Self::NoSuchTemplate
            | Self::NoSuchData
            | Self::NoSuchRevision => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::NameTaken
            | Self::NameHeld
            | Self::NotCancellable
            | Self::AlreadyEnded
            | Self::NotEnded
            | Self::NameNotClean
            | Self::NotADeployment
            | Self::OperationUnderWay
            | Self::WrongState
            | Self::NoLog
            | Self::TooLate
            | Self::SpecUnknown
            | Self::AnotherStack
            | Self::NotSignedIn
            | Self::NotStuck
            | Self::TemplateChanged
            | Self::DataInUse
            | Self::DataLost
            | Self::KeptDataFull
            | Self::IdempotencyKeyInUse
            | Self::TooManyTokens => 409,
            Self::RevisionChanged => 412,
            Self::BodyTooLarge => 413,
            Self::UriTooLong => 414,
            Self::IdempotencyKeyReused
            | Self::InvalidParameters
            | Self::InvalidExpiry
            | Self::TemplateRequired
            | Self::SecretsExpired
            | Self::WrongTemplate => 422,
            Self::LimitReached | Self::TooManyRequests | Self::TooManyStreams => 429,
            Self::Internal => 500,
            Self::PlatformTooOld
            | Self::PlatformKeyRefused
            | Self::PlatformWedged
            | Self::PlatformUnreachable
            | Self::SecretKeyMissing
            | Self::SecretsLost
            | Self::LogUnavailable
            | Self::PortalImpaired
            | Self::StoreUnavailable
            | Self::PortalUnreachable
            | Self::ProviderUnreachable
            | Self::ProviderUnreadable
            | Self::ProviderRefused => 503,
        }
    }
}
