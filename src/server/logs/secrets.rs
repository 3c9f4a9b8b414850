//! Opens all secrets that a stack has or had, so that they can be masked.

use std::sync::Arc;

use secrecy::SecretString;

use super::LogParts;
use super::mask::Masks;
use crate::server::secrets::OpenSecretError;
use crate::server::spec::OperationSpec;
use crate::server::store::StoreError;
use domain::stack_id::{RevisionId, StackId};

/// The number of revisions in a row that may be missing.
const MOST_MISSING: u32 = 1;

/// The masks of a stack cannot be made, so its log must not be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenMasksError {
    /// The database failed.
    #[error("the secrets of the stack cannot be read")]
    Store(#[from] StoreError),
    /// A secret does not open.
    #[error("a secret of the stack does not open")]
    Secret(#[from] OpenSecretError),
}

/// Makes the masks of a stack: of the secrets of all its revisions, since an older one may still be
/// in its log, and of those of the present settings.
///
/// # Errors
///
/// Fails if one of them cannot be read. It could not be masked then.
pub(crate) async fn masks(parts: &LogParts, stack: StackId) -> Result<Arc<Masks>, OpenMasksError> {
    let mut secrets: Vec<SecretString> = Vec::new();
    secrets.extend(parts.settings.environment.iter().map(|(_, value)| value.clone()));
    secrets.extend(parts.settings.registry.iter().map(|registry| registry.password.clone()));
    let (mut number, mut missing) = (RevisionId::FIRST, 0);
    // A stack of an older version may lack its first one.
    while missing <= MOST_MISSING {
        let revision = RevisionId { stack, number };
        number += 1;
        let Some(stored) = parts.store.spec(revision).await? else {
            missing += 1;
            continue;
        };
        missing = 0;
        let spec = OperationSpec::stored(stored, revision, parts.keyring.clone());
        secrets.extend(spec.secrets()?);
    }
    Ok(Arc::new(Masks::new(&secrets)))
}
